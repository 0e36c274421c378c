//! The commission rules of all programs, what stands beside what, and a tester: all of it is forms, a test is its URL.

use super::commission_rule_form::{self as form, RuleForm};
use super::commission_test::{Asked, TestView, tested};
use crate::domain::commission::{Cap, CapPer, CustomerCondition, PaidOn, Rule, RuleKind, StepTerms, Terms};
use crate::domain::id::{ProgramId, RuleId};
use crate::domain::money::{Currency, Money};
use crate::domain::program::Program;
use crate::service::catalog::{change_rule, make_rule, overlaps_among};
use crate::service::{Context, Error, report};
use crate::store::{program, rule as rules};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use std::collections::{BTreeMap, HashMap};

pub(super) const PATH: &str = "/admin/commission-rules";

#[derive(Template)]
#[template(path = "admin/commission_rules.html")]
struct RulesPage {
    frame: Frame,
    here: &'static str,
    may_edit: bool,
    saved: bool,
    asked: Asked,
    tested: Option<Result<TestView, String>>,
    programs: Vec<ProgramView>,
}

struct ProgramView {
    id: String,
    name: String,
    currency: String,
    rules: Vec<RuleView>,
}

struct RuleView {
    id: String,
    href: String,
    pays: String,
    holds_for: String,
    more: Vec<String>,
    state: String,
    state_class: &'static str,
    span: String,
    warnings: Vec<String>,
}

/// `GET /admin/commission-rules?order=&partner=&program=&total=&sku=&category=&customer=`.
pub async fn commission_rules_page(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let context = app.service.context(&staff.0.email);
    let may_edit = staff.0.role.may_set_terms();
    let query = Fields::of_query(&request);
    let frame = Frame::of(&app, &request, Some(staff.0)).await;
    let names = report::partner_names(db).await?;
    let all = program::all(db).await?;
    let asked = Asked::of(&query, &all);
    let tested = tested(&app, &context, &frame, &asked, &all, &names).await?;
    let mut programs = Vec::with_capacity(all.len());
    for found in &all {
        let versions = rules::of_program(db, found.id).await?;
        // In the order of rules and versions: the newest comes last.
        let newest: BTreeMap<RuleId, &Rule> = versions.iter().map(|rule| (rule.id, rule)).collect();
        let mut views = Vec::new();
        for rule in newest.into_values() {
            let warnings = overlaps_among(&versions, rule, context.now);
            let mut view = view_of(&frame, &context, rule, found.currency, &names);
            let in_force = |r: &&Rule| r.starts_at <= context.now && r.ends_at.is_none_or(|end| context.now < end);
            let before = versions.iter().filter(|r| r.id == rule.id && r.version < rule.version && r.published).find(in_force);
            if let Some(before) = before {
                let now = pays(&frame, before, found.currency);
                view.more.insert(0, frame.say("terms-until-then", [("pays", now.into())]));
            }
            // A wider rule that simply loses to a narrower one is the usual case, and not worth a word.
            let told = warnings.iter().filter(|w| form::is_worth_saying(w.because));
            let warnings = told.map(|w| form::warning(&frame, w)).collect();
            views.push(RuleView { warnings, ..view });
        }
        programs.push(ProgramView {
            id: found.id.to_string(),
            name: found.name.clone(),
            currency: found.currency.to_string(),
            rules: views,
        });
    }
    let page = RulesPage { here: "terms", may_edit, saved: query.is_ticked("saved"), asked, tested, programs, frame };
    Ok(answer(StatusCode::OK, &page))
}

fn view_of(frame: &Frame, context: &Context, rule: &Rule, currency: Currency, names: &HashMap<String, String>) -> RuleView {
    let lang = frame.lang;
    let day = |at| lang.day(context.day(at));
    let since_ever = rule.starts_at <= chrono::DateTime::UNIX_EPOCH;
    let (state, state_class) = match () {
        () if !rule.published => ("terms-draft", ""),
        () if rule.ends_at.is_some_and(|end| end <= context.now) => ("terms-ended", "reversed"),
        () if rule.starts_at > context.now => ("terms-planned", "held"),
        () => ("terms-in-force", "paid"),
    };
    let last = rule.ends_at.map(|end| day(end - chrono::TimeDelta::microseconds(1)));
    let span = match (since_ever, last) {
        (true, None) => frame.t("terms-always"),
        (true, Some(last)) => frame.say("terms-until", [("to", last.into())]),
        (false, None) => frame.say("terms-since", [("from", day(rule.starts_at).into())]),
        (false, Some(last)) => frame.say("span", [("from", day(rule.starts_at).into()), ("to", last.into())]),
    };
    RuleView {
        id: frame.say("rule-version", [("rule", rule.id.to_string().into()), ("version", rule.version.into())]),
        href: format!("{PATH}/edit?rule={}", rule.id),
        pays: pays(frame, rule, currency),
        holds_for: holds_for(frame, rule, names),
        more: more(frame, rule, currency),
        state: frame.t(state),
        state_class,
        span,
        warnings: Vec::new(),
    }
}

/// What a rule pays: `10 %`, `50,00 ₽ per order`, or its steps.
pub(super) fn pays(frame: &Frame, rule: &Rule, currency: Currency) -> String {
    let lang = frame.lang;
    let money = |minor| lang.money(Money::new(minor, currency));
    let each = match rule.on {
        PaidOn::Order => "terms-per-order",
        PaidOn::Lead => "terms-per-lead",
        PaidOn::Click => "terms-per-click",
    };
    let step = |terms: StepTerms| match terms {
        StepTerms::Percent(rate) => lang.percent_of_text(&rate.percent()),
        StepTerms::Fixed(minor) => frame.say(each, [("amount", money(minor).into())]),
    };
    match &rule.terms {
        Terms::Percent(rate) => step(StepTerms::Percent(*rate)),
        Terms::Fixed(minor) => step(StepTerms::Fixed(*minor)),
        Terms::Tiers(tiers) => {
            let by_orders = tiers.by == crate::domain::commission::VolumeBy::Orders;
            let from = |volume| if by_orders { lang.whole(volume) } else { money(volume) };
            let one = |s: &crate::domain::commission::Step| {
                frame.say("terms-step", [("from", from(s.from).into()), ("pays", step(s.terms).into())])
            };
            tiers.steps.iter().map(one).collect::<Vec<_>>().join("; ")
        }
    }
}

/// For what a rule holds, in words.
pub(super) fn holds_for(frame: &Frame, rule: &Rule, names: &HashMap<String, String>) -> String {
    let mut parts = Vec::new();
    if rule.kind != RuleKind::Ordinary {
        parts.push(frame.t(words::rule_kind(rule.kind)));
    }
    if let Some(lead) = &rule.lead {
        parts.push(frame.say("terms-of-lead", [("lead", lead.as_str().into())]));
    }
    if let Some(partner) = rule.partner {
        parts.push(names.get(&partner.to_string()).cloned().unwrap_or_else(|| partner.to_string()));
    }
    for (key, text) in
        [("terms-of-group", &rule.group), ("terms-of-product", &rule.product), ("terms-of-category", &rule.category)]
    {
        if let Some(text) = text {
            parts.push(frame.say(key, [("name", text.as_str().into())]));
        }
    }
    if rule.customer != CustomerCondition::Any {
        parts.push(frame.t(words::customer_condition(rule.customer)));
    }
    if parts.is_empty() { frame.t("terms-all") } else { parts.join(" · ") }
}

fn more(frame: &Frame, rule: &Rule, currency: Currency) -> Vec<String> {
    let money = |minor| frame.lang.money(Money::new(minor, currency));
    let mut parts = Vec::new();
    let limits = [("terms-least", rule.limits.least_minor), ("terms-most", rule.limits.most_minor)];
    for (key, minor) in limits.into_iter().filter_map(|(key, minor)| Some((key, minor?))) {
        parts.push(frame.say(key, [("amount", money(minor).into())]));
    }
    if let Some(Cap { minor, per, .. }) = rule.cap {
        let key = if per == CapPer::Month { "terms-cap-month" } else { "terms-cap-total" };
        parts.push(frame.say(key, [("amount", money(minor).into())]));
    }
    if let Some(recurring) = rule.recurring {
        if let Some(months) = recurring.months {
            parts.push(frame.say("terms-months", [("count", i64::from(months).into())]));
        }
        if let Some(orders) = recurring.orders {
            parts.push(frame.say("terms-orders", [("count", orders.into())]));
        }
    }
    if rule.priority != 0 {
        parts.push(frame.say("terms-priority-of", [("priority", rule.priority.into())]));
    }
    parts
}

/// `GET /admin/commission-rules/edit?rule=&program=`: a rule, or a new one.
pub async fn commission_rule_page(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    staff.may_set_terms()?;
    let query = Fields::of_query(&request);
    let context = app.service.context(&staff.0.email);
    let frame = Frame::of(&app, &request, Some(staff.0)).await;
    let known = known_rule(&app, query.get("rule")).await?;
    let programs = program::all(&app.service.db).await?;
    let fields = match &known {
        Some(known) => form::fields_of(&context, known, currency_of(&programs, known.program)),
        None => query,
    };
    let names = report::partner_names(&app.service.db).await?;
    let page = RuleForm::of(frame, &programs, known.as_ref(), &fields, &names, Vec::new());
    Ok(answer(StatusCode::OK, &page))
}

async fn known_rule(app: &App, text: &str) -> Result<Option<Rule>, PageError> {
    if text.is_empty() {
        return Ok(None);
    }
    let unknown = || Problem::new(StatusCode::NOT_FOUND, "not-found", "there is no such rule");
    let id: RuleId = text.parse().map_err(|_| unknown())?;
    Ok(Some(rules::newest(&app.service.db, id).await?.ok_or_else(unknown)?))
}

fn currency_of(programs: &[Program], id: ProgramId) -> Currency {
    programs.iter().find(|program| program.id == id).map_or(Currency::RUB, |program| program.currency)
}

/// `POST /admin/commission-rules`: saves what was typed; `state` says whether as a draft.
pub async fn save_commission_rule(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_set_terms()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let context = app.service.context(&staff.0.email);
    let known = known_rule(&app, fields.get("rule")).await?;
    let input = form::input_of(&context, known.as_ref(), &fields);
    let mut tx = app.service.db.begin().await?;
    let done = match (&input, &known) {
        (Err(problem), _) => Err(Error::Invalid(vec![problem.clone()])),
        (Ok(input), None) => make_rule(&mut tx, &context, input).await,
        (Ok(input), Some(known)) => change_rule(&mut tx, &context, known.id, input).await,
    };
    let error = match done {
        Ok(_) => {
            tx.commit().await?;
            return Ok(see_other(&format!("{PATH}?saved=1")));
        }
        Err(Error::Store(error)) => return Err(error.into()),
        Err(error) => error,
    };
    drop(tx);
    let back = known.as_ref().map_or_else(|| format!("{PATH}/edit"), |known| format!("{PATH}/edit?rule={}", known.id));
    let frame = Frame::with_way_back(&app, &request, Some(staff.0), &back).await;
    let problems = form::problems(&frame, &error);
    let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    let programs = program::all(&app.service.db).await?;
    let names = report::partner_names(&app.service.db).await?;
    Ok(answer(status, &RuleForm::of(frame, &programs, known.as_ref(), &fields, &names, problems)))
}
