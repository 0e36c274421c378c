-- Rules of all kinds. `tiers`, `base` and `cap` are JSON, as in the code.
ALTER TABLE commission_rule_versions ADD COLUMN kind TEXT NOT NULL DEFAULT 'ordinary';
ALTER TABLE commission_rule_versions ADD COLUMN paid_on TEXT NOT NULL DEFAULT 'order';
ALTER TABLE commission_rule_versions ADD COLUMN lead_name TEXT;
ALTER TABLE commission_rule_versions ADD COLUMN tiers TEXT;
ALTER TABLE commission_rule_versions ADD COLUMN base TEXT;
ALTER TABLE commission_rule_versions ADD COLUMN least_minor INTEGER;
ALTER TABLE commission_rule_versions ADD COLUMN most_minor INTEGER;
ALTER TABLE commission_rule_versions ADD COLUMN cap TEXT;
ALTER TABLE commission_rule_versions ADD COLUMN recurring TEXT;
ALTER TABLE commission_rule_versions ADD COLUMN published INTEGER NOT NULL DEFAULT 1;

-- Lines of these categories are not paid for; whether a person approves each commission; other holds for groups.
ALTER TABLE programs ADD COLUMN excluded_categories TEXT NOT NULL DEFAULT '[]';
ALTER TABLE programs ADD COLUMN manual_approval INTEGER NOT NULL DEFAULT 0;
ALTER TABLE programs ADD COLUMN group_hold_days TEXT NOT NULL DEFAULT '{}';

-- Who brought the partner, and has the second tier.
ALTER TABLE partners ADD COLUMN recruiter_id INTEGER REFERENCES partners;
ALTER TABLE payable_decisions ADD COLUMN recruiter_id INTEGER REFERENCES partners;
ALTER TABLE payable_shares ADD COLUMN recruiter_id INTEGER REFERENCES partners;

-- What lies under a rule with tiers or a cap, by partner and month of the orders: kept as orders are settled.
CREATE TABLE commission_volumes(
    rule_id INTEGER NOT NULL REFERENCES commission_rules, partner_id INTEGER NOT NULL REFERENCES partners, period TEXT NOT NULL,
    version INTEGER NOT NULL, base_minor INTEGER NOT NULL, orders INTEGER NOT NULL, owed_minor INTEGER NOT NULL,
    PRIMARY KEY (rule_id, partner_id, period, version)
) STRICT, WITHOUT ROWID;
