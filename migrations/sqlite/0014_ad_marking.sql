-- Ad marking: the token of the advertising register (erid) and the contract behind it, on creatives and links.

CREATE TABLE creatives(
    id INTEGER PRIMARY KEY, program_id INTEGER NOT NULL REFERENCES programs, name TEXT NOT NULL, kind TEXT NOT NULL, erid TEXT,
    advertiser_name TEXT, advertiser_inn TEXT, contract_number TEXT, contract_date TEXT, url TEXT, html TEXT, text TEXT,
    created_at INTEGER NOT NULL
) STRICT;

-- A link's own erid; without one, its creative's.
ALTER TABLE links ADD COLUMN creative_id INTEGER REFERENCES creatives;
ALTER TABLE links ADD COLUMN erid TEXT;
CREATE INDEX links_creative ON links(creative_id) WHERE creative_id IS NOT NULL;
ALTER TABLE programs ADD COLUMN ad_marking_required INTEGER NOT NULL DEFAULT 0;
