-- Of an order that several share, each partner has commissions under the same rule; and there are commissions that are of
-- no order: of a month's volume, of the clicks of a day.
ALTER TABLE commissions ALTER COLUMN order_id DROP NOT NULL;
ALTER TABLE commissions ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'order';
ALTER TABLE commissions ALTER COLUMN kind DROP DEFAULT;
-- The month it belongs to, and of clicks the day.
ALTER TABLE commissions ADD COLUMN period TEXT COLLATE "C";
ALTER TABLE commissions ADD COLUMN day DATE;
UPDATE commissions m SET period = TO_CHAR(o.day, 'YYYY-MM') FROM orders o WHERE o.id = m.order_id;
ALTER TABLE commissions ALTER COLUMN period SET NOT NULL;
-- It waits for a person after the hold; who approved or declined it, and why declined.
ALTER TABLE commissions ADD COLUMN needs_approval BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE commissions ALTER COLUMN needs_approval DROP DEFAULT;
ALTER TABLE commissions ADD COLUMN judged_by TEXT COLLATE "C";
ALTER TABLE commissions ADD COLUMN declined_because TEXT COLLATE "C";
ALTER TABLE commissions DROP CONSTRAINT commissions_order_id_rule_id_key;
CREATE UNIQUE INDEX commissions_order ON commissions(order_id, partner_id, rule_id) WHERE order_id IS NOT NULL;
CREATE UNIQUE INDEX commissions_volume ON commissions(rule_id, partner_id, period) WHERE kind = 'volume';
CREATE UNIQUE INDEX commissions_clicks ON commissions(rule_id, partner_id, day) WHERE kind = 'clicks';
