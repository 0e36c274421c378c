-- Narrow touches: what repeats (user agents, pages, referrers, languages, UTM) stands once in a dictionary.

CREATE TABLE texts(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hash UUID NOT NULL UNIQUE, text TEXT COLLATE "C" NOT NULL);

CREATE TABLE origins(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hash UUID NOT NULL UNIQUE, source TEXT COLLATE "C", medium TEXT COLLATE "C", campaign TEXT COLLATE "C",
    content TEXT COLLATE "C", term TEXT COLLATE "C"
);

-- Entries made here have a hash of their own: the same text, met again, may stand twice, which does no harm.
INSERT INTO texts (hash, text) SELECT gen_random_uuid(), text FROM (
    SELECT user_agent AS text FROM touches WHERE user_agent IS NOT NULL
    UNION SELECT language FROM touches WHERE language IS NOT NULL
    UNION SELECT CASE STRPOS(url, '?') WHEN 0 THEN url ELSE SUBSTR(url, 1, STRPOS(url, '?') - 1) END FROM touches WHERE url IS NOT NULL
    UNION SELECT CASE STRPOS(referrer, '?') WHEN 0 THEN referrer ELSE SUBSTR(referrer, 1, STRPOS(referrer, '?') - 1) END
        FROM touches WHERE referrer IS NOT NULL
) t;
CREATE INDEX texts_text ON texts USING HASH (text);

INSERT INTO origins (hash, source, medium, campaign, content, term)
    SELECT gen_random_uuid(), source, medium, campaign, content, term FROM touches
    WHERE COALESCE(source, medium, campaign, content, term) IS NOT NULL GROUP BY source, medium, campaign, content, term;
CREATE INDEX origins_source ON origins(source);

-- Immutable once stored, but for the address, which is shortened when its time is over.
CREATE TABLE narrow_touches(
    id UUID NOT NULL, external_id TEXT COLLATE "C", at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, kind TEXT COLLATE "C" NOT NULL, visitor_id TEXT COLLATE "C", customer_id TEXT COLLATE "C",
    channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT, link_id BIGINT, target_id BIGINT, partner_id BIGINT, program_id BIGINT, promo_code_id BIGINT,
    mark TEXT COLLATE "C", mark_reason TEXT COLLATE "C", consent_denied BOOLEAN NOT NULL, page_id BIGINT, query TEXT COLLATE "C", referrer_id BIGINT, referrer_query TEXT COLLATE "C",
    user_agent_id BIGINT, language_id BIGINT, ip TEXT COLLATE "C", PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);

-- A partition a month of UTC; the service makes those to come ahead.
DO $$
DECLARE
    month DATE;
    last DATE;
BEGIN
    SELECT DATE_TRUNC('month', MIN(at) AT TIME ZONE 'UTC'), DATE_TRUNC('month', MAX(at) AT TIME ZONE 'UTC') INTO month, last FROM touches;
    WHILE month <= last LOOP
        EXECUTE FORMAT('CREATE TABLE touches_%s PARTITION OF narrow_touches FOR VALUES FROM (%L) TO (%L)', TO_CHAR(month, 'YYYY_MM'),
            month::TIMESTAMP AT TIME ZONE 'UTC', (month + INTERVAL '1 month')::TIMESTAMP AT TIME ZONE 'UTC');
        month := month + INTERVAL '1 month';
    END LOOP;
END $$;


INSERT INTO narrow_touches
    SELECT t.id, t.external_id, t.at, t.day, t.kind, t.visitor_id, t.customer_id, t.channel,
        (SELECT o.id FROM origins o WHERE o.source IS NOT DISTINCT FROM t.source AND o.medium IS NOT DISTINCT FROM t.medium AND o.campaign IS NOT DISTINCT FROM t.campaign
            AND o.content IS NOT DISTINCT FROM t.content AND o.term IS NOT DISTINCT FROM t.term),
        t.link_id, NULL, t.partner_id, t.program_id, t.promo_code_id, t.mark, t.mark_reason, t.consent_denied,
        (SELECT x.id FROM texts x WHERE x.text = CASE STRPOS(t.url, '?') WHEN 0 THEN t.url ELSE SUBSTR(t.url, 1, STRPOS(t.url, '?') - 1) END),
        CASE STRPOS(t.url, '?') WHEN 0 THEN NULL ELSE SUBSTR(t.url, STRPOS(t.url, '?') + 1) END,
        (SELECT x.id FROM texts x
            WHERE x.text = CASE STRPOS(t.referrer, '?') WHEN 0 THEN t.referrer ELSE SUBSTR(t.referrer, 1, STRPOS(t.referrer, '?') - 1) END),
        CASE STRPOS(t.referrer, '?') WHEN 0 THEN NULL ELSE SUBSTR(t.referrer, STRPOS(t.referrer, '?') + 1) END,
        (SELECT x.id FROM texts x WHERE x.text = t.user_agent), (SELECT x.id FROM texts x WHERE x.text = t.language), t.ip
    FROM touches t;
DROP TABLE touches;
ALTER TABLE narrow_touches RENAME TO touches;
ALTER TABLE touches RENAME CONSTRAINT narrow_touches_pkey TO touches_pkey;
DROP INDEX texts_text;
DROP INDEX origins_source;
CREATE INDEX touches_visitor ON touches(visitor_id, at) WHERE visitor_id IS NOT NULL;
CREATE INDEX touches_customer ON touches(customer_id, at) WHERE customer_id IS NOT NULL;
CREATE INDEX touches_day ON touches(day);

-- Touches by day and origin, counted as they are stored; 0 stands for none.
CREATE TABLE touch_days(
    day DATE NOT NULL, kind TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT NOT NULL, link_id BIGINT NOT NULL, partner_id BIGINT NOT NULL,
    counted BIGINT NOT NULL, not_counted BIGINT NOT NULL, PRIMARY KEY (day, kind, channel, origin_id, link_id, partner_id)
);
INSERT INTO touch_days
    SELECT day, kind, channel, COALESCE(origin_id, 0), COALESCE(link_id, 0), COALESCE(partner_id, 0),
        COUNT(*) FILTER (WHERE mark IS NULL), COUNT(*) FILTER (WHERE mark IS NOT NULL)
    FROM touches GROUP BY 1, 2, 3, 4, 5, 6;
CREATE INDEX touch_days_partner ON touch_days(partner_id, day) WHERE partner_id <> 0;

-- Clicks on codes nobody knows, as received: once the code is given to a link, they become its touches.
CREATE TABLE missed_hits(id UUID PRIMARY KEY, at TIMESTAMPTZ NOT NULL, code TEXT COLLATE "C" NOT NULL, hit BYTEA NOT NULL);
CREATE INDEX missed_hits_code ON missed_hits(code);

-- Hits that the store refused, as received, each with the reason.
CREATE TABLE rejected_hits(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hit_id UUID, at TIMESTAMPTZ NOT NULL, reason TEXT COLLATE "C" NOT NULL, hit BYTEA NOT NULL);
