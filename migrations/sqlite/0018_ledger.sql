-- The chain: each journal carries the SHA-256 of itself and of the hash before it (ADR 0015). Journals of earlier versions get
-- theirs when the store is first opened; from then on nothing of them changes. Who acted, by which act of the audit log, and
-- which journal is taken back.
ALTER TABLE journals ADD COLUMN actor TEXT;
ALTER TABLE journals ADD COLUMN audit_id INTEGER REFERENCES audit_log;
ALTER TABLE journals ADD COLUMN takes_back INTEGER REFERENCES journals;
ALTER TABLE journals ADD COLUMN hash BLOB;
CREATE UNIQUE INDEX journals_takes_back ON journals(takes_back) WHERE takes_back IS NOT NULL;

DROP TRIGGER journals_stay;
CREATE TRIGGER journals_stay BEFORE UPDATE ON journals
WHEN NOT (OLD.hash IS NULL AND LENGTH(NEW.hash) = 32 AND NEW.id IS OLD.id AND NEW.kind IS OLD.kind AND NEW.currency IS OLD.currency
    AND NEW.at IS OLD.at AND NEW.day IS OLD.day AND NEW.order_id IS OLD.order_id AND NEW.commission_id IS OLD.commission_id
    AND NEW.payout_run_id IS OLD.payout_run_id AND NEW.note IS OLD.note AND NEW.actor IS OLD.actor AND NEW.audit_id IS OLD.audit_id
    AND NEW.takes_back IS OLD.takes_back)
BEGIN SELECT RAISE(ABORT, 'journals are never changed'); END;
-- INSERT OR REPLACE would delete without a word.
CREATE TRIGGER journals_come_once BEFORE INSERT ON journals WHEN EXISTS (SELECT 1 FROM journals WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'journals are never changed'); END;
CREATE TRIGGER ledger_entries_come_once BEFORE INSERT ON ledger_entries WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;

-- A partner's entries by id (the rowid follows in the index) and by day.
DROP INDEX ledger_entries_partner;
CREATE INDEX ledger_entries_partner ON ledger_entries(partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX ledger_entries_partner_day ON ledger_entries(partner_id, day) WHERE partner_id IS NOT NULL;

-- Sums of a partner's entries after the sums before and up to `last_entry`: a balance adds them and the few entries that came
-- later. Added, never changed.
CREATE TABLE ledger_sums(
    partner_id INTEGER NOT NULL REFERENCES partners, last_entry INTEGER NOT NULL REFERENCES ledger_entries, currency TEXT NOT NULL,
    account TEXT NOT NULL, period TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    PRIMARY KEY (partner_id, last_entry, currency, account, period)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER ledger_sums_stay BEFORE UPDATE ON ledger_sums BEGIN SELECT RAISE(ABORT, 'ledger sums are never changed'); END;
CREATE TRIGGER ledger_sums_remain BEFORE DELETE ON ledger_sums BEGIN SELECT RAISE(ABORT, 'ledger sums are never deleted'); END;

-- `chargeback`: the bank took the money back.
ALTER TABLE refunds ADD COLUMN reason TEXT;
