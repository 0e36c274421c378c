//! How many visitors there were. They cannot be added up, for one visitor comes on several days: few touches are counted
//! exactly, of many the sketches of days and whole months are united (HyperLogLog, <https://datasketches.apache.org>).

use super::stale::spans_of;
use crate::domain::time::Period;
use crate::service::{Error, Result, Tributary};
use crate::store::visitor_sketch::{self, Span, Visitor, VisitorKey};
use crate::store::{Error as StoreError, Reader};
use chrono::NaiveDate;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// Touches up to which visitors are counted one by one.
const COUNTED_EXACTLY: i64 = 50_000;
/// 2 to this power is how many registers a sketch has.
const LG_REGISTERS: u8 = 12;
/// How far a united sketch is off at most, in 19 of 20 cases: 2 × 1.04 / √4096.
const ERROR_PERCENT: f64 = 3.25;

/// How many visitors there were, by group and in all.
#[derive(Debug, Clone)]
pub struct Visitors<K> {
    pub of: HashMap<K, i64>,
    pub all: i64,
    /// By how much the numbers may be off, in percent, in 19 of 20 cases; none: they are exact.
    pub error_percent: Option<f64>,
}

/// Visitors of days, ends included, by what `group` makes of a day and an origin; `None` leaves them out. `touches`: how many
/// there are in all. `by_day`: whether `group` looks at the day; what is of a whole month comes with its first.
pub async fn visitors<K: Hash + Eq + Clone>(
    service: &Tributary,
    (from, to): (NaiveDate, NaiveDate),
    (touches, by_day): (i64, bool),
    stale: &BTreeSet<NaiveDate>,
    group: impl Fn(NaiveDate, &VisitorKey) -> Option<K>,
) -> Result<Visitors<K>> {
    let db = &service.db;
    if touches <= COUNTED_EXACTLY {
        let mut of: HashMap<K, i64> = HashMap::new();
        let mut counted: HashSet<(K, String)> = HashSet::new();
        let mut all: HashSet<String> = HashSet::new();
        for visitor in visitor_sketch::visitors(db, from, to).await? {
            let Some(key) = group(visitor.day, &visitor.key) else { continue };
            all.insert(visitor.visitor.clone());
            if counted.insert((key.clone(), visitor.visitor)) {
                *of.entry(key).or_default() += 1;
            }
        }
        return Ok(Visitors { of, all: all.len() as i64, error_percent: None });
    }
    let mut unions: HashMap<K, HllUnion> = HashMap::new();
    let mut all = union()?;
    let mut add = |day: NaiveDate, key: &VisitorKey, sketch: &HllSketch| -> Result<()> {
        let Some(key) = group(day, key) else { return Ok(()) };
        all.update(sketch);
        match unions.entry(key) {
            std::collections::hash_map::Entry::Occupied(mut entry) => entry.get_mut().update(sketch),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(union()?).update(sketch),
        }
        Ok(())
    };
    let months = if by_day { Vec::new() } else { whole_months(db, (from, to), stale).await? };
    let in_months = |day: &NaiveDate| months.binary_search(&Period::of(*day)).is_ok();
    for run in months.chunk_by(|a, b| a.next() == *b) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        for sketch in visitor_sketch::of_months(db, *first, *last).await? {
            add(first.first_day(), &sketch.key, &read(&sketch.bytes)?)?;
        }
    }
    let days: BTreeSet<NaiveDate> =
        from.iter_days().take_while(|day| *day <= to).filter(|day| !in_months(day) && !stale.contains(day)).collect();
    for (first, last) in spans_of(&days) {
        for sketch in visitor_sketch::of_days(db, first, last).await? {
            if let Span::Day(day) = sketch.span {
                add(day, &sketch.key, &read(&sketch.bytes)?)?;
            }
        }
    }
    let left: BTreeSet<NaiveDate> = stale.range(from..=to).copied().collect();
    for (first, last) in spans_of(&left) {
        for ((day, key), sketch) in sketches(visitor_sketch::visitors(db, first, last).await?)? {
            add(day, &key, &sketch)?;
        }
    }
    let of = unions.into_iter().map(|(key, union)| (key, union.composite_estimate().round() as i64)).collect();
    Ok(Visitors { of, all: all.composite_estimate().round() as i64, error_percent: Some(ERROR_PERCENT) })
}

/// The months inside the days whose sketches are kept and of which no day is out of date.
async fn whole_months<'a>(
    on: impl Into<Reader<'a>>,
    (from, to): (NaiveDate, NaiveDate),
    stale: &BTreeSet<NaiveDate>,
) -> Result<Vec<Period>> {
    let kept = visitor_sketch::months(on, Period::of(from), Period::of(to)).await?;
    let whole = |month: &Period| {
        let (first, last) = (month.first_day(), last_day(*month));
        from <= first && last <= to && stale.range(first..=last).next().is_none()
    };
    Ok(kept.into_iter().filter(whole).collect())
}

fn last_day(month: Period) -> NaiveDate {
    month.next().first_day().pred_opt().unwrap_or(month.first_day())
}

/// Makes the sketches of days anew, and of the months they lie in that are over.
pub async fn refresh(service: &Tributary, days: &BTreeSet<NaiveDate>) -> Result<()> {
    let db = &service.db;
    for day in days {
        let mut of_day: BTreeMap<VisitorKey, HllSketch> = BTreeMap::new();
        for ((_, key), sketch) in sketches(visitor_sketch::visitors(db, *day, *day).await?)? {
            of_day.insert(key, sketch);
        }
        let rows: Vec<(VisitorKey, Vec<u8>)> = of_day.into_iter().map(|(key, sketch)| (key, sketch.serialize())).collect();
        let mut tx = db.begin().await?;
        visitor_sketch::replace(&mut tx, Span::Day(*day), &rows).await?;
        tx.commit().await?;
    }
    let today = service.context("clockwork").today();
    for month in days.iter().map(|day| Period::of(*day)).collect::<BTreeSet<_>>() {
        if last_day(month) >= today {
            continue;
        }
        let rows = united(visitor_sketch::of_days(db, month.first_day(), last_day(month)).await?)?;
        let mut tx = db.begin().await?;
        visitor_sketch::replace(&mut tx, Span::Month(month), &rows).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// The sketches of several days as one by origin.
pub(super) fn united(of_days: Vec<visitor_sketch::Sketch>) -> Result<Vec<(VisitorKey, Vec<u8>)>> {
    let mut unions: BTreeMap<VisitorKey, HllUnion> = BTreeMap::new();
    for sketch in of_days {
        let read = read(&sketch.bytes)?;
        match unions.entry(sketch.key) {
            std::collections::btree_map::Entry::Occupied(mut entry) => entry.get_mut().update(&read),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(union()?).update(&read),
        }
    }
    Ok(unions.into_iter().map(|(key, union)| (key, union.to_sketch(HllType::Hll8).serialize())).collect())
}

/// Sketches of visitors by day and origin.
pub(super) fn sketches(visitors: Vec<Visitor>) -> Result<BTreeMap<(NaiveDate, VisitorKey), HllSketch>> {
    let mut of: BTreeMap<(NaiveDate, VisitorKey), HllSketch> = BTreeMap::new();
    for visitor in visitors {
        let sketch = match of.entry((visitor.day, visitor.key)) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(HllSketch::new(LG_REGISTERS, HllType::Hll8).map_err(unreadable)?)
            }
        };
        sketch.update(visitor.visitor.as_str());
    }
    Ok(of)
}

pub(super) fn read(bytes: &[u8]) -> Result<HllSketch> {
    HllSketch::deserialize(bytes).map_err(unreadable)
}

fn union() -> Result<HllUnion> {
    HllUnion::new(LG_REGISTERS).map_err(unreadable)
}

fn unreadable(error: datasketches::error::Error) -> Error {
    StoreError::Unreadable(format!("a sketch of visitors: {error}")).into()
}
