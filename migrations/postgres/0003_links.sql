-- Links as people need them: several destinations, aliases, a fallback of their own, domains of a program.

-- Never deleted: clicks name the target they were sent to. One with `removed_at` is sent to no more.
CREATE TABLE link_targets(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, link_id BIGINT NOT NULL REFERENCES links, url TEXT COLLATE "C" NOT NULL, weight BIGINT NOT NULL, device TEXT COLLATE "C",
    country TEXT COLLATE "C", removed_at TIMESTAMPTZ
);
CREATE INDEX link_targets_link ON link_targets(link_id);

-- Further codes of a link, lower-cased: misprints that were re-attached.
CREATE TABLE link_aliases(code_key TEXT COLLATE "C" PRIMARY KEY, link_id BIGINT NOT NULL REFERENCES links, created_at TIMESTAMPTZ NOT NULL);
CREATE INDEX link_aliases_link ON link_aliases(link_id);

ALTER TABLE links ADD COLUMN fallback_url TEXT COLLATE "C";
-- The catalog's version that changed a link last: the link book reads what is newer than itself.
ALTER TABLE links ADD COLUMN catalog_version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX links_catalog_version ON links(catalog_version);
ALTER TABLE programs ADD COLUMN link_domains JSONB NOT NULL DEFAULT '[]';
ALTER TABLE misses ADD COLUMN resolved_at TIMESTAMPTZ;
