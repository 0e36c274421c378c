//! What an order owes, and to whom, by its final state and its decision alone.

use crate::domain::commission::RefundedLine;
use crate::domain::commission::{
    Explanation, OrderState, Owed, Rule, RuleKind, SecondTierOwed, Terms, TooLarge, Volume, assess, second_tier,
};
use crate::domain::id::{PartnerId, ProgramId, RuleId};
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::refund::Refund;

/// What a partner is owed under one rule.
#[derive(Debug, Clone)]
pub struct Due {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub explanation: Explanation,
}

impl Due {
    /// Whether there is anything to keep: money, or what tiers and caps count.
    pub fn owes_something(&self) -> bool {
        self.explanation.owed_minor() != 0 || counted(&self.explanation).unwrap_or_default() != Volume::default()
    }
}

/// The lines that refunds name.
pub fn refunded_lines(refunds: &[Refund]) -> Vec<RefundedLine> {
    let lines = refunds.iter().flat_map(|refund| &refund.items.0);
    lines.map(|item| RefundedLine { sku: item.sku.clone(), name: item.name.clone(), minor: item.amount_minor }).collect()
}

/// All that an order owes; `declined` says what a person declined, which is owed nothing, and nothing of which a recruiter
/// is owed anything.
pub fn due(
    order: &Order,
    decided: &StoredDecision,
    refunded_lines: &[RefundedLine],
    declined: impl Fn(PartnerId, RuleId) -> bool,
) -> Result<Vec<Due>, TooLarge> {
    let touches = decided.touches_shared();
    let mut dues: Vec<Due> = Vec::new();
    let mut tiers: Vec<(PartnerId, PartnerId, ProgramId, &Rule, i64)> = Vec::new();
    for part in decided.owing(&touches) {
        let state = OrderState {
            status: order.status,
            amounts: &order.amounts,
            portion: part.portion,
            refunded_lines,
            excluded_categories: decided.excluded_categories(part.program),
        };
        let mut earned = 0;
        for owed in assess(state, part.rules)? {
            let rule = owed.rule;
            let mut explanation = Explanation::Order(owed);
            if declined(part.partner, rule) {
                explanation = explanation.declined();
            }
            earned += explanation.owed_minor();
            dues.push(Due { partner: part.partner, program: part.program, explanation });
        }
        let best = part.rules.iter().filter(|rule| rule.kind == RuleKind::SecondTier).max_by_key(|rule| rule.rank());
        if let Some((recruiter, rule)) = part.recruiter.zip(best) {
            match tiers.iter_mut().find(|(known, _, _, of, _)| (*known, of.id) == (recruiter, rule.id)) {
                Some((.., sum)) => *sum += earned,
                None => tiers.push((recruiter, part.partner, part.program, rule, earned)),
            }
        }
    }
    for (partner, earner, program, rule, earned) in tiers {
        if let Some(owed) = second_tier(rule, earner, order.amounts.currency, earned)? {
            let mut explanation = Explanation::SecondTier(owed);
            if declined(partner, rule.id) {
                explanation = explanation.declined();
            }
            dues.push(Due { partner, program, explanation });
        }
    }
    Ok(dues)
}

/// The same commission where its rule no longer wins anything of the order.
pub fn nothing(order: &Order, was: &Explanation) -> Explanation {
    match was {
        Explanation::Order(was) => Explanation::Order(Owed {
            status: order.status,
            total_minor: order.amounts.total_minor,
            tax_minor: order.amounts.tax_minor,
            shipping_minor: order.amounts.shipping_minor,
            refunded_minor: order.amounts.refunded_minor,
            commissionable_minor: order.amounts.commissionable_under(was.base),
            base_minor: 0,
            base_left_minor: None,
            full_minor: 0,
            owed_minor: 0,
            ..was.clone()
        }),
        Explanation::SecondTier(was) => Explanation::SecondTier(SecondTierOwed { earned_minor: 0, owed_minor: 0, ..was.clone() }),
        other => other.clone(),
    }
}

/// What of a month's volume and of a cap a commission is; none where its rule has neither tiers nor a cap.
pub fn counted(explanation: &Explanation) -> Option<Volume> {
    match explanation {
        Explanation::Order(owed) => {
            let counts = matches!(owed.terms, Terms::Tiers(_)) || owed.cap_left_minor.is_some();
            counts.then(|| owed.volume())
        }
        Explanation::SecondTier(owed) => owed.cap_left_minor.map(|_| Volume::default()),
        Explanation::Clicks(owed) => owed.cap_left_minor.map(|_| Volume::default()),
        Explanation::Lead(owed) => owed.cap_left_minor.map(|_| Volume::default()),
        Explanation::Volume(_) => None,
    }
}
