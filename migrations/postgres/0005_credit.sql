-- Fits and sums of analytic credit by month, and the indexes that journeys are read by.

-- With what a model looks at, so that a journey is read from the index alone.
DROP INDEX touches_visitor;
CREATE INDEX touches_visitor ON touches(visitor_id, at) INCLUDE (kind, channel, mark, id) WHERE visitor_id IS NOT NULL;
-- Touches of nobody known: each is a journey of its own.
CREATE INDEX touches_unnamed ON touches(at) INCLUDE (kind, channel, id) WHERE visitor_id IS NULL AND customer_id IS NULL AND mark IS NULL;

CREATE INDEX events_lead_visitor ON events(visitor_id, at) WHERE kind = 'lead' AND visitor_id IS NOT NULL;
CREATE INDEX events_lead_customer ON events(customer_id, at) WHERE kind = 'lead' AND customer_id IS NOT NULL;

-- What the fitted models learnt from a month's journeys.
CREATE TABLE credit_fits(
    period TEXT COLLATE "C" PRIMARY KEY, fitted_at TIMESTAMPTZ NOT NULL, took_micros BIGINT NOT NULL, conversions BIGINT NOT NULL, nulls BIGINT NOT NULL,
    markov JSONB NOT NULL, shapley_rate JSONB
);

-- What a month's orders gave each channel by each model, as of the last recompute.
CREATE TABLE credit_months(
    period TEXT COLLATE "C" NOT NULL, model TEXT COLLATE "C" NOT NULL, currency TEXT COLLATE "C" NOT NULL, channel TEXT COLLATE "C" NOT NULL, orders_millionths BIGINT NOT NULL,
    revenue_minor BIGINT NOT NULL, net_revenue_minor BIGINT NOT NULL, PRIMARY KEY (period, model, currency, channel)
);
