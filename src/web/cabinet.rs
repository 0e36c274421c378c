//! The partner's own page: what is held, available and paid, and why. Everything is asked for by the partner of the
//! session, never by anything in the request.

mod documents;

pub use documents::{document_page, documents, give_receipt};

use super::App;
use super::language::Language;
use super::materials::{Materials, materials};
use super::page::chart::Columns;
use super::page::form::Fields;
use super::page::{Frame, answer, formula, words};
use super::who::{PageError, PartnerUser};
use crate::domain::commission::{CommissionKind, CommissionState};
use crate::domain::id::PartnerId;
use crate::domain::link::short_url;
use crate::domain::money::{Currency, Money, RatePpm};
use crate::domain::time::{FAR_DAY, Period};
use crate::service::{Context, Error, report, statement};
use crate::store::commission::CommissionOfOrder;
use crate::store::ledger::Balance;
use crate::store::{commission, ledger, link, order, partner, program, promo, touch};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{Days, NaiveDate};
use std::collections::HashMap;

/// Days of the chart.
const DAYS: u64 = 30;
const ORDERS: i64 = 20;
/// Links and codes on the page.
const MOST: i64 = 100;

#[derive(Template)]
#[template(path = "cabinet.html")]
struct CabinetPage {
    frame: Frame,
    here: &'static str,
    name: String,
    status: Option<String>,
    balances: Vec<BalanceView>,
    days: DaysView,
    links: Vec<LinkView>,
    codes: Vec<CodeView>,
    materials: Materials,
    orders: Vec<OrderView>,
    month: String,
    earlier: Option<String>,
    later: Option<String>,
    statements: Vec<StatementView>,
}

struct BalanceView {
    held: String,
    next_release: Option<String>,
    available: String,
    in_payment: Option<String>,
    paid: String,
}

struct DaysView {
    from: String,
    to: String,
    clicks: String,
    not_counted: Option<String>,
    orders: String,
    click_columns: Columns,
    order_columns: Columns,
    rows: Vec<[String; 3]>,
}

struct LinkView {
    short_url: String,
    leads_to: String,
    state: Option<String>,
}

struct CodeView {
    code: String,
    discount: String,
    until: String,
    uses: String,
}

struct OrderView {
    number: String,
    placed: String,
    via: Option<String>,
    why: Option<String>,
    formula: String,
    state: String,
    state_class: &'static str,
    hold: Option<String>,
    amount: String,
}

struct StatementView {
    sums: Vec<(String, String)>,
    closing: String,
    count: String,
    lines: Vec<[String; 4]>,
}

/// `GET /cabinet`.
pub async fn home(app: Data<App>, request: HttpRequest, who: PartnerUser) -> Result<HttpResponse, PageError> {
    // Fresh clicks should be in; without them the page is still right, a moment older.
    let _ = app.mover.move_all().await;
    let db = &app.service.db;
    let context = app.service.context(&who.user.email);
    let today = context.today();
    let own = partner::by_id(db, who.partner).await?.ok_or_else(|| Error::not_found(who.partner))?;
    let frame = Frame::of(&app, &request, Some(who.user)).await;
    let lang = frame.lang;
    let asked = Fields::of_query(&request).get("period").parse::<Period>().ok();
    let this_month = Period::of(today);
    let period = asked.filter(|p| *p <= this_month).unwrap_or(this_month);

    let orders = commission::of_partner_with_orders(db, who.partner, ORDERS).await?;
    let page = CabinetPage {
        here: "balance",
        name: own.name,
        status: words::partner_status(own.status).map(|key| frame.t(key)),
        balances: balances(&app, lang, &context, who.partner).await?,
        days: days(&app, &frame, who.partner, today).await?,
        links: links(&app, lang, &context, who.partner).await?,
        codes: codes(&app, lang, &context, who.partner).await?,
        materials: materials(db, &frame, &context, who.partner).await?,
        orders: orders.iter().map(|o| order_view(lang, &context, o)).collect(),
        month: lang.month(period),
        earlier: period.first_day().pred_opt().map(|day| Period::of(day).to_string()),
        later: (period < this_month).then(|| period.next().to_string()),
        statements: statements(&app, &frame, who.partner, period).await?,
        frame,
    };
    Ok(answer(StatusCode::OK, &page))
}

async fn balances(app: &App, lang: Language, context: &Context, id: PartnerId) -> Result<Vec<BalanceView>, PageError> {
    let db = &app.service.db;
    let mut held: Vec<(Currency, Balance)> =
        ledger::balances(db, Some(id), FAR_DAY).await?.into_iter().map(|(_, currency, balance)| (currency, balance)).collect();
    if held.is_empty() {
        held.push((report::default_currency(db).await?, Balance::default()));
    }
    let paid = ledger::paid_in_all(db, id).await?;
    let releases = commission::next_releases(db, id).await?;
    Ok(held
        .into_iter()
        .map(|(currency, balance)| {
            let money = |minor| lang.money(Money::new(minor, currency));
            let next = releases.iter().find(|(c, _)| *c == currency);
            BalanceView {
                held: money(balance.held_minor),
                next_release: next.map(|(_, at)| lang.day(context.day(at.0))),
                available: money(balance.available_minor),
                in_payment: (balance.in_payment_minor != 0).then(|| money(balance.in_payment_minor)),
                paid: money(paid.iter().find(|(c, _)| *c == currency).map_or(0, |(_, minor)| *minor)),
            }
        })
        .collect())
}

async fn days(app: &App, frame: &Frame, id: PartnerId, today: NaiveDate) -> Result<DaysView, PageError> {
    let db = &app.service.db;
    let lang = frame.lang;
    let from = today.checked_sub_days(Days::new(DAYS - 1)).unwrap_or(today);
    let (counted, not_counted) = touch::count_of_partner(db, id, from, today).await?;
    let clicks: HashMap<NaiveDate, i64> = touch::days_of_partner(db, id, from, today).await?.into_iter().collect();
    let orders: HashMap<NaiveDate, i64> = order::days_of_partner(db, id, from, today).await?.into_iter().collect();
    let span: Vec<NaiveDate> = from.iter_days().take(DAYS as usize).collect();
    let of =
        |by_day: &HashMap<NaiveDate, i64>| span.iter().map(|day| by_day.get(day).copied().unwrap_or(0)).collect::<Vec<i64>>();
    let (click_values, order_values) = (of(&clicks), of(&orders));
    Ok(DaysView {
        from: lang.short_day(from),
        to: lang.short_day(today),
        clicks: lang.whole(counted),
        not_counted: (not_counted > 0).then(|| frame.count("count-not-counted", not_counted)),
        orders: lang.whole(order_values.iter().sum()),
        rows: span
            .iter()
            .zip(click_values.iter().zip(&order_values))
            .rev()
            .map(|(day, (clicks, orders))| [lang.day(*day), lang.whole(*clicks), lang.whole(*orders)])
            .collect(),
        click_columns: Columns::of(&click_values, |n| lang.whole(n)),
        order_columns: Columns::of(&order_values, |n| lang.whole(n)),
    })
}

async fn links(app: &App, lang: Language, context: &Context, id: PartnerId) -> Result<Vec<LinkView>, PageError> {
    let book = app.links.snapshot();
    let links = link::list(&app.service.db, Some(id), 0, MOST).await?;
    Ok(links
        .into_iter()
        .map(|link| LinkView {
            short_url: short_url(&app.public_url, book.domains().first_of(link.program_id), &link.code),
            state: if link.paused {
                Some(lang.text("link-paused"))
            } else if link.expires_at.is_some_and(|at| at.0 <= context.now) {
                Some(lang.text("link-expired"))
            } else {
                None
            },
            leads_to: link.url,
        })
        .collect())
}

async fn codes(app: &App, lang: Language, context: &Context, id: PartnerId) -> Result<Vec<CodeView>, PageError> {
    let db = &app.service.db;
    let programs = program::all(db).await?;
    let mut views = Vec::new();
    for code in promo::list(db, Some(id), 0, MOST).await? {
        let currency = programs.iter().find(|p| p.id == code.program_id).map(|p| p.currency);
        let amount = code.discount_minor.zip(currency).map(|(minor, currency)| lang.money(Money::new(minor, currency)));
        let percent = code.discount_ppm.and_then(RatePpm::from_ppm).map(|rate| lang.percent_of_text(&rate.percent()));
        let uses = promo::uses(db, code.id, None).await?;
        views.push(CodeView {
            discount: percent.or(amount).unwrap_or_else(|| super::page::NONE.to_owned()),
            until: match code.ends_at {
                None => lang.text("code-no-end"),
                Some(end) if end.0 <= context.now => lang.text("code-ended"),
                Some(end) => lang.day(context.day(end.0)),
            },
            uses: match code.max_uses {
                None => lang.whole(uses),
                Some(most) => lang.with("code-uses", &[("uses", lang.whole(uses).into()), ("most", lang.whole(most).into())]),
            },
            code: code.code,
        });
    }
    Ok(views)
}

fn order_view(lang: Language, context: &Context, found: &CommissionOfOrder) -> OrderView {
    let commission = &found.commission;
    let hold = commission.state == CommissionState::Pending;
    let own_order = found.order_external_id.clone().filter(|_| commission.kind == CommissionKind::Order);
    let of = words::commission_kind(commission.kind);
    let declined = commission.declined_because.as_ref();
    let declined = declined.map(|reason| lang.with("commission-declined-because", &[("reason", reason.clone().into())]));
    let why = declined.or_else(|| found.reason.map(|reason| lang.text(words::why_yours(reason))));
    let state = match commission.needs_approval && hold {
        true => "state-waits",
        false => words::commission_state(commission.state),
    };
    OrderView {
        number: own_order.unwrap_or_else(|| lang.text(of)),
        placed: match (commission.kind, commission.day) {
            (CommissionKind::Clicks, Some(day)) => lang.day(day),
            (CommissionKind::Volume, _) => {
                commission.period.parse().map_or_else(|_| commission.period.clone(), |p| lang.month(p))
            }
            _ => lang.day(context.day(found.placed_at.0)),
        },
        via: found.via.map(|via| lang.text(words::via(via))),
        why,
        // Another partner is named by id alone.
        formula: formula::formula(lang, &commission.explanation.0, &|id| id.to_string()),
        state: lang.text(state),
        state_class: state_class(commission.state),
        hold: hold.then(|| lang.with("hold-until", &[("day", lang.day(context.day(commission.hold_until.0)).into())])),
        amount: lang.money(Money::new(commission.amount_minor, commission.currency)),
    }
}

/// The colour of a state; the word beside it says the same.
pub(super) fn state_class(state: CommissionState) -> &'static str {
    match state {
        CommissionState::Pending => "held",
        CommissionState::Approved | CommissionState::Payable => "ready",
        CommissionState::Paid => "paid",
        CommissionState::Reversed | CommissionState::Rejected => "reversed",
    }
}

async fn statements(app: &App, frame: &Frame, id: PartnerId, period: Period) -> Result<Vec<StatementView>, PageError> {
    let lang = frame.lang;
    let found = statement::as_of_now(&app.service, id, period).await?;
    Ok(found
        .into_iter()
        .map(|s| {
            let money = |minor| lang.money(Money::new(minor, s.currency));
            let mut sums = vec![(lang.text("statement-opening"), money(s.opening_minor))];
            for (key, minor) in [
                ("statement-earned", s.earned_minor),
                ("statement-reversed", -s.reversed_minor),
                ("statement-adjusted", s.adjusted_minor),
                ("statement-paid", -s.paid_minor),
            ] {
                sums.push((lang.text(key), money(minor)));
            }
            StatementView {
                sums,
                closing: money(s.closing.total_minor()),
                count: frame.count("count-lines", s.lines.len() as i64),
                lines: s
                    .lines
                    .iter()
                    .map(|line| {
                        let because = line.order_external_id.clone().or_else(|| line.payout_run_id.map(|run| run.to_string()));
                        [
                            lang.day(line.day),
                            lang.text(words::journal(line.kind)),
                            because.unwrap_or_default(),
                            money(line.amount_minor),
                        ]
                    })
                    .collect(),
            }
        })
        .collect())
}
