-- Who the payee is before tax law, and what is withheld of the amount as the payee's tax; as of the build of the run.
ALTER TABLE payout_run_lines ADD COLUMN standing TEXT;
ALTER TABLE payout_run_lines ADD COLUMN tax_minor INTEGER NOT NULL DEFAULT 0;

-- Statements and acts: issued once, numbered without gaps within a kind and a year.
CREATE TABLE documents(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, year INTEGER NOT NULL, number INTEGER NOT NULL, period TEXT NOT NULL, day TEXT NOT NULL,
    partner_id INTEGER NOT NULL REFERENCES partners, payee_name TEXT NOT NULL, currency TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    sums TEXT NOT NULL, issued_at INTEGER NOT NULL, issued_by TEXT NOT NULL,
    UNIQUE (kind, year, number), UNIQUE (period, partner_id, currency, kind)
) STRICT;
CREATE INDEX documents_partner ON documents(partner_id);

-- The page of a document in a language, compressed by gzip; the hash is that of the page.
CREATE TABLE document_texts(
    document_id INTEGER NOT NULL REFERENCES documents, language TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (document_id, language)
) STRICT;

CREATE TRIGGER documents_stay BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'documents are never changed'); END;
CREATE TRIGGER documents_remain BEFORE DELETE ON documents BEGIN SELECT RAISE(ABORT, 'documents are never deleted'); END;
CREATE TRIGGER document_texts_stay BEFORE UPDATE ON document_texts BEGIN SELECT RAISE(ABORT, 'documents are never changed'); END;
CREATE TRIGGER document_texts_remain BEFORE DELETE ON document_texts BEGIN SELECT RAISE(ABORT, 'documents are never deleted'); END;

-- Receipts of the self-employed: one for each payment.
CREATE TABLE receipts(
    id INTEGER PRIMARY KEY, payout_run_id INTEGER NOT NULL REFERENCES payout_runs, partner_id INTEGER NOT NULL REFERENCES partners,
    currency TEXT NOT NULL, amount_minor INTEGER NOT NULL, state TEXT NOT NULL, paid_on TEXT NOT NULL, due_on TEXT NOT NULL,
    asked_at INTEGER NOT NULL, number TEXT, link TEXT, issued_on TEXT, received_at INTEGER, received_by TEXT, annulled_at INTEGER,
    annulled_because TEXT, reminders INTEGER NOT NULL, reminded_at INTEGER, UNIQUE (payout_run_id, partner_id)
) STRICT;
CREATE UNIQUE INDEX receipts_number ON receipts(partner_id, number) WHERE state = 'received';
CREATE INDEX receipts_missing ON receipts(due_on) WHERE state <> 'received';

-- A tax is looked up by run and partner, who is the note.
CREATE INDEX journals_tax ON journals(payout_run_id, note) WHERE kind = 'tax_withheld';
