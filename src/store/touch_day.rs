//! Touches by day and origin, counted in the transaction that stores them.

use super::credit_day::KeyColumn;
use super::rollup::{Cut, Plan};
use super::stale_day::{self, Stale};
use super::touch::TouchRow;
use super::{Dialect, Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::link_target::{Country, Device};
use crate::domain::time::Period;
use crate::domain::touch::{Touch, TouchKind};
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use std::collections::{BTreeMap, BTreeSet};

/// What a count is of; 0 and the empty text stand for none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TouchDay {
    pub day: NaiveDate,
    pub kind: &'static str,
    pub channel: &'static str,
    pub origin_id: i64,
    pub link_id: i64,
    pub partner_id: i64,
    pub country: String,
    pub device: &'static str,
}

impl TouchDay {
    /// Where a touch of a day is counted, if it had this channel, origin and device.
    pub fn of(day: NaiveDate, touch: &Touch, channel: Channel, origin_id: Option<i64>, device: Option<Device>) -> TouchDay {
        let kind: TouchKind = touch.kind;
        TouchDay {
            day,
            kind: kind.name(),
            channel: channel.name(),
            origin_id: origin_id.unwrap_or(0),
            link_id: touch.link_id.map_or(0, |id| id.0),
            partner_id: touch.partner_id.map_or(0, |id| id.0),
            country: touch.country.as_ref().map(Country::as_str).unwrap_or_default().to_owned(),
            device: device.map_or("", Device::name),
        }
    }
}

/// Touches that count and those that do not, in one order for all writers, so that two of them never wait for each other.
pub type TouchDays = BTreeMap<TouchDay, (i64, i64)>;

/// Counts rows.
pub fn totals<'a, 'r: 'a>(rows: impl Iterator<Item = &'a TouchRow<'r>>) -> TouchDays {
    let mut totals = TouchDays::new();
    for row in rows {
        let day = TouchDay::of(row.day, row.touch, row.touch.channel, row.origin_id, row.touch.device);
        let (counted, not_counted) = totals.entry(day).or_default();
        match row.touch.mark {
            None => *counted += 1,
            Some(_) => *not_counted += 1,
        }
    }
    totals
}

/// The days that totals are of.
pub fn days_of(totals: &TouchDays) -> BTreeSet<NaiveDate> {
    totals.keys().map(|key| key.day).collect()
}

pub(super) const KEY: &str = "day, kind, channel, origin_id, link_id, partner_id, country, device";
pub(super) const UPSERT: &str = "ON CONFLICT (day, kind, channel, origin_id, link_id, partner_id, country, device) DO UPDATE SET \
     counted = touch_days.counted + excluded.counted, not_counted = touch_days.not_counted + excluded.not_counted";

/// Adds to what is counted, and marks the days.
pub async fn count(tx: &mut Tx, totals: TouchDays) -> Result<()> {
    stale_day::mark(tx, Stale::Touches, days_of(&totals)).await?;
    let totals: Vec<(TouchDay, (i64, i64))> = totals.into_iter().collect();
    for chunk in totals.chunks(500) {
        exec_values(tx, chunk).await?;
    }
    Ok(())
}

/// Touches by kind, and by what else matters; the other fields are as if none.
#[derive(Debug, Clone)]
pub struct TouchSum {
    pub day: NaiveDate,
    pub kind: TouchKind,
    pub channel: Channel,
    pub origin_id: i64,
    pub link_id: i64,
    pub partner_id: i64,
    pub country: Option<Country>,
    pub device: Option<Device>,
    pub counted: i64,
    pub not_counted: i64,
}

#[derive(sqlx::FromRow)]
struct SumRow {
    day: NaiveDate,
    kind: TouchKind,
    channel: String,
    origin_id: i64,
    link_id: i64,
    partner_id: i64,
    country: String,
    device: String,
    counted: i64,
    not_counted: i64,
}

/// Sums over a span, by kind and the columns that matter; days that are out of date are read from what was counted.
/// `of_partners`: only what is some partner's.
pub async fn sums<'a>(on: impl Into<Reader<'a>>, plan: &Plan, by: &[KeyColumn], of_partners: bool) -> Result<Vec<TouchSum>> {
    let mut connection = on.into().connect().await?;
    let (first_day, day_of) = match connection.dialect() {
        Dialect::Sqlite => ("span || '-01'", "span"),
        Dialect::Postgres => ("CAST(span || '-01' AS DATE)", "CAST(span AS DATE)"),
    };
    let (mut selected, mut grouped) = (vec!["kind"], vec!["kind"]);
    for column in KeyColumn::ALL.into_iter().filter(|column| column.is_of_touches()) {
        let (name, otherwise) = column.sql();
        let matters = by.contains(&column);
        selected.push(if matters { name } else { otherwise });
        grouped.extend(matters.then_some(name));
    }
    let only = if of_partners { " AND partner_id <> 0" } else { "" };
    let mut parts = Vec::new();
    let mut part = |table: &str, day: &str, condition: String| {
        let selected: Vec<String> = selected.iter().map(|column| column.replace("MIN(day)", &format!("MIN({day})"))).collect();
        let selected = selected.iter().map(|column| if column == "day" { format!("{day} AS day") } else { column.clone() });
        let grouped = grouped.iter().map(|column| if *column == "day" { day } else { column });
        parts.push(format!(
            "SELECT {}, CAST(SUM(counted) AS BIGINT) AS counted, CAST(SUM(not_counted) AS BIGINT) AS not_counted FROM {table} \
             WHERE {condition}{only} GROUP BY {}",
            selected.collect::<Vec<_>>().join(", "),
            grouped.collect::<Vec<_>>().join(", ")
        ));
    };
    let cut = plan.cut.name();
    if let Some(months) = plan.months_in() {
        part("touch_sums", first_day, format!("cut = '{cut}' AND span {months}"));
    }
    for (from, to) in &plan.days {
        match plan.cut {
            Cut::All => part("touch_days", "day", format!("day >= '{from}' AND day <= '{to}'")),
            Cut::Origin => {
                let but = plan.but_stale("span", (*from, *to));
                part(
                    "touch_sums",
                    day_of,
                    format!("cut = '{cut}' AND span >= '{from}' AND span <= '{to}' AND LENGTH(span) = 10{but}"),
                );
            }
        }
    }
    if let (Cut::Origin, Some(stale)) = (plan.cut, plan.stale_in()) {
        part("touch_days", "day", format!("day {stale}"));
    }
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = sqlx::AssertSqlSafe(parts.join(" UNION ALL "));
    let rows: Vec<SumRow> = run!(connection, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let read = |row: SumRow| TouchSum {
        day: row.day,
        kind: row.kind,
        channel: row.channel.parse().unwrap_or(Channel::Direct),
        origin_id: row.origin_id,
        link_id: row.link_id,
        partner_id: row.partner_id,
        country: row.country.parse().ok(),
        device: Device::ALL.into_iter().find(|device| device.name() == row.device),
        counted: row.counted,
        not_counted: row.not_counted,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// The clicks of a day that count, by the partner and program of their links.
pub async fn clicks_of_partners<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<(PartnerId, ProgramId, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT d.partner_id, l.program_id, CAST(SUM(d.counted) AS BIGINT) FROM touch_days d JOIN links l ON l.id = d.link_id \
             WHERE d.day = $1 AND d.kind = 'click' AND d.partner_id <> 0 GROUP BY d.partner_id, l.program_id \
             ORDER BY d.partner_id, l.program_id",
        )
        .bind(day)
        .fetch_all(c)
        .await
    })?)
}

async fn exec_values(tx: &mut Tx, chunk: &[(TouchDay, (i64, i64))]) -> Result<()> {
    crate::run!(tx, |c| {
        let mut query = QueryBuilder::new(format!("INSERT INTO touch_days ({KEY}, counted, not_counted) "));
        query.push_values(chunk, |mut row, (day, (counted, not_counted))| {
            row.push_bind(day.day)
                .push_bind(day.kind)
                .push_bind(day.channel)
                .push_bind(day.origin_id)
                .push_bind(day.link_id)
                .push_bind(day.partner_id)
                .push_bind(&day.country)
                .push_bind(day.device)
                .push_bind(*counted)
                .push_bind(*not_counted);
        });
        query.push(" ").push(UPSERT);
        query.build().execute(c).await.map(|_| ())
    })?;
    Ok(())
}

/// Days whose counts are not what the touches say: day, counted here, counted there.
pub async fn differences<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(NaiveDate, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT day, CAST(SUM(rolled) AS BIGINT), CAST(SUM(raw) AS BIGINT) FROM ( \
             SELECT day, kind, channel, origin_id, link_id, partner_id, country, device, counted + not_counted * 1000003 AS rolled, 0 AS raw \
             FROM touch_days UNION ALL \
             SELECT day, kind, channel, COALESCE(origin_id, 0), COALESCE(link_id, 0), COALESCE(partner_id, 0), COALESCE(country, ''), \
             COALESCE(device, ''), 0, CASE WHEN mark IS NULL THEN 1 ELSE 1000003 END FROM touches) t \
             GROUP BY day, kind, channel, origin_id, link_id, partner_id, country, device HAVING SUM(rolled) <> SUM(raw) \
             ORDER BY day LIMIT 20",
        )
        .fetch_all(c)
        .await
    })?)
}

/// How many counts there are.
pub async fn rows<'a>(on: impl Into<Reader<'a>>) -> Result<u64> {
    let rows: i64 = read!(on.into(), |c| sqlx::query_scalar("SELECT COUNT(*) FROM touch_days").fetch_one(c).await)?;
    Ok(rows.unsigned_abs())
}

const ADDED_UP: &str = "kind, channel, origin_id, link_id, partner_id, country, device";

/// Adds up days by origin anew, from what was counted.
pub async fn add_up_days(tx: &mut Tx, days: &[NaiveDate]) -> Result<()> {
    for day in days {
        exec!(tx, sqlx::query("DELETE FROM touch_sums WHERE cut = 'origin' AND span = $1").bind(day.to_string()))?;
        let insert = format!(
            "INSERT INTO touch_sums (cut, span, {ADDED_UP}, counted, not_counted) SELECT 'origin', '{day}', kind, channel, origin_id, 0, 0, \
             '', '', CAST(SUM(counted) AS BIGINT), CAST(SUM(not_counted) AS BIGINT) FROM touch_days WHERE day = '{day}' \
             GROUP BY kind, channel, origin_id"
        );
        exec!(tx, sqlx::query(sqlx::AssertSqlSafe(insert.clone())))?;
    }
    Ok(())
}

/// Adds up a month anew, from what was counted on its days.
pub async fn add_up_month(tx: &mut Tx, month: Period) -> Result<()> {
    let (first, last) = (month.first_day(), month.last_day());
    exec!(tx, sqlx::query("DELETE FROM touch_sums WHERE span = $1").bind(month.to_string()))?;
    for (cut, kept, grouped) in
        [(Cut::All, ADDED_UP, ADDED_UP), (Cut::Origin, "kind, channel, origin_id, 0, 0, '', ''", "kind, channel, origin_id")]
    {
        let insert = format!(
            "INSERT INTO touch_sums (cut, span, {ADDED_UP}, counted, not_counted) SELECT '{}', '{month}', {kept}, \
             CAST(SUM(counted) AS BIGINT), CAST(SUM(not_counted) AS BIGINT) FROM touch_days WHERE day >= '{first}' AND day <= '{last}' \
             GROUP BY {grouped}",
            cut.name()
        );
        exec!(tx, sqlx::query(sqlx::AssertSqlSafe(insert.clone())))?;
    }
    Ok(())
}

/// Sums that are not those of the days they are of: cut and span.
pub async fn wrong_sums<'a>(on: impl Into<Reader<'a>>, built_to: Period) -> Result<Vec<(String, String)>> {
    let mut connection = on.into().connect().await?;
    let (text, month) = match connection.dialect() {
        Dialect::Sqlite => ("day", "SUBSTR(day, 1, 7)"),
        Dialect::Postgres => ("CAST(day AS TEXT)", "SUBSTR(CAST(day AS TEXT), 1, 7)"),
    };
    let by_origin = "kind, channel, origin_id, 0 AS link_id, 0 AS partner_id, '' AS country, '' AS device";
    let weighed = "counted + not_counted * 1000003 AS kept FROM touch_days";
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT cut, span FROM (SELECT cut, span, {ADDED_UP}, -(counted + not_counted * 1000003) AS kept FROM touch_sums \
         UNION ALL SELECT 'origin' AS cut, {text} AS span, {by_origin}, {weighed} \
         UNION ALL SELECT 'origin' AS cut, {month} AS span, {by_origin}, {weighed} WHERE {month} <= '{built_to}' \
         UNION ALL SELECT 'all' AS cut, {month} AS span, {ADDED_UP}, {weighed} WHERE {month} <= '{built_to}') t \
         WHERE LENGTH(span) = 10 OR span <= '{built_to}' GROUP BY cut, span, {ADDED_UP} HAVING SUM(kept) <> 0 ORDER BY span LIMIT 2000"
    ));
    Ok(run!(connection, |c| sqlx::query_as(sql).fetch_all(c).await)?)
}
