-- Leads, once by the id they have elsewhere. `stages` is JSON: which stage was reached when. The decision is made once, when the
-- lead is first approved, as that of an order is.
CREATE TABLE leads(
    id INTEGER PRIMARY KEY, external_id TEXT NOT NULL UNIQUE, name TEXT, stages TEXT NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL,
    day TEXT NOT NULL, customer_id TEXT, email_hash TEXT, phone_hash TEXT, visitor_id TEXT, click_id TEXT,
    person_id INTEGER NOT NULL REFERENCES persons, decision TEXT, partner_id INTEGER REFERENCES partners,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX leads_partner ON leads(partner_id) WHERE partner_id IS NOT NULL;
CREATE INDEX leads_person ON leads(person_id, at);

ALTER TABLE commissions ADD COLUMN lead_id INTEGER REFERENCES leads;
CREATE UNIQUE INDEX commissions_lead ON commissions(lead_id, partner_id, rule_id) WHERE lead_id IS NOT NULL;
