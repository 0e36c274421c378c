//! Analytic credit anew: fits and sums of every month, with what changed against what was kept. Money is not touched.
//!
//! Each month is kept in one transaction with how far the work has come. So it may be interrupted at any time, and when it
//! is asked for again it goes on with the months that are left.

use super::fits::{Fits, fit};
use super::gather::{Stage, look_up};
use super::people::People;
use super::sums::Sharing;
use crate::domain::attribution::{Model, Window};
use crate::domain::time::Period;
use crate::service::{Context, Result, Tributary};
use crate::store::credit::{self, CreditKey, CreditSum, CreditSums};
use crate::store::{Error, audit, report, settings};
use chrono::NaiveDate;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Where the store keeps how far the work has come.
const PROGRESS: &str = "recompute";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// The months of these days; from the first order to the last if left out.
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub models: Vec<Model>,
    /// Nothing is kept.
    pub dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Progress {
    from: Period,
    to: Period,
    models: Vec<Model>,
    done_to: Period,
}

/// What a channel had and what it has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub key: CreditKey,
    /// None: nothing was kept of the model in that month.
    pub before: Option<CreditSum>,
    pub after: CreditSum,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputed {
    /// First and last month; none if nothing was ordered in what was asked.
    pub span: Option<(Period, Period)>,
    /// After which month an interrupted work went on.
    pub resumed_after: Option<Period>,
    pub months: usize,
    pub orders: usize,
    /// The last month that was kept, if it was interrupted.
    pub interrupted_after: Option<Period>,
    /// What differs from what was kept, by month, model, currency and channel.
    pub changes: Vec<Change>,
}

/// Reckons anew. `on_stage` may end it between two months.
pub async fn recompute(
    service: &Tributary,
    context: &Context,
    asked: &Asked,
    on_stage: Arc<dyn Fn(Stage) -> ControlFlow<()> + Send + Sync>,
) -> Result<Recomputed> {
    let db = &service.db;
    let mut done =
        Recomputed { span: None, resumed_after: None, months: 0, orders: 0, interrupted_after: None, changes: Vec::new() };
    let ordered = report::span(db).await?.map(|(first, last)| (Period::of(first), Period::of(last)));
    // Also where no order stands any more, for what was kept there is wrong.
    let ends: Vec<(Period, Period)> = ordered.into_iter().chain(credit::span(db).await?).collect();
    let (Some(first), Some(last)) = (ends.iter().map(|ends| ends.0).min(), ends.iter().map(|ends| ends.1).max()) else {
        return Ok(done);
    };
    let (from, to) = (asked.from.map_or(first, Period::of).max(first), asked.to.map_or(last, Period::of).min(last));
    if from > to {
        return Ok(done);
    }
    done.span = Some((from, to));
    let mut next = from;
    let whole = Progress { from, to, models: asked.models.clone(), done_to: to };
    if let Some(text) = settings::get(db, PROGRESS).await?.filter(|_| !asked.dry_run)
        && let Ok(left) = serde_json::from_str::<Progress>(&text)
        && (Progress { done_to: to, ..left.clone() }) == whole
    {
        next = left.done_to.next();
        done.resumed_after = Some(left.done_to);
    }
    let tell = on_stage.clone();
    let sharing = sharing(
        service,
        asked,
        (next, to),
        Arc::new(move |stage| {
            let _ = tell(stage);
        }),
    )
    .await?;
    done.orders = sharing.people.orders.iter().filter(|o| (next..=to).contains(&Period::of(o.day))).count();
    let sharing = Arc::new(sharing);
    let shared = sharing.clone();
    let sums = tokio::task::spawn_blocking(move || shared.sums());
    let sums = sums.await.map_err(|error| Error::Unreadable(error.to_string()))?;
    let kept = credit::sums(db, next, to).await?;
    let names: Vec<String> = asked.models.iter().map(Model::to_string).collect();
    let months: Vec<Period> =
        std::iter::successors(Some(next), |period| Some(period.next())).take_while(|period| *period <= to).collect();
    for (number, month) in months.iter().enumerate() {
        done.changes.extend(changes(*month, &names, &kept, &sums));
        done.months += 1;
        if !asked.dry_run {
            let mut tx = db.begin().await?;
            if let Some(fit) = sharing.fits.0.get(month) {
                credit::replace_fit(&mut tx, fit).await?;
            }
            credit::replace_sums(&mut tx, *month, &names, &sums).await?;
            let progress = serde_json::to_string(&Progress { done_to: *month, ..whole.clone() });
            settings::set(&mut tx, PROGRESS, &progress.map_err(|error| Error::Unreadable(error.to_string()))?).await?;
            if *month == to {
                settings::set(&mut tx, PROGRESS, "").await?;
                let detail = serde_json::json!({ "models": names, "changes": done.changes.len() });
                audit::record(&mut tx, &context.actor, "recompute", &format!("{from} to {to}"), &detail, context.at()).await?;
            }
            tx.commit().await?;
        }
        if on_stage(Stage::Months(number + 1, months.len())).is_break() && *month != to {
            done.interrupted_after = Some(*month);
            break;
        }
    }
    Ok(done)
}

/// Everything that the months' orders are shared by. Only the fitted models need everybody's touches.
async fn sharing(
    service: &Tributary,
    asked: &Asked,
    (from, to): (Period, Period),
    on_stage: Arc<dyn Fn(Stage) + Send + Sync>,
) -> Result<Sharing> {
    let models = asked.models.clone();
    if models.iter().any(|model| model.needs_a_fit()) && from <= to {
        let (fits, people, gathered) = fit(service, (from, to), Window::default(), on_stage).await?;
        return Ok(Sharing { people, gathered, fits, models, from, to });
    }
    let (people, identifiers) = People::load(&service.db, false).await?;
    let gathered = look_up(&service.db, &people, identifiers).await?;
    Ok(Sharing { people: Arc::new(people), gathered: Arc::new(gathered), fits: Fits::default(), models, from, to })
}

fn changes(month: Period, models: &[String], kept: &CreditSums, sums: &CreditSums) -> Vec<Change> {
    let of_month = |sums: &CreditSums| -> Vec<CreditKey> {
        sums.keys().filter(|key| key.period == month && models.contains(&key.model)).cloned().collect()
    };
    let mut keys = of_month(kept);
    let known: Vec<String> = keys.iter().map(|key| key.model.clone()).collect();
    keys.extend(of_month(sums));
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .filter_map(|key| {
            let before = kept.get(&key).copied().or_else(|| known.contains(&key.model).then(CreditSum::default));
            let after = sums.get(&key).copied().unwrap_or_default();
            (before != Some(after)).then_some(Change { key, before, after })
        })
        .collect()
}
