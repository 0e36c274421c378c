-- Rules of all kinds. `tiers`, `base` and `cap` are JSON, as in the code.
ALTER TABLE commission_rule_versions ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'ordinary';
ALTER TABLE commission_rule_versions ADD COLUMN paid_on TEXT COLLATE "C" NOT NULL DEFAULT 'order';
ALTER TABLE commission_rule_versions ADD COLUMN lead_name TEXT COLLATE "C";
ALTER TABLE commission_rule_versions ADD COLUMN tiers JSONB;
ALTER TABLE commission_rule_versions ADD COLUMN base JSONB;
ALTER TABLE commission_rule_versions ADD COLUMN least_minor BIGINT;
ALTER TABLE commission_rule_versions ADD COLUMN most_minor BIGINT;
ALTER TABLE commission_rule_versions ADD COLUMN cap JSONB;
ALTER TABLE commission_rule_versions ADD COLUMN recurring JSONB;
ALTER TABLE commission_rule_versions ADD COLUMN published BOOLEAN NOT NULL DEFAULT TRUE;

-- Lines of these categories are not paid for; whether a person approves each commission; other holds for groups.
ALTER TABLE programs ADD COLUMN excluded_categories JSONB NOT NULL DEFAULT '[]';
ALTER TABLE programs ADD COLUMN manual_approval BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE programs ADD COLUMN group_hold_days JSONB NOT NULL DEFAULT '{}';

-- Who brought the partner, and has the second tier.
ALTER TABLE partners ADD COLUMN recruiter_id BIGINT REFERENCES partners;
ALTER TABLE payable_decisions ADD COLUMN recruiter_id BIGINT REFERENCES partners;
ALTER TABLE payable_shares ADD COLUMN recruiter_id BIGINT REFERENCES partners;

-- What lies under a rule with tiers or a cap, by partner and month of the orders: kept as orders are settled.
CREATE TABLE commission_volumes(
    rule_id BIGINT NOT NULL REFERENCES commission_rules, partner_id BIGINT NOT NULL REFERENCES partners, period TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL, base_minor BIGINT NOT NULL, orders BIGINT NOT NULL, owed_minor BIGINT NOT NULL,
    PRIMARY KEY (rule_id, partner_id, period, version)
);
