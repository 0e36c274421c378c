-- Device and country of each touch, and what reports are added up from. Absent is 0 or '' where it is part of a key.

ALTER TABLE touches ADD COLUMN device TEXT COLLATE "C";
ALTER TABLE touches ADD COLUMN country TEXT COLLATE "C";

CREATE TABLE wider_touch_days(
    day DATE NOT NULL, kind TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT NOT NULL, link_id BIGINT NOT NULL, partner_id BIGINT NOT NULL,
    country TEXT COLLATE "C" NOT NULL, device TEXT COLLATE "C" NOT NULL, counted BIGINT NOT NULL, not_counted BIGINT NOT NULL,
    PRIMARY KEY (day, kind, channel, origin_id, link_id, partner_id, country, device)
);
INSERT INTO wider_touch_days SELECT day, kind, channel, origin_id, link_id, partner_id, '', '', counted, not_counted FROM touch_days;
DROP TABLE touch_days;
ALTER TABLE wider_touch_days RENAME TO touch_days;
ALTER TABLE touch_days RENAME CONSTRAINT wider_touch_days_pkey TO touch_days_pkey;
CREATE INDEX touch_days_partner ON touch_days(partner_id, day) WHERE partner_id <> 0;

-- Credit of a day's approved orders and leads by origin, one set of rows for each model, and one, named `payable`, of what is owed.
CREATE TABLE credit_days(
    model TEXT COLLATE "C" NOT NULL, day DATE NOT NULL, currency TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT NOT NULL, link_id BIGINT NOT NULL,
    partner_id BIGINT NOT NULL, promo_code_id BIGINT NOT NULL, country TEXT COLLATE "C" NOT NULL, device TEXT COLLATE "C" NOT NULL, customer TEXT COLLATE "C" NOT NULL,
    orders_millionths BIGINT NOT NULL, leads_millionths BIGINT NOT NULL, revenue_minor BIGINT NOT NULL, net_revenue_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL, net_revenue_squares BIGINT NOT NULL, commission_minor BIGINT NOT NULL,
    PRIMARY KEY (model, day, currency, channel, origin_id, link_id, partner_id, promo_code_id, country, device, customer)
);

-- The same added up for those who ask: `cut` is `origin` (channel and origin alone, the rest as if none) or `all`, `span` a day
-- (2026-10-01) or a whole month (2026-10). Days of `all` are in touch_days and credit_days themselves.
CREATE TABLE touch_sums(
    cut TEXT COLLATE "C" NOT NULL, span TEXT COLLATE "C" NOT NULL, kind TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT NOT NULL, link_id BIGINT NOT NULL,
    partner_id BIGINT NOT NULL, country TEXT COLLATE "C" NOT NULL, device TEXT COLLATE "C" NOT NULL, counted BIGINT NOT NULL, not_counted BIGINT NOT NULL,
    PRIMARY KEY (cut, span, kind, channel, origin_id, link_id, partner_id, country, device)
);
CREATE TABLE credit_sums(
    cut TEXT COLLATE "C" NOT NULL, model TEXT COLLATE "C" NOT NULL, span TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT NOT NULL,
    link_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, promo_code_id BIGINT NOT NULL, country TEXT COLLATE "C" NOT NULL, device TEXT COLLATE "C" NOT NULL, customer TEXT COLLATE "C" NOT NULL,
    orders_millionths BIGINT NOT NULL, leads_millionths BIGINT NOT NULL, revenue_minor BIGINT NOT NULL, net_revenue_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL, net_revenue_squares BIGINT NOT NULL, commission_minor BIGINT NOT NULL,
    PRIMARY KEY (cut, model, span, currency, channel, origin_id, link_id, partner_id, promo_code_id, country, device, customer)
);

-- Sketches of visitors by the same cuts, days of `all` among them, to be united.
CREATE TABLE visitor_sketches(
    cut TEXT COLLATE "C" NOT NULL, span TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, origin_id BIGINT NOT NULL, link_id BIGINT NOT NULL, partner_id BIGINT NOT NULL,
    country TEXT COLLATE "C" NOT NULL, device TEXT COLLATE "C" NOT NULL, sketch BYTEA NOT NULL,
    PRIMARY KEY (cut, span, channel, origin_id, link_id, partner_id, country, device)
);

-- Costs by month, moved along with every change of one.
CREATE TABLE cost_months(
    month TEXT COLLATE "C" NOT NULL, source TEXT COLLATE "C" NOT NULL, medium TEXT COLLATE "C" NOT NULL, campaign TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL, amount_minor BIGINT NOT NULL, impressions BIGINT NOT NULL, clicks BIGINT NOT NULL,
    PRIMARY KEY (month, source, medium, campaign, channel, currency)
);
INSERT INTO cost_months SELECT TO_CHAR(day, 'YYYY-MM'), source, medium, campaign, channel, currency, SUM(amount_minor), SUM(impressions), SUM(clicks)
    FROM costs GROUP BY 1, 2, 3, 4, 5, 6;
CREATE FUNCTION costs_change_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE cost_months SET amount_minor = amount_minor - OLD.amount_minor, impressions = impressions - OLD.impressions, clicks = clicks - OLD.clicks
            WHERE month = TO_CHAR(OLD.day, 'YYYY-MM') AND source = OLD.source AND medium = OLD.medium AND campaign = OLD.campaign AND channel = OLD.channel
            AND currency = OLD.currency;
    END IF;
    INSERT INTO cost_months VALUES (TO_CHAR(NEW.day, 'YYYY-MM'), NEW.source, NEW.medium, NEW.campaign, NEW.channel, NEW.currency, NEW.amount_minor,
        NEW.impressions, NEW.clicks) ON CONFLICT (month, source, medium, campaign, channel, currency) DO UPDATE
        SET amount_minor = cost_months.amount_minor + excluded.amount_minor, impressions = cost_months.impressions + excluded.impressions,
        clicks = cost_months.clicks + excluded.clicks;
    RETURN NULL;
END
$$;
CREATE TRIGGER costs_change_month AFTER INSERT OR UPDATE ON costs FOR EACH ROW EXECUTE FUNCTION costs_change_month();

-- Days whose credit or visitors have changed since they were added up. One is marked by adding a row, so that no two writers wait.
CREATE TABLE stale_days(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what TEXT COLLATE "C" NOT NULL, day DATE NOT NULL);
INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', day FROM orders UNION SELECT DISTINCT 'credit', day FROM leads
    UNION SELECT DISTINCT 'credit', day FROM events WHERE kind = 'lead' UNION SELECT DISTINCT 'touches', day FROM touch_days
    UNION SELECT DISTINCT 'credit', COALESCE(day, CAST(period || '-01' AS DATE)) FROM commissions WHERE order_id IS NULL AND lead_id IS NULL;

-- Whatever credit is reckoned from marks the days that it changes. Who is new depends on all orders of a person. Plans are made
-- without statistics and kept, so each of these is told what to look up by what.
CREATE FUNCTION orders_come_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', o.day FROM new_rows n
        CROSS JOIN LATERAL (SELECT day FROM orders WHERE person_id = n.person_id OFFSET 0) o;
    RETURN NULL;
END
$$;
CREATE TRIGGER orders_come_credit AFTER INSERT ON orders REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION orders_come_credit();
CREATE FUNCTION orders_change_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', OLD.day
        UNION SELECT 'credit', day FROM orders WHERE person_id IN (OLD.person_id, NEW.person_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER orders_change_credit AFTER UPDATE ON orders FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.placed_at <> NEW.placed_at OR OLD.day <> NEW.day OR OLD.total_minor <> NEW.total_minor OR OLD.discount_minor <> NEW.discount_minor OR OLD.person_id <> NEW.person_id)
    EXECUTE FUNCTION orders_change_credit();
CREATE FUNCTION day_of_order_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', o.day FROM changed_rows n
        CROSS JOIN LATERAL (SELECT day FROM orders WHERE id = n.order_id OFFSET 0) o;
    RETURN NULL;
END
$$;
CREATE TRIGGER refunds_come_credit AFTER INSERT ON refunds REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION day_of_order_credit();
CREATE TRIGGER order_promo_codes_come_credit AFTER INSERT ON order_promo_codes REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION day_of_order_credit();
CREATE TRIGGER order_promo_codes_go_credit AFTER DELETE ON order_promo_codes REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION day_of_order_credit();
CREATE TRIGGER payable_decisions_change_credit AFTER UPDATE ON payable_decisions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION day_of_order_credit();
CREATE FUNCTION promo_codes_change_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', o.day FROM order_promo_codes u JOIN orders o ON o.id = u.order_id
        WHERE u.promo_code_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER promo_codes_change_credit AFTER UPDATE ON promo_codes FOR EACH ROW
    WHEN (OLD.partner_id IS DISTINCT FROM NEW.partner_id) EXECUTE FUNCTION promo_codes_change_credit();
CREATE FUNCTION partners_change_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', day FROM orders UNION SELECT DISTINCT 'credit', day FROM commissions WHERE day IS NOT NULL
        UNION SELECT DISTINCT 'credit', CAST(period || '-01' AS DATE) FROM commissions WHERE kind = 'volume';
    RETURN NULL;
END
$$;
CREATE TRIGGER partners_change_credit AFTER UPDATE ON partners FOR EACH ROW WHEN (OLD.kind <> NEW.kind) EXECUTE FUNCTION partners_change_credit();
-- Whoever is known by one thing more may have other touches before an order or lead.
CREATE FUNCTION identifiers_come_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', o.day FROM new_rows n
        CROSS JOIN LATERAL (SELECT day FROM orders WHERE person_id = n.person_id OFFSET 0) o
        UNION SELECT 'credit', l.day FROM new_rows n CROSS JOIN LATERAL (SELECT day FROM leads WHERE person_id = n.person_id OFFSET 0) l;
    -- Most shops have no leads from browsers, and those need the persons' other identifiers.
    IF EXISTS (SELECT 1 FROM events WHERE kind = 'lead' AND visitor_id IS NOT NULL) OR EXISTS (SELECT 1 FROM events WHERE kind = 'lead' AND customer_id IS NOT NULL) THEN
        INSERT INTO stale_days (what, day) SELECT 'credit', e.day FROM (SELECT DISTINCT person_id FROM new_rows) n
            CROSS JOIN LATERAL (SELECT kind, value FROM identifiers WHERE person_id = n.person_id OFFSET 0) k
            CROSS JOIN LATERAL (SELECT day FROM events WHERE visitor_id = k.value AND kind = 'lead' OFFSET 0) e WHERE k.kind = 'visitor'
            UNION SELECT 'credit', e.day FROM (SELECT DISTINCT person_id FROM new_rows) n
            CROSS JOIN LATERAL (SELECT kind, value FROM identifiers WHERE person_id = n.person_id OFFSET 0) k
            CROSS JOIN LATERAL (SELECT day FROM events WHERE customer_id = k.value AND kind = 'lead' OFFSET 0) e WHERE k.kind = 'customer';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER identifiers_come_credit AFTER INSERT ON identifiers REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION identifiers_come_credit();
CREATE FUNCTION identifiers_move_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE person_id IN (OLD.person_id, NEW.person_id)
        UNION SELECT 'credit', day FROM leads WHERE person_id IN (OLD.person_id, NEW.person_id)
        UNION SELECT 'credit', e.day FROM (SELECT kind, value FROM identifiers WHERE person_id IN (OLD.person_id, NEW.person_id) OFFSET 0) k
            CROSS JOIN LATERAL (SELECT day FROM events WHERE visitor_id = k.value AND kind = 'lead' OFFSET 0) e WHERE k.kind = 'visitor'
        UNION SELECT 'credit', e.day FROM (SELECT kind, value FROM identifiers WHERE person_id IN (OLD.person_id, NEW.person_id) OFFSET 0) k
            CROSS JOIN LATERAL (SELECT day FROM events WHERE customer_id = k.value AND kind = 'lead' OFFSET 0) e WHERE k.kind = 'customer';
    RETURN NULL;
END
$$;
CREATE TRIGGER identifiers_move_credit AFTER UPDATE ON identifiers FOR EACH ROW WHEN (OLD.person_id <> NEW.person_id) EXECUTE FUNCTION identifiers_move_credit();
-- What is owed for a day's clicks stands on that day, what is owed for a month's volume on its first.
CREATE FUNCTION commissions_come_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', o.day FROM new_rows n CROSS JOIN LATERAL (SELECT day FROM orders WHERE id = n.order_id OFFSET 0) o
        UNION SELECT 'credit', l.day FROM new_rows n CROSS JOIN LATERAL (SELECT day FROM leads WHERE id = n.lead_id OFFSET 0) l
        UNION SELECT 'credit', COALESCE(day, CAST(period || '-01' AS DATE)) FROM new_rows WHERE order_id IS NULL AND lead_id IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER commissions_come_credit AFTER INSERT ON commissions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION commissions_come_credit();
CREATE FUNCTION commissions_change_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = NEW.order_id
        UNION SELECT 'credit', day FROM leads WHERE id = NEW.lead_id
        UNION SELECT 'credit', COALESCE(NEW.day, CAST(NEW.period || '-01' AS DATE)) WHERE NEW.order_id IS NULL AND NEW.lead_id IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER commissions_change_credit AFTER UPDATE OF amount_minor ON commissions FOR EACH ROW
    WHEN (OLD.amount_minor <> NEW.amount_minor) EXECUTE FUNCTION commissions_change_credit();
CREATE FUNCTION day_of_lead_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) VALUES ('credit', NEW.day);
    RETURN NULL;
END
$$;
CREATE TRIGGER leads_come_credit AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION day_of_lead_credit();
CREATE TRIGGER leads_change_credit AFTER UPDATE ON leads FOR EACH ROW
    WHEN (OLD.status <> NEW.status OR OLD.person_id <> NEW.person_id OR OLD.decision IS DISTINCT FROM NEW.decision) EXECUTE FUNCTION day_of_lead_credit();
-- A lead is a conversion itself, and it is what `w_shaped` looks for before an order.
CREATE FUNCTION events_come_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', NEW.day
        UNION SELECT 'credit', o.day FROM (SELECT person_id FROM identifiers WHERE kind = 'visitor' AND value = NEW.visitor_id OFFSET 0) i
            CROSS JOIN LATERAL (SELECT day FROM orders WHERE person_id = i.person_id AND placed_at >= NEW.at OFFSET 0) o
        UNION SELECT 'credit', o.day FROM (SELECT person_id FROM identifiers WHERE kind = 'customer' AND value = NEW.customer_id OFFSET 0) i
            CROSS JOIN LATERAL (SELECT day FROM orders WHERE person_id = i.person_id AND placed_at >= NEW.at OFFSET 0) o;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_come_credit AFTER INSERT ON events FOR EACH ROW WHEN (NEW.kind = 'lead') EXECUTE FUNCTION events_come_credit();
-- A month that is fitted anew is shared anew by the models that need a fit.
CREATE FUNCTION credit_fits_come_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'fitted', day FROM orders
        WHERE day >= CAST(NEW.period || '-01' AS DATE) AND day < CAST(NEW.period || '-01' AS DATE) + INTERVAL '1 month';
    RETURN NULL;
END
$$;
CREATE TRIGGER credit_fits_come_credit AFTER INSERT OR UPDATE ON credit_fits FOR EACH ROW EXECUTE FUNCTION credit_fits_come_credit();
