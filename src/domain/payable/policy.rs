//! Which of those that could be paid on wins, by policy, and among whom it is split.

use super::Claimant;
use crate::domain::id::{PartnerId, ProgramId, PromoCodeId};
use crate::domain::program::CreditPolicy;
use chrono::{DateTime, Utc};

/// What speaks for a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Click,
    Impression,
    /// A code touched before the order.
    PromoTouch,
    /// A code on the order itself.
    PromoOnOrder,
    /// The customer, who is kept.
    Lifetime,
}

/// A touch, code or customer that could be paid on; `item` is its place in the trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eligible<'a> {
    pub at: DateTime<Utc>,
    pub item: usize,
    pub source: Source,
    pub claimant: &'a Claimant,
    pub promo_code: Option<PromoCodeId>,
}

impl Eligible<'_> {
    pub fn is_promo(&self) -> bool {
        matches!(self.source, Source::PromoTouch | Source::PromoOnOrder)
    }

    pub fn is_touch_or_code(&self) -> bool {
        self.source != Source::Lifetime
    }

    fn key(&self) -> (DateTime<Utc>, usize) {
        (self.at, self.item)
    }
}

/// Who keeps the customer: the first to have won them.
pub(super) fn keeper<'a>(eligible: &'a [Eligible<'a>]) -> Option<&'a Eligible<'a>> {
    eligible.iter().filter(|e| e.source == Source::Lifetime).min_by_key(|e| e.key())
}

/// The first valid code on the order; else the latest one touched before it.
pub(super) fn best_promo<'a>(eligible: &'a [Eligible<'a>]) -> Option<&'a Eligible<'a>> {
    let touched = || eligible.iter().filter(|e| e.source == Source::PromoTouch).max_by_key(|e| e.key());
    eligible.iter().find(|e| e.source == Source::PromoOnOrder).or_else(touched)
}

/// The latest touch or code; a code on the order counts at the order.
pub(super) fn latest<'a>(eligible: &'a [Eligible<'a>]) -> Option<&'a Eligible<'a>> {
    eligible.iter().filter(|e| e.is_touch_or_code()).max_by_key(|e| e.key())
}

/// The winner under a policy; where it splits, the partner with the largest share. An impression wins only where no
/// click could.
pub(super) fn pick<'a>(policy: CreditPolicy, eligible: &'a [Eligible<'a>]) -> Option<&'a Eligible<'a>> {
    let promo = || best_promo(eligible);
    let of = |source| eligible.iter().filter(move |e| e.source == source);
    let last = || of(Source::Click).max_by_key(|e| e.key()).or_else(|| of(Source::Impression).max_by_key(|e| e.key()));
    let first = || of(Source::Click).min_by_key(|e| e.key()).or_else(|| of(Source::Impression).min_by_key(|e| e.key()));
    match policy {
        CreditPolicy::PromoThenLastClick => promo().or_else(last),
        CreditPolicy::LastClickThenPromo => last().or_else(promo),
        CreditPolicy::LastTouch => latest(eligible),
        CreditPolicy::FirstClick => first().or_else(promo),
        CreditPolicy::Lifetime => keeper(eligible).or_else(first).or_else(promo),
        CreditPolicy::SplitLinear => {
            let shares = split(eligible);
            let largest = shares.iter().rev().max_by_key(|share| share.members.len())?;
            largest.members.last().copied()
        }
    }
}

/// A partner's part of an order that is split: one for each touch and code.
pub(super) struct Share<'a> {
    pub partner: PartnerId,
    pub program: ProgramId,
    /// In order of time.
    pub members: Vec<&'a Eligible<'a>>,
}

/// Equal parts for every click and code, by partner, the partner of the earliest first; impressions share only where
/// there is nothing else.
pub(super) fn split<'a>(eligible: &'a [Eligible<'a>]) -> Vec<Share<'a>> {
    let mut members: Vec<&Eligible<'_>> =
        eligible.iter().filter(|e| e.is_touch_or_code() && e.source != Source::Impression).collect();
    if members.is_empty() {
        members = eligible.iter().filter(|e| e.is_touch_or_code()).collect();
    }
    members.sort_by_key(|e| e.key());
    let mut shares: Vec<Share<'_>> = Vec::new();
    for member in members {
        let (partner, program) = (member.claimant.partner, member.claimant.terms.program);
        match shares.iter_mut().find(|s| (s.partner, s.program) == (partner, program)) {
            Some(share) => share.members.push(member),
            None => shares.push(Share { partner, program, members: vec![member] }),
        }
    }
    shares
}
