//! What a rule pays, as it is sent: rate or sum, tiers, base, limits, cap, and for how long repeat orders are paid for.

use super::commission_rule::RuleInput;
use crate::domain::commission::{
    Base, Cap, CapPer, Limits, Recurring, Rule, Step, StepTerms, Terms, TierMode, Tiers, VolumeBy, WrongTiers,
};
use crate::domain::money::Currency;
use crate::service::input::{DecimalInput, Problems};

/// Tiers by a month's volume: an object, or the list of its steps alone.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum TiersInput {
    Steps(Vec<StepInput>),
    Object {
        /// `revenue` (default) or `orders`.
        by: Option<String>,
        /// `marginal` (default): a step's rate holds for what lies in it; `whole_month`: for all, once it is reached.
        mode: Option<String>,
        steps: Vec<StepInput>,
    },
}

/// From which volume on what is paid: an amount of money, or a number of orders.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepInput {
    pub from: DecimalInput,
    /// Where the step ends, if that is said: where the next begins. The last has no end.
    pub to: Option<DecimalInput>,
    pub percent: Option<DecimalInput>,
    pub fixed: Option<DecimalInput>,
}

/// The most that a rule pays in all; an amount alone is by month, for all partners together.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum CapInput {
    Object {
        amount: DecimalInput,
        /// `month` (default) or `total`.
        per: Option<String>,
        /// Each partner has the cap for themselves.
        each_partner: Option<bool>,
    },
    Amount(DecimalInput),
}

/// For how long repeat orders are paid for; `{}` or `true`: for life; `false`: only the first order is.
#[derive(Debug, Clone, serde::Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum RecurringInput {
    Always(bool),
    Object { months: Option<i64>, orders: Option<i64> },
}

/// What is taken off an order's total before a rate is applied; each is, unless it says `false`.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BaseInput {
    pub less_tax: Option<bool>,
    pub less_shipping: Option<bool>,
    /// The total has the discount off already; `false` puts it back.
    pub less_discount: Option<bool>,
}

/// Reads the terms of an input into a rule.
pub(super) fn apply_terms(p: &mut Problems, rule: &mut Rule, currency: Option<Currency>, input: &RuleInput) {
    let given = [input.percent.is_some(), input.fixed.is_some(), input.tiers.is_some()];
    if given.iter().filter(|given| **given).count() > 1 {
        let pointer = if input.tiers.is_some() { "/tiers" } else { "/fixed" };
        return p.add(pointer, "stands beside percent or fixed: one of the three");
    }
    if input.percent.is_some() {
        rule.terms = p.percent("/percent", &input.percent).map_or(rule.terms.clone(), Terms::Percent);
    }
    if input.fixed.is_some() {
        rule.terms = p.amount("/fixed", &input.fixed, currency).map_or(rule.terms.clone(), Terms::Fixed);
    }
    if let Some(tiers) = &input.tiers {
        rule.terms = read_tiers(p, tiers, currency).map_or(rule.terms.clone(), Terms::Tiers);
    }
    if let Some(base) = &input.base {
        let known = rule.base;
        rule.base = Base {
            less_tax: base.less_tax.unwrap_or(known.less_tax),
            less_shipping: base.less_shipping.unwrap_or(known.less_shipping),
            less_discount: base.less_discount.unwrap_or(known.less_discount),
        };
    }
    let mut limit = |pointer, given: &Option<Option<DecimalInput>>, known: Option<i64>| match given {
        None => known,
        Some(given) => p.amount(pointer, given, currency),
    };
    rule.limits = Limits {
        least_minor: limit("/minimum", &input.minimum, rule.limits.least_minor),
        most_minor: limit("/maximum", &input.maximum, rule.limits.most_minor),
    };
    if let Limits { least_minor: Some(least), most_minor: Some(most) } = rule.limits
        && least > most
    {
        p.add("/minimum", "is more than maximum");
    }
    match &input.cap {
        None => {}
        Some(None) => rule.cap = None,
        Some(Some(cap)) => rule.cap = read_cap(p, cap, currency).or(rule.cap),
    }
    match &input.recurring {
        None => {}
        Some(None | Some(RecurringInput::Always(true))) => rule.recurring = None,
        Some(Some(RecurringInput::Always(false))) => rule.recurring = Some(Recurring { months: None, orders: Some(1) }),
        Some(Some(RecurringInput::Object { months, orders })) => {
            let months = p.number("/recurring/months", *months, 1, 1_200).and_then(|months| u32::try_from(months).ok());
            let orders = p.number("/recurring/orders", *orders, 1, 1_000_000);
            rule.recurring = (months.is_some() || orders.is_some()).then_some(Recurring { months, orders });
        }
    }
}

fn read_tiers(p: &mut Problems, input: &TiersInput, currency: Option<Currency>) -> Option<Tiers> {
    let (by, mode, steps, at) = match input {
        TiersInput::Steps(steps) => (&None, &None, steps, "/tiers"),
        TiersInput::Object { by, mode, steps } => (by, mode, steps, "/tiers/steps"),
    };
    let by = p.word("/tiers/by", by).unwrap_or(VolumeBy::Revenue);
    let mode = p.word("/tiers/mode", mode).unwrap_or(TierMode::Marginal);
    let mut read = Vec::with_capacity(steps.len());
    for (index, step) in steps.iter().enumerate() {
        let pointer = |field: &str| format!("{at}/{index}/{field}");
        let volume = |p: &mut Problems, field: &str, given: &DecimalInput| match by {
            VolumeBy::Revenue => p.amount(&pointer(field), &Some(given.clone()), currency),
            VolumeBy::Orders => {
                let count = given.text.parse::<i64>().ok().filter(|count| (0..=1_000_000_000).contains(count));
                p.take(&pointer(field), count.ok_or("must be a whole number of orders"))
            }
        };
        let from = volume(p, "from", &step.from);
        if let Some(end) = step.to.as_ref().and_then(|to| volume(p, "to", to)) {
            match steps.get(index + 1).map(|next| volume(&mut Problems::default(), "from", &next.from)) {
                None => p.add(&pointer("to"), "the last step has no end"),
                Some(Some(next)) if end < next => p.add(&pointer("to"), "leaves a gap up to the next step"),
                Some(Some(next)) if end > next => p.add(&pointer("to"), "overlaps with the next step"),
                Some(_) => {}
            }
        }
        let terms = match (&step.percent, &step.fixed) {
            (Some(_), None) => p.percent(&pointer("percent"), &step.percent).map(StepTerms::Percent),
            (None, Some(_)) => p.amount(&pointer("fixed"), &step.fixed, currency).map(StepTerms::Fixed),
            _ => {
                p.add(&pointer("percent"), "is required, or fixed: one of the two");
                None
            }
        };
        read.push(Step { from: from?, terms: terms? });
    }
    Tiers::new(by, mode, read)
        .map_err(|wrong| {
            let pointer = match wrong {
                WrongTiers::Empty | WrongTiers::NoSuchKind => "/tiers".to_owned(),
                WrongTiers::Gap => format!("{at}/0/from"),
                WrongTiers::NotRising(index) => format!("{at}/{index}/from"),
                WrongTiers::Mixed(index) => format!("{at}/{index}"),
            };
            p.add(&pointer, wrong);
        })
        .ok()
}

fn read_cap(p: &mut Problems, input: &CapInput, currency: Option<Currency>) -> Option<Cap> {
    let (amount, per, each_partner, at) = match input {
        CapInput::Amount(amount) => (amount, &None, false, "/cap"),
        CapInput::Object { amount, per, each_partner } => (amount, per, each_partner.unwrap_or(false), "/cap/amount"),
    };
    let per = p.word("/cap/per", per).unwrap_or(CapPer::Month);
    let minor = p.amount(at, &Some(amount.clone()), currency)?;
    Some(Cap { minor, per, each_partner })
}
