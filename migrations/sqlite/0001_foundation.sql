-- The whole of the foundation: from a touch to its payout. Amounts are minor units; times are microseconds since 1970, UTC.

-- Settings of the store itself: time zone, hash key, the catalog's version.
CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE programs(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, currency TEXT NOT NULL, destination_hosts TEXT NOT NULL,
    click_window_days INTEGER NOT NULL, view_window_days INTEGER NOT NULL, hold_days INTEGER NOT NULL, credit_policy TEXT NOT NULL,
    min_payout_minor INTEGER NOT NULL, new_customers_only INTEGER NOT NULL, fallback_url TEXT, created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE partners(
    id INTEGER PRIMARY KEY, external_id TEXT UNIQUE, name TEXT NOT NULL, email TEXT, email_hash TEXT, kind TEXT NOT NULL,
    status TEXT NOT NULL, group_name TEXT, payout TEXT NOT NULL, created_at INTEGER NOT NULL
) STRICT;

-- Since when a partner has which status; before the first row, the first row's holds.
CREATE TABLE partner_statuses(
    partner_id INTEGER NOT NULL REFERENCES partners, since INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY (partner_id, since)
) STRICT;

CREATE TABLE links(
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, code_key TEXT NOT NULL UNIQUE, program_id INTEGER NOT NULL REFERENCES programs,
    partner_id INTEGER REFERENCES partners, url TEXT NOT NULL, utm TEXT NOT NULL, expires_at INTEGER, paused INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX links_partner ON links(partner_id);

CREATE TABLE promo_codes(
    id INTEGER PRIMARY KEY, code TEXT NOT NULL, code_key TEXT NOT NULL UNIQUE, program_id INTEGER NOT NULL REFERENCES programs,
    partner_id INTEGER REFERENCES partners, discount_ppm INTEGER, discount_minor INTEGER, starts_at INTEGER, ends_at INTEGER, max_uses INTEGER,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX promo_codes_partner ON promo_codes(partner_id);

CREATE TABLE commission_rules(id INTEGER PRIMARY KEY, program_id INTEGER NOT NULL REFERENCES programs, created_at INTEGER NOT NULL) STRICT;

CREATE TABLE commission_rule_versions(
    rule_id INTEGER NOT NULL REFERENCES commission_rules, version INTEGER NOT NULL, partner_id INTEGER REFERENCES partners,
    group_name TEXT, product TEXT, category TEXT, customer TEXT NOT NULL, rate_ppm INTEGER, fixed_minor INTEGER,
    priority INTEGER NOT NULL, starts_at INTEGER NOT NULL, ends_at INTEGER, created_at INTEGER NOT NULL, PRIMARY KEY (rule_id, version)
) STRICT;

CREATE TABLE users(
    id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL, role TEXT NOT NULL, partner_id INTEGER REFERENCES partners,
    language TEXT, created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions(
    token_hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users, csrf_token TEXT NOT NULL, expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys(id INTEGER PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL, key_hash TEXT NOT NULL UNIQUE, created_at INTEGER NOT NULL) STRICT;

CREATE TABLE idempotency_keys(
    api_key_id INTEGER NOT NULL REFERENCES api_keys, idempotency_key TEXT NOT NULL, request_hash TEXT NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (api_key_id, idempotency_key)
) STRICT;

-- Immutable once stored.
CREATE TABLE touches(
    id BLOB PRIMARY KEY, external_id TEXT, at INTEGER NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, visitor_id TEXT,
    customer_id TEXT, channel TEXT NOT NULL, source TEXT, medium TEXT, campaign TEXT, content TEXT, term TEXT,
    link_id INTEGER REFERENCES links, partner_id INTEGER REFERENCES partners, program_id INTEGER REFERENCES programs,
    promo_code_id INTEGER REFERENCES promo_codes, mark TEXT, mark_reason TEXT, consent_denied INTEGER NOT NULL, url TEXT,
    referrer TEXT, user_agent TEXT, language TEXT, ip TEXT, click_ids TEXT NOT NULL, subs TEXT NOT NULL
) STRICT;
CREATE INDEX touches_visitor ON touches(visitor_id, at) WHERE visitor_id IS NOT NULL;
CREATE INDEX touches_customer ON touches(customer_id, at) WHERE customer_id IS NOT NULL;
CREATE INDEX touches_day ON touches(day);
CREATE INDEX touches_partner ON touches(partner_id, day) WHERE partner_id IS NOT NULL;

-- Leads, named events and order hints from the snippet.
CREATE TABLE events(
    id BLOB PRIMARY KEY, at INTEGER NOT NULL, day TEXT NOT NULL, kind TEXT NOT NULL, name TEXT, visitor_id TEXT,
    customer_id TEXT, click_id TEXT, url TEXT, body TEXT NOT NULL
) STRICT;
CREATE INDEX events_day ON events(day);

CREATE TABLE persons(id INTEGER PRIMARY KEY, created_at INTEGER NOT NULL) STRICT;

CREATE TABLE identifiers(
    kind TEXT NOT NULL, value TEXT NOT NULL, person_id INTEGER NOT NULL REFERENCES persons, PRIMARY KEY (kind, value)
) STRICT;
CREATE INDEX identifiers_person ON identifiers(person_id);

CREATE TABLE person_merges(
    id INTEGER PRIMARY KEY, kept_person_id INTEGER NOT NULL REFERENCES persons, merged_person_id INTEGER NOT NULL REFERENCES persons,
    identifiers TEXT NOT NULL, because TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;

CREATE TABLE orders(
    id INTEGER PRIMARY KEY, external_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL, placed_at INTEGER NOT NULL, day TEXT NOT NULL,
    currency TEXT NOT NULL, total_minor INTEGER NOT NULL, tax_minor INTEGER NOT NULL, shipping_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL, items TEXT NOT NULL, customer_id TEXT, email_hash TEXT, phone_hash TEXT, visitor_id TEXT,
    click_id TEXT, promo_codes TEXT NOT NULL, utm TEXT NOT NULL, referrer TEXT, metadata TEXT NOT NULL,
    person_id INTEGER NOT NULL REFERENCES persons, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX orders_day ON orders(day);
CREATE INDEX orders_person ON orders(person_id, placed_at);

CREATE TABLE order_promo_codes(
    order_id INTEGER NOT NULL REFERENCES orders, promo_code_id INTEGER NOT NULL REFERENCES promo_codes,
    PRIMARY KEY (order_id, promo_code_id)
) STRICT;
CREATE INDEX order_promo_codes_code ON order_promo_codes(promo_code_id);

CREATE TABLE refunds(
    order_id INTEGER NOT NULL REFERENCES orders, refund_id TEXT NOT NULL, amount_minor INTEGER NOT NULL, refunded_at INTEGER NOT NULL,
    items TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (order_id, refund_id)
) STRICT;

-- Decided once, when the order is first approved. `rules` are the commission rules in force then.
CREATE TABLE payable_decisions(
    order_id INTEGER PRIMARY KEY REFERENCES orders, decided_at INTEGER NOT NULL, policy TEXT NOT NULL,
    partner_id INTEGER REFERENCES partners, program_id INTEGER REFERENCES programs, via TEXT NOT NULL, reason TEXT NOT NULL,
    touch TEXT, promo_code_id INTEGER REFERENCES promo_codes, trace TEXT NOT NULL, other_policies TEXT NOT NULL,
    rules TEXT NOT NULL
) STRICT;
CREATE INDEX payable_decisions_partner ON payable_decisions(partner_id) WHERE partner_id IS NOT NULL;

CREATE TABLE periods(period TEXT PRIMARY KEY, closed_at INTEGER NOT NULL, closed_by TEXT NOT NULL) STRICT;

CREATE TABLE payout_runs(
    id INTEGER PRIMARY KEY, period TEXT NOT NULL, currency TEXT NOT NULL, early INTEGER NOT NULL, state TEXT NOT NULL, total_minor INTEGER NOT NULL,
    built_at INTEGER NOT NULL, built_by TEXT NOT NULL, approved_at INTEGER, approved_by TEXT, paid_at INTEGER, paid_by TEXT,
    bank_reference TEXT, UNIQUE (period, currency)
) STRICT;

-- Name, address and requisites are those at the time of the build, so that an export stays the same.
CREATE TABLE payout_run_lines(
    payout_run_id INTEGER NOT NULL REFERENCES payout_runs, partner_id INTEGER NOT NULL REFERENCES partners,
    amount_minor INTEGER NOT NULL, disposition TEXT NOT NULL, reason TEXT, partner_name TEXT NOT NULL, partner_email TEXT,
    payout TEXT NOT NULL, PRIMARY KEY (payout_run_id, partner_id)
) STRICT;

CREATE TABLE payout_exports(
    payout_run_id INTEGER NOT NULL REFERENCES payout_runs, format TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
    exported_at INTEGER NOT NULL, PRIMARY KEY (payout_run_id, format)
) STRICT;

CREATE TABLE commissions(
    id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders, partner_id INTEGER NOT NULL REFERENCES partners,
    program_id INTEGER NOT NULL REFERENCES programs, rule_id INTEGER NOT NULL REFERENCES commission_rules, rule_version INTEGER NOT NULL,
    currency TEXT NOT NULL, state TEXT NOT NULL, amount_minor INTEGER NOT NULL, explanation TEXT NOT NULL, hold_until INTEGER NOT NULL,
    payout_run_id INTEGER REFERENCES payout_runs, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, UNIQUE (order_id, rule_id)
) STRICT;
CREATE INDEX commissions_partner ON commissions(partner_id);
CREATE INDEX commissions_hold ON commissions(hold_until) WHERE state = 'pending';
CREATE INDEX commissions_run ON commissions(payout_run_id) WHERE payout_run_id IS NOT NULL;

CREATE TABLE journals(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, currency TEXT NOT NULL, at INTEGER NOT NULL, day TEXT NOT NULL, order_id INTEGER REFERENCES orders,
    commission_id INTEGER REFERENCES commissions, payout_run_id INTEGER REFERENCES payout_runs, note TEXT
) STRICT;
CREATE INDEX journals_commission ON journals(commission_id) WHERE commission_id IS NOT NULL;

CREATE TABLE ledger_entries(
    id INTEGER PRIMARY KEY, journal_id INTEGER NOT NULL REFERENCES journals, account TEXT NOT NULL, partner_id INTEGER REFERENCES partners,
    currency TEXT NOT NULL, amount_minor INTEGER NOT NULL, day TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_entries_journal ON ledger_entries(journal_id);
CREATE INDEX ledger_entries_partner ON ledger_entries(partner_id, currency, account, day) WHERE partner_id IS NOT NULL;

CREATE TABLE costs(
    id INTEGER PRIMARY KEY, day TEXT NOT NULL, source TEXT NOT NULL, medium TEXT NOT NULL, campaign TEXT NOT NULL, channel TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, impressions INTEGER NOT NULL, clicks INTEGER NOT NULL,
    UNIQUE (day, source, medium, campaign)
) STRICT;

-- What found no match: unknown codes, mistyped links, refunds without an order.
CREATE TABLE misses(
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, nearest TEXT, detail TEXT NOT NULL, count INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, UNIQUE (kind, value)
) STRICT;

CREATE TABLE audit_log(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, act TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL) STRICT;

-- The ledger is added to, never changed.
CREATE TRIGGER journals_stay BEFORE UPDATE ON journals BEGIN SELECT RAISE(ABORT, 'journals are never changed'); END;
CREATE TRIGGER journals_remain BEFORE DELETE ON journals BEGIN SELECT RAISE(ABORT, 'journals are never deleted'); END;
CREATE TRIGGER ledger_entries_stay BEFORE UPDATE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
CREATE TRIGGER ledger_entries_remain BEFORE DELETE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;
