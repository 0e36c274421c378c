-- Device and country of each touch, and what reports are added up from. Absent is 0 or '' where it is part of a key.

ALTER TABLE touches ADD COLUMN device TEXT;
ALTER TABLE touches ADD COLUMN country TEXT;

CREATE TABLE wider_touch_days(
    day TEXT NOT NULL, kind TEXT NOT NULL, channel TEXT NOT NULL, origin_id INTEGER NOT NULL, link_id INTEGER NOT NULL, partner_id INTEGER NOT NULL,
    country TEXT NOT NULL, device TEXT NOT NULL, counted INTEGER NOT NULL, not_counted INTEGER NOT NULL,
    PRIMARY KEY (day, kind, channel, origin_id, link_id, partner_id, country, device)
) STRICT, WITHOUT ROWID;
INSERT INTO wider_touch_days SELECT day, kind, channel, origin_id, link_id, partner_id, '', '', counted, not_counted FROM touch_days;
DROP TABLE touch_days;
ALTER TABLE wider_touch_days RENAME TO touch_days;
CREATE INDEX touch_days_partner ON touch_days(partner_id, day) WHERE partner_id <> 0;

-- Credit of a day's approved orders and leads by origin, one set of rows for each model, and one, named `payable`, of what is owed.
CREATE TABLE credit_days(
    model TEXT NOT NULL, day TEXT NOT NULL, currency TEXT NOT NULL, channel TEXT NOT NULL, origin_id INTEGER NOT NULL, link_id INTEGER NOT NULL,
    partner_id INTEGER NOT NULL, promo_code_id INTEGER NOT NULL, country TEXT NOT NULL, device TEXT NOT NULL, customer TEXT NOT NULL,
    orders_millionths INTEGER NOT NULL, leads_millionths INTEGER NOT NULL, revenue_minor INTEGER NOT NULL, net_revenue_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL, net_revenue_squares INTEGER NOT NULL, commission_minor INTEGER NOT NULL,
    PRIMARY KEY (model, day, currency, channel, origin_id, link_id, partner_id, promo_code_id, country, device, customer)
) STRICT, WITHOUT ROWID;

-- The same added up for those who ask: `cut` is `origin` (channel and origin alone, the rest as if none) or `all`, `span` a day
-- (2026-10-01) or a whole month (2026-10). Days of `all` are in touch_days and credit_days themselves.
CREATE TABLE touch_sums(
    cut TEXT NOT NULL, span TEXT NOT NULL, kind TEXT NOT NULL, channel TEXT NOT NULL, origin_id INTEGER NOT NULL, link_id INTEGER NOT NULL,
    partner_id INTEGER NOT NULL, country TEXT NOT NULL, device TEXT NOT NULL, counted INTEGER NOT NULL, not_counted INTEGER NOT NULL,
    PRIMARY KEY (cut, span, kind, channel, origin_id, link_id, partner_id, country, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE credit_sums(
    cut TEXT NOT NULL, model TEXT NOT NULL, span TEXT NOT NULL, currency TEXT NOT NULL, channel TEXT NOT NULL, origin_id INTEGER NOT NULL,
    link_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, promo_code_id INTEGER NOT NULL, country TEXT NOT NULL, device TEXT NOT NULL, customer TEXT NOT NULL,
    orders_millionths INTEGER NOT NULL, leads_millionths INTEGER NOT NULL, revenue_minor INTEGER NOT NULL, net_revenue_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL, net_revenue_squares INTEGER NOT NULL, commission_minor INTEGER NOT NULL,
    PRIMARY KEY (cut, model, span, currency, channel, origin_id, link_id, partner_id, promo_code_id, country, device, customer)
) STRICT, WITHOUT ROWID;

-- Sketches of visitors by the same cuts, days of `all` among them, to be united.
CREATE TABLE visitor_sketches(
    cut TEXT NOT NULL, span TEXT NOT NULL, channel TEXT NOT NULL, origin_id INTEGER NOT NULL, link_id INTEGER NOT NULL, partner_id INTEGER NOT NULL,
    country TEXT NOT NULL, device TEXT NOT NULL, sketch BLOB NOT NULL,
    PRIMARY KEY (cut, span, channel, origin_id, link_id, partner_id, country, device)
) STRICT, WITHOUT ROWID;

-- Costs by month, moved along with every change of one.
CREATE TABLE cost_months(
    month TEXT NOT NULL, source TEXT NOT NULL, medium TEXT NOT NULL, campaign TEXT NOT NULL, channel TEXT NOT NULL, currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, impressions INTEGER NOT NULL, clicks INTEGER NOT NULL,
    PRIMARY KEY (month, source, medium, campaign, channel, currency)
) STRICT, WITHOUT ROWID;
INSERT INTO cost_months SELECT SUBSTR(day, 1, 7), source, medium, campaign, channel, currency, SUM(amount_minor), SUM(impressions), SUM(clicks)
    FROM costs GROUP BY 1, 2, 3, 4, 5, 6;
CREATE TRIGGER costs_come_month AFTER INSERT ON costs BEGIN
    INSERT INTO cost_months VALUES (SUBSTR(NEW.day, 1, 7), NEW.source, NEW.medium, NEW.campaign, NEW.channel, NEW.currency, NEW.amount_minor,
        NEW.impressions, NEW.clicks) ON CONFLICT DO UPDATE SET amount_minor = cost_months.amount_minor + excluded.amount_minor,
        impressions = cost_months.impressions + excluded.impressions, clicks = cost_months.clicks + excluded.clicks;
END;
CREATE TRIGGER costs_change_month AFTER UPDATE ON costs BEGIN
    UPDATE cost_months SET amount_minor = amount_minor - OLD.amount_minor, impressions = impressions - OLD.impressions, clicks = clicks - OLD.clicks
        WHERE month = SUBSTR(OLD.day, 1, 7) AND source = OLD.source AND medium = OLD.medium AND campaign = OLD.campaign AND channel = OLD.channel
        AND currency = OLD.currency;
    INSERT INTO cost_months VALUES (SUBSTR(NEW.day, 1, 7), NEW.source, NEW.medium, NEW.campaign, NEW.channel, NEW.currency, NEW.amount_minor,
        NEW.impressions, NEW.clicks) ON CONFLICT DO UPDATE SET amount_minor = cost_months.amount_minor + excluded.amount_minor,
        impressions = cost_months.impressions + excluded.impressions, clicks = cost_months.clicks + excluded.clicks;
END;

-- Days whose credit or visitors have changed since they were added up. One is marked by adding a row, so that no two writers wait.
CREATE TABLE stale_days(id INTEGER PRIMARY KEY, what TEXT NOT NULL, day TEXT NOT NULL) STRICT;
INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', day FROM orders UNION SELECT DISTINCT 'credit', day FROM leads
    UNION SELECT DISTINCT 'credit', day FROM events WHERE kind = 'lead' UNION SELECT DISTINCT 'touches', day FROM touch_days
    UNION SELECT DISTINCT 'credit', COALESCE(day, period || '-01') FROM commissions WHERE order_id IS NULL AND lead_id IS NULL;

-- Whatever credit is reckoned from marks the days that it changes. Who is new depends on all orders of a person.
CREATE TRIGGER orders_come_credit AFTER INSERT ON orders BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', day FROM orders WHERE person_id = NEW.person_id;
END;
CREATE TRIGGER orders_change_credit AFTER UPDATE ON orders
WHEN OLD.status <> NEW.status OR OLD.placed_at <> NEW.placed_at OR OLD.day <> NEW.day OR OLD.total_minor <> NEW.total_minor OR OLD.discount_minor <> NEW.discount_minor OR OLD.person_id <> NEW.person_id
BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', OLD.day
        UNION SELECT 'credit', day FROM orders WHERE person_id IN (OLD.person_id, NEW.person_id);
END;
CREATE TRIGGER refunds_come_credit AFTER INSERT ON refunds BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = NEW.order_id;
END;
CREATE TRIGGER order_promo_codes_come_credit AFTER INSERT ON order_promo_codes BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = NEW.order_id;
END;
CREATE TRIGGER order_promo_codes_go_credit AFTER DELETE ON order_promo_codes BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = OLD.order_id;
END;
CREATE TRIGGER promo_codes_change_credit AFTER UPDATE ON promo_codes WHEN OLD.partner_id IS NOT NEW.partner_id BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', o.day FROM order_promo_codes u JOIN orders o ON o.id = u.order_id
        WHERE u.promo_code_id = NEW.id;
END;
CREATE TRIGGER partners_change_credit AFTER UPDATE ON partners WHEN OLD.kind <> NEW.kind BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'credit', day FROM orders UNION SELECT DISTINCT 'credit', day FROM commissions WHERE day IS NOT NULL
        UNION SELECT DISTINCT 'credit', period || '-01' FROM commissions WHERE kind = 'volume';
END;
CREATE TRIGGER payable_decisions_change_credit AFTER UPDATE ON payable_decisions BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = NEW.order_id;
END;
-- Whoever is known by one thing more may have other touches before an order or lead.
CREATE TRIGGER identifiers_come_credit AFTER INSERT ON identifiers BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE person_id = NEW.person_id
        UNION SELECT 'credit', day FROM leads WHERE person_id = NEW.person_id
        UNION SELECT 'credit', e.day FROM identifiers k CROSS JOIN events e
            WHERE k.person_id = NEW.person_id AND k.kind = 'visitor' AND e.visitor_id = k.value AND e.kind = 'lead'
        UNION SELECT 'credit', e.day FROM identifiers k CROSS JOIN events e
            WHERE k.person_id = NEW.person_id AND k.kind = 'customer' AND e.customer_id = k.value AND e.kind = 'lead';
END;
CREATE TRIGGER identifiers_move_credit AFTER UPDATE ON identifiers WHEN OLD.person_id <> NEW.person_id BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE person_id IN (OLD.person_id, NEW.person_id)
        UNION SELECT 'credit', day FROM leads WHERE person_id IN (OLD.person_id, NEW.person_id)
        UNION SELECT 'credit', e.day FROM identifiers k CROSS JOIN events e
            WHERE k.person_id IN (OLD.person_id, NEW.person_id) AND k.kind = 'visitor' AND e.visitor_id = k.value AND e.kind = 'lead'
        UNION SELECT 'credit', e.day FROM identifiers k CROSS JOIN events e
            WHERE k.person_id IN (OLD.person_id, NEW.person_id) AND k.kind = 'customer' AND e.customer_id = k.value AND e.kind = 'lead';
END;
-- What is owed for a day's clicks stands on that day, what is owed for a month's volume on its first.
CREATE TRIGGER commissions_come_credit AFTER INSERT ON commissions BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = NEW.order_id
        UNION SELECT 'credit', day FROM leads WHERE id = NEW.lead_id
        UNION SELECT 'credit', COALESCE(NEW.day, NEW.period || '-01') WHERE NEW.order_id IS NULL AND NEW.lead_id IS NULL;
END;
CREATE TRIGGER commissions_change_credit AFTER UPDATE OF amount_minor ON commissions WHEN OLD.amount_minor <> NEW.amount_minor BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', day FROM orders WHERE id = NEW.order_id
        UNION SELECT 'credit', day FROM leads WHERE id = NEW.lead_id
        UNION SELECT 'credit', COALESCE(NEW.day, NEW.period || '-01') WHERE NEW.order_id IS NULL AND NEW.lead_id IS NULL;
END;
CREATE TRIGGER leads_come_credit AFTER INSERT ON leads BEGIN
    INSERT INTO stale_days (what, day) VALUES ('credit', NEW.day);
END;
CREATE TRIGGER leads_change_credit AFTER UPDATE ON leads WHEN OLD.status <> NEW.status OR OLD.person_id <> NEW.person_id OR OLD.decision IS NOT NEW.decision BEGIN
    INSERT INTO stale_days (what, day) VALUES ('credit', NEW.day);
END;
-- A lead is a conversion itself, and it is what `w_shaped` looks for before an order.
CREATE TRIGGER events_come_credit AFTER INSERT ON events WHEN NEW.kind = 'lead' BEGIN
    INSERT INTO stale_days (what, day) SELECT 'credit', NEW.day
        UNION SELECT 'credit', o.day FROM identifiers i JOIN orders o ON o.person_id = i.person_id
            WHERE i.kind = 'visitor' AND i.value = NEW.visitor_id AND o.placed_at >= NEW.at
        UNION SELECT 'credit', o.day FROM identifiers i JOIN orders o ON o.person_id = i.person_id
            WHERE i.kind = 'customer' AND i.value = NEW.customer_id AND o.placed_at >= NEW.at;
END;
-- A month that is fitted anew is shared anew by the models that need a fit.
CREATE TRIGGER credit_fits_come_credit AFTER INSERT ON credit_fits BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'fitted', day FROM orders WHERE day >= NEW.period || '-01' AND day <= NEW.period || '-31';
END;
CREATE TRIGGER credit_fits_change_credit AFTER UPDATE ON credit_fits BEGIN
    INSERT INTO stale_days (what, day) SELECT DISTINCT 'fitted', day FROM orders WHERE day >= NEW.period || '-01' AND day <= NEW.period || '-31';
END;
