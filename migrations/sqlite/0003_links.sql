-- Links as people need them: several destinations, aliases, a fallback of their own, domains of a program.

-- Never deleted: clicks name the target they were sent to. One with `removed_at` is sent to no more.
CREATE TABLE link_targets(
    id INTEGER PRIMARY KEY, link_id INTEGER NOT NULL REFERENCES links, url TEXT NOT NULL, weight INTEGER NOT NULL, device TEXT,
    country TEXT, removed_at INTEGER
) STRICT;
CREATE INDEX link_targets_link ON link_targets(link_id);

-- Further codes of a link, lower-cased: misprints that were re-attached.
CREATE TABLE link_aliases(code_key TEXT PRIMARY KEY, link_id INTEGER NOT NULL REFERENCES links, created_at INTEGER NOT NULL) STRICT;
CREATE INDEX link_aliases_link ON link_aliases(link_id);

ALTER TABLE links ADD COLUMN fallback_url TEXT;
-- The catalog's version that changed a link last: the link book reads what is newer than itself.
ALTER TABLE links ADD COLUMN catalog_version INTEGER NOT NULL DEFAULT 0;
CREATE INDEX links_catalog_version ON links(catalog_version);
ALTER TABLE programs ADD COLUMN link_domains TEXT NOT NULL DEFAULT '[]';
ALTER TABLE misses ADD COLUMN resolved_at INTEGER;
