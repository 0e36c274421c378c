-- Where a line stands: due, paid, failed, cancelled; carried and blocked as it was built. `paid_on` is the bank's day.
ALTER TABLE payout_run_lines ADD COLUMN state TEXT COLLATE "C" NOT NULL DEFAULT 'due';
ALTER TABLE payout_run_lines ADD COLUMN settled_at TIMESTAMPTZ;
ALTER TABLE payout_run_lines ADD COLUMN settled_by TEXT COLLATE "C";
ALTER TABLE payout_run_lines ADD COLUMN paid_on DATE;
ALTER TABLE payout_run_lines ADD COLUMN bank_reference TEXT COLLATE "C";
ALTER TABLE payout_run_lines ADD COLUMN failed_because TEXT COLLATE "C";
UPDATE payout_run_lines SET state = disposition WHERE disposition <> 'due';
UPDATE payout_run_lines SET state = 'paid', settled_at = r.paid_at, settled_by = r.paid_by, bank_reference = r.bank_reference
    FROM payout_runs r WHERE r.id = payout_run_lines.payout_run_id AND r.state = 'paid' AND payout_run_lines.disposition = 'due';

-- What the next runs pay, in the order it lies in.
CREATE INDEX commissions_approved ON commissions(currency) WHERE state = 'approved';
