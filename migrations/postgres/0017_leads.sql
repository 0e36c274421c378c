-- Leads, once by the id they have elsewhere. `stages` is JSON: which stage was reached when. The decision is made once, when the
-- lead is first approved, as that of an order is.
CREATE TABLE leads(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, external_id TEXT COLLATE "C" NOT NULL UNIQUE, name TEXT COLLATE "C",
    stages JSONB NOT NULL, status TEXT COLLATE "C" NOT NULL, at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, customer_id TEXT COLLATE "C",
    email_hash TEXT COLLATE "C", phone_hash TEXT COLLATE "C", visitor_id TEXT COLLATE "C", click_id TEXT COLLATE "C",
    person_id BIGINT NOT NULL REFERENCES persons, decision JSONB, partner_id BIGINT REFERENCES partners,
    created_at TIMESTAMPTZ NOT NULL, updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX leads_partner ON leads(partner_id) WHERE partner_id IS NOT NULL;
CREATE INDEX leads_person ON leads(person_id, at);

ALTER TABLE commissions ADD COLUMN lead_id BIGINT REFERENCES leads;
CREATE UNIQUE INDEX commissions_lead ON commissions(lead_id, partner_id, rule_id) WHERE lead_id IS NOT NULL;
