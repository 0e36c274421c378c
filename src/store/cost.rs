//! What advertising cost, by day and UTM.

use super::rollup::Plan;
use super::{Dialect, Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::id::CostId;
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;

/// A cost as stored; texts are trimmed and case folded, absent ones empty.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Cost {
    pub id: CostId,
    pub day: NaiveDate,
    pub source: String,
    pub medium: String,
    pub campaign: String,
    pub channel: Channel,
    pub amount_minor: i64,
    pub currency: Currency,
    pub impressions: i64,
    pub clicks: i64,
}

/// Stores a cost, replacing that of the same day and keys.
pub async fn replace(tx: &mut Tx, cost: &Cost) -> Result<CostId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO costs (day, source, medium, campaign, channel, amount_minor, currency, impressions, clicks) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (day, source, medium, campaign) DO UPDATE SET \
             channel = excluded.channel, amount_minor = excluded.amount_minor, currency = excluded.currency, \
             impressions = excluded.impressions, clicks = excluded.clicks RETURNING id",
        )
        .bind(cost.day)
        .bind(&cost.source)
        .bind(&cost.medium)
        .bind(&cost.campaign)
        .bind(cost.channel)
        .bind(cost.amount_minor)
        .bind(cost.currency)
        .bind(cost.impressions)
        .bind(cost.clicks)
        .fetch_one(c)
        .await
    })?)
}

/// All costs of a span of days.
pub async fn between<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<Cost>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT id, day, source, medium, campaign, channel, amount_minor, currency, impressions, clicks FROM costs \
             WHERE day >= $1 AND day <= $2 ORDER BY day, source, medium, campaign",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// Puts a cost into another channel.
pub async fn set_channel(tx: &mut Tx, id: CostId, channel: Channel) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE costs SET channel = $2 WHERE id = $1").bind(id).bind(channel))?;
    Ok(())
}

/// What advertising cost by UTM and currency, and by day if that matters.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CostSum {
    pub day: NaiveDate,
    pub source: String,
    pub medium: String,
    pub campaign: String,
    pub channel: Channel,
    pub currency: Currency,
    pub amount_minor: i64,
    pub impressions: i64,
    pub clicks: i64,
}

/// The costs of a span, summed; `by_day`: each day, or whole month, apart.
pub async fn sums<'a>(on: impl Into<Reader<'a>>, plan: &Plan, by_day: bool) -> Result<Vec<CostSum>> {
    let mut connection = on.into().connect().await?;
    let first_day = match connection.dialect() {
        Dialect::Sqlite => "month || '-01'",
        Dialect::Postgres => "CAST(month || '-01' AS DATE)",
    };
    let mut parts = Vec::new();
    let mut part = |table: &str, day: &str, condition: String| {
        let (told, grouped) = if by_day { (day.to_owned(), format!(", {day}")) } else { (format!("MIN({day})"), String::new()) };
        parts.push(format!(
            "SELECT {told} AS day, source, medium, campaign, channel, currency, CAST(SUM(amount_minor) AS BIGINT) AS amount_minor, \
             CAST(SUM(impressions) AS BIGINT) AS impressions, CAST(SUM(clicks) AS BIGINT) AS clicks FROM {table} WHERE {condition} \
             GROUP BY source, medium, campaign, channel, currency{grouped}"
        ));
    };
    if let Some(months) = plan.months_in() {
        part("cost_months", first_day, format!("month {months}"));
    }
    for (from, to) in &plan.days {
        part("costs", "day", format!("day >= '{from}' AND day <= '{to}'"));
    }
    let sql = sqlx::AssertSqlSafe(parts.join(" UNION ALL "));
    Ok(run!(connection, |c| sqlx::query_as(sql).fetch_all(c).await)?)
}

/// Months whose costs are not those of their days.
pub async fn wrong_months<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<String>> {
    let mut connection = on.into().connect().await?;
    let month = match connection.dialect() {
        Dialect::Sqlite => "SUBSTR(day, 1, 7)",
        Dialect::Postgres => "TO_CHAR(day, 'YYYY-MM')",
    };
    let weighed = "amount_minor * 7 + impressions * 3 + clicks";
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT DISTINCT month FROM (SELECT month, source, medium, campaign, channel, currency, {weighed} AS kept FROM cost_months \
         UNION ALL SELECT {month}, source, medium, campaign, channel, currency, -({weighed}) FROM costs) t \
         GROUP BY month, source, medium, campaign, channel, currency HAVING SUM(kept) <> 0 ORDER BY month LIMIT 20"
    ));
    Ok(run!(connection, |c| sqlx::query_scalar(sql).fetch_all(c).await)?)
}
