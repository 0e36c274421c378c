//! Stored touches in order of time, and what enrichment says of them today in place of what it said when they came.

use super::dictionary::Dictionary;
use super::touch::{JOINED, Row, SELECTED};
use super::touch_day::{self, TouchDay, TouchDays};
use super::{At, Error, Reader, Result, Tx};
use crate::domain::channel::Channel;
use crate::domain::link_target::Device;
use crate::domain::touch::{Mark, Touch};
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Days of a span, ends included, that have touches, with how many.
pub async fn days<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<(NaiveDate, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT day, CAST(SUM(counted + not_counted) AS BIGINT) FROM touch_days WHERE day >= $1 AND day <= $2 \
             GROUP BY day HAVING SUM(counted + not_counted) > 0 ORDER BY day",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// The first and the last day with touches.
pub async fn span<'a>(on: impl Into<Reader<'a>>) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let (first, last): (Option<NaiveDate>, Option<NaiveDate>) =
        read!(on.into(), |c| sqlx::query_as("SELECT MIN(day), MAX(day) FROM touch_days").fetch_one(c).await)?;
    Ok(first.zip(last))
}

/// When a touch was, and its id: what touches are ordered by.
pub type TouchKey = (At, Uuid);

/// The keys of a day's touches in order of time; from an instant on, if one is given.
pub async fn keys<'a>(on: impl Into<Reader<'a>>, day: NaiveDate, since: Option<At>) -> Result<Vec<TouchKey>> {
    let mut keys: Vec<TouchKey> = match since {
        None => read!(on.into(), |c| sqlx::query_as("SELECT at, id FROM touches WHERE day = $1").bind(day).fetch_all(c).await)?,
        Some(since) => read!(on.into(), |c| {
            sqlx::query_as("SELECT at, id FROM touches WHERE day = $1 AND at >= $2").bind(day).bind(since).fetch_all(c).await
        })?,
    };
    keys.sort_unstable();
    Ok(keys)
}

/// A touch with the id of its origin.
#[derive(Debug)]
pub struct StoredTouch {
    pub touch: Touch,
    pub origin_id: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ReplayRow {
    #[sqlx(flatten)]
    touch: Row,
    origin_id: Option<i64>,
}

/// The touches of `keys`, in their order; at most some thousand.
pub async fn touches<'a>(on: impl Into<Reader<'a>>, keys: &[TouchKey]) -> Result<Vec<StoredTouch>> {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return Ok(Vec::new()) };
    let rows: Vec<ReplayRow> = read!(on.into(), |c| {
        let mut query = QueryBuilder::new(format!("SELECT {SELECTED}, t.origin_id FROM touches t {JOINED} WHERE t.at >= "));
        query.push_bind(first.0).push(" AND t.at <= ").push_bind(last.0).push(" AND t.id IN (");
        let mut ids = query.separated(", ");
        for (_, id) in keys {
            ids.push_bind(*id);
        }
        query.push(")");
        query.build_query_as().fetch_all(c).await
    })?;
    let places: HashMap<Uuid, usize> = keys.iter().enumerate().map(|(place, (_, id))| (*id, place)).collect();
    let mut found: Vec<StoredTouch> =
        rows.into_iter().map(|row| StoredTouch { touch: row.touch.into(), origin_id: row.origin_id }).collect();
    found.sort_by_key(|stored| places.get(&stored.touch.id).copied());
    Ok(found)
}

/// What is stored of a touch that enrichment decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enriched {
    pub channel: Channel,
    pub origin_id: Option<i64>,
    pub mark: Option<Mark>,
    pub device: Option<Device>,
}

/// A touch that is enriched otherwise now.
#[derive(Debug)]
pub struct Change {
    pub before: Enriched,
    /// Source, medium, campaign, content or term are others.
    pub origin_differs: bool,
    /// As it is now.
    pub touch: Touch,
}

/// Changes a statement: 11 values each stay below both drivers' limits.
const CHANGES_A_STATEMENT: usize = 400;

/// Writes changes of one day's touches and moves what is counted by day along; answers the touches that were still as
/// `before` says. Others are left alone: somebody else has changed them.
pub async fn change(tx: &mut Tx, dictionary: &mut Dictionary, day: NaiveDate, changes: &[Change]) -> Result<HashSet<Uuid>> {
    dictionary.learn_origins(tx, changes.iter().filter(|c| c.origin_differs).map(|c| &c.touch)).await?;
    let mut written = HashSet::with_capacity(changes.len());
    let mut totals = TouchDays::new();
    for chunk in changes.chunks(CHANGES_A_STATEMENT) {
        let mut rows = Vec::with_capacity(chunk.len());
        for change in chunk {
            let origin_id = match change.origin_differs {
                true => dictionary.origin_id(&change.touch).ok_or_else(|| Error::missing("a dictionary entry"))?,
                false => change.before.origin_id,
            };
            rows.push((change, origin_id));
        }
        let ids: HashSet<Uuid> = update(tx, &rows).await?.into_iter().collect();
        for (change, origin_id) in rows.iter().filter(|(change, _)| ids.contains(&change.touch.id)) {
            let Change { before, touch, .. } = change;
            let now = Enriched { channel: touch.channel, origin_id: *origin_id, mark: touch.mark, device: touch.device };
            count(&mut totals, day, touch, before, -1);
            count(&mut totals, day, touch, &now, 1);
        }
        written.extend(ids);
    }
    totals.retain(|_, counts| *counts != (0, 0));
    touch_day::count(tx, totals).await?;
    Ok(written)
}

fn count(totals: &mut TouchDays, day: NaiveDate, touch: &Touch, enriched: &Enriched, by: i64) {
    let key = TouchDay::of(day, touch, enriched.channel, enriched.origin_id, enriched.device);
    let (counted, not_counted) = totals.entry(key).or_default();
    match enriched.mark {
        None => *counted += by,
        Some(_) => *not_counted += by,
    }
}

async fn update(tx: &mut Tx, rows: &[(&Change, Option<i64>)]) -> Result<Vec<Uuid>> {
    let instants = || rows.iter().map(|(change, _)| At::from(change.touch.at));
    let (Some(first), Some(last)) = (instants().min(), instants().max()) else { return Ok(Vec::new()) };
    Ok(run!(tx, |c| {
        let mut query = QueryBuilder::new(
            "UPDATE touches SET channel = v.column3, origin_id = v.column4, mark = v.column5, mark_reason = v.column6, \
             device = v.column7 FROM (",
        );
        query.push_values(rows, |mut row, (change, origin_id)| {
            row.push_bind(change.touch.id)
                .push_bind(At::from(change.touch.at))
                .push_bind(change.touch.channel)
                .push_bind(*origin_id)
                .push_bind(change.touch.mark)
                .push_bind(&change.touch.mark_reason)
                .push_bind(change.touch.device)
                .push_bind(change.before.channel)
                .push_bind(change.before.origin_id)
                .push_bind(change.before.mark)
                .push_bind(change.before.device);
        });
        query.push(
            ") AS v WHERE touches.id = v.column1 AND touches.at = v.column2 AND touches.channel = v.column8 \
             AND touches.origin_id IS NOT DISTINCT FROM v.column9 AND touches.mark IS NOT DISTINCT FROM v.column10 \
             AND touches.device IS NOT DISTINCT FROM v.column11 AND touches.at >= ",
        );
        query.push_bind(first).push(" AND touches.at <= ").push_bind(last).push(" RETURNING id");
        query.build_query_scalar().fetch_all(c).await
    })?)
}

/// Takes away what counts nothing any more.
pub async fn tidy_day(tx: &mut Tx, day: NaiveDate) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM touch_days WHERE day = $1 AND counted = 0 AND not_counted = 0").bind(day))?;
    Ok(())
}
