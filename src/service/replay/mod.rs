//! Enriches stored touches anew, by the rules and lists of today: channel and what lies beneath it, marks of machines and
//! of clicks that do not count. What came with a touch stays, and so does every decision on what is payable.
//!
//! Day by day, and what becomes of a day depends on that day and the hour before it alone. So a run may be interrupted
//! and go on, and a second run finds nothing to change.

mod again;
mod summary;

pub use summary::{MarkChanges, Summary};

use super::catalog::cost_channel;
use super::{Context, Error, Result, Tributary};
use crate::domain::channel::ChannelRule;
use crate::domain::click_marks::ClickMarks;
use crate::store::dictionary::Dictionary;
use crate::store::replay::{self, Change};
use crate::store::{self, At, Db, Tx, audit, cost, settings};
use again::Again;
use chrono::{NaiveDate, TimeDelta};
use std::ops::ControlFlow;

/// Touches read at a time.
const PAGE: usize = 1_000;
/// Changes that one transaction writes at most.
const MOST_CHANGES: usize = 5_000;
/// How much before a day is read for the clicks that those of the day may repeat.
const BEFORE: TimeDelta = TimeDelta::hours(1);
/// The setting that tells how far an unfinished run is.
const SETTING: &str = "replay";
/// The setting that tells when marks may have changed last: decisions made before go by those of their trace.
pub const REPLAYED_AT: &str = "replayed_at";

/// Which days, ends included, and whether anything is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// The first day with touches, if none is given.
    pub from: Option<NaiveDate>,
    /// The last day with touches, if none is given.
    pub to: Option<NaiveDate>,
    pub dry_run: bool,
}

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    pub day: NaiveDate,
    /// Touches of the span, and those of them that are done.
    pub all: u64,
    pub done: u64,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// `None` for a store without touches.
    pub span: Option<(NaiveDate, NaiveDate)>,
    /// The day after which an interrupted run was continued.
    pub resumed_after: Option<NaiveDate>,
    /// It was stopped before the end; the last day that is finished, if any is.
    pub stopped_after: Option<Option<NaiveDate>>,
    /// Of the whole span, with what the interrupted run did.
    pub summary: Summary,
}

/// An unfinished run, as it is kept in the store.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Unfinished {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    /// What was enriched by: the terms' version and the program's. By others it begins anew.
    by: (i64, String),
    last_finished: Option<NaiveDate>,
    summary: Summary,
}

/// Runs over the touches of the days asked for. `watch` is told how far it is and may stop it; what is stopped goes on when
/// it is asked again for the same days.
pub async fn replay(
    service: &Tributary,
    context: &Context,
    asked: Asked,
    mut watch: impl FnMut(Position) -> ControlFlow<()>,
) -> Result<Replayed> {
    if let (Some(from), Some(to)) = (asked.from, asked.to)
        && from > to
    {
        return Err(Error::field("/from", "must not be after the last day"));
    }
    let db = &service.db;
    let mut run = Run::begin(db, context, asked).await?;
    let mut replayed =
        Replayed { span: None, resumed_after: run.state.last_finished, stopped_after: None, summary: Summary::default() };
    let Some((first, last)) = replay::span(db).await? else { return Ok(replayed) };
    let (from, to) = (asked.from.unwrap_or(first), asked.to.unwrap_or(last));
    replayed.span = Some((from, to));
    let days = replay::days(db, from, to).await?;
    let all = days.iter().map(|(_, touches)| touches.unsigned_abs()).sum();
    let mut done = 0;
    for (day, touches) in days {
        if run.state.last_finished.is_none_or(|finished| day > finished) {
            let watch_touches = |of_day: u64| watch(Position { day, all, done: done + of_day });
            if run.day(db, day, watch_touches).await?.is_break() {
                replayed.stopped_after = Some(run.state.last_finished);
                replayed.summary = run.state.summary;
                return Ok(replayed);
            }
        }
        done += touches.unsigned_abs();
    }
    run.finish(db, context, (from, to)).await?;
    replayed.summary = run.state.summary;
    Ok(replayed)
}

struct Run {
    again: Again,
    dictionary: Dictionary,
    state: Unfinished,
    dry_run: bool,
}

impl Run {
    /// Goes on with what was interrupted, or begins.
    async fn begin(db: &Db, context: &Context, asked: Asked) -> Result<Run> {
        let by = (settings::terms_version(db).await?, env!("CARGO_PKG_VERSION").to_owned());
        let mut state = Unfinished { from: asked.from, to: asked.to, by, last_finished: None, summary: Summary::default() };
        if !asked.dry_run {
            let kept = settings::get(db, SETTING).await?.and_then(|text| serde_json::from_str::<Unfinished>(&text).ok());
            let same = |kept: &Unfinished| (kept.from, kept.to, &kept.by) == (state.from, state.to, &state.by);
            match kept.filter(same) {
                Some(kept) => state = kept,
                None => {
                    let mut tx = db.begin().await?;
                    let detail = serde_json::json!({ "from": asked.from, "to": asked.to });
                    settings::set(&mut tx, REPLAYED_AT, &context.now.to_rfc3339()).await?;
                    audit::record(&mut tx, &context.actor, "replay.begin", SETTING, &detail, context.at()).await?;
                    keep(&mut tx, &state).await?;
                    tx.commit().await?;
                }
            }
        }
        Ok(Run { again: Again::read(db).await?, dictionary: Dictionary::default(), state, dry_run: asked.dry_run })
    }

    async fn day(&mut self, db: &Db, day: NaiveDate, mut watch: impl FnMut(u64) -> ControlFlow<()>) -> Result<ControlFlow<()>> {
        let keys = replay::keys(db, day, None).await?;
        let mut clicks = self.clicks_before(db, day, keys.first().map(|(at, _)| *at)).await?;
        let mut changes = Vec::new();
        let mut done = 0;
        for page in keys.chunks(PAGE) {
            for stored in replay::touches(db, page).await? {
                changes.extend(self.again.change(stored, &mut clicks));
            }
            if changes.len() >= MOST_CHANGES {
                self.write(db, day, std::mem::take(&mut changes), false).await?;
            }
            done += page.len() as u64;
            if watch(done).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.state.summary.touches += done;
        self.write(db, day, changes, true).await?;
        Ok(ControlFlow::Continue(()))
    }

    /// Remembers the clicks of the hour before a day.
    async fn clicks_before(&mut self, db: &Db, day: NaiveDate, first: Option<At>) -> Result<ClickMarks> {
        let mut clicks = ClickMarks::default();
        if let (Some(first), Some(eve)) = (first, day.pred_opt()) {
            let keys = replay::keys(db, eve, Some((first.0 - BEFORE).into())).await?;
            for page in keys.chunks(PAGE) {
                for stored in replay::touches(db, page).await? {
                    self.again.mark(&stored.touch, &mut clicks);
                }
            }
        }
        Ok(clicks)
    }

    /// Writes changes and how far the run is, in one transaction.
    async fn write(&mut self, db: &Db, day: NaiveDate, changes: Vec<Change>, is_finished: bool) -> Result<()> {
        if self.dry_run {
            changes.iter().for_each(|change| self.state.summary.add(change));
            return Ok(());
        }
        let mut tx = db.begin().await?;
        let written = match replay::change(&mut tx, &mut self.dictionary, day, &changes).await {
            Ok(written) => written,
            Err(error) => {
                self.dictionary = Dictionary::default();
                return Err(error.into());
            }
        };
        changes.iter().filter(|change| written.contains(&change.touch.id)).for_each(|change| self.state.summary.add(change));
        if is_finished {
            replay::tidy_day(&mut tx, day).await?;
            self.state.last_finished = Some(day);
        }
        keep(&mut tx, &self.state).await?;
        tx.commit().await?;
        self.dictionary.tidy();
        Ok(())
    }

    /// Puts ad costs into the channels of today, so that they stand beside their touches, and ends the run.
    async fn finish(&mut self, db: &Db, context: &Context, (from, to): (NaiveDate, NaiveDate)) -> Result<()> {
        if self.dry_run {
            self.state.summary.costs = costs_elsewhere(&cost::between(db, from, to).await?, &self.again.rules).count() as u64;
            return Ok(());
        }
        let mut tx = db.begin().await?;
        let costs = cost::between(&mut tx, from, to).await?;
        for (cost, channel) in costs_elsewhere(&costs, &self.again.rules) {
            cost::set_channel(&mut tx, cost.id, channel).await?;
            self.state.summary.costs += 1;
        }
        settings::remove(&mut tx, SETTING).await?;
        settings::set(&mut tx, REPLAYED_AT, &context.now.to_rfc3339()).await?;
        let detail = serde_json::json!({ "from": from, "to": to, "summary": self.state.summary });
        audit::record(&mut tx, &context.actor, "replay.finish", SETTING, &detail, context.at()).await?;
        tx.commit().await?;
        Ok(())
    }
}

fn costs_elsewhere<'a>(
    costs: &'a [cost::Cost],
    rules: &'a [ChannelRule],
) -> impl Iterator<Item = (&'a cost::Cost, crate::domain::channel::Channel)> {
    costs.iter().filter_map(|cost| {
        let channel = cost_channel(rules, [&cost.source, &cost.medium, &cost.campaign]);
        (channel != cost.channel).then_some((cost, channel))
    })
}

async fn keep(tx: &mut Tx, state: &Unfinished) -> store::Result<()> {
    let text = serde_json::to_string(state).map_err(|e| store::Error::Unreadable(e.to_string()))?;
    settings::set(tx, SETTING, &text).await
}
