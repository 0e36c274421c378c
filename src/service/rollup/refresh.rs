//! Makes roll-ups anew where they are out of date.

use super::stale::{MONTHS_TO, StaleDays, spans_to_reckon};
use super::{AsTheyAre, DAYS_AT_ONCE, Sharing, credit_lines, kept_models, visitors};
use crate::domain::attribution::Model;
use crate::domain::time::{FIRST_DAY, Period};
use crate::service::credit::{CreditOptions, Fits, kept_fits};
use crate::service::{Result, Tributary};
use crate::store::credit_day::{self, PAYABLE};
use crate::store::visitor_sketch::{self, Span};
use crate::store::{replay, report, settings, stale_day, touch_day};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// Marks looked at in one go.
const MARKS_AT_ONCE: i64 = 20_000;

/// Makes anew what is marked, and takes the marks away. Answers how many days' credit and visitors were made.
pub async fn refresh(service: &Tributary) -> Result<(usize, usize)> {
    let _maker = stale_day::alone(&service.db).await?;
    let mut made = (0, 0);
    loop {
        let marks = stale_day::marks(&service.db, MARKS_AT_ONCE).await?;
        if marks.is_empty() {
            months(service, &StaleDays::default()).await?;
            return Ok(made);
        }
        // What is to come is of no order yet.
        let last = service.context("clockwork").today();
        let stale = StaleDays::of(marks.iter().map(|mark| (mark.what, mark.day)), FIRST_DAY, last);
        credit(service, &stale.credit, &kept_models()).await?;
        let only_fitted: BTreeSet<NaiveDate> = stale.fitted.difference(&stale.credit).copied().collect();
        let fitted: Vec<(&'static str, Model)> = kept_models().into_iter().filter(|(_, model)| model.needs_a_fit()).collect();
        credit(service, &only_fitted, &fitted).await?;
        visitors::refresh(service, &stale.visitors).await?;
        for days in stale.visitors.iter().copied().collect::<Vec<_>>().chunks(DAYS_AT_ONCE) {
            let mut tx = service.db.begin().await?;
            touch_day::add_up_days(&mut tx, days).await?;
            tx.commit().await?;
        }
        months(service, &stale).await?;
        let mut tx = service.db.begin().await?;
        stale_day::remove(&mut tx, &marks.iter().map(|mark| mark.id).collect::<Vec<_>>()).await?;
        tx.commit().await?;
        made = (made.0 + stale.credit.len(), made.1 + stale.visitors.len());
        if (marks.len() as i64) < MARKS_AT_ONCE {
            return Ok(made);
        }
    }
}

/// Adds up the months of days that were made anew, and those that are over since the last time.
async fn months(service: &Tributary, made: &StaleDays) -> Result<()> {
    let db = &service.db;
    let over = Period::of(service.context("clockwork").today()).first_day().pred_opt().map(Period::of);
    let Some(over) = over else { return Ok(()) };
    let built_to: Option<Period> = settings::get(db, MONTHS_TO).await?.and_then(|month| month.parse().ok());
    let changed = |days: &BTreeSet<NaiveDate>| -> BTreeSet<Period> {
        days.iter().map(|day| Period::of(*day)).filter(|month| *month <= over).collect()
    };
    let (mut of_credit, mut of_touches) = (changed(&made.credit), changed(&made.visitors));
    of_credit.extend(changed(&made.fitted));
    if built_to != Some(over) {
        let first = match built_to {
            Some(built) => Some(built.next()),
            None => {
                let firsts = [report::conversion_days(db).await?, replay::span(db).await?];
                firsts.into_iter().flatten().map(|(first, _)| Period::of(first)).min()
            }
        };
        let new = std::iter::successors(first, |month| Some(month.next())).take_while(|month| *month <= over);
        for month in new {
            of_credit.insert(month);
            of_touches.insert(month);
        }
    }
    for month in &of_credit {
        let mut tx = db.begin().await?;
        credit_day::add_up_month(&mut tx, *month).await?;
        tx.commit().await?;
    }
    for month in &of_touches {
        let sketches = visitors::of_month(service, *month).await?;
        let mut tx = db.begin().await?;
        touch_day::add_up_month(&mut tx, *month).await?;
        for (cut, sketches) in &sketches {
            visitor_sketch::replace(&mut tx, *cut, Span::Month(*month), sketches).await?;
        }
        tx.commit().await?;
    }
    if built_to != Some(over) {
        let mut tx = db.begin().await?;
        settings::set(&mut tx, MONTHS_TO, &over.to_string()).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Marks all of it as out of date.
pub async fn mark_all(service: &Tributary) -> Result<()> {
    let mut tx = service.db.begin().await?;
    stale_day::mark_all(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Makes all of it anew.
pub async fn rebuild(service: &Tributary) -> Result<(usize, usize)> {
    mark_all(service).await?;
    refresh(service).await
}

/// Reckons the credit of days and stores it in the place of what was kept. A model whose fit is not kept has no rows: who asks
/// for it makes the fit, and reckons all days by it.
async fn credit(service: &Tributary, days: &BTreeSet<NaiveDate>, models: &[(&'static str, Model)]) -> Result<()> {
    for (from, to) in spans_to_reckon(&service.db, days).await? {
        let fits = kept_fits(service, from, to).await?;
        let shared: Vec<(&'static str, Model)> =
            models.iter().filter(|(_, model)| fits.is_some() || !model.needs_a_fit()).copied().collect();
        let fits = fits.unwrap_or_else(Fits::default);
        let sharing = Sharing { models: &shared, fits: &fits, options: CreditOptions::default() };
        let rows = credit_lines(service, (from, to), &sharing, &mut AsTheyAre).await?;
        let mut names: Vec<&'static str> = models.iter().map(|(name, _)| *name).collect();
        let mut rows = rows;
        if models.len() == kept_models().len() {
            names.push(PAYABLE);
        } else {
            rows.retain(|key, _| key.model != PAYABLE);
        }
        let days: Vec<NaiveDate> = from.iter_days().take_while(|day| *day <= to).collect();
        let mut tx = service.db.begin().await?;
        credit_day::replace(&mut tx, &days, &names, &rows).await?;
        credit_day::add_up_days(&mut tx, &days, &names).await?;
        tx.commit().await?;
    }
    Ok(())
}
