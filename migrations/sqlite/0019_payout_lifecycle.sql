-- no-transaction
-- A cancelled run frees its month, so a month may have several runs of which one counts. The table is made anew without a
-- look at references; should this be cut short, it can be run again.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS payout_runs_of_month;
CREATE TABLE payout_runs_of_month(
    id INTEGER PRIMARY KEY, period TEXT NOT NULL, currency TEXT NOT NULL, early INTEGER NOT NULL, state TEXT NOT NULL, total_minor INTEGER NOT NULL,
    built_at INTEGER NOT NULL, built_by TEXT NOT NULL, approved_at INTEGER, approved_by TEXT, paid_at INTEGER, paid_by TEXT,
    bank_reference TEXT, cancelled_at INTEGER, cancelled_by TEXT, cancelled_because TEXT
) STRICT;
INSERT INTO payout_runs_of_month
    SELECT id, period, currency, early, state, total_minor, built_at, built_by, approved_at, approved_by, paid_at, paid_by,
        bank_reference, NULL, NULL, NULL FROM payout_runs ORDER BY id;
DROP TABLE payout_runs;
ALTER TABLE payout_runs_of_month RENAME TO payout_runs;
CREATE UNIQUE INDEX payout_runs_month ON payout_runs(period, currency) WHERE state <> 'cancelled';
COMMIT;
PRAGMA foreign_keys = ON;
