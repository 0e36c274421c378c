//! The tester of commission rules on a page: an order, past or made up, and what the rules say of it.

use super::commission_rule_form::{plain, warning};
use crate::domain::commission::{Explanation, RuleKind};
use crate::domain::id::PartnerId;
use crate::domain::money::Money;
use crate::domain::program::Program;
use crate::service::input::DecimalInput;
use crate::service::order::{ItemInput, OrderInput};
use crate::service::rule_test::{Judged, RuleTest, RuleTestInput, test_rules};
use crate::service::{Context, Error};
use crate::web::App;
use crate::web::page::form::Fields;
use crate::web::page::{self, Frame, words};
use crate::web::who::PageError;
use std::collections::HashMap;

/// What is asked, as it was typed.
pub(super) struct Asked {
    pub order: String,
    pub partner: String,
    pub total: String,
    pub sku: String,
    pub category: String,
    pub programs: Vec<(String, String, bool)>,
    pub returning: bool,
}

impl Asked {
    pub(super) fn of(query: &Fields, programs: &[Program]) -> Asked {
        let text = |name: &str| query.get(name).to_owned();
        Asked {
            order: text("order"),
            partner: text("partner"),
            total: text("total"),
            sku: text("sku"),
            category: text("category"),
            programs: programs
                .iter()
                .map(|p| (p.id.to_string(), p.name.clone(), query.get("program") == p.id.to_string()))
                .collect(),
            returning: query.is_ticked("returning"),
        }
    }
}

/// What the rules say.
pub(super) struct TestView {
    pub partner: String,
    /// Formula and amount of each commission, with its rule.
    pub owed: Vec<(String, String, String)>,
    pub lines: Vec<LineView>,
    pub left_out: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

pub(super) struct LineView {
    pub name: String,
    pub wins: Vec<String>,
    pub others: Vec<(String, String)>,
}

/// Answers what is asked; `None`: nothing is. What cannot be answered is said as the service says it.
pub(super) async fn tested(
    app: &App,
    context: &Context,
    frame: &Frame,
    asked: &Asked,
    programs: &[Program],
    names: &HashMap<String, String>,
) -> Result<Option<Result<TestView, String>>, PageError> {
    if asked.order.is_empty() && asked.total.is_empty() {
        return Ok(None);
    }
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let chosen = asked.programs.iter().find(|(_, _, chosen)| *chosen).map(|(id, ..)| id.clone());
    let mut input = RuleTestInput { partner: filled(&asked.partner), ..RuleTestInput::default() };
    if asked.order.is_empty() {
        let of = chosen.as_ref().and_then(|id| programs.iter().find(|p| p.id.to_string() == *id)).or(programs.first());
        input.program = of.map(|program| program.id.to_string());
        let total = DecimalInput::from(plain(&asked.total).as_str());
        let item = ItemInput {
            sku: filled(&asked.sku),
            category: filled(&asked.category),
            amount: Some(total.clone()),
            ..ItemInput::default()
        };
        let has_item = item.sku.is_some() || item.category.is_some();
        input.made_up = Some(OrderInput {
            currency: of.map(|program| program.currency.to_string()),
            total: Some(total),
            items: has_item.then(|| vec![item]),
            ..OrderInput::default()
        });
        input.customer = asked.returning.then(|| "returning".to_owned());
    } else {
        input.order = Some(asked.order.clone());
    }
    // It reads within a transaction that is dropped.
    let mut tx = app.service.db.begin().await?;
    match test_rules(&mut tx, context, &input).await {
        Ok(said) => Ok(Some(Ok(view_of(frame, &said, names)))),
        Err(Error::Store(error)) => Err(error.into()),
        Err(Error::Invalid(fields)) => Ok(Some(Err(fields.iter().map(|f| f.detail.clone()).collect::<Vec<_>>().join("; ")))),
        Err(error) => Ok(Some(Err(error.to_string()))),
    }
}

fn view_of(frame: &Frame, said: &RuleTest, names: &HashMap<String, String>) -> TestView {
    let lang = frame.lang;
    let name = |id: PartnerId| names.get(&id.to_string()).cloned().unwrap_or_else(|| id.to_string());
    let of_rule = |judged: &Judged| {
        let version = frame.say("rule-version", [("rule", judged.rule.to_string().into()), ("version", judged.version.into())]);
        match judged.kind {
            RuleKind::Ordinary => version,
            other => format!("{version} ({})", frame.t(words::rule_kind(other))),
        }
    };
    let why = |judged: &Judged| Some((of_rule(judged), frame.t(words::why_not(judged.why_not?))));
    let lines = said.lines.iter().map(|line| {
        let item = line.item.as_ref();
        let named = item.and_then(|item| item.name.clone().or_else(|| item.sku.clone()).or_else(|| item.category.clone()));
        LineView {
            name: named.unwrap_or_else(|| frame.t("terms-test-whole")),
            wins: line.rules.iter().filter(|judged| judged.why_not.is_none()).map(of_rule).collect(),
            others: line.rules.iter().filter_map(why).collect(),
        }
    });
    let owed = said.owed.iter().map(|owed| {
        let version = [("rule", owed.rule.to_string().into()), ("version", owed.rule_version.into())];
        let formula = page::formula::formula(lang, &Explanation::Order(owed.clone()), &name);
        (formula, lang.money(Money::new(owed.owed_minor, owed.currency)), frame.say("rule-version", version))
    });
    TestView {
        partner: name(said.partner),
        owed: owed.collect(),
        lines: lines.collect(),
        left_out: said.left_out.iter().filter_map(why).collect(),
        warnings: said.warnings.iter().map(|overlap| warning(frame, overlap)).collect(),
    }
}
