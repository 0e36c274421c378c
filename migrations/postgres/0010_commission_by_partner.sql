-- Of an order that several share, each partner has commissions under the same rule.
ALTER TABLE commissions DROP CONSTRAINT commissions_order_id_rule_id_key;
ALTER TABLE commissions ADD CONSTRAINT commissions_order_partner_rule UNIQUE (order_id, partner_id, rule_id);
