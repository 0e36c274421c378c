//! Why this partner: an order's touches in order of time, what became of each, and what that owes.

use super::judge::CommissionView;
use super::orders::status_class;
use crate::domain::id::PartnerId;
use crate::domain::money::Money;
use crate::domain::payable::{TraceItem, Verdict};
use crate::domain::program::{CreditPolicy, Program};
use crate::domain::touch::Touch;
use crate::service::{Context, Error, report};
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::{commission, decision, order as orders, program, touch};
use crate::web::App;
use crate::web::page::{self, Frame, NONE, answer, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;

/// Lines of the trace that are shown, the latest.
const MOST_LINES: usize = 300;

#[derive(Template)]
#[template(path = "admin/order.html")]
struct OrderPage {
    frame: Frame,
    here: &'static str,
    problem: Option<String>,
    number: String,
    placed: String,
    status: String,
    status_class: &'static str,
    facts: Vec<(String, String)>,
    owed: Option<OwedView>,
    nobody: Option<String>,
    time_line: Option<TimeLine>,
    trace: Vec<TraceView>,
    window_opens: String,
    left_out: Option<String>,
    commissions: Vec<CommissionView>,
    others: Vec<(String, String, bool)>,
    terms: Option<String>,
    loser: Option<String>,
}

struct OwedView {
    partner: String,
    via: String,
    reason: String,
    policy: String,
    decided: String,
    shares: Option<String>,
}

struct TraceView {
    at: String,
    title: String,
    origin: String,
    partner: Option<String>,
    verdict: String,
    class: &'static str,
    reason: String,
    numbers: Option<String>,
    in_window: bool,
    /// The window opens just before this one.
    opens_window: bool,
}

/// The same on a line: places in per cent from the first touch to the order.
struct TimeLine {
    window: Option<(String, String)>,
    window_text: Option<String>,
    dots: Vec<(String, &'static str)>,
    order_at: String,
    from: String,
    to: String,
}

/// `GET /admin/orders/{external_id}`.
pub async fn order(app: Data<App>, request: HttpRequest, staff: Staff, number: Path<String>) -> Result<HttpResponse, PageError> {
    shown(&app, &request, staff, &number, StatusCode::OK, None).await
}

/// The page of an order; what was refused is said on it, with its status.
pub(super) async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    number: &str,
    status: StatusCode,
    problem: Option<String>,
) -> Result<HttpResponse, PageError> {
    let may_judge = staff.0.role.may_pay();
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let found = orders::by_external_id(db, number).await?.ok_or_else(|| Error::not_found(format!("order '{number}'")))?;
    let back = format!("/admin/orders/{}", page::segment(number));
    let frame = Frame::with_way_back(app, request, Some(staff.0), &back).await;
    let lang = frame.lang;
    let names = report::partner_names(db).await?;
    let name = |id: PartnerId| names.get(&id.to_string()).cloned().unwrap_or_else(|| id.to_string());
    let decided = decision::of_order(db, found.id).await?;
    let touches: HashMap<String, Touch> = touch::of_person(db, found.person).await?.into_iter().map(|t| (t.label(), t)).collect();
    let commissions = commission::of_order(db, found.id).await?;
    let programs = program::all(db).await?;
    let trace = decided.as_ref().map(|d| d.trace.0.as_slice()).unwrap_or_default();
    let shown = shown_lines(trace, decided.as_ref());
    let left_out = trace.len() - shown.len();
    let trace = shown.as_slice();
    let window = page::trace::window_of(trace);
    let opens = window.map(|(_, days)| found.placed_at - TimeDelta::days(days));

    let page = OrderPage {
        here: "orders",
        problem,
        number: found.external_id.clone(),
        placed: lang.instant(context.zone, found.placed_at),
        status: frame.t(words::order_status(found.status)),
        status_class: status_class(found.status),
        facts: facts(&frame, &found),
        owed: decided.as_ref().and_then(|d| d.partner_id.map(|id| owed(&frame, &context, d, id, &name))),
        nobody: match &decided {
            None => Some(frame.t("order-undecided")),
            Some(d) if d.partner_id.is_none() => Some(frame.t(words::reason(d.reason))),
            Some(_) => None,
        },
        time_line: time_line(&frame, &context, &found, trace, opens),
        trace: trace_views(&frame, &context, trace, &touches, opens, &name),
        window_opens: match (window, opens) {
            (Some((partner, days)), Some(opens)) => frame.say(
                "window-opens",
                [
                    ("days", days.into()),
                    ("partner", partner.map(name).unwrap_or_default().into()),
                    ("at", lang.instant(context.zone, opens).into()),
                ],
            ),
            _ => String::new(),
        },
        left_out: (left_out > 0).then(|| frame.count("trace-left-out", left_out as i64)),
        commissions: commissions.iter().map(|c| CommissionView::of(&frame, &context, c, may_judge, &name)).collect(),
        terms: decided.as_ref().and_then(|d| terms(&frame, d, &programs)),
        loser: decided.as_ref().and_then(|d| loser(&frame, &context, d, &name)),
        others: decided.as_ref().map(|d| other_policies(&frame, d, &name)).unwrap_or_default(),
        frame,
    };
    Ok(answer(status, &page))
}

/// The latest lines, and before them the winner and the loser, wherever they stand.
fn shown_lines(trace: &[TraceItem], decided: Option<&StoredDecision>) -> Vec<TraceItem> {
    let (earlier, latest) = trace.split_at(trace.len().saturating_sub(MOST_LINES));
    let loser = decided.and_then(|d| d.loser.as_ref());
    let named = earlier.iter().filter(|item| item.verdict == Verdict::Won || loser == Some(&item.touch));
    named.chain(latest).cloned().collect()
}

fn facts(frame: &Frame, order: &Order) -> Vec<(String, String)> {
    let amounts = &order.amounts;
    let money = |minor| frame.lang.money(Money::new(minor, amounts.currency));
    let mut facts = vec![(frame.t("order-total"), money(amounts.total_minor))];
    for (key, minor) in [
        ("order-tax", amounts.tax_minor),
        ("order-shipping", amounts.shipping_minor),
        ("order-discount", amounts.discount_minor),
        ("order-refunded", amounts.refunded_minor),
    ] {
        if minor != 0 {
            facts.push((frame.t(key), money(minor)));
        }
    }
    if !order.promo_codes.is_empty() {
        facts.push((frame.t("order-codes"), order.promo_codes.join(", ")));
    }
    if let Some(customer) = &order.customer_id {
        facts.push((frame.t("order-customer"), customer.clone()));
    }
    facts
}

fn owed(
    frame: &Frame,
    context: &Context,
    decided: &StoredDecision,
    partner: PartnerId,
    name: &impl Fn(PartnerId) -> String,
) -> OwedView {
    let shares: Vec<(String, u64)> = decided.shares.iter().map(|s| (name(s.partner_id), s.touches.unsigned_abs())).collect();
    OwedView {
        partner: name(partner),
        shares: page::trace::shares(frame.lang, &shares),
        via: frame.t(words::via(decided.via)),
        reason: frame.t(words::reason(decided.reason)),
        policy: frame.t(words::policy(decided.policy)),
        decided: frame.lang.instant(context.zone, decided.decided_at.0),
    }
}

/// The terms of the winner's program, as they stood when it was decided.
fn terms(frame: &Frame, decided: &StoredDecision, programs: &[Program]) -> Option<String> {
    let terms = decided.basis.as_ref()?.0.terms(decided.program_id?)?;
    let name = programs.iter().find(|p| p.id == terms.program).map(|p| p.name.clone());
    Some(page::trace::terms(frame.lang, &name.unwrap_or_else(|| terms.program.to_string()), terms))
}

/// Who would have been owed the order without the winner.
fn loser(frame: &Frame, context: &Context, decided: &StoredDecision, name: &impl Fn(PartnerId) -> String) -> Option<String> {
    let (touch, winner) = (decided.loser.as_ref()?, decided.partner_id?);
    let item = decided.trace.0.iter().find(|item| &item.touch == touch)?;
    let title = page::trace::title(frame.lang, item, None);
    let filling = [
        ("partner", name(winner).into()),
        ("loser", item.partner.map(name).unwrap_or_default().into()),
        ("title", title.into()),
        ("at", frame.lang.instant(context.zone, item.at).into()),
    ];
    Some(frame.say("explain-loser", filling))
}

fn class_of(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Won => "won",
        Verdict::Kept => "kept",
        Verdict::Dropped => "dropped",
    }
}

fn trace_views(
    frame: &Frame,
    context: &Context,
    trace: &[TraceItem],
    touches: &HashMap<String, Touch>,
    opens: Option<DateTime<Utc>>,
    name: &impl Fn(PartnerId) -> String,
) -> Vec<TraceView> {
    let lang = frame.lang;
    let inside = |item: &TraceItem| opens.is_none_or(|opens| item.at >= opens);
    let first_inside = trace.iter().position(inside).filter(|at| opens.is_some() && *at > 0);
    trace
        .iter()
        .enumerate()
        .map(|(index, item)| {
            let touch = touches.get(&item.touch);
            let title = page::trace::title(lang, item, touch);
            let origin =
                touch.map(|t| [&t.source, &t.medium, &t.campaign].into_iter().flatten().map(String::as_str).collect::<Vec<_>>());
            let (reason, numbers) = page::trace::reason(lang, item);
            TraceView {
                at: lang.instant(context.zone, item.at),
                title,
                origin: origin.unwrap_or_default().join(" / "),
                partner: item.partner.map(name),
                verdict: frame.t(words::verdict(item.verdict)),
                class: class_of(item.verdict),
                reason,
                numbers,
                in_window: inside(item),
                opens_window: Some(index) == first_inside,
            }
        })
        .collect()
}

fn time_line(
    frame: &Frame,
    context: &Context,
    order: &Order,
    trace: &[TraceItem],
    opens: Option<DateTime<Utc>>,
) -> Option<TimeLine> {
    let times = || trace.iter().map(|item| item.at).chain(opens).chain([order.placed_at]);
    let (first, last) = (times().min()?, times().max()?);
    if trace.is_empty() || first == last {
        return None;
    }
    let whole = (last - first).num_seconds().max(1) as f64;
    // Ends have room for their dots.
    let place = |at: DateTime<Utc>| format!("{:.2}%", 2.0 + (at - first).num_seconds() as f64 / whole * 96.0);
    let span = |from: DateTime<Utc>, to: DateTime<Utc>| format!("{:.2}%", (to - from).num_seconds() as f64 / whole * 96.0);
    let lang = frame.lang;
    let day = |at| lang.day(context.day(at));
    Some(TimeLine {
        window: opens.map(|opens| (place(opens), span(opens, order.placed_at))),
        window_text: opens
            .map(|opens| frame.say("window-span", [("from", day(opens).into()), ("to", day(order.placed_at).into())])),
        dots: trace.iter().map(|item| (place(item.at), class_of(item.verdict))).collect(),
        order_at: place(order.placed_at),
        from: day(first),
        to: day(last),
    })
}

fn other_policies(frame: &Frame, decided: &StoredDecision, name: &impl Fn(PartnerId) -> String) -> Vec<(String, String, bool)> {
    CreditPolicy::ALL
        .into_iter()
        .filter_map(|policy| decided.other_policies.0.get(policy.name()).map(|partner| (policy, *partner)))
        .map(|(policy, partner)| {
            (frame.t(words::policy(policy)), partner.map_or_else(|| NONE.to_owned(), name), policy == decided.policy)
        })
        .collect()
}
