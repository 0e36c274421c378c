//! The merchant's own channel rules in their order, the built-in table after them, and a tester for both. All of it is
//! forms; a test is its URL.

use super::rule_form::{self, RulePage, Typed};
use super::tester::{Question, ResultView, tested};
use crate::domain::channel::{ChannelRule, Comparison, Condition, documentation};
use crate::service::Error;
use crate::service::catalog::{channel_rules, replace_channel_rules_seen, version_of};
use crate::store::Tx;
use crate::web::App;
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other, segment, words};
use crate::web::who::{PageError, Staff};
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

pub(super) const PATH: &str = "/admin/channel-rules";

#[derive(Template)]
#[template(path = "admin/channel_rules.html")]
struct RulesPage {
    frame: Frame,
    here: &'static str,
    may_edit: bool,
    seen: String,
    saved: bool,
    problem: Option<String>,
    question: Question,
    result: Option<ResultView>,
    rules: Vec<RuleView>,
    builtin: Vec<BuiltinView>,
}

struct RuleView {
    name: String,
    conditions: Vec<String>,
    channel: String,
    replaces: Option<String>,
    href: String,
    decides: bool,
    is_first: bool,
    is_last: bool,
}

struct BuiltinView {
    name: String,
    when: String,
    gives: String,
    decides: bool,
}

/// `GET /admin/channel-rules?url=&referrer=&user_agent=`.
pub async fn channel_rules_page(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    let rules = channel_rules(&app.service.db).await?;
    shown(&app, &request, staff, &rules, StatusCode::OK, None).await
}

async fn shown(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    rules: &[ChannelRule],
    status: StatusCode,
    problem: Option<&'static str>,
) -> Result<HttpResponse, PageError> {
    let query = Fields::of_query(request);
    let question = Question::of(&query);
    let may_edit = staff.0.role.may_set_rules();
    let back = request.uri().path_and_query().filter(|_| status == StatusCode::OK).map_or(PATH, |p| p.as_str());
    let frame = Frame::with_way_back(app, request, Some(staff.0), back).await;
    let result = tested(&app.links.snapshot(), &frame, rules, &question);
    let own = result.as_ref().and_then(|result| result.own_rule);
    let row = result.as_ref().map(|result| result.row);
    let last = rules.len().saturating_sub(1);
    let page = RulesPage {
        here: "rules",
        may_edit,
        seen: version_of(rules),
        saved: query.is_ticked("saved"),
        problem: problem.map(|key| frame.t(key)),
        rules: rules
            .iter()
            .enumerate()
            .map(|(index, rule)| RuleView {
                is_first: index == 0,
                is_last: index == last,
                decides: own == Some(index),
                ..view_of(&frame, rule)
            })
            .collect(),
        builtin: documentation::table()
            .enumerate()
            .map(|(index, rule)| {
                let [name, when, gives] = words::builtin_rule(rule.name).map(|key| frame.t(key));
                BuiltinView { name, when, gives, decides: row == Some(index) }
            })
            .collect(),
        question,
        result,
        frame,
    };
    Ok(answer(status, &page))
}

fn view_of(frame: &Frame, rule: &ChannelRule) -> RuleView {
    let replaced = [("condition-source", rule.source()), ("condition-medium", rule.medium())];
    let replaced: Vec<String> =
        replaced.into_iter().filter_map(|(key, text)| Some(format!("{}: {}", frame.t(key), text?))).collect();
    RuleView {
        name: rule.name().to_owned(),
        conditions: rule.conditions().iter().map(|condition| condition_text(frame, condition)).collect(),
        channel: frame.t(words::channel(rule.channel())),
        replaces: (!replaced.is_empty()).then(|| replaced.join(", ")),
        href: edit_href(rule.name()),
        decides: false,
        is_first: false,
        is_last: false,
    }
}

fn edit_href(name: &str) -> String {
    format!("{PATH}/edit?rule={}", segment(name))
}

fn condition_text(frame: &Frame, condition: &Condition) -> String {
    let (field, is) = (frame.t(words::rule_field(condition.field())), frame.t(words::comparison(condition.comparison())));
    match condition.comparison() {
        Comparison::Present | Comparison::Absent => {
            frame.say("rules-condition-bare", [("field", field.into()), ("is", is.into())])
        }
        _ => frame.say("rules-condition", [("field", field.into()), ("is", is.into()), ("value", condition.value().into())]),
    }
}

/// `GET /admin/channel-rules/edit?rule=`: one rule, or a new one.
pub async fn channel_rule_page(app: Data<App>, request: HttpRequest, staff: Staff) -> Result<HttpResponse, PageError> {
    staff.may_set_rules()?;
    let rules = channel_rules(&app.service.db).await?;
    let query = Fields::of_query(&request);
    let typed = match query.get("rule") {
        "" => Typed::default(),
        name => match rules.iter().find(|rule| rule.name() == name) {
            Some(rule) => Typed::of_rule(rule),
            None => return Err(Problem::new(StatusCode::NOT_FOUND, "not-found", "there is no such rule").into()),
        },
    };
    let frame = Frame::of(&app, &request, Some(staff.0)).await;
    let page = RulePage::of(&app, frame, &rules, typed, Question::of(&query), None);
    Ok(answer(StatusCode::OK, &page))
}

/// `POST /admin/channel-rules`: `act` is what is done with the list that was `seen`.
pub async fn change_channel_rules(
    app: Data<App>,
    request: HttpRequest,
    staff: Staff,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    staff.may_set_rules()?;
    staff.0.check_csrf(fields.get("csrf"))?;
    let mut tx = app.service.db.begin().await?;
    let rules = channel_rules(&mut tx).await?;
    match fields.get("act") {
        "up" | "down" | "remove" => arrange(&app, &request, staff, tx, rules, &fields).await,
        "save" => save(&app, &request, staff, tx, rules, &fields).await,
        _ => {
            drop(tx);
            // Another try, or more room: nothing is stored.
            let mut typed = Typed::of_fields(&fields);
            if fields.get("act") == "more" {
                typed.add_rows();
            }
            let frame = Frame::with_way_back(&app, &request, Some(staff.0), &edit_href(&typed.was)).await;
            let problem = match fields.get("act") {
                "try" => typed.rule().err().map(|error| rule_form::problem(&frame, &typed, &error)),
                _ => None,
            };
            let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            let page = RulePage::of(&app, frame, &rules, typed, Question::of(&fields), problem).seen(fields.get("seen"));
            Ok(answer(status, &page))
        }
    }
}

async fn arrange(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    mut tx: Tx,
    mut rules: Vec<ChannelRule>,
    fields: &Fields,
) -> Result<HttpResponse, PageError> {
    let context = app.service.context(&staff.0.email);
    let current = rules.clone();
    let at = rules.iter().position(|rule| rule.name() == fields.get("rule"));
    match (at, fields.get("act")) {
        (Some(at), "up") if at > 0 => rules.swap(at, at - 1),
        (Some(at), "down") if at + 1 < rules.len() => rules.swap(at, at + 1),
        (Some(at), "remove") => drop(rules.remove(at)),
        _ => {}
    }
    match replace_channel_rules_seen(&mut tx, &context, fields.get("seen"), &rules).await {
        Ok(()) => {
            tx.commit().await?;
            Ok(see_other(&format!("{PATH}?saved=1")))
        }
        Err(Error::Refused { .. }) => {
            drop(tx);
            shown(app, request, staff, &current, StatusCode::CONFLICT, Some("rules-conflict")).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn save(
    app: &App,
    request: &HttpRequest,
    staff: Staff,
    mut tx: Tx,
    rules: Vec<ChannelRule>,
    fields: &Fields,
) -> Result<HttpResponse, PageError> {
    let context = app.service.context(&staff.0.email);
    let typed = Typed::of_fields(fields);
    let frame = Frame::with_way_back(app, request, Some(staff.0), &edit_href(&typed.was)).await;
    let (status, problem) = match typed.rule() {
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, rule_form::problem(&frame, &typed, &error)),
        Ok(rule) => {
            match replace_channel_rules_seen(&mut tx, &context, fields.get("seen"), &typed.put_into(&rules, rule)).await {
                Ok(()) => {
                    tx.commit().await?;
                    return Ok(see_other(&format!("{PATH}?saved=1")));
                }
                Err(Error::Refused { .. }) => (StatusCode::CONFLICT, frame.t("rules-conflict-form")),
                Err(Error::Invalid(_)) => (StatusCode::UNPROCESSABLE_ENTITY, frame.t("rules-problem-taken")),
                Err(error) => return Err(error.into()),
            }
        }
    };
    drop(tx);
    // The list as it is now: whoever saves once more has seen what was said.
    let seen = if status == StatusCode::CONFLICT { version_of(&rules) } else { fields.get("seen").to_owned() };
    let page = RulePage::of(app, frame, &rules, typed, Question::of(fields), Some(problem)).seen(&seen);
    Ok(answer(status, &page))
}
