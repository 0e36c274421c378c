-- A cancelled run frees its month, so a month may have several runs of which one counts.
ALTER TABLE payout_runs ADD COLUMN cancelled_at TIMESTAMPTZ;
ALTER TABLE payout_runs ADD COLUMN cancelled_by TEXT COLLATE "C";
ALTER TABLE payout_runs ADD COLUMN cancelled_because TEXT COLLATE "C";
ALTER TABLE payout_runs DROP CONSTRAINT payout_runs_period_currency_key;
CREATE UNIQUE INDEX payout_runs_month ON payout_runs(period, currency) WHERE state <> 'cancelled';
