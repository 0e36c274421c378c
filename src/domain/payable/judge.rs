//! Each touch and code by itself: whether it could be paid on, and if not, the first reason against it.

use super::lifetime::Over;
use super::{Claimant, KeptCustomer, OrderFacts, PromoClaim, PromoStanding, Reason, TouchClaim, TraceItem, Verdict};
use crate::domain::order::CustomerKind;
use crate::domain::partner::PartnerStatus;
use crate::domain::time::{comes_after, spoken_seconds};
use crate::domain::touch::{Mark, TouchKind};
use chrono::{DateTime, TimeDelta, Utc};

fn item(
    touch: String,
    at: DateTime<Utc>,
    claimant: Option<&Claimant>,
    verdict: Verdict,
    reason: Reason,
    detail: String,
) -> TraceItem {
    let partner = claimant.map(|c| c.partner);
    TraceItem { touch, at, partner, verdict, reason, detail, window_days: None, seconds: None }
}

/// What a mark says in a trace; `why` is the mark's own reason.
pub fn marked(mark: Mark, why: &str) -> (Reason, String) {
    match mark {
        Mark::Bot => (Reason::Bot, format!("a machine: {why}")),
        Mark::Prefetch => (Reason::Prefetch, "fetched ahead, not opened".to_owned()),
        Mark::Head => (Reason::Prefetch, "a HEAD request, not a visit".to_owned()),
        Mark::Duplicate => (Reason::Duplicate, why.to_owned()),
        Mark::Burst => (Reason::Burst, why.to_owned()),
    }
}

/// Whether a touch could be paid on; `claimant` is whom it speaks for.
pub(super) fn judge_touch(facts: OrderFacts, claim: &TouchClaim, claimant: Option<&Claimant>) -> TraceItem {
    let drop = |reason, detail: String| item(claim.touch.clone(), claim.at, claimant, Verdict::Dropped, reason, detail);
    let Some(claimant) = claimant else {
        return drop(Reason::NoPartner, "no partner's link or code".to_owned());
    };
    if let Some(mark) = claim.mark {
        let (reason, detail) = marked(mark, claim.mark_reason.as_deref().unwrap_or_default());
        return drop(reason, detail);
    }
    if comes_after(claim.at, facts.placed_at) {
        let seconds = (claim.at - facts.placed_at).num_seconds();
        let mut dropped = drop(Reason::AfterOrder, format!("{} after the order", spoken_seconds(seconds)));
        dropped.seconds = Some(seconds);
        return dropped;
    }
    let window_days = match claim.kind {
        TouchKind::Impression => claimant.terms.view_window_days,
        TouchKind::Click | TouchKind::Visit | TouchKind::Promo | TouchKind::Call => claimant.terms.click_window_days,
    };
    let age = (facts.placed_at - claim.at).max(TimeDelta::zero());
    if age > TimeDelta::days(window_days) || (claim.kind == TouchKind::Impression && window_days == 0) {
        let seconds = (age - TimeDelta::days(window_days)).num_seconds();
        let mut dropped =
            drop(Reason::OutsideWindow, format!("outside the {window_days}-day window by {}", spoken_seconds(seconds)));
        (dropped.window_days, dropped.seconds) = (Some(window_days), Some(seconds));
        return dropped;
    }
    if let Some((reason, detail)) = barred(facts, claimant) {
        return drop(reason, detail);
    }
    let mut kept = item(
        claim.touch.clone(),
        claim.at,
        Some(claimant),
        Verdict::Kept,
        Reason::LatestClickInWindow,
        format!("{} before the order, window {window_days} d", spoken_seconds(age.num_seconds())),
    );
    (kept.window_days, kept.seconds) = (Some(window_days), Some(age.num_seconds()));
    kept
}

/// Whether a code on the order could be paid on.
pub(super) fn judge_promo(facts: OrderFacts, claim: &PromoClaim) -> TraceItem {
    let of = |verdict, reason, detail: String| {
        item(format!("promo:{}", claim.code), facts.placed_at, claim.claimant.as_ref(), verdict, reason, detail)
    };
    let drop = |reason, detail| of(Verdict::Dropped, reason, detail);
    match claim.standing {
        PromoStanding::Unknown => drop(Reason::PromoUnknown, format!("no code '{}' here", claim.code)),
        PromoStanding::NotStarted => drop(Reason::PromoExpired, "the code did not hold yet".to_owned()),
        PromoStanding::Expired => drop(Reason::PromoExpired, "the code had expired".to_owned()),
        PromoStanding::Exhausted => drop(Reason::PromoExhausted, "the code was used up".to_owned()),
        PromoStanding::Valid => match &claim.claimant {
            None => drop(Reason::NoPartner, "a code of no partner".to_owned()),
            Some(claimant) => match barred(facts, claimant) {
                Some((reason, detail)) => drop(reason, detail),
                None => of(Verdict::Kept, Reason::PromoCode, "a valid promo code on the order".to_owned()),
            },
        },
    }
}

/// Whether the partner who keeps the customer could be paid on this order.
pub(super) fn judge_kept(facts: OrderFacts, kept: &KeptCustomer) -> TraceItem {
    let of = |verdict, reason, detail: String| item(kept.label(), kept.since, Some(&kept.claimant), verdict, reason, detail);
    match (kept.over(facts.placed_at), barred(facts, &kept.claimant)) {
        (Some(over @ Over::Days { days, seconds }), _) => {
            let mut dropped = of(Verdict::Dropped, Reason::OutsideWindow, over.detail());
            (dropped.window_days, dropped.seconds) = (Some(days), Some(seconds));
            dropped
        }
        (Some(over @ Over::Orders(_)), _) => of(Verdict::Dropped, Reason::CapReached, over.detail()),
        (None, Some((reason, detail))) => of(Verdict::Dropped, reason, detail),
        (None, None) => of(Verdict::Kept, Reason::Lifetime, format!("keeps the customer since order {}", kept.order)),
    }
}

/// What keeps a partner from this order whatever brought it.
fn barred(facts: OrderFacts, claimant: &Claimant) -> Option<(Reason, String)> {
    match claimant.status {
        PartnerStatus::Approved => {}
        PartnerStatus::Suspended => return Some((Reason::PartnerSuspended, "the partner was suspended then".to_owned())),
        PartnerStatus::Applied => return Some((Reason::PartnerSuspended, "the partner was not approved then".to_owned())),
    }
    if claimant.buyer_is_partner {
        return Some((Reason::OwnPurchase, "the partner bought it themselves".to_owned()));
    }
    if let Some(currency) = facts.currency.filter(|currency| *currency != claimant.terms.currency) {
        let detail = format!("the program pays in {}, the order is in {currency}", claimant.terms.currency);
        return Some((Reason::OtherCurrency, detail));
    }
    if claimant.terms.new_customers_only && facts.customer == CustomerKind::Returning {
        return Some((Reason::ReturningCustomer, "the program pays for new customers only".to_owned()));
    }
    if claimant.only_excluded {
        return Some((Reason::ExcludedCategory, "the program does not pay for these categories".to_owned()));
    }
    if claimant.cap_reached {
        return Some((Reason::CapReached, "the cap of the commission rules is used up".to_owned()));
    }
    None
}
