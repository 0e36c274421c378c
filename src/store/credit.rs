//! What is kept of analytic credit: what the fitted models learnt from each month, and what each channel was given.

use super::{At, Error, Reader, Result, Tx};
use crate::domain::attribution::ChannelWorth;
use crate::domain::channel::Channel;
use crate::domain::money::Currency;
use crate::domain::time::Period;
use crate::{exec, read, run};
use sqlx::types::Json;
use std::collections::BTreeMap;

/// What the fitted models learnt from the journeys of a month.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredFit {
    pub period: Period,
    pub fitted_at: At,
    pub took_micros: i64,
    /// Journeys that led to an order of the month, and those that led to nothing and closed in it.
    pub conversions: i64,
    pub nulls: i64,
    pub markov: ChannelWorth,
    /// None if the month has more channels than the model can do.
    pub shapley_rate: Option<ChannelWorth>,
}

type Worth = Json<BTreeMap<Channel, f64>>;

fn worth_of(worth: &ChannelWorth) -> Worth {
    Json(Channel::ALL.iter().map(|channel| (*channel, worth.of(*channel))).filter(|(_, worth)| *worth > 0.0).collect())
}

fn read_worth(worth: &Worth) -> ChannelWorth {
    ChannelWorth::new(Channel::ALL.iter().map(|channel| worth.0.get(channel).copied().unwrap_or_default()).collect())
}

#[derive(sqlx::FromRow)]
struct FitRow {
    period: String,
    fitted_at: At,
    took_micros: i64,
    conversions: i64,
    nulls: i64,
    markov: Worth,
    shapley_rate: Option<Worth>,
}

/// The stored fits of the months from `from` to `to`, by month.
pub async fn fits<'a>(on: impl Into<Reader<'a>>, from: Period, to: Period) -> Result<BTreeMap<Period, StoredFit>> {
    let rows: Vec<FitRow> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT period, fitted_at, took_micros, conversions, nulls, markov, shapley_rate FROM credit_fits \
             WHERE period >= $1 AND period <= $2",
        )
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_all(c)
        .await
    })?;
    rows.into_iter()
        .map(|row| {
            let period = month(&row.period)?;
            let fit = StoredFit {
                period,
                fitted_at: row.fitted_at,
                took_micros: row.took_micros,
                conversions: row.conversions,
                nulls: row.nulls,
                markov: read_worth(&row.markov),
                shapley_rate: row.shapley_rate.as_ref().map(read_worth),
            };
            Ok((period, fit))
        })
        .collect()
}

/// Stores a fit in the place of the month's last.
pub async fn replace_fit(tx: &mut Tx, fit: &StoredFit) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO credit_fits (period, fitted_at, took_micros, conversions, nulls, markov, shapley_rate) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (period) DO UPDATE SET fitted_at = excluded.fitted_at, \
             took_micros = excluded.took_micros, conversions = excluded.conversions, nulls = excluded.nulls, \
             markov = excluded.markov, shapley_rate = excluded.shapley_rate",
        )
        .bind(fit.period.to_string())
        .bind(fit.fitted_at)
        .bind(fit.took_micros)
        .bind(fit.conversions)
        .bind(fit.nulls)
        .bind(worth_of(&fit.markov))
        .bind(fit.shapley_rate.as_ref().map(worth_of))
    })?;
    Ok(())
}

/// What a sum of credit is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreditKey {
    pub period: Period,
    /// The model's name.
    pub model: String,
    pub currency: Currency,
    pub channel: Channel,
}

/// Credit summed; shared orders are counted in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CreditSum {
    pub orders_millionths: i64,
    pub revenue_minor: i64,
    pub net_revenue_minor: i64,
}

/// First and last month of which sums are kept.
pub async fn span<'a>(on: impl Into<Reader<'a>>) -> Result<Option<(Period, Period)>> {
    let ends: (Option<String>, Option<String>) =
        read!(on.into(), |c| sqlx::query_as("SELECT MIN(period), MAX(period) FROM credit_months").fetch_one(c).await)?;
    ends.0.zip(ends.1).map(|(first, last)| Ok((month(&first)?, month(&last)?))).transpose()
}

fn month(text: &str) -> Result<Period> {
    text.parse().map_err(|_| Error::Unreadable(format!("the month {text}")))
}

/// Sums by month, model, currency and channel.
pub type CreditSums = BTreeMap<CreditKey, CreditSum>;

/// The stored sums of the months from `from` to `to`.
pub async fn sums<'a>(on: impl Into<Reader<'a>>, from: Period, to: Period) -> Result<CreditSums> {
    let rows: Vec<(String, String, Currency, Channel, i64, i64, i64)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT period, model, currency, channel, orders_millionths, revenue_minor, net_revenue_minor FROM credit_months \
             WHERE period >= $1 AND period <= $2",
        )
        .bind(from.to_string())
        .bind(to.to_string())
        .fetch_all(c)
        .await
    })?;
    rows.into_iter()
        .map(|(period, model, currency, channel, orders_millionths, revenue_minor, net_revenue_minor)| {
            let key = CreditKey { period: month(&period)?, model, currency, channel };
            Ok((key, CreditSum { orders_millionths, revenue_minor, net_revenue_minor }))
        })
        .collect()
}

/// Stores a month's sums by some models in the place of those that were there.
pub async fn replace_sums(tx: &mut Tx, period: Period, models: &[String], sums: &CreditSums) -> Result<()> {
    for model in models {
        exec!(tx, {
            sqlx::query("DELETE FROM credit_months WHERE period = $1 AND model = $2").bind(period.to_string()).bind(model)
        })?;
    }
    let rows: Vec<(&CreditKey, &CreditSum)> =
        sums.iter().filter(|(key, _)| key.period == period && models.contains(&key.model)).collect();
    for chunk in rows.chunks(500) {
        run!(tx, |c| {
            let mut query = sqlx::QueryBuilder::new(
                "INSERT INTO credit_months (period, model, currency, channel, orders_millionths, revenue_minor, net_revenue_minor) ",
            );
            query.push_values(chunk, |mut row, (key, sum)| {
                row.push_bind(key.period.to_string())
                    .push_bind(&key.model)
                    .push_bind(key.currency)
                    .push_bind(key.channel)
                    .push_bind(sum.orders_millionths)
                    .push_bind(sum.revenue_minor)
                    .push_bind(sum.net_revenue_minor);
            });
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}
