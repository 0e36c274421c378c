//! Visitors by day and origin: who they were, read from touches, and sketches of how many, kept by day and by month.

use super::rollup::Cut;
use super::{Dialect, Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::link_target::{Country, Device};
use crate::domain::time::Period;
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;

/// Where visitors came from; 0 stands for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VisitorKey {
    pub channel: Channel,
    pub origin_id: i64,
    pub link_id: i64,
    pub partner_id: i64,
    pub country: Option<Country>,
    pub device: Option<Device>,
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    channel: Channel,
    origin_id: i64,
    link_id: i64,
    partner_id: i64,
    country: String,
    device: String,
}

impl From<KeyRow> for VisitorKey {
    fn from(row: KeyRow) -> VisitorKey {
        VisitorKey {
            channel: row.channel,
            origin_id: row.origin_id,
            link_id: row.link_id,
            partner_id: row.partner_id,
            country: row.country.parse().ok(),
            device: Device::ALL.into_iter().find(|device| device.name() == row.device),
        }
    }
}

impl VisitorKey {
    /// As a cut keeps it.
    pub fn cut(self, cut: Cut) -> VisitorKey {
        match cut {
            Cut::All => self,
            Cut::Origin => VisitorKey { link_id: 0, partner_id: 0, country: None, device: None, ..self },
        }
    }
}

/// A visitor of a day. A touch without a visitor id is a visitor of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    pub day: NaiveDate,
    pub key: VisitorKey,
    pub visitor: String,
}

#[derive(sqlx::FromRow)]
struct VisitorRow {
    day: NaiveDate,
    #[sqlx(flatten)]
    key: KeyRow,
    visitor: String,
}

/// The visitors of clicks and visits that count, once for each day and origin.
pub async fn visitors<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<Visitor>> {
    let mut connection = on.into().connect().await?;
    let own_id = match connection.dialect() {
        Dialect::Sqlite => "COALESCE(visitor_id, hex(id))",
        Dialect::Postgres => "COALESCE(visitor_id, CAST(id AS TEXT))",
    };
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT DISTINCT day, channel, COALESCE(origin_id, 0) AS origin_id, COALESCE(link_id, 0) AS link_id, \
         COALESCE(partner_id, 0) AS partner_id, COALESCE(country, '') AS country, COALESCE(device, '') AS device, {own_id} AS visitor \
         FROM touches WHERE day >= $1 AND day <= $2 AND mark IS NULL AND kind IN ('click', 'visit')"
    ));
    let rows: Vec<VisitorRow> = run!(connection, |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|row| Visitor { day: row.day, key: row.key.into(), visitor: row.visitor }).collect())
}

/// What a sketch is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    Day(NaiveDate),
    Month(Period),
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Span::Day(day) => day.fmt(f),
            Span::Month(period) => period.fmt(f),
        }
    }
}

impl std::str::FromStr for Span {
    type Err = super::Error;
    fn from_str(text: &str) -> Result<Span> {
        let day = text.parse().ok().map(Span::Day);
        let span = day.or_else(|| text.parse().ok().map(Span::Month));
        span.ok_or_else(|| super::Error::Unreadable(format!("the span {text} of a sketch")))
    }
}

/// A sketch.
#[derive(Debug, Clone, PartialEq)]
pub struct Sketch {
    pub span: Span,
    pub key: VisitorKey,
    pub bytes: Vec<u8>,
}

#[derive(sqlx::FromRow)]
struct SketchRow {
    span: String,
    #[sqlx(flatten)]
    key: KeyRow,
    sketch: Vec<u8>,
}

/// The sketches of the days from `from` to `to`, ends included.
pub async fn of_days<'a>(on: impl Into<Reader<'a>>, cut: Cut, from: NaiveDate, to: NaiveDate) -> Result<Vec<Sketch>> {
    between(on, cut, &from.to_string(), &to.to_string(), 10).await
}

/// The sketches of whole months.
pub async fn of_months<'a>(on: impl Into<Reader<'a>>, cut: Cut, from: Period, to: Period) -> Result<Vec<Sketch>> {
    between(on, cut, &from.to_string(), &to.to_string(), 7).await
}

async fn between<'a>(on: impl Into<Reader<'a>>, cut: Cut, from: &str, to: &str, length: i64) -> Result<Vec<Sketch>> {
    let rows: Vec<SketchRow> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT span, channel, origin_id, link_id, partner_id, country, device, sketch FROM visitor_sketches \
             WHERE cut = $4 AND span >= $1 AND span <= $2 AND LENGTH(span) = $3 ORDER BY span, channel, origin_id, link_id, partner_id, country, device",
        )
        .bind(from)
        .bind(to)
        .bind(length)
        .bind(cut.name())
        .fetch_all(c)
        .await
    })?;
    rows.into_iter().map(|row| Ok(Sketch { span: row.span.parse()?, key: row.key.into(), bytes: row.sketch })).collect()
}

/// Puts the sketches of a span in the place of those that were there.
pub async fn replace(tx: &mut Tx, cut: Cut, span: Span, sketches: &[(VisitorKey, Vec<u8>)]) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM visitor_sketches WHERE cut = $1 AND span = $2").bind(cut.name()).bind(span.to_string()))?;
    for chunk in sketches.chunks(500) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new(
                "INSERT INTO visitor_sketches (cut, span, channel, origin_id, link_id, partner_id, country, device, sketch) ",
            );
            query.push_values(chunk, |mut row, (key, bytes)| {
                row.push_bind(cut.name())
                    .push_bind(span.to_string())
                    .push_bind(key.channel)
                    .push_bind(key.origin_id)
                    .push_bind(key.link_id)
                    .push_bind(key.partner_id)
                    .push_bind(key.country.map_or(String::new(), |country| country.as_str().to_owned()))
                    .push_bind(key.device.map_or("", Device::name))
                    .push_bind(bytes);
            });
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}
