//! The ledger: the trial balance, the entries with all they lead back to, and what is done to a partner's balance by hand.

use crate::domain::id::{EntryId, JournalId, PartnerId};
use crate::domain::ledger::{AccountKind, JournalKind};
use crate::domain::money::{Currency, Money};
use crate::domain::time::FAR_DAY;
use crate::service::ledger::{MovementInput, ReleaseInput, adjust, release_withheld, trial_balance, withhold, write_off};
use crate::service::{Context, Error, report, settle};
use crate::store::ledger_entry::{self, EntryFilter, EntryRow, Place};
use crate::store::withholding::{self, Withholding};
use crate::store::{Db, ledger, ledger_chain, partner};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other, segment, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::NaiveDate;

/// Entries of a page.
const ROWS: i64 = 50;

#[derive(Template)]
#[template(path = "admin/ledger.html")]
struct LedgerPage {
    frame: Frame,
    here: &'static str,
    problem: Option<ProblemView>,
    filters: FiltersView,
    trials: Vec<TrialView>,
    /// The last journal and its hash.
    head: Option<String>,
    of_partner: Option<PartnerView>,
    entries: Vec<EntryView>,
    next: Option<String>,
}

/// What went wrong: in the reader's language, and as the service said it.
struct ProblemView {
    words: String,
    detail: String,
}

struct FiltersView {
    partner: String,
    from: String,
    to: String,
    kinds: Vec<(String, String, bool)>,
    at: String,
}

struct TrialView {
    currency: String,
    caption: String,
    lines: Vec<(String, String)>,
    sum: String,
}

/// One partner, with their balances and what may be done to them.
struct PartnerView {
    id: String,
    name: String,
    balances: Vec<BalanceView>,
    withheld: Vec<WithheldView>,
    acts: Vec<(&'static str, String)>,
    may_pay: bool,
}

struct BalanceView {
    currency: String,
    parts: Vec<(String, String)>,
    /// As the forms send it back: minor units.
    available_was: i64,
    /// What was typed into a form that was refused.
    act: String,
    amount: String,
    order: String,
    reason: String,
}

struct WithheldView {
    id: String,
    amount: String,
    reason: String,
    told: String,
}

struct EntryView {
    id: String,
    journal: String,
    at: String,
    kind: String,
    note: Option<String>,
    account: String,
    partner: Option<(String, String)>,
    /// The order's number and page.
    order: Option<(String, String)>,
    facts: Vec<String>,
    run: Option<(String, String)>,
    amount: String,
}

/// What the address asks for.
struct Asked {
    filter: EntryFilter,
    at: NaiveDate,
    before: EntryId,
    partner_text: String,
    wrong: Option<&'static str>,
}

/// A partner by id, by the id they have elsewhere, or by e-mail address.
async fn find_partner(db: &Db, text: &str) -> Result<Option<PartnerId>, PageError> {
    if let Ok(id) = text.parse::<PartnerId>() {
        return Ok(partner::by_id(db, id).await?.map(|found| found.id));
    }
    Ok(partner::by_reference(db, text).await?.map(|found| found.id))
}

async fn read(db: &Db, context: &Context, query: &Fields) -> Result<Asked, PageError> {
    let mut wrong = None;
    let mut day = |name: &str| match query.get(name) {
        "" => None,
        text => text.parse::<NaiveDate>().map_err(|_| wrong = Some("filter-day")).ok(),
    };
    let (from, to, at) = (day("from"), day("to"), day("at"));
    let kind = match query.get("kind") {
        "" => None,
        text => {
            let kind = JournalKind::ALL.into_iter().find(|kind| kind_word(*kind) == text);
            if kind.is_none() {
                wrong = Some("ledger-unknown-kind");
            }
            kind
        }
    };
    let partner_text = query.get("partner").to_owned();
    let mut partner = None;
    if !partner_text.is_empty() {
        partner = find_partner(db, &partner_text).await?;
        if partner.is_none() {
            wrong = Some("ledger-unknown-partner");
        }
    }
    let before = query.get("before").parse().unwrap_or(EntryId(i64::MAX));
    let filter = EntryFilter { partner, kind, from, to };
    Ok(Asked { filter, at: at.unwrap_or_else(|| context.today()), before, partner_text, wrong })
}

fn kind_word(kind: JournalKind) -> &'static str {
    words::journal(kind).trim_start_matches("journal-")
}

/// `GET /admin/ledger?at=&partner=&kind=&from=&to=&before=`.
pub async fn ledger_page(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let frame = Frame::of(&app, &request, Some(staff.0.clone())).await;
    shown(&app, frame, staff, &Fields::of_query(&request), (StatusCode::OK, None), None).await
}

async fn shown(
    app: &App,
    frame: Frame,
    staff: Staff,
    query: &Fields,
    (status, problem): (StatusCode, Option<(&'static str, String)>),
    typed: Option<&Fields>,
) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let asked = read(db, &context, query).await?;
    let status = if asked.wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { status };
    let problem = problem.or_else(|| asked.wrong.map(|key| (key, String::new())));
    let names = report::partner_names(db).await?;
    let name = |id: PartnerId| names.get(&id.to_string()).cloned().unwrap_or_else(|| id.to_string());
    let entries = ledger_entry::entries(db, asked.filter, Place::Before(asked.before), ROWS).await?;
    let next = entries.last().filter(|_| entries.len() as i64 == ROWS).map(|last| further(query, last.id));
    let of_partner = match asked.filter.partner {
        None => None,
        Some(id) => Some(partner_view(app, &frame, &context, &staff, (id, name(id)), typed).await?),
    };
    let page = LedgerPage {
        here: "ledger",
        problem: problem.map(|(key, detail)| ProblemView { words: frame.t(key), detail }),
        filters: FiltersView {
            partner: asked.partner_text.clone(),
            from: asked.filter.from.map(|day| day.to_string()).unwrap_or_default(),
            to: asked.filter.to.map(|day| day.to_string()).unwrap_or_default(),
            kinds: JournalKind::ALL
                .into_iter()
                .map(|kind| (kind_word(kind).to_owned(), frame.t(words::journal(kind)), asked.filter.kind == Some(kind)))
                .collect(),
            at: asked.at.to_string(),
        },
        trials: trials(db, &frame, asked.at).await?,
        head: ledger_chain::last(db).await?.map(|(journal, hash)| {
            frame.say("ledger-head", [("journal", journal.to_string().into()), ("hash", hash.to_string().into())])
        }),
        of_partner,
        entries: entries.iter().map(|e| entry_view(&frame, &context, e, &name)).collect(),
        next,
        frame,
    };
    Ok(answer(status, &page))
}

/// The same filters, further back.
fn further(query: &Fields, last: EntryId) -> String {
    let mut address = url::form_urlencoded::Serializer::new("/admin/ledger?".to_owned());
    for name in ["at", "partner", "kind", "from", "to"] {
        if !query.get(name).is_empty() {
            address.append_pair(name, query.get(name));
        }
    }
    address.append_pair("before", &last.to_string()).finish()
}

async fn trials(db: &Db, frame: &Frame, day: NaiveDate) -> Result<Vec<TrialView>, PageError> {
    let lang = frame.lang;
    let found = trial_balance(db, day).await?;
    let views = found.into_iter().map(|trial| {
        let money = |minor| lang.money(Money::new(minor, trial.currency));
        TrialView {
            currency: trial.currency.to_string(),
            caption: frame.say("ledger-trial", [("day", lang.day(day).into())]),
            lines: trial.lines.iter().map(|line| (frame.t(words::account(line.account)), money(line.amount_minor))).collect(),
            sum: money(trial.sum_minor),
        }
    });
    Ok(views.collect())
}

async fn partner_view(
    app: &App,
    frame: &Frame,
    context: &Context,
    staff: &Staff,
    (id, name): (PartnerId, String),
    typed: Option<&Fields>,
) -> Result<PartnerView, PageError> {
    let db = &app.service.db;
    let lang = frame.lang;
    // What is due is released first, so that the forms show what they will find.
    let mut tx = db.begin().await?;
    settle::release(&mut tx, context).await?;
    tx.commit().await?;
    let mut found: Vec<(Currency, ledger::Balance)> =
        ledger::balances(db, Some(id), FAR_DAY).await?.into_iter().map(|(_, currency, balance)| (currency, balance)).collect();
    if found.is_empty() {
        found.push((report::default_currency(db).await?, ledger::Balance::default()));
    }
    let balances = found.into_iter().map(|(currency, balance)| {
        let parts = [
            (AccountKind::Held, balance.held_minor),
            (AccountKind::Available, balance.available_minor),
            (AccountKind::InPayment, balance.in_payment_minor),
            (AccountKind::Withheld, balance.withheld_minor),
        ];
        let typed = typed.filter(|fields| fields.get("currency") == currency.code());
        let typed = |name: &str| typed.map(|fields| fields.get(name).to_owned()).unwrap_or_default();
        BalanceView {
            act: typed("act"),
            amount: typed("amount"),
            order: typed("order"),
            reason: typed("reason"),
            currency: currency.to_string(),
            parts: parts
                .map(|(account, minor)| (frame.t(words::account(account)), lang.money(Money::new(minor, currency))))
                .to_vec(),
            available_was: balance.available_minor,
        }
    });
    let balances = balances.collect();
    let withheld = withholding::open_at(db, id, FAR_DAY).await?.iter().map(|w| withheld_view(frame, context, w)).collect();
    let acts = ["adjust", "withhold", "write_off"].map(|act| (act, frame.t(words::act_by_hand(act)))).to_vec();
    Ok(PartnerView { id: id.to_string(), name, balances, withheld, acts, may_pay: staff.0.role.may_pay() })
}

fn withheld_view(frame: &Frame, context: &Context, w: &Withholding) -> WithheldView {
    let told = [
        ("at", frame.lang.instant(context.zone, w.at.0).into()),
        ("by", w.actor.clone().unwrap_or_default().into()),
        ("order", w.order_external_id.clone().unwrap_or_default().into()),
    ];
    WithheldView {
        id: w.id.to_string(),
        amount: frame.lang.money(Money::new(w.amount_minor, w.currency)),
        reason: w.reason.clone(),
        told: frame.say(if w.order_id.is_some() { "ledger-withheld-order" } else { "ledger-withheld-by" }, told),
    }
}

fn entry_view(frame: &Frame, context: &Context, e: &EntryRow, name: &impl Fn(PartnerId) -> String) -> EntryView {
    let mut facts = Vec::new();
    if let Some(lead) = &e.lead_external_id {
        facts.push(frame.say("ledger-lead", [("lead", lead.clone().into())]));
    }
    if let (Some(commission), Some(rule), Some(version)) = (e.commission_id, e.rule_id, e.rule_version) {
        let rule = frame.say("rule-version", [("rule", rule.to_string().into()), ("version", version.into())]);
        facts.push(format!("{commission} · {rule}"));
    }
    if let Some(taken) = e.takes_back {
        facts.push(frame.say("ledger-takes-back", [("journal", taken.to_string().into())]));
    }
    if let Some(actor) = &e.actor {
        facts.push(match e.act_id.zip(e.act.as_ref()) {
            Some((id, act)) => format!("{actor} · {act} #{id}"),
            None => actor.clone(),
        });
    }
    EntryView {
        id: e.id.to_string(),
        journal: e.journal_id.to_string(),
        at: frame.lang.instant(context.zone, e.at.0),
        kind: frame.t(words::journal(e.kind)),
        note: e.note.as_deref().map(|note| words::note(frame.lang, note)),
        account: frame.t(words::account(e.account)),
        partner: e.partner_id.map(|id| (name(id), format!("/admin/ledger?partner={id}"))),
        order: e.order_external_id.as_ref().map(|number| (number.clone(), format!("/admin/orders/{}", segment(number)))),
        facts,
        run: e
            .payout_run_id
            .zip(e.run_period.as_ref())
            .map(|(run, period)| (run.to_string(), format!("/admin/payouts/{period}"))),
        amount: frame.lang.money(Money::new(e.amount_minor, e.currency)),
    }
}

/// `POST /admin/ledger/{partner}`: a correction, something kept back, a write-off.
pub async fn move_by_hand(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    id: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let id: PartnerId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))?;
    let text = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    let input = MovementInput {
        // A comma is how many people write it, and a true minus how it is shown.
        amount: text("amount").map(|text| text.replace(',', ".").replace('\u{2212}', "-").as_str().into()),
        currency: text("currency"),
        reason: text("reason"),
        order: text("order"),
        // What was on the screen: a form that is sent twice is refused the second time.
        available_was: Some(fields.get("available_was").parse().map_err(Problem::malformed)?),
    };
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let (done, problem) = match fields.get("act") {
        "adjust" => (adjust(&mut tx, &context, id, &input).await, "ledger-not-adjusted"),
        "withhold" => (withhold(&mut tx, &context, id, &input).await, "ledger-not-withheld"),
        "write_off" => (write_off(&mut tx, &context, id, &input).await, "ledger-not-written_off"),
        _ => return Err(Problem::malformed("act must be adjust, withhold or write_off").into()),
    };
    let back = format!("/admin/ledger?partner={id}");
    match done {
        Ok(_) => {
            tx.commit().await?;
            Ok(see_other(&back))
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error) => {
            drop(tx);
            let detail = error.to_string();
            let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::CONFLICT);
            let frame = Frame::with_way_back(&app, &request, Some(staff.0.clone()), &back).await;
            let query = Fields::of_text(&format!("partner={id}"));
            shown(&app, frame, staff, &query, (status, Some((problem, detail))), Some(&fields)).await
        }
    }
}

/// `POST /admin/withholdings/{id}/release`.
pub async fn release(app: Data<App>, staff: Staff, id: Path<String>, fields: Fields) -> Result<HttpResponse, PageError> {
    staff.may_pay()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let id: JournalId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))?;
    let context = app.service.context(&staff.0.email);
    let mut tx = app.service.db.begin().await?;
    let released = release_withheld(&mut tx, &context, id, &ReleaseInput::default()).await?;
    tx.commit().await?;
    Ok(see_other(&format!("/admin/ledger?partner={}", released.partner_id)))
}
