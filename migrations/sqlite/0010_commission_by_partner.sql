-- no-transaction
-- Of an order that several share, each partner has commissions under the same rule; and there are commissions that are of
-- no order: of a month's volume, of the clicks of a day. Journals refer to commissions, so the table is made anew without a
-- look at references; should this be cut short, it can be run again.
PRAGMA foreign_keys = OFF;
BEGIN IMMEDIATE;
DROP TABLE IF EXISTS commissions_by_partner;
CREATE TABLE commissions_by_partner(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, order_id INTEGER REFERENCES orders, partner_id INTEGER NOT NULL REFERENCES partners,
    program_id INTEGER NOT NULL REFERENCES programs, rule_id INTEGER NOT NULL REFERENCES commission_rules, rule_version INTEGER NOT NULL,
    -- The month it belongs to, and of clicks the day.
    period TEXT NOT NULL, day TEXT, currency TEXT NOT NULL, state TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    explanation TEXT NOT NULL, hold_until INTEGER NOT NULL, payout_run_id INTEGER REFERENCES payout_runs,
    -- It waits for a person after the hold; who approved or declined it, and why declined.
    needs_approval INTEGER NOT NULL, judged_by TEXT, declined_because TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO commissions_by_partner
    SELECT m.id, 'order', m.order_id, m.partner_id, m.program_id, m.rule_id, m.rule_version, SUBSTR(o.day, 1, 7), NULL, m.currency,
        m.state, m.amount_minor, m.explanation, m.hold_until, m.payout_run_id, 0, NULL, NULL, m.created_at, m.updated_at
    FROM commissions m JOIN orders o ON o.id = m.order_id ORDER BY m.id;
DROP TABLE commissions;
ALTER TABLE commissions_by_partner RENAME TO commissions;
CREATE UNIQUE INDEX commissions_order ON commissions(order_id, partner_id, rule_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX commissions_volume ON commissions(rule_id, partner_id, period) WHERE kind = 'volume';
CREATE UNIQUE INDEX commissions_clicks ON commissions(rule_id, partner_id, day) WHERE kind = 'clicks';
CREATE INDEX commissions_partner ON commissions(partner_id);
CREATE INDEX commissions_hold ON commissions(hold_until) WHERE state = 'pending';
CREATE INDEX commissions_run ON commissions(payout_run_id) WHERE payout_run_id IS NOT NULL;
COMMIT;
PRAGMA foreign_keys = ON;
