//! Which partner an order is owed to, and why: one verdict with a named reason for every touch and code.
//!
//! Decided once, when the order is first approved; the stored trace is what partner and merchant read later.

use super::id::{PartnerId, ProgramId, PromoCodeId};
use super::order::CustomerKind;
use super::partner::PartnerStatus;
use super::program::{CreditPolicy, Program};
use super::time::{comes_after, spoken_seconds};
use super::touch::{Mark, TouchKind};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;

/// Why a touch or code was kept, dropped or won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    LatestClickInWindow,
    PromoCode,
    FirstClick,
    OutsideWindow,
    AfterOrder,
    Bot,
    Prefetch,
    Duplicate,
    Burst,
    NoPartner,
    PartnerSuspended,
    OwnPurchase,
    PromoUnknown,
    PromoExpired,
    PromoExhausted,
    PromoOutranksClick,
    ClickOutranksPromo,
    LaterClick,
    EarlierClick,
    ReturningCustomer,
    OtherCurrency,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::LatestClickInWindow => "latest_click_in_window",
            Reason::PromoCode => "promo_code",
            Reason::FirstClick => "first_click",
            Reason::OutsideWindow => "outside_window",
            Reason::AfterOrder => "after_order",
            Reason::Bot => "bot",
            Reason::Prefetch => "prefetch",
            Reason::Duplicate => "duplicate",
            Reason::Burst => "burst",
            Reason::NoPartner => "no_partner",
            Reason::PartnerSuspended => "partner_suspended",
            Reason::OwnPurchase => "own_purchase",
            Reason::PromoUnknown => "promo_unknown",
            Reason::PromoExpired => "promo_expired",
            Reason::PromoExhausted => "promo_exhausted",
            Reason::PromoOutranksClick => "promo_outranks_click",
            Reason::ClickOutranksPromo => "click_outranks_promo",
            Reason::LaterClick => "later_click",
            Reason::EarlierClick => "earlier_click",
            Reason::ReturningCustomer => "returning_customer",
            Reason::OtherCurrency => "other_currency",
        }
    }
}

/// What became of a touch or code. `Kept` could have won and did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Kept,
    Dropped,
    Won,
}

/// By what the winner is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    PromoCode,
    Click,
    None,
}

impl Via {
    pub fn name(self) -> &'static str {
        match self {
            Via::PromoCode => "promo_code",
            Via::Click => "click",
            Via::None => "none",
        }
    }
}

/// The partner behind a touch or code, as they stood when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    pub partner: PartnerId,
    pub status: PartnerStatus,
    /// The buyer's e-mail address is the partner's own.
    pub buyer_is_partner: bool,
    pub program: Program,
}

/// A touch of the person, as far as paying on it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchClaim {
    pub touch: String,
    pub at: DateTime<Utc>,
    pub kind: TouchKind,
    pub mark: Option<Mark>,
    pub mark_reason: Option<String>,
    pub claimant: Option<Claimant>,
}

/// How a promo code on the order was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PromoStanding {
    Unknown,
    NotStarted,
    Expired,
    Exhausted,
    Valid,
}

/// A promo code on the order, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromoClaim {
    pub code: String,
    pub promo_code: Option<PromoCodeId>,
    pub standing: PromoStanding,
    pub claimant: Option<Claimant>,
}

/// What of the order the decision looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderFacts {
    pub placed_at: DateTime<Utc>,
    pub currency: super::money::Currency,
    pub customer: CustomerKind,
}

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraceItem {
    /// A touch's id, or `promo:CODE`.
    pub touch: String,
    pub at: DateTime<Utc>,
    pub partner: Option<PartnerId>,
    pub verdict: Verdict,
    pub reason: Reason,
    pub detail: String,
    /// The number of the reason: days of the window, and seconds it was missed by or kept within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_days: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
}

/// Who won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub via: Via,
    pub reason: Reason,
    pub touch: String,
    pub promo_code: Option<PromoCodeId>,
}

/// The decision with its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub policy: CreditPolicy,
    pub winner: Option<Winner>,
    /// The winner's reason; without one, that of the nearest loser.
    pub reason: Reason,
    pub trace: Vec<TraceItem>,
    /// What each policy would have said.
    pub other_policies: BTreeMap<String, Option<PartnerId>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Eligible {
    at: DateTime<Utc>,
    item: usize,
    is_promo: bool,
    /// A code on the order itself, not one touched before.
    on_order: bool,
    is_impression: bool,
    claimant: Claimant,
    promo_code: Option<PromoCodeId>,
}

/// Decides. Touches need not be sorted; ties in time go by id.
///
/// The policy is that of the program of the first valid code, else of the latest click that could be paid on;
/// `fallback` where nothing could.
pub fn decide(facts: OrderFacts, touches: &[TouchClaim], promos: &[PromoClaim], fallback: CreditPolicy) -> Decision {
    let mut touches: Vec<&TouchClaim> = touches.iter().collect();
    touches.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.touch.cmp(&b.touch)));

    let mut trace: Vec<TraceItem> = Vec::with_capacity(touches.len() + promos.len());
    let mut eligible: Vec<Eligible> = Vec::new();
    for claim in touches {
        let judged = judge_touch(facts, claim);
        if let (Verdict::Kept, Some(claimant)) = (judged.verdict, &claim.claimant) {
            eligible.push(Eligible {
                at: claim.at,
                item: trace.len(),
                is_promo: claim.kind == TouchKind::Promo,
                on_order: false,
                is_impression: claim.kind == TouchKind::Impression,
                claimant: claimant.clone(),
                promo_code: None,
            });
        }
        trace.push(judged);
    }
    for claim in promos {
        let judged = judge_promo(facts, claim);
        if let (Verdict::Kept, Some(claimant)) = (judged.verdict, &claim.claimant) {
            eligible.push(Eligible {
                at: facts.placed_at,
                item: trace.len(),
                is_promo: true,
                on_order: true,
                is_impression: false,
                claimant: claimant.clone(),
                promo_code: claim.promo_code,
            });
        }
        trace.push(judged);
    }

    let policy = best_promo(&eligible)
        .or_else(|| eligible.iter().max_by_key(|e| (e.at, e.item)))
        .map_or(fallback, |e| e.claimant.program.credit_policy);
    let other_policies =
        CreditPolicy::ALL.into_iter().map(|p| (p.name().to_owned(), pick(p, &eligible).map(|e| e.claimant.partner))).collect();

    let Some(won) = pick(policy, &eligible) else {
        let reason = trace.iter().rev().find(|i| i.partner.is_some() || i.reason != Reason::NoPartner);
        let reason = reason.map_or(Reason::NoPartner, |i| i.reason);
        return Decision { policy, winner: None, reason, trace, other_policies };
    };
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
        program: won.claimant.program.id,
        via: if won.is_promo { Via::PromoCode } else { Via::Click },
        reason,
        touch: trace[won.item].touch.clone(),
        promo_code: won.promo_code,
    };
    Decision { policy, winner: Some(winner), reason, trace, other_policies }
}

/// The first valid code on the order; else the latest one touched before it.
fn best_promo(eligible: &[Eligible]) -> Option<&Eligible> {
    let touched = || eligible.iter().filter(|e| e.is_promo).max_by_key(|e| (e.at, e.item));
    eligible.iter().find(|e| e.is_promo && e.on_order).or_else(touched)
}

/// The winner under a policy. An impression wins only where no click could.
fn pick(policy: CreditPolicy, eligible: &[Eligible]) -> Option<&Eligible> {
    let promo = || best_promo(eligible);
    let clicks = || eligible.iter().filter(|e| !e.is_promo && !e.is_impression);
    let impressions = || eligible.iter().filter(|e| e.is_impression);
    let key = |e: &&Eligible| (e.at, e.item);
    let last = || clicks().max_by_key(key).or_else(|| impressions().max_by_key(key));
    let first = || clicks().min_by_key(key).or_else(|| impressions().min_by_key(key));
    match policy {
        CreditPolicy::PromoThenLastClick => promo().or_else(last),
        CreditPolicy::LastClickThenPromo => last().or_else(promo),
        CreditPolicy::LastTouch => eligible.iter().max_by_key(key),
        CreditPolicy::FirstClick => first().or_else(promo),
    }
}

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

fn judge_touch(facts: OrderFacts, claim: &TouchClaim) -> TraceItem {
    let drop =
        |reason, detail: String| item(claim.touch.clone(), claim.at, claim.claimant.as_ref(), Verdict::Dropped, reason, detail);
    let Some(claimant) = &claim.claimant else {
        return drop(Reason::NoPartner, "no partner's link or code".to_owned());
    };
    if let Some(mark) = claim.mark {
        let why = claim.mark_reason.clone().unwrap_or_default();
        return match mark {
            Mark::Bot => drop(Reason::Bot, format!("a machine: {why}")),
            Mark::Prefetch => drop(Reason::Prefetch, "fetched ahead, not opened".to_owned()),
            Mark::Head => drop(Reason::Prefetch, "a HEAD request, not a visit".to_owned()),
            Mark::Duplicate => drop(Reason::Duplicate, why),
            Mark::Burst => drop(Reason::Burst, why),
        };
    }
    if comes_after(claim.at, facts.placed_at) {
        let seconds = (claim.at - facts.placed_at).num_seconds();
        let mut dropped = drop(Reason::AfterOrder, format!("{} after the order", spoken_seconds(seconds)));
        dropped.seconds = Some(seconds);
        return dropped;
    }
    let window_days = match claim.kind {
        TouchKind::Impression => claimant.program.view_window_days,
        TouchKind::Click | TouchKind::Visit | TouchKind::Promo | TouchKind::Call => claimant.program.click_window_days,
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

fn judge_promo(facts: OrderFacts, claim: &PromoClaim) -> TraceItem {
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
    if claimant.program.currency != facts.currency {
        let detail = format!("the program pays in {}, the order is in {}", claimant.program.currency, facts.currency);
        return Some((Reason::OtherCurrency, detail));
    }
    if claimant.program.new_customers_only && facts.customer == CustomerKind::Returning {
        return Some((Reason::ReturningCustomer, "the program pays for new customers only".to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + day * 86_400, 0).unwrap()
    }

    fn program(policy: CreditPolicy) -> Program {
        Program {
            id: ProgramId(1),
            name: "p".into(),
            currency: Currency::RUB,
            destination_hosts: vec![],
            click_window_days: 30,
            view_window_days: 0,
            hold_days: 14,
            credit_policy: policy,
            min_payout_minor: 0,
            new_customers_only: false,
            fallback_url: None,
            link_domains: vec![],
        }
    }

    fn claimant(partner: i64, policy: CreditPolicy) -> Claimant {
        Claimant {
            partner: PartnerId(partner),
            status: PartnerStatus::Approved,
            buyer_is_partner: false,
            program: program(policy),
        }
    }

    fn click(name: &str, day: i64, partner: Option<i64>) -> TouchClaim {
        TouchClaim {
            touch: name.into(),
            at: at(day),
            kind: TouchKind::Click,
            mark: None,
            mark_reason: None,
            claimant: partner.map(|p| claimant(p, CreditPolicy::PromoThenLastClick)),
        }
    }

    fn promo(code: &str, partner: i64, standing: PromoStanding) -> PromoClaim {
        let known = standing != PromoStanding::Unknown;
        PromoClaim {
            code: code.into(),
            promo_code: known.then_some(PromoCodeId(1)),
            standing,
            claimant: known.then(|| claimant(partner, CreditPolicy::PromoThenLastClick)),
        }
    }

    fn facts() -> OrderFacts {
        OrderFacts { placed_at: at(30), currency: Currency::RUB, customer: CustomerKind::New }
    }

    fn run(touches: &[TouchClaim], promos: &[PromoClaim]) -> Decision {
        decide(facts(), touches, promos, CreditPolicy::PromoThenLastClick)
    }

    fn verdicts(decision: &Decision) -> Vec<(&str, Verdict, Reason)> {
        decision.trace.iter().map(|i| (i.touch.as_str(), i.verdict, i.reason)).collect()
    }

    #[test]
    fn the_latest_click_in_the_window_wins_and_a_direct_visit_erases_nobody() {
        let decision = run(&[click("b", 20, Some(2)), click("a", 10, Some(1)), click("direct", 29, None)], &[]);
        assert_eq!(decision.winner.as_ref().unwrap().partner, PartnerId(2));
        assert_eq!(
            verdicts(&decision),
            [
                ("a", Verdict::Kept, Reason::LaterClick),
                ("b", Verdict::Won, Reason::LatestClickInWindow),
                ("direct", Verdict::Dropped, Reason::NoPartner),
            ]
        );
        assert_eq!(decision.other_policies["first_click"], Some(PartnerId(1)));
    }

    #[test]
    fn a_promo_code_outranks_the_click_and_the_loser_is_named() {
        let decision = run(&[click("a", 10, Some(1))], &[promo("ANNA", 2, PromoStanding::Valid)]);
        assert_eq!(decision.winner.as_ref().unwrap().via, Via::PromoCode);
        assert_eq!(
            verdicts(&decision),
            [("a", Verdict::Kept, Reason::PromoOutranksClick), ("promo:ANNA", Verdict::Won, Reason::PromoCode)]
        );
        assert_eq!(decision.other_policies["last_click_then_promo"], Some(PartnerId(1)));
    }

    #[test]
    fn an_unknown_or_dead_code_never_kills_the_links_credit() {
        for standing in [PromoStanding::Unknown, PromoStanding::Expired, PromoStanding::Exhausted, PromoStanding::NotStarted] {
            let decision = run(&[click("a", 10, Some(1))], &[promo("X", 2, standing)]);
            assert_eq!(decision.winner.as_ref().unwrap().partner, PartnerId(1));
        }
    }

    #[test]
    fn the_windows_end_counts_and_what_lies_beyond_says_by_how_much() {
        assert!(run(&[click("a", 0, Some(1))], &[]).winner.is_some());
        let mut early = click("a", 0, Some(1));
        early.at -= TimeDelta::hours(52);
        let decision = run(&[early], &[]);
        assert_eq!(decision.winner, None);
        assert_eq!(decision.reason, Reason::OutsideWindow);
        assert_eq!(decision.trace[0].detail, "outside the 30-day window by 2 d 4 h");
    }

    #[test]
    fn bots_later_touches_suspended_partners_and_own_purchases_are_not_paid() {
        let mut bot = click("bot", 10, Some(1));
        bot.mark = Some(Mark::Bot);
        let mut suspended = click("suspended", 11, Some(1));
        suspended.claimant.as_mut().unwrap().status = PartnerStatus::Suspended;
        let mut own = click("own", 12, Some(1));
        own.claimant.as_mut().unwrap().buyer_is_partner = true;
        let late = click("late", 31, Some(1));
        let decision = run(&[bot, suspended, own, late], &[]);
        assert_eq!(decision.winner, None);
        let reasons: Vec<Reason> = decision.trace.iter().map(|i| i.reason).collect();
        assert_eq!(reasons, [Reason::Bot, Reason::PartnerSuspended, Reason::OwnPurchase, Reason::AfterOrder]);
    }

    #[test]
    fn the_code_on_the_order_comes_before_codes_touched_earlier() {
        let touched = |name: &str, day, partner| TouchClaim { kind: TouchKind::Promo, ..click(name, day, Some(partner)) };
        let touches = [touched("old", 5, 1), touched("new", 28, 2)];
        assert_eq!(run(&touches, &[promo("CLARA", 3, PromoStanding::Valid)]).winner.unwrap().partner, PartnerId(3));
        assert_eq!(run(&touches, &[]).winner.unwrap().partner, PartnerId(2));
    }

    #[test]
    fn ties_in_time_go_by_id() {
        let decision = run(&[click("b", 10, Some(2)), click("a", 10, Some(1))], &[]);
        assert_eq!(decision.winner.unwrap().partner, PartnerId(2));
    }
}
