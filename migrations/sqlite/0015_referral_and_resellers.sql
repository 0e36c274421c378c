-- The customers' own referral program: terms of a program, and each customer who recommends as a partner.
ALTER TABLE programs ADD COLUMN referral TEXT;

CREATE TABLE referrers(
    id INTEGER PRIMARY KEY, program_id INTEGER NOT NULL REFERENCES programs, partner_id INTEGER NOT NULL REFERENCES partners,
    customer_id TEXT NOT NULL, link_id INTEGER NOT NULL REFERENCES links, promo_code_id INTEGER NOT NULL REFERENCES promo_codes,
    created_at INTEGER NOT NULL, UNIQUE (program_id, customer_id), UNIQUE (partner_id, program_id)
) STRICT;
CREATE INDEX referrers_customer ON referrers(customer_id);
