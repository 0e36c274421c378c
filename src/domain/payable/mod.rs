//! Which partner an order is owed to, and why: one verdict with a named reason for every touch and code.
//!
//! Decided once, when the order is first approved; the stored trace is what partner and merchant read later. [`decide`]
//! looks at nothing but its arguments, so a stored decision can be made again from its stored [`Basis`] and touches.

mod claim;
mod judge;
mod lifetime;
mod policy;
mod reason;
#[cfg(test)]
mod tests;
mod trace;

pub use claim::{Basis, Claimant, OrderFacts, ProgramTerms, PromoClaim, PromoStanding, TouchClaim};
pub use judge::marked;
pub use lifetime::{KeptCustomer, PriorOrder, last_kept};
pub use reason::{Reason, Verdict, Via};
pub use trace::{Decision, Share, Subject, TraceItem, Winner};

use super::id::PartnerId;
use super::program::CreditPolicy;
use super::touch::TouchKind;
use judge::{judge_kept, judge_promo, judge_touch};
use policy::{Eligible, Source, best_promo, keeper, latest, pick, split};

/// Decides. Touches need not be sorted; ties in time go by id.
///
/// The policy is `lifetime` where a partner keeps the customer in a program that has it; else that of the program of the
/// first valid code, else of the latest click that could be paid on; [`Basis::fallback`] where nothing could.
pub fn decide(basis: &Basis, touches: &[TouchClaim]) -> Decision {
    let mut trace: Vec<TraceItem> = Vec::with_capacity(touches.len() + basis.promo_codes.len());
    let eligible = judge_all(basis, touches, &mut trace);

    let policy = match (keeper(&eligible), best_promo(&eligible).or_else(|| latest(&eligible))) {
        (Some(_), _) => CreditPolicy::Lifetime,
        (None, decides) => decides.map_or(basis.fallback, |e| e.claimant.terms.credit_policy),
    };
    let other_policies = CreditPolicy::ALL.into_iter().map(|p| (p.name().to_owned(), would_win(p, basis, &eligible))).collect();

    let Some(won) = pick(policy, &eligible) else {
        let reason = trace.iter().rev().find(|i| i.partner.is_some() || i.reason != Reason::NoPartner);
        let reason = reason.map_or(Reason::NoPartner, |i| i.reason);
        return Decision { policy, winner: None, shares: Vec::new(), reason, loser: None, trace, other_policies };
    };
    let mut shares = if policy == CreditPolicy::SplitLinear { split(&eligible) } else { Vec::new() };
    if shares.len() < 2 {
        shares.clear();
    }
    let is_owed = |e: &Eligible<'_>| match shares.as_slice() {
        [] => e.claimant.partner == won.claimant.partner,
        shares => shares.iter().any(|share| share.partner == e.claimant.partner),
    };
    let others: Vec<Eligible<'_>> = eligible.iter().filter(|e| !is_owed(e)).copied().collect();
    let loser = pick(policy, &others).map(|e| trace[e.item].touch.clone());
    let reason = match (won.source, policy) {
        _ if !shares.is_empty() => Reason::Split,
        (Source::Lifetime, _) => Reason::Lifetime,
        (Source::PromoTouch | Source::PromoOnOrder, _) => Reason::PromoCode,
        (_, CreditPolicy::FirstClick | CreditPolicy::Lifetime) => Reason::FirstClick,
        _ => Reason::LatestClickInWindow,
    };
    let sharing: Vec<usize> = shares.iter().flat_map(|share| share.members.iter().map(|e| e.item)).collect();
    for other in &eligible {
        let item = &mut trace[other.item];
        if sharing.contains(&other.item) {
            (item.verdict, item.reason) = (Verdict::Won, Reason::Split);
            item.detail = format!("one of {} that share", sharing.len());
        } else if other.item == won.item && sharing.is_empty() {
            (item.verdict, item.reason) = (Verdict::Won, reason);
        } else {
            (item.reason, item.detail) = lost(other, won);
        }
    }
    let winner = Winner {
        partner: won.claimant.partner,
        program: won.claimant.terms.program,
        via: via(won),
        reason,
        touch: trace[won.item].touch.clone(),
        promo_code: won.promo_code,
    };
    let shares = shares.iter().filter_map(|share| {
        let latest = share.members.last()?;
        Some(Share {
            partner: share.partner,
            program: share.program,
            via: via(latest),
            touch: trace[latest.item].touch.clone(),
            promo_code: latest.promo_code,
            touches: share.members.len() as u64,
        })
    });
    let shares = shares.collect();
    Decision { policy, winner: Some(winner), shares, reason, loser, trace, other_policies }
}

/// Writes a line of the trace for every touch, code and kept customer; answers those that could be paid on.
fn judge_all<'a>(basis: &'a Basis, touches: &'a [TouchClaim], trace: &mut Vec<TraceItem>) -> Vec<Eligible<'a>> {
    let facts = basis.order;
    let mut eligible: Vec<Eligible<'_>> = Vec::new();
    let mut add = |judged: TraceItem, source, claimant: Option<&'a Claimant>, promo_code| {
        if let (Verdict::Kept, Some(claimant)) = (judged.verdict, claimant) {
            eligible.push(Eligible { at: judged.at, item: trace.len(), source, claimant, promo_code });
        }
        trace.push(judged);
    };
    // A customer is kept only where the program says so.
    for kept in basis.kept.iter().filter(|kept| kept.claimant.terms.credit_policy == CreditPolicy::Lifetime) {
        add(judge_kept(facts, kept), Source::Lifetime, Some(&kept.claimant), None);
    }
    let mut touches: Vec<&TouchClaim> = touches.iter().collect();
    touches.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.touch.cmp(&b.touch)));
    for claim in touches {
        let claimant = basis.claimant(claim);
        let source = match claim.kind {
            TouchKind::Promo => Source::PromoTouch,
            TouchKind::Impression => Source::Impression,
            TouchKind::Click | TouchKind::Visit | TouchKind::Call => Source::Click,
        };
        add(judge_touch(facts, claim, claimant), source, claimant, None);
    }
    for claim in &basis.promo_codes {
        add(judge_promo(facts, claim), Source::PromoOnOrder, claim.claimant.as_ref(), claim.promo_code);
    }
    eligible
}

/// Whom a policy would have paid. Under `lifetime` a customer counts as kept in programs of other policies too.
fn would_win(policy: CreditPolicy, basis: &Basis, eligible: &[Eligible<'_>]) -> Option<PartnerId> {
    let unsaid = || {
        let could = |kept: &&KeptCustomer| judge_kept(basis.order, kept).verdict == Verdict::Kept;
        basis.kept.iter().filter(could).min_by_key(|kept| kept.since).map(|kept| kept.claimant.partner)
    };
    let picked = || pick(policy, eligible).map(|e| e.claimant.partner);
    match policy {
        CreditPolicy::Lifetime if keeper(eligible).is_none() => unsaid().or_else(picked),
        _ => picked(),
    }
}

fn via(won: &Eligible<'_>) -> Via {
    match won.source {
        Source::Lifetime => Via::Lifetime,
        Source::PromoTouch | Source::PromoOnOrder => Via::PromoCode,
        Source::Click | Source::Impression => Via::Click,
    }
}

/// Why one that could have won did not.
fn lost(other: &Eligible<'_>, won: &Eligible<'_>) -> (Reason, String) {
    let (reason, detail) = match (other.is_promo(), won.is_promo()) {
        _ if won.source == Source::Lifetime => (Reason::Lifetime, "the first partner keeps the customer"),
        (true, true) => (Reason::PromoOutranksClick, "another promo code comes first"),
        (false, true) => (Reason::PromoOutranksClick, "a promo code outranks it"),
        (true, false) => (Reason::ClickOutranksPromo, "a click outranks the promo code"),
        (false, false) if (other.at, other.item) < (won.at, won.item) => (Reason::LaterClick, "a later click took its place"),
        (false, false) => (Reason::EarlierClick, "an earlier click comes first"),
    };
    (reason, detail.to_owned())
}
