//! How many visitors there were. They cannot be added up, for one visitor comes on several days: few touches are counted
//! exactly, of many the sketches of days and whole months are united (HyperLogLog, <https://datasketches.apache.org>).

use super::stale::spans_of;
use crate::domain::time::Period;
use crate::service::{Error, Result, Tributary};
use crate::store::Error as StoreError;
use crate::store::rollup::{Cut, Plan};
use crate::store::visitor_sketch::{self, Span, Visitor, VisitorKey};
use chrono::NaiveDate;
use datasketches::hll::{HllSketch, HllType, HllUnion};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

/// Touches up to which visitors are counted one by one.
const COUNTED_EXACTLY: i64 = 15_000;
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

/// Visitors of a span by what `group` makes of a day and an origin; `None` leaves them out. `touches`: how many there are in the
/// span. What is of a whole month comes with its first day.
pub async fn visitors<K: Hash + Eq + Clone>(
    service: &Tributary,
    (from, to): (NaiveDate, NaiveDate),
    plan: &Plan,
    touches: i64,
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
    let mut add = |day: NaiveDate, key: &VisitorKey, sketch: &HllSketch| -> Result<()> {
        let Some(key) = group(day, key) else { return Ok(()) };
        match unions.entry(key) {
            std::collections::hash_map::Entry::Occupied(mut entry) => entry.get_mut().update(sketch),
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(union()?).update(sketch),
        }
        Ok(())
    };
    for run in plan.months.chunk_by(|a, b| a.next() == *b) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        for sketch in visitor_sketch::of_months(db, plan.cut, *first, *last).await? {
            let Span::Month(month) = sketch.span else { continue };
            add(month.first_day(), &sketch.key, &read(&sketch.bytes)?)?;
        }
    }
    for (first, last) in &plan.days {
        for sketch in visitor_sketch::of_days(db, plan.cut, *first, *last).await? {
            let Span::Day(day) = sketch.span else { continue };
            if plan.stale.binary_search(&day).is_err() {
                add(day, &sketch.key, &read(&sketch.bytes)?)?;
            }
        }
    }
    for (first, last) in spans_of(&plan.stale.iter().copied().collect()) {
        for ((day, key), sketch) in sketches(visitor_sketch::visitors(db, first, last).await?, plan.cut)? {
            add(day, &key, &sketch)?;
        }
    }
    // Each sketch is in one group, so all of them are the groups together.
    let mut all = union()?;
    for union in unions.values() {
        all.update(&union.to_sketch(HllType::Hll8));
    }
    let of = unions.into_iter().map(|(key, union)| (key, union.composite_estimate().round() as i64)).collect();
    Ok(Visitors { of, all: all.composite_estimate().round() as i64, error_percent: Some(ERROR_PERCENT) })
}

/// Makes the sketches of days anew.
pub async fn refresh(service: &Tributary, days: &BTreeSet<NaiveDate>) -> Result<()> {
    let db = &service.db;
    for day in days {
        let visitors = visitor_sketch::visitors(db, *day, *day).await?;
        let mut tx = db.begin().await?;
        for cut in Cut::ALL {
            let of_day = sketches(visitors.clone(), cut)?;
            let rows: Vec<(VisitorKey, Vec<u8>)> =
                of_day.into_iter().map(|((_, key), sketch)| (key, sketch.serialize())).collect();
            visitor_sketch::replace(&mut tx, cut, Span::Day(*day), &rows).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// The sketches of a month by each cut, out of those of its days.
pub async fn of_month(service: &Tributary, month: Period) -> Result<Vec<(Cut, Vec<(VisitorKey, Vec<u8>)>)>> {
    let mut all = Vec::new();
    for cut in Cut::ALL {
        all.push((cut, united(visitor_sketch::of_days(&service.db, cut, month.first_day(), month.last_day()).await?)?));
    }
    Ok(all)
}

/// The sketches of several days as one by origin.
fn united(of_days: Vec<visitor_sketch::Sketch>) -> Result<Vec<(VisitorKey, Vec<u8>)>> {
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

/// Sketches of visitors by day and what a cut keeps of where they came from.
pub(super) fn sketches(visitors: Vec<Visitor>, cut: Cut) -> Result<BTreeMap<(NaiveDate, VisitorKey), HllSketch>> {
    let mut of: BTreeMap<(NaiveDate, VisitorKey), HllSketch> = BTreeMap::new();
    for visitor in visitors {
        let sketch = match of.entry((visitor.day, visitor.key.cut(cut))) {
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
