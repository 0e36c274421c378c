-- The whole of the foundation: from a touch to its payout. Amounts are minor units; times are UTC.

-- Settings of the store itself: time zone, hash key, the catalog's version.
CREATE TABLE settings(key TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL);

CREATE TABLE programs(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, destination_hosts JSONB NOT NULL,
    click_window_days BIGINT NOT NULL, view_window_days BIGINT NOT NULL, hold_days BIGINT NOT NULL, credit_policy TEXT COLLATE "C" NOT NULL,
    min_payout_minor BIGINT NOT NULL, new_customers_only BOOLEAN NOT NULL, fallback_url TEXT COLLATE "C", created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE partners(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, external_id TEXT COLLATE "C" UNIQUE, name TEXT COLLATE "C" NOT NULL, email TEXT COLLATE "C", email_hash TEXT COLLATE "C", kind TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL, group_name TEXT COLLATE "C", payout JSONB NOT NULL, created_at TIMESTAMPTZ NOT NULL
);

-- Since when a partner has which status; before the first row, the first row's holds.
CREATE TABLE partner_statuses(
    partner_id BIGINT NOT NULL REFERENCES partners, since TIMESTAMPTZ NOT NULL, status TEXT COLLATE "C" NOT NULL, PRIMARY KEY (partner_id, since)
);

CREATE TABLE links(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code TEXT COLLATE "C" NOT NULL, code_key TEXT COLLATE "C" NOT NULL UNIQUE, program_id BIGINT NOT NULL REFERENCES programs,
    partner_id BIGINT REFERENCES partners, url TEXT COLLATE "C" NOT NULL, utm JSONB NOT NULL, expires_at TIMESTAMPTZ, paused BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX links_partner ON links(partner_id);

CREATE TABLE promo_codes(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code TEXT COLLATE "C" NOT NULL, code_key TEXT COLLATE "C" NOT NULL UNIQUE, program_id BIGINT NOT NULL REFERENCES programs,
    partner_id BIGINT REFERENCES partners, discount_ppm BIGINT, discount_minor BIGINT, starts_at TIMESTAMPTZ, ends_at TIMESTAMPTZ, max_uses BIGINT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX promo_codes_partner ON promo_codes(partner_id);

CREATE TABLE commission_rules(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, program_id BIGINT NOT NULL REFERENCES programs, created_at TIMESTAMPTZ NOT NULL);

CREATE TABLE commission_rule_versions(
    rule_id BIGINT NOT NULL REFERENCES commission_rules, version BIGINT NOT NULL, partner_id BIGINT REFERENCES partners,
    group_name TEXT COLLATE "C", product TEXT COLLATE "C", category TEXT COLLATE "C", customer TEXT COLLATE "C" NOT NULL, rate_ppm BIGINT, fixed_minor BIGINT,
    priority BIGINT NOT NULL, starts_at TIMESTAMPTZ NOT NULL, ends_at TIMESTAMPTZ, created_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (rule_id, version)
);

CREATE TABLE users(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email TEXT COLLATE "C" NOT NULL UNIQUE, password_hash TEXT COLLATE "C" NOT NULL, role TEXT COLLATE "C" NOT NULL, partner_id BIGINT REFERENCES partners,
    language TEXT COLLATE "C", created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE sessions(
    token_hash TEXT COLLATE "C" PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users, csrf_token TEXT COLLATE "C" NOT NULL, expires_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE api_keys(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, scope TEXT COLLATE "C" NOT NULL, key_hash TEXT COLLATE "C" NOT NULL UNIQUE, created_at TIMESTAMPTZ NOT NULL);

CREATE TABLE idempotency_keys(
    api_key_id BIGINT NOT NULL REFERENCES api_keys, idempotency_key TEXT COLLATE "C" NOT NULL, request_hash TEXT COLLATE "C" NOT NULL,
    status BIGINT NOT NULL, body TEXT COLLATE "C" NOT NULL, created_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (api_key_id, idempotency_key)
);

-- Immutable once stored.
CREATE TABLE touches(
    id UUID PRIMARY KEY, external_id TEXT COLLATE "C", at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, kind TEXT COLLATE "C" NOT NULL, visitor_id TEXT COLLATE "C",
    customer_id TEXT COLLATE "C", channel TEXT COLLATE "C" NOT NULL, source TEXT COLLATE "C", medium TEXT COLLATE "C", campaign TEXT COLLATE "C", content TEXT COLLATE "C", term TEXT COLLATE "C",
    link_id BIGINT REFERENCES links, partner_id BIGINT REFERENCES partners, program_id BIGINT REFERENCES programs,
    promo_code_id BIGINT REFERENCES promo_codes, mark TEXT COLLATE "C", mark_reason TEXT COLLATE "C", consent_denied BOOLEAN NOT NULL, url TEXT COLLATE "C",
    referrer TEXT COLLATE "C", user_agent TEXT COLLATE "C", language TEXT COLLATE "C", ip TEXT COLLATE "C", click_ids JSONB NOT NULL, subs JSONB NOT NULL
);
CREATE INDEX touches_visitor ON touches(visitor_id, at) WHERE visitor_id IS NOT NULL;
CREATE INDEX touches_customer ON touches(customer_id, at) WHERE customer_id IS NOT NULL;
CREATE INDEX touches_day ON touches(day);
CREATE INDEX touches_partner ON touches(partner_id, day) WHERE partner_id IS NOT NULL;

-- Leads, named events and order hints from the snippet.
CREATE TABLE events(
    id UUID PRIMARY KEY, at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, kind TEXT COLLATE "C" NOT NULL, name TEXT COLLATE "C", visitor_id TEXT COLLATE "C",
    customer_id TEXT COLLATE "C", click_id TEXT COLLATE "C", url TEXT COLLATE "C", body JSONB NOT NULL
);
CREATE INDEX events_day ON events(day);

CREATE TABLE persons(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, created_at TIMESTAMPTZ NOT NULL);

CREATE TABLE identifiers(
    kind TEXT COLLATE "C" NOT NULL, value TEXT COLLATE "C" NOT NULL, person_id BIGINT NOT NULL REFERENCES persons, PRIMARY KEY (kind, value)
);
CREATE INDEX identifiers_person ON identifiers(person_id);

CREATE TABLE person_merges(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kept_person_id BIGINT NOT NULL REFERENCES persons, merged_person_id BIGINT NOT NULL REFERENCES persons,
    identifiers JSONB NOT NULL, because TEXT COLLATE "C" NOT NULL, at TIMESTAMPTZ NOT NULL
);

CREATE TABLE orders(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, external_id TEXT COLLATE "C" NOT NULL UNIQUE, status TEXT COLLATE "C" NOT NULL, placed_at TIMESTAMPTZ NOT NULL, day DATE NOT NULL,
    currency TEXT COLLATE "C" NOT NULL, total_minor BIGINT NOT NULL, tax_minor BIGINT NOT NULL, shipping_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL, items JSONB NOT NULL, customer_id TEXT COLLATE "C", email_hash TEXT COLLATE "C", phone_hash TEXT COLLATE "C", visitor_id TEXT COLLATE "C",
    click_id TEXT COLLATE "C", promo_codes JSONB NOT NULL, utm JSONB NOT NULL, referrer TEXT COLLATE "C", metadata JSONB NOT NULL,
    person_id BIGINT NOT NULL REFERENCES persons, created_at TIMESTAMPTZ NOT NULL, updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX orders_day ON orders(day);
CREATE INDEX orders_person ON orders(person_id, placed_at);

CREATE TABLE order_promo_codes(
    order_id BIGINT NOT NULL REFERENCES orders, promo_code_id BIGINT NOT NULL REFERENCES promo_codes,
    PRIMARY KEY (order_id, promo_code_id)
);
CREATE INDEX order_promo_codes_code ON order_promo_codes(promo_code_id);

CREATE TABLE refunds(
    order_id BIGINT NOT NULL REFERENCES orders, refund_id TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL, refunded_at TIMESTAMPTZ NOT NULL,
    items JSONB NOT NULL, created_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (order_id, refund_id)
);

-- Decided once, when the order is first approved. `rules` are the commission rules in force then.
CREATE TABLE payable_decisions(
    order_id BIGINT PRIMARY KEY REFERENCES orders, decided_at TIMESTAMPTZ NOT NULL, policy TEXT COLLATE "C" NOT NULL,
    partner_id BIGINT REFERENCES partners, program_id BIGINT REFERENCES programs, via TEXT COLLATE "C" NOT NULL, reason TEXT COLLATE "C" NOT NULL,
    touch TEXT COLLATE "C", promo_code_id BIGINT REFERENCES promo_codes, trace JSONB NOT NULL, other_policies JSONB NOT NULL,
    rules JSONB NOT NULL
);
CREATE INDEX payable_decisions_partner ON payable_decisions(partner_id) WHERE partner_id IS NOT NULL;

CREATE TABLE periods(period TEXT COLLATE "C" PRIMARY KEY, closed_at TIMESTAMPTZ NOT NULL, closed_by TEXT COLLATE "C" NOT NULL);

CREATE TABLE payout_runs(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, period TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, early BOOLEAN NOT NULL, state TEXT COLLATE "C" NOT NULL, total_minor BIGINT NOT NULL,
    built_at TIMESTAMPTZ NOT NULL, built_by TEXT COLLATE "C" NOT NULL, approved_at TIMESTAMPTZ, approved_by TEXT COLLATE "C", paid_at TIMESTAMPTZ, paid_by TEXT COLLATE "C",
    bank_reference TEXT COLLATE "C", UNIQUE (period, currency)
);

-- Name, address and requisites are those at the time of the build, so that an export stays the same.
CREATE TABLE payout_run_lines(
    payout_run_id BIGINT NOT NULL REFERENCES payout_runs, partner_id BIGINT NOT NULL REFERENCES partners,
    amount_minor BIGINT NOT NULL, disposition TEXT COLLATE "C" NOT NULL, reason TEXT COLLATE "C", partner_name TEXT COLLATE "C" NOT NULL, partner_email TEXT COLLATE "C",
    payout JSONB NOT NULL, PRIMARY KEY (payout_run_id, partner_id)
);

CREATE TABLE payout_exports(
    payout_run_id BIGINT NOT NULL REFERENCES payout_runs, format TEXT COLLATE "C" NOT NULL, sha256 TEXT COLLATE "C" NOT NULL, bytes BIGINT NOT NULL,
    exported_at TIMESTAMPTZ NOT NULL, PRIMARY KEY (payout_run_id, format)
);

CREATE TABLE commissions(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id BIGINT NOT NULL REFERENCES orders, partner_id BIGINT NOT NULL REFERENCES partners,
    program_id BIGINT NOT NULL REFERENCES programs, rule_id BIGINT NOT NULL REFERENCES commission_rules, rule_version BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL, explanation JSONB NOT NULL, hold_until TIMESTAMPTZ NOT NULL,
    payout_run_id BIGINT REFERENCES payout_runs, created_at TIMESTAMPTZ NOT NULL, updated_at TIMESTAMPTZ NOT NULL, UNIQUE (order_id, rule_id)
);
CREATE INDEX commissions_partner ON commissions(partner_id);
CREATE INDEX commissions_hold ON commissions(hold_until) WHERE state = 'pending';
CREATE INDEX commissions_run ON commissions(payout_run_id) WHERE payout_run_id IS NOT NULL;

CREATE TABLE journals(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, at TIMESTAMPTZ NOT NULL, day DATE NOT NULL, order_id BIGINT REFERENCES orders,
    commission_id BIGINT REFERENCES commissions, payout_run_id BIGINT REFERENCES payout_runs, note TEXT COLLATE "C"
);
CREATE INDEX journals_commission ON journals(commission_id) WHERE commission_id IS NOT NULL;

CREATE TABLE ledger_entries(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, journal_id BIGINT NOT NULL REFERENCES journals, account TEXT COLLATE "C" NOT NULL, partner_id BIGINT REFERENCES partners,
    currency TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL, day DATE NOT NULL
);
CREATE INDEX ledger_entries_journal ON ledger_entries(journal_id);
CREATE INDEX ledger_entries_partner ON ledger_entries(partner_id, currency, account, day) WHERE partner_id IS NOT NULL;

CREATE TABLE costs(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, day DATE NOT NULL, source TEXT COLLATE "C" NOT NULL, medium TEXT COLLATE "C" NOT NULL, campaign TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL,
    amount_minor BIGINT NOT NULL, currency TEXT COLLATE "C" NOT NULL, impressions BIGINT NOT NULL, clicks BIGINT NOT NULL,
    UNIQUE (day, source, medium, campaign)
);

-- What found no match: unknown codes, mistyped links, refunds without an order.
CREATE TABLE misses(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind TEXT COLLATE "C" NOT NULL, value TEXT COLLATE "C" NOT NULL, nearest TEXT COLLATE "C", detail TEXT COLLATE "C" NOT NULL, count BIGINT NOT NULL,
    first_at TIMESTAMPTZ NOT NULL, last_at TIMESTAMPTZ NOT NULL, UNIQUE (kind, value)
);

CREATE TABLE audit_log(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at TIMESTAMPTZ NOT NULL, actor TEXT COLLATE "C" NOT NULL, act TEXT COLLATE "C" NOT NULL, subject TEXT COLLATE "C" NOT NULL, detail JSONB NOT NULL);

-- The ledger is added to, never changed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% are never changed or deleted', TG_TABLE_NAME; END $$;
CREATE TRIGGER journals_stay BEFORE UPDATE OR DELETE ON journals FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entries_stay BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
