//! Which partner an order is owed to, and why: one verdict with a named reason for every touch and code.
//!
//! Decided once, when the order is first approved; the stored trace is what partner and merchant read later. [`decide`]
//! looks at nothing but its arguments, so a stored decision can be made again from its stored [`Basis`] and touches.

mod claim;
mod judge;
mod policy;
mod reason;
#[cfg(test)]
mod tests;
mod trace;

pub use claim::{Basis, Claimant, OrderFacts, ProgramTerms, PromoClaim, PromoStanding, TouchClaim};
pub use judge::marked;
pub use reason::{Reason, Verdict, Via};
pub use trace::{Decision, TraceItem, Winner};

use super::program::CreditPolicy;
use super::touch::TouchKind;
use judge::{judge_promo, judge_touch};
use policy::{Eligible, best_promo, pick};

/// Decides. Touches need not be sorted; ties in time go by id.
///
/// The policy is that of the program of the first valid code, else of the latest click that could be paid on;
/// [`Basis::fallback`] where nothing could.
pub fn decide(basis: &Basis, touches: &[TouchClaim]) -> Decision {
    let facts = basis.order;
    let mut touches: Vec<&TouchClaim> = touches.iter().collect();
    touches.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.touch.cmp(&b.touch)));

    let mut trace: Vec<TraceItem> = Vec::with_capacity(touches.len() + basis.promo_codes.len());
    let mut eligible: Vec<Eligible<'_>> = Vec::new();
    for claim in touches {
        let claimant = basis.claimant(claim);
        let judged = judge_touch(facts, claim, claimant);
        if let (Verdict::Kept, Some(claimant)) = (judged.verdict, claimant) {
            eligible.push(Eligible {
                at: claim.at,
                item: trace.len(),
                is_promo: claim.kind == TouchKind::Promo,
                on_order: false,
                is_impression: claim.kind == TouchKind::Impression,
                claimant,
                promo_code: None,
            });
        }
        trace.push(judged);
    }
    for claim in &basis.promo_codes {
        let judged = judge_promo(facts, claim);
        if let (Verdict::Kept, Some(claimant)) = (judged.verdict, &claim.claimant) {
            eligible.push(Eligible {
                at: facts.placed_at,
                item: trace.len(),
                is_promo: true,
                on_order: true,
                is_impression: false,
                claimant,
                promo_code: claim.promo_code,
            });
        }
        trace.push(judged);
    }

    let policy = best_promo(&eligible)
        .or_else(|| eligible.iter().max_by_key(|e| (e.at, e.item)))
        .map_or(basis.fallback, |e| e.claimant.terms.credit_policy);
    let other_policies =
        CreditPolicy::ALL.into_iter().map(|p| (p.name().to_owned(), pick(p, &eligible).map(|e| e.claimant.partner))).collect();

    let Some(won) = pick(policy, &eligible) else {
        let reason = trace.iter().rev().find(|i| i.partner.is_some() || i.reason != Reason::NoPartner);
        let reason = reason.map_or(Reason::NoPartner, |i| i.reason);
        return Decision { policy, winner: None, reason, loser: None, trace, other_policies };
    };
    let others: Vec<Eligible<'_>> = eligible.iter().filter(|e| e.claimant.partner != won.claimant.partner).copied().collect();
    let loser = pick(policy, &others).map(|e| trace[e.item].touch.clone());
    let reason = match (won.is_promo, policy) {
        (true, _) => Reason::PromoCode,
        (false, CreditPolicy::FirstClick) => Reason::FirstClick,
        (false, _) => Reason::LatestClickInWindow,
    };
    for other in &eligible {
        let item = &mut trace[other.item];
        if other.item == won.item {
            item.verdict = Verdict::Won;
            item.reason = reason;
            continue;
        }
        item.reason = match (other.is_promo, won.is_promo) {
            (true, true) => Reason::PromoOutranksClick,
            (true, false) => Reason::ClickOutranksPromo,
            (false, true) => Reason::PromoOutranksClick,
            (false, false) if (other.at, other.item) < (won.at, won.item) => Reason::LaterClick,
            (false, false) => Reason::EarlierClick,
        };
        item.detail = match item.reason {
            Reason::PromoOutranksClick if other.is_promo => "another promo code comes first".to_owned(),
            Reason::PromoOutranksClick => "a promo code outranks it".to_owned(),
            Reason::ClickOutranksPromo => "a click outranks the promo code".to_owned(),
            Reason::LaterClick => "a later click took its place".to_owned(),
            _ => "an earlier click comes first".to_owned(),
        };
    }
    let winner = Winner {
        partner: won.claimant.partner,
        program: won.claimant.terms.program,
        via: if won.is_promo { Via::PromoCode } else { Via::Click },
        reason,
        touch: trace[won.item].touch.clone(),
        promo_code: won.promo_code,
    };
    Decision { policy, winner: Some(winner), reason, loser, trace, other_policies }
}
