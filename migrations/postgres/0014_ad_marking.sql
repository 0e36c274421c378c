-- Ad marking: the token of the advertising register (erid) and the contract behind it, on creatives and links.

CREATE TABLE creatives(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, program_id BIGINT NOT NULL REFERENCES programs, name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL, erid TEXT COLLATE "C", advertiser_name TEXT COLLATE "C", advertiser_inn TEXT COLLATE "C",
    contract_number TEXT COLLATE "C", contract_date DATE, url TEXT COLLATE "C", html TEXT COLLATE "C", text TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL
);

-- A link's own erid; without one, its creative's.
ALTER TABLE links ADD COLUMN creative_id BIGINT REFERENCES creatives;
ALTER TABLE links ADD COLUMN erid TEXT COLLATE "C";
CREATE INDEX links_creative ON links(creative_id) WHERE creative_id IS NOT NULL;
ALTER TABLE programs ADD COLUMN ad_marking_required BOOLEAN NOT NULL DEFAULT FALSE;
