//! Which of those that could be paid on wins, by policy.

use super::Claimant;
use crate::domain::id::PromoCodeId;
use crate::domain::program::CreditPolicy;
use chrono::{DateTime, Utc};

/// A touch or code that could be paid on; `item` is its place in the trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eligible<'a> {
    pub at: DateTime<Utc>,
    pub item: usize,
    pub is_promo: bool,
    /// A code on the order itself, not one touched before.
    pub on_order: bool,
    pub is_impression: bool,
    pub claimant: &'a Claimant,
    pub promo_code: Option<PromoCodeId>,
}

/// The first valid code on the order; else the latest one touched before it.
pub(super) fn best_promo<'a>(eligible: &'a [Eligible<'a>]) -> Option<&'a Eligible<'a>> {
    let touched = || eligible.iter().filter(|e| e.is_promo).max_by_key(|e| (e.at, e.item));
    eligible.iter().find(|e| e.is_promo && e.on_order).or_else(touched)
}

/// The winner under a policy. An impression wins only where no click could.
pub(super) fn pick<'a>(policy: CreditPolicy, eligible: &'a [Eligible<'a>]) -> Option<&'a Eligible<'a>> {
    let promo = || best_promo(eligible);
    let clicks = || eligible.iter().filter(|e| !e.is_promo && !e.is_impression);
    let impressions = || eligible.iter().filter(|e| e.is_impression);
    let key = |e: &&Eligible<'_>| (e.at, e.item);
    let last = || clicks().max_by_key(key).or_else(|| impressions().max_by_key(key));
    let first = || clicks().min_by_key(key).or_else(|| impressions().min_by_key(key));
    match policy {
        CreditPolicy::PromoThenLastClick => promo().or_else(last),
        CreditPolicy::LastClickThenPromo => last().or_else(promo),
        CreditPolicy::LastTouch => eligible.iter().max_by_key(key),
        CreditPolicy::FirstClick => first().or_else(promo),
    }
}
