//! Touches by day and origin, counted in the transaction that stores them.

use super::touch::TouchRow;
use super::{Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::touch::TouchKind;
use crate::read;
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use std::collections::BTreeMap;

/// What a count is of; 0 stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TouchDay {
    pub day: NaiveDate,
    pub kind: &'static str,
    pub channel: &'static str,
    pub origin_id: i64,
    pub link_id: i64,
    pub partner_id: i64,
}

/// Touches that count and those that do not, in one order for all writers, so that two of them never wait for each other.
pub type TouchDays = BTreeMap<TouchDay, (i64, i64)>;

/// Counts rows.
pub fn totals<'a, 'r: 'a>(rows: impl Iterator<Item = &'a TouchRow<'r>>) -> TouchDays {
    let mut totals = TouchDays::new();
    for row in rows {
        let (kind, channel): (TouchKind, Channel) = (row.touch.kind, row.touch.channel);
        let day = TouchDay {
            day: row.day,
            kind: kind.name(),
            channel: channel.name(),
            origin_id: row.origin_id.unwrap_or(0),
            link_id: row.touch.link_id.map_or(0, |id| id.0),
            partner_id: row.touch.partner_id.map_or(0, |id| id.0),
        };
        let (counted, not_counted) = totals.entry(day).or_default();
        match row.touch.mark {
            None => *counted += 1,
            Some(_) => *not_counted += 1,
        }
    }
    totals
}

pub(super) const UPSERT: &str = "ON CONFLICT (day, kind, channel, origin_id, link_id, partner_id) DO UPDATE SET \
     counted = touch_days.counted + excluded.counted, not_counted = touch_days.not_counted + excluded.not_counted";

/// Adds to what is counted.
pub async fn count(tx: &mut Tx, totals: TouchDays) -> Result<()> {
    let totals: Vec<(TouchDay, (i64, i64))> = totals.into_iter().collect();
    for chunk in totals.chunks(500) {
        exec_values(tx, chunk).await?;
    }
    Ok(())
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
        let mut query = QueryBuilder::new(
            "INSERT INTO touch_days (day, kind, channel, origin_id, link_id, partner_id, counted, not_counted) ",
        );
        query.push_values(chunk, |mut row, (day, (counted, not_counted))| {
            row.push_bind(day.day)
                .push_bind(day.kind)
                .push_bind(day.channel)
                .push_bind(day.origin_id)
                .push_bind(day.link_id)
                .push_bind(day.partner_id)
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
             SELECT day, kind, channel, origin_id, link_id, partner_id, counted + not_counted * 1000003 AS rolled, 0 AS raw FROM touch_days \
             UNION ALL SELECT day, kind, channel, COALESCE(origin_id, 0), COALESCE(link_id, 0), COALESCE(partner_id, 0), 0, \
             CASE WHEN mark IS NULL THEN 1 ELSE 1000003 END FROM touches) t \
             GROUP BY day, kind, channel, origin_id, link_id, partner_id HAVING SUM(rolled) <> SUM(raw) ORDER BY day LIMIT 20",
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
