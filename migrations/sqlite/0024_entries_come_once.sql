-- Entries get their ids here: only one that brings its own can be there already.
DROP TRIGGER ledger_entries_come_once;
CREATE TRIGGER ledger_entries_come_once BEFORE INSERT ON ledger_entries
WHEN NEW.id > 0 AND EXISTS (SELECT 1 FROM ledger_entries WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
