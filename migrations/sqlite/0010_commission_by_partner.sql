-- no-transaction
-- Of an order that several share, each partner has commissions under the same rule. Journals refer to commissions, so the
-- table is made anew without a look at references; should this be cut short, it can be run again.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS commissions_by_partner;
CREATE TABLE commissions_by_partner(
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders, partner_id INTEGER NOT NULL REFERENCES partners,
    program_id INTEGER NOT NULL REFERENCES programs, rule_id INTEGER NOT NULL REFERENCES commission_rules, rule_version INTEGER NOT NULL,
    currency TEXT NOT NULL, state TEXT NOT NULL, amount_minor INTEGER NOT NULL, explanation TEXT NOT NULL, hold_until INTEGER NOT NULL,
    payout_run_id INTEGER REFERENCES payout_runs, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    UNIQUE (order_id, partner_id, rule_id)
) STRICT;
INSERT INTO commissions_by_partner
    SELECT id, order_id, partner_id, program_id, rule_id, rule_version, currency, state, amount_minor, explanation, hold_until,
        payout_run_id, created_at, updated_at
    FROM commissions ORDER BY id;
DROP TABLE commissions;
ALTER TABLE commissions_by_partner RENAME TO commissions;
CREATE INDEX commissions_partner ON commissions(partner_id);
CREATE INDEX commissions_hold ON commissions(hold_until) WHERE state = 'pending';
CREATE INDEX commissions_run ON commissions(payout_run_id) WHERE payout_run_id IS NOT NULL;
COMMIT;
PRAGMA foreign_keys = ON;
