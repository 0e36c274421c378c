//! The tester of commission rules: for an order, past or made up, which rule wins each line, why the others do not, and what
//! that comes to. It reads and never writes.

use super::catalog::RuleOverlap;
use super::claimants::Claimants;
use super::input::Problems;
use super::order::OrderInput;
use super::rules_in_force::{MOST_PRIOR_ORDERS, deal};
use super::{Context, Error, Result};
use crate::domain::commission::{Because, Deal, OrderState, Owed, PaidOn, Rule, RuleKind, WhyNot, assess};
use crate::domain::id::{PartnerId, ProgramId, RuleId};
use crate::domain::order::{CustomerKind, OrderAmounts, OrderItem, OrderStatus};
use crate::store::{Reader, Tx, decision, order, partner, program, rule};
use chrono::{DateTime, Utc};

/// What is asked: an order by its external id, or one that is made up.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleTestInput {
    /// The partner; of a past order, the one it is owed to, if left out.
    pub partner: Option<String>,
    /// The program, where there are several.
    pub program: Option<String>,
    /// The external id of a past order.
    pub order: Option<String>,
    /// An order as `POST /v1/orders` takes it; `external_id` may be left out.
    pub made_up: Option<OrderInput>,
    /// Of a made-up order: `new` (default) or `returning`.
    pub customer: Option<String>,
    /// Of a made-up order: the customer's earlier orders that were owed to a partner.
    pub earlier_orders: Option<i64>,
    /// Of a made-up order: when the first of them was placed.
    pub first_order_at: Option<String>,
}

/// A rule and why it does not pay for an order or a line; none: it does.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Judged {
    pub rule: RuleId,
    pub version: i64,
    pub kind: RuleKind,
    pub why_not: Option<WhyNot>,
}

/// A line of the order with every rule that could matter to it, the winner first.
#[derive(Debug, Clone)]
pub struct JudgedLine {
    pub item: Option<OrderItem>,
    pub rules: Vec<Judged>,
}

/// What the tester says.
#[derive(Debug, Clone)]
pub struct RuleTest {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub placed_at: DateTime<Utc>,
    /// Rules that do not hold for the order at all.
    pub left_out: Vec<Judged>,
    pub lines: Vec<JudgedLine>,
    pub owed: Vec<Owed>,
    /// Rules that hold for the order and that only their age tells apart.
    pub warnings: Vec<RuleOverlap>,
}

struct Tested {
    status: OrderStatus,
    amounts: OrderAmounts,
    placed_at: DateTime<Utc>,
    customer: CustomerKind,
    earlier_orders: i64,
    first_at: Option<DateTime<Utc>>,
    owed_to: Option<(PartnerId, ProgramId)>,
}

/// Tests the rules as they stand today on an order.
///
/// Errors: no order or two, one that is unknown or wrong, no partner, several programs and none named.
pub async fn test_rules(tx: &mut Tx, context: &Context, input: &RuleTestInput) -> Result<RuleTest> {
    let mut p = Problems::default();
    let wanted: Option<PartnerId> = p.parse("/partner", &input.partner);
    let tested = match (&input.order, &input.made_up) {
        (Some(number), None) => past(tx, number, wanted).await?,
        (None, Some(order)) => made_up(&mut p, context, input, order)?,
        _ => return Err(Error::field("/order", "is required, or made_up: one of the two")),
    };
    let known = tested.owed_to;
    let partner_id = wanted.or(known.map(|(partner, _)| partner));
    let Some(partner_id) = p.required("/partner", partner_id) else { return Err(Error::Invalid(p.0)) };
    let Some(found) = partner::by_id(&mut *tx, partner_id).await? else {
        return Err(Error::field("/partner", "there is no such partner"));
    };
    let program = match (known.filter(|_| input.program.is_none()), &input.program) {
        (Some((_, program)), _) => program,
        (None, reference) => {
            let found = super::catalog::find_program(tx, &mut p, reference).await?;
            p.all(found.map(|found| found.id))?
        }
    };
    let terms = program::by_id(&mut *tx, program).await?.ok_or_else(|| Error::not_found(program))?;
    let deal = Deal {
        partner: partner_id,
        group: found.group_name.as_deref(),
        customer: tested.customer,
        placed_at: tested.placed_at,
        on: PaidOn::Order,
        earlier_orders: tested.earlier_orders,
        first_at: tested.first_at,
    };
    let all = rule::of_program(&mut *tx, program).await?;
    let (holding, left_out): (Vec<&Rule>, Vec<&Rule>) = all.iter().partition(|rule| rule.concerns(&deal));
    let holding: Vec<Rule> = holding.into_iter().cloned().collect();
    let left_out = left_out.into_iter().map(|rule| judged(rule, rule.why_not(&deal))).collect();
    let items = &tested.amounts.items;
    let lines: Vec<Option<&OrderItem>> = if items.is_empty() { vec![None] } else { items.iter().map(Some).collect() };
    let lines = lines.into_iter().map(|item| judge_line(item, &holding)).collect();
    let state = OrderState { excluded_categories: &terms.excluded_categories, ..OrderState::new(tested.status, &tested.amounts) };
    let pairs = holding.iter().enumerate().flat_map(|(at, rule)| holding[at + 1..].iter().map(move |other| (rule, other)));
    let warnings = pairs
        .filter_map(|(rule, other)| RuleOverlap::of(other, rule, tested.placed_at))
        .filter(|overlap| overlap.because == Because::Older)
        .collect();
    let owed = assess(state, &holding).map_err(|e| Error::field("/made_up/total", e))?;
    Ok(RuleTest { partner: partner_id, program, placed_at: tested.placed_at, left_out, lines, owed, warnings })
}

fn judged(rule: &Rule, why_not: Option<WhyNot>) -> Judged {
    Judged { rule: rule.id, version: rule.version, kind: rule.kind, why_not }
}

fn judge_line(item: Option<&OrderItem>, rules: &[Rule]) -> JudgedLine {
    let winner = |kind| {
        let fitting = rules.iter().filter(move |rule| rule.kind == kind);
        fitting
            .filter(|rule| rule.kind == RuleKind::SecondTier || rule.why_not_line(item).is_none())
            .max_by_key(|rule| rule.rank())
    };
    let mut all: Vec<Judged> = rules
        .iter()
        .map(|rule| {
            let lost = || winner(rule.kind).filter(|won| won.id != rule.id).map(|won| rule.lost_to(won));
            let of_line = if rule.kind == RuleKind::SecondTier { None } else { rule.why_not_line(item) };
            judged(rule, of_line.or_else(lost))
        })
        .collect();
    all.sort_by_key(|judged| judged.why_not.is_some());
    JudgedLine { item: item.cloned(), rules: all }
}

async fn past(tx: &mut Tx, number: &str, wanted: Option<PartnerId>) -> Result<Tested> {
    let found =
        order::by_external_id(&mut *tx, number.trim()).await?.ok_or_else(|| Error::not_found(format!("order '{number}'")))?;
    let decided = decision::of_order(&mut *tx, found.id).await?;
    let owed_to = decided.as_ref().and_then(|decided| decided.partner_id.zip(decided.program_id));
    let at = found.placed_at.into();
    let returning = order::person_ordered_before(&mut *tx, found.person, found.id, at).await?;
    let customer = if returning { CustomerKind::Returning } else { CustomerKind::New };
    let prior = decision::prior_orders(&mut *tx, found.person, found.id, at, MOST_PRIOR_ORDERS).await?;
    let partner = wanted.or(owed_to.map(|(partner, _)| partner)).unwrap_or(PartnerId(0));
    let program = owed_to.map_or(ProgramId(0), |(_, program)| program);
    let group = Claimants::default().group(&mut Reader::from(&mut *tx), partner).await?;
    let said = deal(found.placed_at, customer, &prior, (partner, program), group.as_deref());
    Ok(Tested {
        status: found.status,
        amounts: found.amounts,
        placed_at: found.placed_at,
        customer,
        earlier_orders: said.earlier_orders,
        first_at: said.first_at,
        owed_to,
    })
}

fn made_up(p: &mut Problems, context: &Context, input: &RuleTestInput, order: &OrderInput) -> Result<Tested> {
    let placed_at = order.placed_at.clone().or_else(|| Some(context.now.to_rfc3339()));
    let external_id = order.external_id.clone().or_else(|| Some("made-up".to_owned()));
    let order = OrderInput { external_id, placed_at, ..order.clone() };
    let checked = order.check(context).map_err(|error| match error {
        Error::Invalid(fields) => Error::Invalid(
            fields
                .into_iter()
                .map(|field| super::FieldError { pointer: format!("/made_up{}", field.pointer), detail: field.detail })
                .collect(),
        ),
        other => other,
    })?;
    let earlier_orders = p.number("/earlier_orders", input.earlier_orders, 0, 1_000_000).unwrap_or(0);
    let default = if earlier_orders > 0 { CustomerKind::Returning } else { CustomerKind::New };
    Ok(Tested {
        status: checked.status,
        amounts: checked.amounts,
        placed_at: checked.placed_at,
        customer: p.word("/customer", &input.customer).unwrap_or(default),
        earlier_orders,
        first_at: p.instant("/first_order_at", &input.first_order_at),
        owed_to: None,
    })
}
