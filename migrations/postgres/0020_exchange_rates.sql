-- What `units` of a currency were worth in another on a day, as a source published it: numerator / 10^scale.
CREATE TABLE exchange_rates(
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source TEXT COLLATE "C" NOT NULL, day DATE NOT NULL,
    from_currency TEXT COLLATE "C" NOT NULL, to_currency TEXT COLLATE "C" NOT NULL, units BIGINT NOT NULL, numerator BIGINT NOT NULL,
    scale BIGINT NOT NULL, stored_at TIMESTAMPTZ NOT NULL, UNIQUE (source, day, from_currency, to_currency)
);
CREATE INDEX exchange_rates_day ON exchange_rates(day);
