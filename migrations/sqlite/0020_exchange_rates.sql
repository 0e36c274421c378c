-- What `units` of a currency were worth in another on a day, as a source published it: numerator / 10^scale.
CREATE TABLE exchange_rates(
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, day TEXT NOT NULL, from_currency TEXT NOT NULL, to_currency TEXT NOT NULL,
    units INTEGER NOT NULL, numerator INTEGER NOT NULL, scale INTEGER NOT NULL, stored_at INTEGER NOT NULL,
    UNIQUE (source, day, from_currency, to_currency)
) STRICT;
CREATE INDEX exchange_rates_day ON exchange_rates(day);
