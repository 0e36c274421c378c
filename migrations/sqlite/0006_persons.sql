-- Persons by evidence: what ties identifiers together is kept, so that who is one person can be reckoned anew.

CREATE TABLE numbered_identifiers(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, person_id INTEGER NOT NULL REFERENCES persons,
    -- Whether evidence names it, and to how many customers evidence ties it.
    proved INTEGER NOT NULL, customers INTEGER NOT NULL,
    -- The first claim of a browser about it: which identifier it says, when, in which hit; refused once a person has reversed it.
    said_id INTEGER, said_at INTEGER, said_hit BLOB, said_refused INTEGER NOT NULL DEFAULT 0, UNIQUE (kind, value)
) STRICT;
INSERT INTO numbered_identifiers (kind, value, person_id, proved, customers)
    SELECT kind, value, person_id, 1, 0 FROM identifiers ORDER BY person_id, kind, value;
DROP TABLE identifiers;
ALTER TABLE numbered_identifiers RENAME TO identifiers;
CREATE INDEX identifiers_person ON identifiers(person_id);
CREATE INDEX identifiers_said ON identifiers(said_id) WHERE said_id IS NOT NULL;

-- What said that identifiers are one person's; an order is `order ` and its external id.
CREATE TABLE evidence(id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE, at INTEGER NOT NULL) STRICT;
-- The customer is the identifier that the evidence counts for where customers are counted, 0 for none.
CREATE TABLE evidence_ties(
    identifier_id INTEGER NOT NULL, customer_id INTEGER NOT NULL, evidence_id INTEGER NOT NULL, part INTEGER NOT NULL,
    PRIMARY KEY (identifier_id, customer_id, evidence_id)
) STRICT, WITHOUT ROWID;

-- Persons as they stand are evidence of themselves.
INSERT INTO evidence (source, at)
    SELECT 'person per_' || p.id, p.created_at FROM persons p WHERE EXISTS (SELECT 1 FROM identifiers i WHERE i.person_id = p.id)
    ORDER BY p.id;
INSERT INTO evidence_ties (identifier_id, customer_id, evidence_id, part)
    SELECT i.id, 0, e.id, 0 FROM identifiers i JOIN evidence e ON e.source = 'person per_' || i.person_id;
INSERT INTO evidence (source, at)
    SELECT 'order ' || external_id, created_at FROM orders WHERE COALESCE(customer_id, email_hash, phone_hash, visitor_id) IS NOT NULL
    ORDER BY id;
INSERT INTO evidence_ties (identifier_id, customer_id, evidence_id, part)
    SELECT DISTINCT i.id, COALESCE(c.id, m.id, p.id, 0), e.id, 0
    FROM orders o JOIN evidence e ON e.source = 'order ' || o.external_id
    LEFT JOIN identifiers c ON c.kind = 'customer' AND c.value = o.customer_id
    LEFT JOIN identifiers m ON m.kind = 'email' AND m.value = o.email_hash
    LEFT JOIN identifiers p ON p.kind = 'phone' AND p.value = o.phone_hash
    LEFT JOIN identifiers v ON v.kind = 'visitor' AND v.value = o.visitor_id
    JOIN identifiers i ON i.id IN (c.id, m.id, p.id, v.id);
CREATE INDEX evidence_ties_evidence ON evidence_ties(evidence_id, identifier_id);
UPDATE identifiers SET customers =
    (SELECT COUNT(DISTINCT t.customer_id) FROM evidence_ties t WHERE t.identifier_id = identifiers.id AND t.customer_id > 0);

ALTER TABLE person_merges ADD COLUMN evidence_id INTEGER;
ALTER TABLE person_merges ADD COLUMN reversed_at INTEGER;
ALTER TABLE person_merges ADD COLUMN reversed_by TEXT;
ALTER TABLE person_merges ADD COLUMN reversed_because TEXT;
