-- Who the payee is before tax law, and what is withheld of the amount as the payee's tax; as of the build of the run.
ALTER TABLE payout_run_lines ADD COLUMN standing TEXT COLLATE "C";
ALTER TABLE payout_run_lines ADD COLUMN tax_minor BIGINT NOT NULL DEFAULT 0;

-- Statements and acts: issued once, numbered without gaps within a kind and a year.
CREATE TABLE documents(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL, year BIGINT NOT NULL, number BIGINT NOT NULL,
    period TEXT COLLATE "C" NOT NULL, day DATE NOT NULL, partner_id BIGINT NOT NULL REFERENCES partners,
    payee_name TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL, sums JSONB NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL, issued_by TEXT COLLATE "C" NOT NULL,
    UNIQUE (kind, year, number), UNIQUE (period, partner_id, currency, kind)
);
CREATE INDEX documents_partner ON documents(partner_id);

-- The page of a document in a language, compressed by gzip; the hash is that of the page.
CREATE TABLE document_texts(
    document_id BIGINT NOT NULL REFERENCES documents, language TEXT COLLATE "C" NOT NULL, sha256 TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL, body BYTEA NOT NULL, PRIMARY KEY (document_id, language)
);

CREATE TRIGGER documents_stay BEFORE UPDATE OR DELETE ON documents FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER document_texts_stay BEFORE UPDATE OR DELETE ON document_texts FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Receipts of the self-employed: one for each payment.
CREATE TABLE receipts(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payout_run_id BIGINT NOT NULL REFERENCES payout_runs,
    partner_id BIGINT NOT NULL REFERENCES partners, currency TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL, paid_on DATE NOT NULL, due_on DATE NOT NULL, asked_at TIMESTAMPTZ NOT NULL,
    number TEXT COLLATE "C", link TEXT COLLATE "C", issued_on DATE, received_at TIMESTAMPTZ, received_by TEXT COLLATE "C",
    annulled_at TIMESTAMPTZ, annulled_because TEXT COLLATE "C", reminders BIGINT NOT NULL, reminded_at TIMESTAMPTZ,
    UNIQUE (payout_run_id, partner_id)
);
CREATE UNIQUE INDEX receipts_number ON receipts(partner_id, number) WHERE state = 'received';
CREATE INDEX receipts_missing ON receipts(due_on) WHERE state <> 'received';

-- A tax is looked up by run and partner, who is the note.
CREATE INDEX journals_tax ON journals(payout_run_id, note) WHERE kind = 'tax_withheld';
