//! The form of one commission rule: what was typed becomes what the API takes, so that the same checks hold for both.

use super::commission_rules::{holds_for, pays};
use crate::domain::commission::{Because, CapPer, PaidOn, Rule, RuleKind, StepTerms, Terms, TierMode, VolumeBy};
use crate::domain::money::{Currency, Money};
use crate::domain::program::Program;
use crate::service::catalog::{BaseInput, CapInput, RecurringInput, RuleInput, RuleOverlap, StepInput, TiersInput};
use crate::service::input::DecimalInput;
use crate::service::{Context, Error, FieldError};
use crate::web::page::Frame;
use crate::web::page::form::Fields;
use askama::Template;
use chrono::{NaiveDate, TimeDelta};
use std::collections::HashMap;

/// Rows for steps of tiers.
const STEPS: usize = 5;

/// A name, its words, and whether it is chosen.
type Choice = (&'static str, String, bool);

#[derive(Template)]
#[template(path = "admin/commission_rule.html")]
pub(super) struct RuleForm {
    frame: Frame,
    here: &'static str,
    /// Empty for a new rule.
    rule: String,
    /// What is known of a rule that is there already: what it holds for and pays now.
    known: Option<(String, String)>,
    is_published: bool,
    problems: Vec<(String, String)>,
    programs: Vec<(String, String, bool)>,
    kinds: Vec<Choice>,
    paid_on: Vec<Choice>,
    customers: Vec<Choice>,
    terms: Vec<Choice>,
    volumes: Vec<Choice>,
    modes: Vec<Choice>,
    units: Vec<Choice>,
    cap_per: Vec<Choice>,
    values: HashMap<&'static str, String>,
    steps: Vec<(usize, String, String)>,
    partners: Vec<(String, String)>,
    each_partner: bool,
    base: [(&'static str, String, bool); 3],
}

const TEXTS: [&str; 15] = [
    "lead", "partner", "group", "product", "category", "percent", "fixed", "minimum", "maximum", "cap", "months", "orders",
    "priority", "starts", "ends",
];

impl RuleForm {
    pub(super) fn of(
        frame: Frame,
        programs: &[Program],
        known: Option<&Rule>,
        fields: &Fields,
        names: &HashMap<String, String>,
        problems: Vec<(String, String)>,
    ) -> RuleForm {
        let choices = |field: &str, of: &[(&'static str, &'static str)]| -> Vec<Choice> {
            of.iter().map(|(name, key)| (*name, frame.t(key), fields.get(field) == *name)).collect()
        };
        let mut partners: Vec<(String, String)> = names.iter().map(|(id, name)| (id.clone(), name.clone())).collect();
        partners.sort_by(|a, b| a.1.cmp(&b.1));
        let currency = known.and_then(|known| programs.iter().find(|p| p.id == known.program)).map(|p| p.currency);
        // A new form has the whole base; one that was sent says what it has.
        let fresh = fields.get("base").is_empty();
        let base =
            [("less_tax", "terms-less-tax"), ("less_shipping", "terms-less-shipping"), ("less_discount", "terms-less-discount")]
                .map(|(name, key)| (name, frame.t(key), fresh || fields.is_ticked(name)));
        RuleForm {
            here: "terms",
            rule: known.map(|known| known.id.to_string()).unwrap_or_default(),
            known: known
                .map(|known| (holds_for(&frame, known, names), currency.map(|c| pays(&frame, known, c)).unwrap_or_default())),
            is_published: known.is_some_and(|known| known.published),
            problems,
            programs: programs
                .iter()
                .map(|p| (p.id.to_string(), format!("{} ({})", p.name, p.currency), fields.get("program") == p.id.to_string()))
                .collect(),
            kinds: choices(
                "kind",
                &[("ordinary", "terms-ordinary"), ("bonus", "terms-bonus"), ("second_tier", "terms-second-tier")],
            ),
            paid_on: choices("on", &[("order", "terms-on-order"), ("lead", "terms-on-lead"), ("click", "terms-on-click")]),
            customers: choices(
                "customer",
                &[("any", "terms-customer-any"), ("new", "terms-customer-new"), ("returning", "terms-customer-returning")],
            ),
            terms: choices("terms", &[("percent", "terms-percent"), ("fixed", "terms-fixed"), ("tiers", "terms-tiers")]),
            volumes: choices("by", &[("revenue", "terms-by-revenue"), ("orders", "terms-by-orders")]),
            modes: choices("mode", &[("marginal", "terms-marginal"), ("whole_month", "terms-whole-month")]),
            units: choices("unit", &[("percent", "terms-percent"), ("fixed", "terms-fixed")]),
            cap_per: choices("cap_per", &[("month", "terms-cap-by-month"), ("total", "terms-cap-in-all")]),
            values: TEXTS.iter().map(|name| (*name, fields.get(name).to_owned())).collect(),
            steps: (1..=STEPS)
                .map(|n| (n, fields.get(&format!("from_{n}")).to_owned(), fields.get(&format!("pays_{n}")).to_owned()))
                .collect(),
            partners,
            each_partner: fields.is_ticked("each_partner"),
            base,
            frame,
        }
    }

    fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }
}

/// A rule as its form has it.
pub(super) fn fields_of(context: &Context, rule: &Rule, currency: Currency) -> Fields {
    let decimal = |minor| Money::new(minor, currency).decimal();
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: String| fields.push((name.to_owned(), value));
    set("program", rule.program.to_string());
    set("base", "1".to_owned());
    match &rule.terms {
        Terms::Percent(rate) => {
            set("terms", "percent".to_owned());
            set("percent", rate.percent());
        }
        Terms::Fixed(minor) => {
            set("terms", "fixed".to_owned());
            set("fixed", decimal(*minor));
        }
        Terms::Tiers(tiers) => {
            set("terms", "tiers".to_owned());
            set("by", if tiers.by == VolumeBy::Orders { "orders" } else { "revenue" }.to_owned());
            set("mode", if tiers.mode == TierMode::Marginal { "marginal" } else { "whole_month" }.to_owned());
            for (n, step) in (1..).zip(&tiers.steps) {
                let from = if tiers.by == VolumeBy::Orders { step.from.to_string() } else { decimal(step.from) };
                let (unit, pays) = match step.terms {
                    StepTerms::Percent(rate) => ("percent", rate.percent()),
                    StepTerms::Fixed(minor) => ("fixed", decimal(minor)),
                };
                set("unit", unit.to_owned());
                set(&format!("from_{n}"), from);
                set(&format!("pays_{n}"), pays);
            }
        }
    }
    for (name, holds) in
        [("less_tax", rule.base.less_tax), ("less_shipping", rule.base.less_shipping), ("less_discount", rule.base.less_discount)]
    {
        if holds {
            set(name, "1".to_owned());
        }
    }
    let mut maybe = |name: &str, value: Option<String>| set(name, value.unwrap_or_default());
    maybe("minimum", rule.limits.least_minor.map(decimal));
    maybe("maximum", rule.limits.most_minor.map(decimal));
    maybe("cap", rule.cap.map(|cap| decimal(cap.minor)));
    maybe("cap_per", rule.cap.map(|cap| if cap.per == CapPer::Month { "month" } else { "total" }.to_owned()));
    maybe("months", rule.recurring.and_then(|r| r.months).map(|n| n.to_string()));
    maybe("orders", rule.recurring.and_then(|r| r.orders).map(|n| n.to_string()));
    maybe("priority", Some(rule.priority.to_string()));
    // A change of a published rule begins now, unless another day is said.
    let starts = !rule.published && rule.starts_at > chrono::DateTime::UNIX_EPOCH;
    maybe("starts", starts.then(|| context.day(rule.starts_at).to_string()));
    maybe("ends", rule.ends_at.map(|end| context.day(end - TimeDelta::microseconds(1)).to_string()));
    if rule.cap.is_some_and(|cap| cap.each_partner) {
        set("each_partner", "1".to_owned());
    }
    Fields::of(fields)
}

/// What the API would be sent. A rule that is there keeps its program and what it holds for.
pub(super) fn input_of(context: &Context, known: Option<&Rule>, fields: &Fields) -> Result<RuleInput, FieldError> {
    let text = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    let decimal = |name: &str| text(name).map(|text| DecimalInput::from(plain(&text).as_str()));
    let number = |name: &str| match text(name) {
        None => Ok(None),
        Some(text) => plain(&text).parse::<i64>().map(Some).map_err(|_| field(name, "must be a whole number")),
    };
    let day = |name: &str| match text(name) {
        None => Ok(None),
        Some(text) => text.parse::<NaiveDate>().map(Some).map_err(|_| field(name, "must be a day like 2026-11-22")),
    };
    let mut input = RuleInput::default();
    if known.is_none() {
        input.program = text("program");
        input.kind = text("kind");
        input.on = text("on");
        input.lead = text("lead");
        input.partner = text("partner");
        input.group = text("group");
        input.product = text("product");
        input.category = text("category");
        input.customer = text("customer");
    }
    match fields.get("terms") {
        "tiers" => input.tiers = Some(tiers(fields)),
        "fixed" => input.fixed = decimal("fixed"),
        _ => input.percent = decimal("percent"),
    }
    let of_orders = known.map_or_else(|| fields.get("on"), |known| if known.on == PaidOn::Order { "order" } else { "" });
    let second_tier = known.is_some_and(|known| known.kind == RuleKind::SecondTier) || fields.get("kind") == "second_tier";
    if of_orders == "order" && !second_tier {
        let ticked = |name: &str| Some(fields.is_ticked(name));
        input.base = Some(BaseInput {
            less_tax: ticked("less_tax"),
            less_shipping: ticked("less_shipping"),
            less_discount: ticked("less_discount"),
        });
    }
    input.minimum = Some(decimal("minimum"));
    input.maximum = Some(decimal("maximum"));
    input.cap = Some(decimal("cap").map(|amount| CapInput::Object {
        amount,
        per: text("cap_per"),
        each_partner: Some(fields.is_ticked("each_partner")),
    }));
    let (months, orders) = (number("months")?, number("orders")?);
    input.recurring = Some((months.is_some() || orders.is_some()).then_some(RecurringInput::Object { months, orders }));
    input.priority = number("priority")?;
    input.starts_at = day("starts")?.map(|day| crate::domain::time::start_of_day(context.zone, day).to_rfc3339());
    input.ends_at = Some(day("ends")?.map(|day| context.end_of_day(day).to_rfc3339()));
    input.state = match fields.get("state") {
        "draft" => Some("draft".to_owned()),
        _ => Some("published".to_owned()),
    };
    Ok(input)
}

fn tiers(fields: &Fields) -> TiersInput {
    let text = |name: &str| Some(fields.get(name).to_owned()).filter(|text| !text.is_empty());
    let decimal = |name: String| DecimalInput::from(plain(fields.get(&name)).as_str());
    let in_percent = fields.get("unit") != "fixed";
    let filled = |n: &usize| !fields.get(&format!("from_{n}")).is_empty() || !fields.get(&format!("pays_{n}")).is_empty();
    let steps = (1..=STEPS).filter(filled).map(|n| {
        let pays = decimal(format!("pays_{n}"));
        let (percent, fixed) = if in_percent { (Some(pays), None) } else { (None, Some(pays)) };
        StepInput { from: decimal(format!("from_{n}")), to: None, percent, fixed }
    });
    TiersInput::Object { by: text("by"), mode: text("mode"), steps: steps.collect() }
}

/// A number as people type it: `1 234,5`.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == ',' { '.' } else { c }).collect()
}

fn field(name: &str, detail: &str) -> FieldError {
    FieldError { pointer: format!("/{name}"), detail: detail.to_owned() }
}

/// What is wrong: the name of the field, and what the service says of it.
pub(super) fn problems(frame: &Frame, error: &Error) -> Vec<(String, String)> {
    match error {
        Error::Invalid(fields) => fields.iter().map(|f| (frame.t(label(&f.pointer)), f.detail.clone())).collect(),
        other => vec![(frame.t("terms-contradiction"), other.to_string())],
    }
}

/// The label of the field that a pointer means.
fn label(pointer: &str) -> &'static str {
    match pointer.trim_start_matches('/').split('/').next().unwrap_or_default() {
        "program" => "terms-program",
        "partner" => "column-partner",
        "group" => "terms-group",
        "product" => "terms-product",
        "category" => "terms-category",
        "customer" => "order-customer",
        "on" => "terms-on",
        "kind" => "terms-kind",
        "lead" => "commission-lead",
        "percent" => "terms-percent",
        "fixed" => "terms-fixed",
        "tiers" => "terms-tiers",
        "minimum" => "terms-minimum",
        "maximum" => "terms-maximum",
        "cap" => "terms-cap",
        "recurring" | "months" | "orders" => "terms-recurring",
        "priority" => "terms-priority",
        "starts_at" | "starts" => "terms-starts",
        "ends_at" | "ends" => "terms-ends",
        _ => "terms-rule",
    }
}

/// Whether an overlap is one that people may not have meant: the same dimensions with another priority, or told apart by age.
pub(super) fn is_worth_saying(because: Because) -> bool {
    matches!(because, Because::HigherPriority | Because::Older)
}

/// An overlap in the reader's language.
pub(super) fn warning(frame: &Frame, overlap: &RuleOverlap) -> String {
    let why = match overlap.because {
        Because::NamesLead => "terms-because-lead",
        Because::MoreDimensions => "terms-because-dimensions",
        Because::Nearer => "terms-because-nearer",
        Because::HigherPriority => "terms-because-priority",
        Because::Older => "terms-because-older",
    };
    let filling =
        [("rule", overlap.rule.to_string().into()), ("wins", overlap.wins.to_string().into()), ("why", frame.t(why).into())];
    frame.say("terms-overlap", filling)
}
