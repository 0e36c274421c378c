//! The payout run of a month as a card: where it stands, and the one next step.

use crate::domain::document::Obstacle;
use crate::domain::id::PartnerId;
use crate::domain::money::{Currency, Money};
use crate::domain::payout_file::FileFormat;
use crate::domain::payout_run::{LineState, RunState};
use crate::domain::time::Period;
use crate::service::payout::{RunWithLines, due_by};
use crate::service::payout_file::fitting_files;
use crate::service::{Context, report};
use crate::store::payout::{PayoutRun, PayoutRunLine};
use crate::store::{At, Db, payout};
use crate::web::page::{Frame, words};
use crate::web::who::PageError;
use chrono::NaiveDate;
use std::collections::BTreeMap;

pub struct RunCard {
    pub period: String,
    pub month: String,
    pub closed: Option<String>,
    /// When the month can be closed, if that is not yet.
    pub not_over: Option<String>,
    /// Shows the buttons.
    pub may_pay: bool,
    /// What is available at the end of the month, by currency.
    pub due_on: String,
    pub due: Vec<DueView>,
    /// The words of the tick that takes what is available today instead.
    pub early: Option<String>,
    pub steps: Vec<Step>,
    pub runs: Vec<RunView>,
    /// Runs of the month that were cancelled: id and words.
    pub cancelled: Vec<(String, String)>,
}

pub struct DueView {
    pub currency: &'static str,
    pub total: String,
    pub partners: String,
    pub lines: Vec<(String, String)>,
}

pub struct Step {
    pub name: String,
    pub is_done: bool,
    pub is_next: bool,
}

pub struct RunView {
    pub id: String,
    pub state: String,
    pub state_class: &'static str,
    pub total: String,
    pub early: bool,
    pub counts: Vec<String>,
    pub steps: Vec<Step>,
    pub can_be_approved: bool,
    pub can_be_exported: bool,
    pub files: Vec<FileLink>,
    pub can_be_paid: bool,
    pub history: Vec<String>,
    pub bank_reference: Option<String>,
    pub lines: Vec<LineView>,
}

pub struct FileLink {
    pub name: String,
    pub query: String,
}

pub struct LineView {
    /// The partner's.
    pub id: String,
    /// Due, or paid: it can fail yet.
    pub may_fail: bool,
    pub paid_on: Option<String>,
    pub bank_reference: Option<String>,
    pub failed_because: Option<String>,
    pub partner: String,
    pub email: String,
    pub method: String,
    pub state: String,
    pub state_class: &'static str,
    pub amount: String,
    /// Tax and net, where a tax is withheld.
    pub tax: Option<String>,
    /// The numbers of a limit that blocks the line.
    pub obstacle: Option<String>,
}

/// The card of a month.
pub async fn card(db: &Db, context: &Context, frame: &Frame, period: Period) -> Result<RunCard, PageError> {
    let lang = frame.lang;
    let key = period.to_string();
    let latest_closed = payout::latest_closed(db).await?;
    let is_closed = latest_closed.is_some_and(|latest| key <= latest);
    let closed = match payout::closing(db, &key).await? {
        Some((at, by)) => Some(acted(frame, context, "run-closed-by", at, &by)),
        None => is_closed.then(|| frame.t("run-closed-before")),
    };
    let exported = payout::exports(db).await?;
    let all = payout::of_period(db, &key).await?;
    let (cancelled, runs): (Vec<PayoutRun>, Vec<PayoutRun>) = all.into_iter().partition(|r| r.state == RunState::Cancelled);
    let until = period.last_day().min(context.today());
    let due = due_views(db, frame, available(db, until, &runs).await?).await?;
    let early = if is_closed { BTreeMap::new() } else { available(db, context.today(), &runs).await? };
    let early: Vec<String> = early.iter().map(|(currency, partners)| lang.money(total(partners, *currency))).collect();
    let mut views = Vec::new();
    for run in runs {
        let lines = payout::lines(db, run.id).await?;
        let is_exported = exported.iter().any(|(id, ..)| *id == run.id);
        views.push(run_view(frame, context, run, lines, is_closed, is_exported)?);
    }
    let is_over = period.last_day() < context.today();
    Ok(RunCard {
        month: lang.month(period),
        not_over: (!is_over).then(|| frame.say("run-not-over", [("day", lang.day(period.next().first_day()).into())])),
        may_pay: frame.user.as_ref().is_some_and(|user| user.role.may_pay()),
        steps: if views.is_empty() { steps(frame, is_closed, None, false) } else { Vec::new() },
        closed,
        due_on: frame.say("run-due-on", [("day", lang.day(until).into())]),
        due,
        early: (!early.is_empty()).then(|| frame.say("act-early", [("amount", early.join(", ").into())])),
        runs: views,
        cancelled: cancelled.iter().map(|run| (run.id.to_string(), cancelled_words(frame, context, run))).collect(),
        period: key,
    })
}

/// What is due by the end of a day, by currency, where there is no run yet.
async fn available(
    db: &Db,
    until: NaiveDate,
    runs: &[PayoutRun],
) -> Result<BTreeMap<Currency, Vec<(PartnerId, i64)>>, PageError> {
    let mut by_currency: BTreeMap<Currency, Vec<(PartnerId, i64)>> = BTreeMap::new();
    for (partner, currency, minor) in due_by(db, until).await? {
        if minor > 0 && !runs.iter().any(|run| run.currency == currency) {
            by_currency.entry(currency).or_default().push((partner, minor));
        }
    }
    Ok(by_currency)
}

fn total(partners: &[(PartnerId, i64)], currency: Currency) -> Money {
    Money::new(partners.iter().map(|(_, minor)| minor).sum(), currency)
}

async fn due_views(
    db: &Db,
    frame: &Frame,
    by_currency: BTreeMap<Currency, Vec<(PartnerId, i64)>>,
) -> Result<Vec<DueView>, PageError> {
    let names = report::partner_names(db).await?;
    let name = |id: PartnerId| names.get(&id.to_string()).cloned().unwrap_or_else(|| id.to_string());
    Ok(by_currency
        .into_iter()
        .map(|(currency, partners)| DueView {
            currency: currency.code(),
            total: frame.lang.money(total(&partners, currency)),
            partners: frame.count("count-partners", partners.len() as i64),
            lines: partners.into_iter().map(|(id, minor)| (name(id), frame.lang.money(Money::new(minor, currency)))).collect(),
        })
        .collect())
}

fn acted(frame: &Frame, context: &Context, key: &str, at: At, by: &str) -> String {
    frame.say(key, [("at", frame.lang.instant(context.zone, at.0).into()), ("by", by.into())])
}

fn steps(frame: &Frame, is_closed: bool, run: Option<&PayoutRun>, is_exported: bool) -> Vec<Step> {
    let state = run.map(|run| run.state);
    let (approved, paid) = (state.is_some_and(RunState::was_approved), state == Some(RunState::Paid));
    let early = run.is_some_and(|run| run.early);
    let mut next_found = false;
    [
        ("step-close", is_closed || early),
        ("step-build", run.is_some()),
        ("step-approve", approved),
        ("step-export", is_exported || paid),
        ("step-pay", paid),
    ]
    .into_iter()
    .map(|(key, is_done)| {
        let is_next = !is_done && !next_found;
        next_found |= is_next;
        Step { name: frame.t(key), is_done, is_next }
    })
    .collect()
}

fn run_view(
    frame: &Frame,
    context: &Context,
    run: PayoutRun,
    lines: Vec<PayoutRunLine>,
    is_closed: bool,
    is_exported: bool,
) -> Result<RunView, PageError> {
    let loaded = RunWithLines { run, lines };
    let files = file_links(frame, &loaded)?;
    let RunWithLines { run, lines } = loaded;
    let lang = frame.lang;
    let counts = counts(frame, &lines);
    let history = history(frame, context, &run);
    Ok(RunView {
        files,
        steps: steps(frame, is_closed, Some(&run), is_exported),
        state: frame.t(words::run_state(run.state)),
        state_class: run_class(run.state),
        total: lang.money(Money::new(run.total_minor, run.currency)),
        early: run.early,
        counts,
        can_be_approved: run.state == RunState::Built,
        can_be_exported: run.state.was_approved(),
        can_be_paid: matches!(run.state, RunState::Approved | RunState::PartlyPaid),
        history,
        lines: lines.into_iter().map(|line| line_view(frame, run.currency, line)).collect(),
        bank_reference: run.bank_reference,
        id: run.id.to_string(),
    })
}

/// How many lines there are of each state; of what was due, those that are done with only if there are any.
pub fn counts(frame: &Frame, lines: &[PayoutRunLine]) -> Vec<String> {
    let states = [
        ("count-due", LineState::Due),
        ("count-paid", LineState::Paid),
        ("count-failed", LineState::Failed),
        ("count-carried", LineState::Carried),
        ("count-blocked", LineState::Blocked),
    ];
    let counted = states.map(|(key, state)| (key, lines.iter().filter(|l| l.state == state).count()));
    counted.into_iter().filter(|(_, count)| *count > 0).map(|(key, count)| frame.count(key, count as i64)).collect()
}

/// Who built, approved, paid and cancelled a run, and when.
pub fn history(frame: &Frame, context: &Context, run: &PayoutRun) -> Vec<String> {
    let mut history = vec![acted(frame, context, "run-built-by", run.built_at, &run.built_by)];
    if let (Some(at), Some(by)) = (run.approved_at, &run.approved_by) {
        history.push(acted(frame, context, "run-approved-by", at, by));
    }
    if let (Some(at), Some(by)) = (run.paid_at, &run.paid_by) {
        history.push(acted(frame, context, "run-paid-by", at, by));
    }
    if run.cancelled_at.is_some() {
        history.push(cancelled_words(frame, context, run));
    }
    history
}

fn cancelled_words(frame: &Frame, context: &Context, run: &PayoutRun) -> String {
    let at = run.cancelled_at.map_or_else(String::new, |at| frame.lang.instant(context.zone, at.0));
    let (by, because) = (run.cancelled_by.clone().unwrap_or_default(), run.cancelled_because.clone().unwrap_or_default());
    frame.say("run-cancelled-by", [("at", at.into()), ("by", by.into()), ("because", because.into())])
}

/// The colour of a run's state; the word beside it says the same.
pub fn run_class(state: RunState) -> &'static str {
    match state {
        RunState::Paid => "paid",
        RunState::Approved | RunState::PartlyPaid => "ready",
        RunState::Built => "held",
        RunState::Cancelled => "reversed",
    }
}

/// The files that carry some of the payments; what carries not all of them says how many.
fn file_links(frame: &Frame, loaded: &RunWithLines) -> Result<Vec<FileLink>, PageError> {
    let due = loaded.lines.iter().filter(|line| line.disposition == "due").count();
    let links = fitting_files(loaded)?.into_iter().map(|(format, payments)| {
        let (word, part) = match format {
            FileFormat::Csv(_) => ("csv", None),
            FileFormat::Xlsx => ("xlsx", None),
            FileFormat::ClientBank => ("1c", None),
            FileFormat::Pain001(_) => ("pain001", None),
            FileFormat::Paypal { part } => ("paypal", part),
            FileFormat::Wise { part } => ("wise", part),
        };
        let mut name = frame.t(words::payout_file(format));
        let mut query = format!("format={word}");
        if let Some(part) = part {
            name += &format!(" {part}");
            query += &format!("&part={part}");
        }
        if payments < due {
            name = frame.say("file-of-some", [("file", name.into()), ("some", payments.into()), ("all", due.into())]);
        }
        FileLink { name, query }
    });
    Ok(links.collect())
}

/// What stands in the way of a payment.
fn obstacle(frame: &Frame, obstacle: Obstacle) -> String {
    match obstacle {
        Obstacle::NpdLimit { paid, due, limit } => {
            let money = |minor| frame.lang.money(Money::new(minor, limit.currency()));
            let over = paid.minor().saturating_add(due.minor()).saturating_sub(limit.minor());
            let filling = [("paid", paid.minor()), ("due", due.minor()), ("limit", limit.minor()), ("over", over)];
            frame.say("obstacle-npd_limit", filling.map(|(name, minor)| (name, money(minor).into())))
        }
        Obstacle::NpdNotYet { since } => frame.say("obstacle-npd_not_yet", [("day", frame.lang.day(since).into())]),
        Obstacle::NpdCurrency(currency) => frame.say("obstacle-npd_currency", [("currency", currency.code().to_owned().into())]),
        Obstacle::TaxCurrency(currency) => frame.say("obstacle-tax_currency", [("currency", currency.code().to_owned().into())]),
    }
}

pub fn line_view(frame: &Frame, currency: Currency, line: PayoutRunLine) -> LineView {
    let money = |minor| frame.lang.money(Money::new(minor, currency));
    let net = [("tax", money(line.tax_minor).into()), ("net", money(line.net_minor()).into())];
    LineView {
        tax: (line.tax_minor != 0).then(|| frame.say("line-net", net)),
        obstacle: line.reason.as_deref().and_then(|reason| reason.parse().ok()).map(|why| obstacle(frame, why)),
        state: frame.t(words::line_state(line.state, line.reason.as_deref(), line.amount_minor)),
        state_class: match line.state {
            LineState::Due => "ready",
            LineState::Paid => "paid",
            LineState::Blocked | LineState::Failed | LineState::Cancelled => "reversed",
            LineState::Carried => "held",
        },
        may_fail: matches!(line.state, LineState::Due | LineState::Paid),
        paid_on: line.paid_on.map(|day| frame.lang.day(day)),
        bank_reference: line.bank_reference,
        failed_because: line.failed_because,
        id: line.partner_id.to_string(),
        method: frame.t(words::payout_method(line.payout.0.get("method").and_then(|m| m.as_str()).unwrap_or("manual"))),
        amount: frame.lang.money(Money::new(line.amount_minor, currency)),
        email: line.partner_email.unwrap_or_default(),
        partner: line.partner_name,
    }
}
