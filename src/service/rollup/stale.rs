//! Which days are out of date.

use super::{DAYS_AT_ONCE, ORDERS_AT_ONCE, WINDOW_DAYS};
use crate::domain::time::{FAR_DAY, Period};
use crate::service::Result;
use crate::store::rollup::{Cut, Plan};
use crate::store::stale_day::{self, Stale};
use crate::store::{Db, Reader, report, settings};
use chrono::{NaiveDate, TimeDelta};
use std::collections::{BTreeSet, HashMap};

/// The days that are out of date, and in what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaleDays {
    /// By the models that need no fit, and of what is owed.
    pub credit: BTreeSet<NaiveDate>,
    /// By the models that need one, beside those.
    pub fitted: BTreeSet<NaiveDate>,
    pub visitors: BTreeSet<NaiveDate>,
    /// The last month that whole months are kept to.
    pub months_to: Option<Period>,
}

/// The setting that tells up to which month whole months are added up.
pub(super) const MONTHS_TO: &str = "rollups_months_to";

impl StaleDays {
    /// Of what is never out of date.
    pub fn none() -> StaleDays {
        StaleDays { months_to: Some(Period::of(FAR_DAY)), ..StaleDays::default() }
    }

    /// What these marks say, of days from `from` to `to`.
    pub fn of(marks: impl IntoIterator<Item = (Stale, NaiveDate)>, from: NaiveDate, to: NaiveDate) -> StaleDays {
        let mut stale = StaleDays::default();
        // Each mark of touches reaches as far as the window, so most of their days are another's too.
        let mut reached: Option<NaiveDate> = None;
        let mut marks: Vec<(Stale, NaiveDate)> = marks.into_iter().collect();
        marks.sort_unstable_by_key(|(_, day)| *day);
        for (what, day) in marks {
            let within = (from..=to).contains(&day);
            match what {
                Stale::Credit if within => {
                    stale.credit.insert(day);
                }
                Stale::Fitted if within => {
                    stale.fitted.insert(day);
                }
                Stale::Credit | Stale::Fitted => {}
                Stale::Touches => {
                    if within {
                        stale.visitors.insert(day);
                    }
                    let last = (day + TimeDelta::days(WINDOW_DAYS)).min(to);
                    let first = reached.map_or(day, |reached| day.max(reached + TimeDelta::days(1))).max(from);
                    stale.credit.extend(first.iter_days().take_while(|day| *day <= last));
                    reached = Some(reached.map_or(last, |reached| reached.max(last)));
                }
            }
        }
        stale
    }

    /// As the store says now.
    pub async fn read(on: impl Into<Reader<'_>>, from: NaiveDate, to: NaiveDate) -> Result<StaleDays> {
        let mut reader = on.into();
        let months_to = settings::get(reader.again(), MONTHS_TO).await?.and_then(|month| month.parse().ok());
        Ok(StaleDays { months_to, ..StaleDays::of(stale_day::marked(reader).await?, from, to) })
    }

    /// How a span is read whose days are out of date as `stale` says: whole months where none is, the rest day by day. `by_day`:
    /// each day apart.
    pub fn plan(&self, (from, to): (NaiveDate, NaiveDate), stale: &BTreeSet<NaiveDate>, cut: Cut, by_day: bool) -> Plan {
        let mut plan = Plan { cut, months: Vec::new(), days: Vec::new(), stale: stale.range(from..=to).copied().collect() };
        let mut month = Period::of(from);
        let mut run: Option<(NaiveDate, NaiveDate)> = None;
        while month.first_day() <= to {
            let (first, last) = (month.first_day().max(from), month.last_day().min(to));
            let is_whole = first == month.first_day() && last == month.last_day();
            let is_kept = self.months_to.is_some_and(|kept| month <= kept) && stale.range(first..=last).next().is_none();
            if is_whole && is_kept && !by_day {
                plan.days.extend(run.take());
                plan.months.push(month);
            } else {
                run = Some((run.map_or(first, |(begun, _)| begun), last));
            }
            month = month.next();
        }
        plan.days.extend(run);
        plan
    }
}

/// Days that follow one another, as first and last, none of them longer than is reckoned in one go.
pub fn spans_of(days: &BTreeSet<NaiveDate>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut spans: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    for day in days {
        match spans.last_mut() {
            Some((first, last)) if last.succ_opt() == Some(*day) && (*day - *first).num_days() < DAYS_AT_ONCE as i64 => {
                *last = *day
            }
            _ => spans.push((*day, *day)),
        }
    }
    spans
}

/// Spans of days that follow one another, none with more orders than are reckoned in one go, unless a single day has them.
pub async fn spans_to_reckon(db: &Db, days: &BTreeSet<NaiveDate>) -> Result<Vec<(NaiveDate, NaiveDate)>> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
    let orders: HashMap<NaiveDate, i64> = report::orders_by_day(db, *first, *last).await?.into_iter().collect();
    Ok(spans_of(days).into_iter().flat_map(|span| split(span, &orders)).collect())
}

fn split((first, last): (NaiveDate, NaiveDate), orders: &HashMap<NaiveDate, i64>) -> Vec<(NaiveDate, NaiveDate)> {
    let mut spans: Vec<(NaiveDate, NaiveDate)> = Vec::new();
    let mut within = 0;
    for day in first.iter_days().take_while(|day| *day <= last) {
        let of_day = orders.get(&day).copied().unwrap_or(0);
        match spans.last_mut() {
            Some((_, end)) if within + of_day <= ORDERS_AT_ONCE => {
                *end = day;
                within += of_day;
            }
            _ => {
                spans.push((day, day));
                within = of_day;
            }
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_span_of_very_many_orders_is_reckoned_in_several_goes() {
        let orders = HashMap::from([(day(1), ORDERS_AT_ONCE), (day(2), 1), (day(4), ORDERS_AT_ONCE + 5)]);
        assert_eq!(split((day(0), day(5)), &orders), [(day(0), day(1)), (day(2), day(3)), (day(4), day(4)), (day(5), day(5))]);
        assert_eq!(split((day(5), day(9)), &orders), [(day(5), day(9))]);
    }

    fn day(number: i64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + TimeDelta::days(number)
    }

    proptest! {
        #[test]
        fn a_day_is_out_of_date_if_a_mark_says_so_or_touches_before_it_changed(
            marks in prop::collection::vec((0..3_usize, 0..400_i64), 0..8), from in 0..300_i64, length in 0..200_i64,
        ) {
            let marks: Vec<(Stale, NaiveDate)> = marks.into_iter().map(|(what, number)| (Stale::ALL[what], day(number))).collect();
            let stale = StaleDays::of(marks.clone(), day(from), day(from + length));
            for number in from..=from + length {
                let day = day(number);
                let marked = |what| marks.contains(&(what, day));
                let reached = marks.iter().any(|(what, at)| *what == Stale::Touches && (0..=WINDOW_DAYS).contains(&(day - *at).num_days()));
                prop_assert_eq!(stale.credit.contains(&day), marked(Stale::Credit) || reached);
                prop_assert_eq!(stale.fitted.contains(&day), marked(Stale::Fitted));
                prop_assert_eq!(stale.visitors.contains(&day), marked(Stale::Touches));
            }
            let stale = StaleDays { months_to: Some("2026-08".parse().unwrap()), ..stale };
            let plan = stale.plan((day(from), day(from + length)), &stale.credit, Cut::All, false);
            let in_months = plan.months.iter().flat_map(|month| month.first_day().iter_days().take_while(move |day| *day <= month.last_day()));
            let in_runs = plan.days.iter().flat_map(|(first, last)| first.iter_days().take_while(move |day| day <= last));
            let mut read: Vec<NaiveDate> = in_months.clone().chain(in_runs).collect();
            read.sort();
            prop_assert_eq!(read, (from..=from + length).map(day).collect::<Vec<_>>(), "every day is read once");
            prop_assert!(in_months.clone().all(|day| !stale.credit.contains(&day) && day <= "2026-08-31".parse().unwrap()));
            let of_spans: BTreeSet<NaiveDate> =
                spans_of(&stale.credit).into_iter().flat_map(|(first, last)| first.iter_days().take_while(move |day| *day <= last)).collect();
            prop_assert_eq!(of_spans, stale.credit);
        }
    }
}
