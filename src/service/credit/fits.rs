//! What the fitted models learn, month by month: from the journeys that led to an order of the month, and from those that
//! led to nothing and whose window was over in it. So a month's fit is settled when the month is.

use super::gather::{Gathered, Stage, credit_touch, scan};
use super::people::People;
use crate::domain::attribution::{Basis, CreditTouch, Fit, HalfLife, Order, Window, conversions_served, null_journeys};
use crate::domain::channel::Channel;
use crate::domain::time::{Period, day_in};
use crate::service::{Result, Tributary};
use crate::store::credit::{self, StoredFit};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A fit that took longer is kept for those who ask next.
const WORTH_KEEPING_MICROS: i64 = 500_000;
/// The fit of a month that is not over is taken for this many times as long as it took.
const TAKEN_TIMES: i64 = 100;

/// Fits under way.
pub struct MonthFits {
    from: Period,
    to: Period,
    window: Window,
    zone: chrono_tz::Tz,
    now: DateTime<Utc>,
    months: BTreeMap<Period, MonthFit>,
    /// The last quarter of an hour whose month was looked up; instants of one have the same in every zone.
    last_quarter: Option<(i64, Period)>,
}

struct MonthFit {
    fit: Fit,
    conversions: i64,
    nulls: i64,
}

impl MonthFits {
    pub fn new(from: Period, to: Period, window: Window, zone: chrono_tz::Tz, now: DateTime<Utc>) -> MonthFits {
        MonthFits { from, to, window, zone, now, months: BTreeMap::new(), last_quarter: None }
    }

    fn month_of(&mut self, at: DateTime<Utc>) -> Period {
        let quarter = at.timestamp().div_euclid(900);
        match self.last_quarter {
            Some((known, period)) if known == quarter => period,
            _ => {
                let period = Period::of(day_in(self.zone, at));
                self.last_quarter = Some((quarter, period));
                period
            }
        }
    }

    fn month(&mut self, period: Period) -> Option<&mut MonthFit> {
        let new = || MonthFit { fit: Fit::new(Order::default()), conversions: 0, nulls: 0 };
        (self.from <= period && period <= self.to).then(|| self.months.entry(period).or_insert_with(new))
    }

    /// Adds what of a person's touches led to nothing and is over. `served` as [`conversions_served`] says.
    pub fn add_nulls(&mut self, touches: &[CreditTouch], served: &[u32]) {
        for journey in null_journeys(touches, served, self.window) {
            if journey.closes_at >= self.now {
                continue;
            }
            let period = self.month_of(journey.closes_at);
            if let Some(month) = self.month(period) {
                month.fit.add(touches[journey.touches].iter().map(|touch| touch.channel), false);
                month.nulls += 1;
            }
        }
    }

    /// Adds a journey that led to an order placed on `day`.
    fn add_conversion(&mut self, day: NaiveDate, channels: impl Iterator<Item = Channel>) {
        if let Some(month) = self.month(Period::of(day)) {
            month.fit.add(channels, true);
            month.conversions += 1;
        }
    }

    /// Adds everything of the persons who are known.
    fn add_people(&mut self, people: &People, gathered: &Gathered) {
        let mut touches: Vec<CreditTouch> = Vec::new();
        for (person, range) in gathered.of.iter().enumerate() {
            touches.clear();
            touches.extend(gathered.touches[range.clone()].iter().map(|(_, touch)| credit_touch(touch)));
            let orders = &people.orders[people.orders_of[person].clone()];
            let placed: Vec<DateTime<Utc>> = orders.iter().map(|order| order.placed_at).collect();
            for order in orders {
                let steps = people.steps_of(order, &touches, self.window);
                self.add_conversion(order.day, steps.map(|step| step.channel));
            }
            let served = conversions_served(&touches, &placed, self.window);
            self.add_nulls(&touches, &served);
        }
    }

    fn learn(self, took_micros: i64) -> BTreeMap<Period, StoredFit> {
        let fitted_at = self.now.into();
        let (mut from, to, mut months) = (self.from, self.to, self.months);
        let mut learnt = BTreeMap::new();
        while from <= to {
            let month = months.remove(&from);
            let fit = month.as_ref().map_or_else(|| Fit::new(Order::default()), |month| month.fit.clone());
            let stored = StoredFit {
                period: from,
                fitted_at,
                took_micros,
                conversions: month.as_ref().map_or(0, |month| month.conversions),
                nulls: month.as_ref().map_or(0, |month| month.nulls),
                markov: fit.markov(),
                shapley_rate: fit.shapley_rate().ok(),
            };
            learnt.insert(from, stored);
            from = from.next();
        }
        learnt
    }
}

/// What was learnt, by month.
#[derive(Debug, Clone, Default)]
pub struct Fits(pub BTreeMap<Period, StoredFit>);

impl Fits {
    /// What a model builds on for an order of a month. Without a fit, or where `shapley_rate` cannot be had, the models
    /// that need one find nothing in it.
    pub fn basis(&self, period: Period, half_life: HalfLife) -> Basis {
        let fit = self.0.get(&period);
        Basis { half_life, markov: fit.map(|fit| fit.markov.clone()), shapley_rate: fit.and_then(|fit| fit.shapley_rate.clone()) }
    }
}

/// Fits the months from `from` to `to` anew, and answers the touches that were read for it.
pub async fn fit(
    service: &Tributary,
    (from, to): (Period, Period),
    window: Window,
    on_stage: Arc<dyn Fn(Stage) + Send + Sync>,
) -> Result<(Fits, Arc<People>, Arc<Gathered>)> {
    let started = std::time::Instant::now();
    let (mut people, identifiers) = People::load(&service.db, true).await?;
    people.learn(identifiers);
    let people = Arc::new(people);
    let months = MonthFits::new(from, to, window, service.zone, service.clock.now());
    let (gathered, mut months) = scan(&service.db, people.clone(), months, on_stage).await?;
    let gathered = Arc::new(gathered);
    let (known, theirs) = (people.clone(), gathered.clone());
    let learnt = tokio::task::spawn_blocking(move || {
        months.add_people(&known, &theirs);
        months.learn(started.elapsed().as_micros() as i64)
    });
    let learnt = learnt.await.map_err(|error| crate::store::Error::Unreadable(error.to_string()))?;
    Ok((Fits(learnt), people, gathered))
}

/// The kept fits of the months of a span of days, if all of them still hold: those that take long to make.
pub async fn kept_fits(service: &Tributary, from: NaiveDate, to: NaiveDate) -> Result<Option<Fits>> {
    let (from, to) = (Period::of(from), Period::of(to));
    let now = service.clock.now();
    let kept = credit::fits(&service.db, from, to).await?;
    let holds = |period: &Period| {
        kept.get(period).is_some_and(|fit| {
            let age = (now - fit.fitted_at.0).num_microseconds().unwrap_or(i64::MAX);
            let over = Period::of(day_in(service.zone, fit.fitted_at.0)) > *period;
            fit.took_micros >= WORTH_KEEPING_MICROS && (over || age < fit.took_micros.saturating_mul(TAKEN_TIMES))
        })
    };
    let mut months = std::iter::successors(Some(from), |period| Some(period.next())).take_while(|period| *period <= to);
    let all_hold = months.all(|period| holds(&period));
    Ok(all_hold.then_some(Fits(kept)))
}

/// The fits of the months of a span of days: those kept, where making them takes long, else new ones.
pub async fn fits_of(service: &Tributary, from: NaiveDate, to: NaiveDate, window: Window) -> Result<Fits> {
    let usual = window == Window::default();
    if usual && let Some(kept) = kept_fits(service, from, to).await? {
        return Ok(kept);
    }
    let (fits, ..) = fit(service, (Period::of(from), Period::of(to)), window, Arc::new(|_| {})).await?;
    if usual && fits.0.values().next().is_some_and(|fit| fit.took_micros >= WORTH_KEEPING_MICROS) {
        let mut tx = service.db.begin().await?;
        for fit in fits.0.values() {
            credit::replace_fit(&mut tx, fit).await?;
        }
        tx.commit().await?;
    }
    Ok(fits)
}
