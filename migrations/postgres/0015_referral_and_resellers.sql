-- The customers' own referral program: terms of a program, and each customer who recommends as a partner.
ALTER TABLE programs ADD COLUMN referral JSONB;

CREATE TABLE referrers(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, program_id BIGINT NOT NULL REFERENCES programs,
    partner_id BIGINT NOT NULL REFERENCES partners, customer_id TEXT COLLATE "C" NOT NULL, link_id BIGINT NOT NULL REFERENCES links,
    promo_code_id BIGINT NOT NULL REFERENCES promo_codes, created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (program_id, customer_id), UNIQUE (partner_id, program_id)
);
CREATE INDEX referrers_customer ON referrers(customer_id);
