-- Fits and sums of analytic credit by month, and the indexes that journeys are read by.

-- With what a model looks at, so that a journey is read from the index alone.
DROP INDEX touches_visitor;
CREATE INDEX touches_visitor ON touches(visitor_id, at, kind, channel, mark) WHERE visitor_id IS NOT NULL;
-- Touches of nobody known: each is a journey of its own.
CREATE INDEX touches_unnamed ON touches(at, kind, channel) WHERE visitor_id IS NULL AND customer_id IS NULL AND mark IS NULL;

CREATE INDEX events_lead_visitor ON events(visitor_id, at) WHERE kind = 'lead' AND visitor_id IS NOT NULL;
CREATE INDEX events_lead_customer ON events(customer_id, at) WHERE kind = 'lead' AND customer_id IS NOT NULL;

-- What the fitted models learnt from a month's journeys.
CREATE TABLE credit_fits(
    period TEXT PRIMARY KEY, fitted_at INTEGER NOT NULL, took_micros INTEGER NOT NULL, conversions INTEGER NOT NULL, nulls INTEGER NOT NULL,
    markov TEXT NOT NULL, shapley_rate TEXT
) STRICT;

-- What a month's orders gave each channel by each model, as of the last recompute.
CREATE TABLE credit_months(
    period TEXT NOT NULL, model TEXT NOT NULL, currency TEXT NOT NULL, channel TEXT NOT NULL, orders_millionths INTEGER NOT NULL,
    revenue_minor INTEGER NOT NULL, net_revenue_minor INTEGER NOT NULL, PRIMARY KEY (period, model, currency, channel)
) STRICT, WITHOUT ROWID;
