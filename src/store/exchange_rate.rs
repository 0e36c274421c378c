//! Exchange rates by source, day and pair.

use super::{At, Error, Reader, Result, Tx};
use crate::domain::exchange_rate::{ExchangeRate, RateSource, RateValue};
use crate::domain::money::Currency;
use crate::{read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;

/// A rate as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRate {
    pub id: i64,
    pub rate: ExchangeRate,
    pub stored_at: At,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    source: RateSource,
    day: NaiveDate,
    from_currency: Currency,
    to_currency: Currency,
    units: i64,
    numerator: i64,
    scale: i64,
    stored_at: At,
}

impl TryFrom<Row> for StoredRate {
    type Error = Error;
    fn try_from(row: Row) -> Result<StoredRate> {
        let value = RateValue::new(row.numerator, row.scale);
        let value = value.ok_or_else(|| Error::Unreadable(format!("exchange rate {}", row.id)))?;
        let (from, to) = (row.from_currency, row.to_currency);
        let rate = ExchangeRate { source: row.source, day: row.day, from, units: row.units, to, value };
        Ok(StoredRate { id: row.id, rate, stored_at: row.stored_at })
    }
}

const SELECT: &str = "SELECT id, source, day, from_currency, to_currency, units, numerator, scale, stored_at FROM exchange_rates";

/// Stores rates, each in the place of the one of the same source, day and pair.
pub async fn put(tx: &mut Tx, rates: &[ExchangeRate], at: At) -> Result<()> {
    for chunk in rates.chunks(500) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new(
                "INSERT INTO exchange_rates (source, day, from_currency, to_currency, units, numerator, scale, stored_at) ",
            );
            query.push_values(chunk, |mut row, rate| {
                row.push_bind(rate.source)
                    .push_bind(rate.day)
                    .push_bind(rate.from)
                    .push_bind(rate.to)
                    .push_bind(rate.units)
                    .push_bind(rate.value.numerator())
                    .push_bind(i64::from(rate.value.scale()))
                    .push_bind(at);
            });
            query.push(
                " ON CONFLICT (source, day, from_currency, to_currency) DO UPDATE SET units = excluded.units, \
                 numerator = excluded.numerator, scale = excluded.scale, stored_at = excluded.stored_at",
            );
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// All rates of a span of days, ends included.
pub async fn between<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<StoredRate>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE day >= $1 AND day <= $2 ORDER BY id"));
    let rows: Vec<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// A page of the rates of a span of days, the first stored first; of one source, or with one currency, if that is said.
pub async fn list<'a>(
    on: impl Into<Reader<'a>>,
    (from, to): (NaiveDate, NaiveDate),
    source: Option<RateSource>,
    currency: Option<Currency>,
    (after, limit): (i64, i64),
) -> Result<Vec<StoredRate>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE id > $1 AND day >= $2 AND day <= $3 AND ($4 = '' OR source = $4) \
         AND ($5 = '' OR from_currency = $5 OR to_currency = $5) ORDER BY id LIMIT $6"
    ));
    let rows: Vec<Row> = read!(on.into(), |c| {
        sqlx::query_as(sql)
            .bind(after)
            .bind(from)
            .bind(to)
            .bind(source.map_or("", RateSource::name))
            .bind(currency.map_or("", Currency::code))
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(TryInto::try_into).collect()
}
