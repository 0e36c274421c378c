-- Narrow touches: what repeats (user agents, pages, referrers, languages, UTM) stands once in a dictionary.

CREATE TABLE texts(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, text TEXT NOT NULL) STRICT;

CREATE TABLE origins(
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, source TEXT, medium TEXT, campaign TEXT, content TEXT, term TEXT
) STRICT;

-- Entries made here have a hash of their own: the same text, met again, may stand twice, which does no harm.
INSERT INTO texts (hash, text) SELECT randomblob(16), text FROM (
    SELECT user_agent AS text FROM touches WHERE user_agent IS NOT NULL
    UNION SELECT language FROM touches WHERE language IS NOT NULL
    UNION SELECT CASE INSTR(url, '?') WHEN 0 THEN url ELSE SUBSTR(url, 1, INSTR(url, '?') - 1) END FROM touches WHERE url IS NOT NULL
    UNION SELECT CASE INSTR(referrer, '?') WHEN 0 THEN referrer ELSE SUBSTR(referrer, 1, INSTR(referrer, '?') - 1) END
        FROM touches WHERE referrer IS NOT NULL
);
CREATE INDEX texts_text ON texts(text);

INSERT INTO origins (hash, source, medium, campaign, content, term)
    SELECT randomblob(16), source, medium, campaign, content, term FROM touches
    WHERE COALESCE(source, medium, campaign, content, term) IS NOT NULL GROUP BY source, medium, campaign, content, term;
CREATE INDEX origins_source ON origins(source);

-- Immutable once stored, but for the address, which is shortened when its time is over. In the order of their ids,
-- which is that of time for all that were not imported.
CREATE TABLE narrow_touches(
    id BLOB PRIMARY KEY, external_id TEXT, at INTEGER NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, visitor_id TEXT, customer_id TEXT,
    channel TEXT NOT NULL, origin_id INTEGER, link_id INTEGER, target_id INTEGER, partner_id INTEGER, program_id INTEGER, promo_code_id INTEGER,
    mark TEXT, mark_reason TEXT, consent_denied INTEGER NOT NULL, page_id INTEGER, query TEXT, referrer_id INTEGER, referrer_query TEXT,
    user_agent_id INTEGER, language_id INTEGER, ip TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO narrow_touches
    SELECT t.id, t.external_id, t.at, t.day, t.kind, t.visitor_id, t.customer_id, t.channel,
        (SELECT o.id FROM origins o WHERE o.source IS t.source AND o.medium IS t.medium AND o.campaign IS t.campaign
            AND o.content IS t.content AND o.term IS t.term),
        t.link_id, NULL, t.partner_id, t.program_id, t.promo_code_id, t.mark, t.mark_reason, t.consent_denied,
        (SELECT x.id FROM texts x WHERE x.text = CASE INSTR(t.url, '?') WHEN 0 THEN t.url ELSE SUBSTR(t.url, 1, INSTR(t.url, '?') - 1) END),
        CASE INSTR(t.url, '?') WHEN 0 THEN NULL ELSE SUBSTR(t.url, INSTR(t.url, '?') + 1) END,
        (SELECT x.id FROM texts x
            WHERE x.text = CASE INSTR(t.referrer, '?') WHEN 0 THEN t.referrer ELSE SUBSTR(t.referrer, 1, INSTR(t.referrer, '?') - 1) END),
        CASE INSTR(t.referrer, '?') WHEN 0 THEN NULL ELSE SUBSTR(t.referrer, INSTR(t.referrer, '?') + 1) END,
        (SELECT x.id FROM texts x WHERE x.text = t.user_agent), (SELECT x.id FROM texts x WHERE x.text = t.language), t.ip
    FROM touches t;
DROP TABLE touches;
ALTER TABLE narrow_touches RENAME TO touches;
DROP INDEX texts_text;
DROP INDEX origins_source;
CREATE INDEX touches_visitor ON touches(visitor_id, at) WHERE visitor_id IS NOT NULL;
CREATE INDEX touches_customer ON touches(customer_id, at) WHERE customer_id IS NOT NULL;
CREATE INDEX touches_day ON touches(day);

-- Touches by day and origin, counted as they are stored; 0 stands for none.
CREATE TABLE touch_days(
    day TEXT NOT NULL, kind TEXT NOT NULL, channel TEXT NOT NULL, origin_id INTEGER NOT NULL, link_id INTEGER NOT NULL, partner_id INTEGER NOT NULL,
    counted INTEGER NOT NULL, not_counted INTEGER NOT NULL, PRIMARY KEY (day, kind, channel, origin_id, link_id, partner_id)
) STRICT, WITHOUT ROWID;
INSERT INTO touch_days
    SELECT day, kind, channel, COALESCE(origin_id, 0), COALESCE(link_id, 0), COALESCE(partner_id, 0),
        COUNT(*) FILTER (WHERE mark IS NULL), COUNT(*) FILTER (WHERE mark IS NOT NULL)
    FROM touches GROUP BY 1, 2, 3, 4, 5, 6;
CREATE INDEX touch_days_partner ON touch_days(partner_id, day) WHERE partner_id <> 0;

-- Clicks on codes nobody knows, as received: once the code is given to a link, they become its touches.
CREATE TABLE missed_hits(id BLOB PRIMARY KEY, at INTEGER NOT NULL, code TEXT NOT NULL, hit BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX missed_hits_code ON missed_hits(code);

-- Hits that the store refused, as received, each with the reason.
CREATE TABLE rejected_hits(id INTEGER PRIMARY KEY, hit_id BLOB, at INTEGER NOT NULL, reason TEXT NOT NULL, hit BLOB NOT NULL) STRICT;
