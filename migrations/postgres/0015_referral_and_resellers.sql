-- The customers' own referral program: terms of a program, and each customer who recommends as a partner.
ALTER TABLE programs ADD COLUMN referral JSONB;

CREATE TABLE referrers(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, program_id BIGINT NOT NULL REFERENCES programs,
    partner_id BIGINT NOT NULL REFERENCES partners, customer_id TEXT COLLATE "C" NOT NULL, link_id BIGINT NOT NULL REFERENCES links,
    promo_code_id BIGINT NOT NULL REFERENCES promo_codes, created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (program_id, customer_id), UNIQUE (partner_id, program_id)
);
CREATE INDEX referrers_customer ON referrers(customer_id);

-- Wholesale price lists: several versions under one name, each from its day on.
CREATE TABLE price_lists(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, valid_from DATE NOT NULL,
    currency TEXT COLLATE "C" NOT NULL, created_at TIMESTAMPTZ NOT NULL, UNIQUE (name, valid_from)
);
CREATE TABLE price_list_items(
    price_list_id BIGINT NOT NULL REFERENCES price_lists, sku TEXT COLLATE "C" NOT NULL, wholesale_minor BIGINT, recommended_minor BIGINT,
    minimum_minor BIGINT, PRIMARY KEY (price_list_id, sku)
);
-- A reseller has one list.
CREATE TABLE price_list_partners(partner_id BIGINT PRIMARY KEY REFERENCES partners, name TEXT COLLATE "C" NOT NULL);

-- Prices that were seen, each with the minimum in force then. An empty address is none.
CREATE TABLE seen_prices(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, partner_id BIGINT NOT NULL REFERENCES partners, sku TEXT COLLATE "C" NOT NULL,
    at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, url TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, price_minor BIGINT NOT NULL,
    minimum_minor BIGINT, UNIQUE (partner_id, sku, at, url)
);

-- What needs a person's look, from when to when.
CREATE TABLE notices(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL, partner_id BIGINT NOT NULL REFERENCES partners,
    sku TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, seen_minor BIGINT NOT NULL, minimum_minor BIGINT NOT NULL,
    url TEXT COLLATE "C" NOT NULL, since TIMESTAMPTZ NOT NULL, last_seen_at TIMESTAMPTZ NOT NULL, closed_at TIMESTAMPTZ
);
CREATE INDEX notices_partner ON notices(partner_id, sku, since);
