//! Whether roll-ups are what orders, leads and touches say.

use super::stale::{StaleDays, spans_of, spans_to_reckon};
use super::visitors::{read, sketches};
use super::{AsTheyAre, Sharing, credit_lines, kept_models};
use crate::domain::attribution::Model;
use crate::domain::time::{FAR_DAY, FIRST_DAY, Period};
use crate::service::credit::{CreditOptions, Fits, kept_fits};
use crate::service::doctor::Finding;
use crate::service::{Result, Tributary};
use crate::store::credit_day::{self, CreditDay, CreditSums, PAYABLE};
use crate::store::rollup::Cut;
use crate::store::visitor_sketch::{self, Span};
use crate::store::{cost, replay, report, touch_day};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// Days that are marked as out of date are reckoned anew before anybody is told, so they are left out.
pub async fn proofs(service: &Tributary) -> Result<Vec<Finding>> {
    Ok(vec![credit(service).await?, visitors(service).await?, added_up(service).await?])
}

/// Days by origin, and months, are the sums of the days they are made of.
async fn added_up(service: &Tributary) -> Result<Finding> {
    let mut finding = Finding::of("what roll-ups add up are the days that they are made of");
    let db = &service.db;
    let stale = StaleDays::read(db, FIRST_DAY, FAR_DAY).await?;
    // Without months there are days all the same; no month is that early.
    let months_to = stale.months_to.unwrap_or(Period::of(FIRST_DAY));
    let is_stale = |span: &str, days: &[&BTreeSet<NaiveDate>]| {
        days.iter().any(|days| days.iter().any(|day| day.to_string().starts_with(span)))
    };
    for (cut, span, model) in credit_day::wrong_sums(db, months_to).await? {
        if !is_stale(&span, &[&stale.credit, &stale.fitted]) {
            finding.broken.push(format!("credit of {span} by {cut}, {model}"));
        }
    }
    for (cut, span) in touch_day::wrong_sums(db, months_to).await? {
        if !is_stale(&span, &[&stale.visitors]) {
            finding.broken.push(format!("touches of {span} by {cut}"));
        }
    }
    finding.broken.extend(cost::wrong_months(db).await?.into_iter().map(|month| format!("costs of {month}")));
    finding.broken.truncate(20);
    Ok(finding)
}

async fn credit(service: &Tributary) -> Result<Finding> {
    let mut finding = Finding::of("the credit kept by day is that of the orders and leads");
    let db = &service.db;
    let Some((first, last)) = report::conversion_days(db).await? else { return Ok(finding) };
    let stale = StaleDays::read(db, FIRST_DAY, FAR_DAY).await?;
    let days: BTreeSet<NaiveDate> =
        first.iter_days().take_while(|day| *day <= last).filter(|day| !stale.credit.contains(day)).collect();
    for (from, to) in spans_to_reckon(db, &days).await? {
        let fits = kept_fits(service, from, to).await?;
        let kept: Vec<(&'static str, Model)> =
            kept_models().into_iter().filter(|(_, model)| fits.is_some() || !model.needs_a_fit()).collect();
        let mut names: Vec<&'static str> = kept.iter().map(|(name, _)| *name).collect();
        names.push(PAYABLE);
        let stored = credit_day::between(db, from, to, &names).await?;
        let sharing = Sharing { models: &kept, fits: &fits.unwrap_or_else(Fits::default), options: CreditOptions::default() };
        let there = credit_lines(service, (from, to), &sharing, &mut AsTheyAre).await?;
        let skipped = |key: &CreditDay| {
            let needs_a_fit = kept.iter().any(|(name, model)| *name == key.model && model.needs_a_fit());
            needs_a_fit && stale.fitted.contains(&key.day)
        };
        let keys: BTreeSet<&CreditDay> = stored.keys().chain(there.keys()).collect();
        for key in keys.into_iter().filter(|key| !skipped(key)) {
            finding.checked += 1;
            let of = |all: &credit_day::CreditDays| all.get(key).copied().unwrap_or_default();
            let (kept, owed): (CreditSums, CreditSums) = (of(&stored), of(&there));
            if kept != owed && finding.broken.len() < 20 {
                finding.broken.push(format!("{}, {}, {}: kept {kept:?}, there are {owed:?}", key.day, key.model, key.channel));
            }
        }
    }
    Ok(finding)
}

async fn visitors(service: &Tributary) -> Result<Finding> {
    let mut finding = Finding::of("the sketches of visitors are those of the touches");
    let db = &service.db;
    let Some((first, last)) = replay::span(db).await? else { return Ok(finding) };
    let stale = StaleDays::read(db, FIRST_DAY, FAR_DAY).await?;
    let days: BTreeSet<NaiveDate> =
        first.iter_days().take_while(|day| *day <= last).filter(|day| !stale.visitors.contains(day)).collect();
    for (from, to) in spans_of(&days) {
        let visitors = visitor_sketch::visitors(db, from, to).await?;
        for cut in Cut::ALL {
            let mut stored = BTreeMap::new();
            for sketch in visitor_sketch::of_days(db, cut, from, to).await? {
                if let Span::Day(day) = sketch.span {
                    stored.insert((day, sketch.key), read(&sketch.bytes)?.composite_estimate());
                }
            }
            let there = sketches(visitors.clone(), cut)?;
            let mut keys: Vec<_> = stored.keys().chain(there.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                finding.checked += 1;
                let (kept, found) = (stored.get(key).copied(), there.get(key).map(|sketch| sketch.composite_estimate()));
                if kept != found && finding.broken.len() < 20 {
                    finding.broken.push(format!(
                        "{}, {} by {}: kept {kept:?}, there are {found:?}",
                        key.0,
                        key.1.channel,
                        cut.name()
                    ));
                }
            }
        }
    }
    Ok(finding)
}
