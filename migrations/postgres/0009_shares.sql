-- Under `lifetime` the first partner keeps the customer for so many days, and so many orders; none: no end.
ALTER TABLE programs ADD COLUMN lifetime_days BIGINT;
ALTER TABLE programs ADD COLUMN lifetime_orders BIGINT;

-- Those among whom an order is split, the partner of the earliest touch first. An order of one partner has none.
-- `rules` are the commission rules in force for the partner when the order was placed.
CREATE TABLE payable_shares(
    order_id BIGINT NOT NULL REFERENCES payable_decisions, position BIGINT NOT NULL, partner_id BIGINT NOT NULL REFERENCES partners,
    program_id BIGINT NOT NULL REFERENCES programs, via TEXT COLLATE "C" NOT NULL, touch TEXT COLLATE "C" NOT NULL, promo_code_id BIGINT REFERENCES promo_codes,
    touches BIGINT NOT NULL, rules JSONB NOT NULL, PRIMARY KEY (order_id, position)
);
CREATE INDEX payable_shares_partner ON payable_shares(partner_id);
