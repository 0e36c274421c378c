-- The chain: each journal carries the SHA-256 of itself and of the hash before it (ADR 0015). Journals of earlier versions get
-- theirs when the store is first opened; from then on nothing of them changes. Who acted, by which act of the audit log, and
-- which journal is taken back.
ALTER TABLE journals ADD COLUMN actor TEXT COLLATE "C";
ALTER TABLE journals ADD COLUMN audit_id BIGINT REFERENCES audit_log;
ALTER TABLE journals ADD COLUMN takes_back BIGINT REFERENCES journals;
ALTER TABLE journals ADD COLUMN hash BYTEA;
CREATE UNIQUE INDEX journals_takes_back ON journals(takes_back) WHERE takes_back IS NOT NULL;

CREATE FUNCTION refuse_all_but_hash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.hash IS NULL AND LENGTH(NEW.hash) = 32 AND (to_jsonb(NEW) - 'hash') = (to_jsonb(OLD) - 'hash') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% are never changed or deleted', TG_TABLE_NAME;
END $$;
DROP TRIGGER journals_stay ON journals;
CREATE TRIGGER journals_stay BEFORE UPDATE OR DELETE ON journals FOR EACH ROW EXECUTE FUNCTION refuse_all_but_hash();
CREATE TRIGGER journals_remain BEFORE TRUNCATE ON journals FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_remain BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A partner's entries by id and by day.
DROP INDEX ledger_entries_partner;
CREATE INDEX ledger_entries_partner ON ledger_entries(partner_id, id) WHERE partner_id IS NOT NULL;
CREATE INDEX ledger_entries_partner_day ON ledger_entries(partner_id, day) WHERE partner_id IS NOT NULL;

-- Sums of a partner's entries after the sums before and up to `last_entry`: a balance adds them and the few entries that came
-- later. Added, never changed.
CREATE TABLE ledger_sums(
    partner_id BIGINT NOT NULL REFERENCES partners, last_entry BIGINT NOT NULL REFERENCES ledger_entries, currency TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL, period TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL,
    PRIMARY KEY (partner_id, last_entry, currency, account, period)
);
CREATE TRIGGER ledger_sums_stay BEFORE UPDATE OR DELETE ON ledger_sums FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_sums_remain BEFORE TRUNCATE ON ledger_sums FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- `chargeback`: the bank took the money back.
ALTER TABLE refunds ADD COLUMN reason TEXT COLLATE "C";
