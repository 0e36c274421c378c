//! The commission rules that can matter to a partner's order, as they are frozen with its decision.

use super::Result;
use super::claimants::Claimants;
use crate::domain::commission::{CapPer, Deal, PaidOn, Rule, RuleKind};
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::order::CustomerKind;
use crate::domain::payable::{Basis, PriorOrder};
use crate::domain::time::Period;
use crate::store::order::Order;
use crate::store::{Reader, commission_volume, decision};
use chrono::{DateTime, Utc};

/// Earlier orders of a customer that are looked at.
pub(super) const MOST_PRIOR_ORDERS: i64 = 1_000;

/// The rules of a program that hold for a partner's order, at the time it was placed; of those with a cap, with what the
/// cap leaves.
pub(super) async fn rules_in_force(
    reader: &mut Reader<'_>,
    claimants: &mut Claimants,
    order: &Order,
    (on, customer): (PaidOn, CustomerKind),
    (partner, program): (PartnerId, ProgramId),
) -> Result<Vec<Rule>> {
    let all = claimants.rules(reader, program).await?;
    let group = claimants.group(reader, partner).await?;
    let recurs = customer == CustomerKind::Returning && all.iter().any(|rule| rule.recurring.is_some());
    let prior = if recurs {
        let at = order.placed_at.into();
        decision::prior_orders(reader.again(), order.person, order.id, at, MOST_PRIOR_ORDERS).await?
    } else {
        Vec::new()
    };
    let said = deal(order.placed_at, customer, &prior, (partner, program), group.as_deref());
    let mut rules = in_force(&all, &Deal { on, ..said });
    let month = Period::of(order.day).to_string();
    for rule in &mut rules {
        let Some(cap) = rule.cap else { continue };
        let of = cap.each_partner.then_some(partner);
        let period = (cap.per == CapPer::Month).then_some(month.as_str());
        let spent = commission_volume::spent(reader.again(), rule.id, of, period).await?;
        rule.cap_left_minor = Some((cap.minor - spent).max(0));
    }
    Ok(rules)
}

/// What rules look at, for a partner of a program and a customer with earlier orders.
pub(super) fn deal<'a>(
    placed_at: DateTime<Utc>,
    customer: CustomerKind,
    prior: &[PriorOrder],
    (partner, program): (PartnerId, ProgramId),
    group: Option<&'a str>,
) -> Deal<'a> {
    let earlier = || prior.iter().filter(|order| order.program == program);
    let (earlier_orders, first_at) = (earlier().count() as i64, earlier().map(|order| order.placed_at).min());
    Deal { partner, group, customer, placed_at, on: PaidOn::Order, earlier_orders, first_at }
}

/// The rules that concern an order.
pub(super) fn in_force(rules: &[Rule], deal: &Deal<'_>) -> Vec<Rule> {
    rules.iter().filter(|rule| rule.concerns(deal)).cloned().collect()
}

/// Marks who can be paid nothing, for the caps of all rules that would pay are used up.
pub(super) async fn mark_caps(
    reader: &mut Reader<'_>,
    claimants: &mut Claimants,
    order: &Order,
    on: PaidOn,
    basis: &mut Basis,
) -> Result<()> {
    let customer = basis.order.customer;
    for claimant in basis.claimants_mut() {
        let of = (claimant.partner, claimant.terms.program);
        if !claimants.rules(reader, of.1).await?.iter().any(|rule| rule.cap.is_some()) {
            continue;
        }
        let rules = rules_in_force(reader, claimants, order, (on, customer), of).await?;
        let mut ordinary = rules.iter().filter(|rule| rule.kind == RuleKind::Ordinary).peekable();
        claimant.cap_reached = ordinary.peek().is_some() && ordinary.all(|rule| rule.cap_left_minor == Some(0));
    }
    Ok(())
}
