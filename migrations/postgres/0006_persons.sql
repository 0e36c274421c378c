-- Persons by evidence: what ties identifiers together is kept, so that who is one person can be reckoned anew.

-- Whether evidence names an identifier, and to how many customers evidence ties it.
-- The first claim of a browser about it: which identifier it says, when, in which hit; refused once a person has reversed it.
ALTER TABLE identifiers
    DROP CONSTRAINT identifiers_pkey,
    ADD COLUMN id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD COLUMN proved BOOLEAN NOT NULL DEFAULT TRUE,
    ADD COLUMN customers BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN said_id BIGINT,
    ADD COLUMN said_at TIMESTAMPTZ,
    ADD COLUMN said_hit UUID,
    ADD COLUMN said_refused BOOLEAN NOT NULL DEFAULT FALSE,
    ADD UNIQUE (kind, value);
ALTER TABLE identifiers ALTER COLUMN proved DROP DEFAULT, ALTER COLUMN customers DROP DEFAULT;
CREATE INDEX identifiers_said ON identifiers(said_id) WHERE said_id IS NOT NULL;

-- What said that identifiers are one person's; an order is `order ` and its external id.
CREATE TABLE evidence(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source TEXT COLLATE "C" NOT NULL UNIQUE, at TIMESTAMPTZ NOT NULL);
-- The customer is the identifier that the evidence counts for where customers are counted, 0 for none.
CREATE TABLE evidence_ties(
    identifier_id BIGINT NOT NULL, customer_id BIGINT NOT NULL, evidence_id BIGINT NOT NULL, part BIGINT NOT NULL,
    PRIMARY KEY (identifier_id, customer_id, evidence_id)
);

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

ALTER TABLE person_merges
    ADD COLUMN evidence_id BIGINT,
    ADD COLUMN reversed_at TIMESTAMPTZ,
    ADD COLUMN reversed_by TEXT COLLATE "C",
    ADD COLUMN reversed_because TEXT COLLATE "C";
