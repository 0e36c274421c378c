-- The customers' own referral program: terms of a program, and each customer who recommends as a partner.
ALTER TABLE programs ADD COLUMN referral TEXT;

CREATE TABLE referrers(
    id INTEGER PRIMARY KEY, program_id INTEGER NOT NULL REFERENCES programs, partner_id INTEGER NOT NULL REFERENCES partners,
    customer_id TEXT NOT NULL, link_id INTEGER NOT NULL REFERENCES links, promo_code_id INTEGER NOT NULL REFERENCES promo_codes,
    created_at INTEGER NOT NULL, UNIQUE (program_id, customer_id), UNIQUE (partner_id, program_id)
) STRICT;
CREATE INDEX referrers_customer ON referrers(customer_id);

-- Wholesale price lists: several versions under one name, each from its day on.
CREATE TABLE price_lists(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, valid_from TEXT NOT NULL, currency TEXT NOT NULL, created_at INTEGER NOT NULL,
    UNIQUE (name, valid_from)
) STRICT;
CREATE TABLE price_list_items(
    price_list_id INTEGER NOT NULL REFERENCES price_lists, sku TEXT NOT NULL, wholesale_minor INTEGER, recommended_minor INTEGER,
    minimum_minor INTEGER, PRIMARY KEY (price_list_id, sku)
) STRICT;
-- A reseller has one list.
CREATE TABLE price_list_partners(partner_id INTEGER PRIMARY KEY REFERENCES partners, name TEXT NOT NULL) STRICT;

-- Prices that were seen, each with the minimum in force then. An empty address is none.
CREATE TABLE seen_prices(
    id INTEGER PRIMARY KEY, partner_id INTEGER NOT NULL REFERENCES partners, sku TEXT NOT NULL, at INTEGER NOT NULL, day TEXT NOT NULL,
    url TEXT NOT NULL, currency TEXT NOT NULL, price_minor INTEGER NOT NULL, minimum_minor INTEGER, UNIQUE (partner_id, sku, at, url)
) STRICT;

-- What needs a person's look, from when to when.
CREATE TABLE notices(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, partner_id INTEGER NOT NULL REFERENCES partners, sku TEXT NOT NULL, currency TEXT NOT NULL,
    seen_minor INTEGER NOT NULL, minimum_minor INTEGER NOT NULL, url TEXT NOT NULL, since INTEGER NOT NULL, last_seen_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;
CREATE INDEX notices_partner ON notices(partner_id, sku, since);
