-- Under `lifetime` the first partner keeps the customer for so many days, and so many orders; none: no end.
ALTER TABLE programs ADD COLUMN lifetime_days INTEGER;
ALTER TABLE programs ADD COLUMN lifetime_orders INTEGER;

-- Those among whom an order is split, the partner of the earliest touch first. An order of one partner has none.
-- `rules` are the commission rules in force for the partner when the order was placed.
CREATE TABLE payable_shares(
    order_id INTEGER NOT NULL REFERENCES payable_decisions, position INTEGER NOT NULL, partner_id INTEGER NOT NULL REFERENCES partners,
    program_id INTEGER NOT NULL REFERENCES programs, via TEXT NOT NULL, touch TEXT NOT NULL, promo_code_id INTEGER REFERENCES promo_codes,
    touches INTEGER NOT NULL, rules TEXT NOT NULL, PRIMARY KEY (order_id, position)
) STRICT;
CREATE INDEX payable_shares_partner ON payable_shares(partner_id);
