use super::*;
use crate::domain::id::{PartnerId, ProgramId, PromoCodeId};
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::domain::partner::PartnerStatus;
use crate::domain::touch::Mark;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

fn at(day: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + day * 86_400, 0).unwrap()
}

fn terms(policy: CreditPolicy) -> ProgramTerms {
    ProgramTerms {
        program: ProgramId(1),
        currency: Currency::RUB,
        click_window_days: 30,
        view_window_days: 0,
        credit_policy: policy,
        new_customers_only: false,
        lifetime_days: None,
        lifetime_orders: None,
        excluded_categories: vec![],
    }
}

fn claimant(partner: i64, policy: CreditPolicy) -> Claimant {
    Claimant {
        partner: PartnerId(partner),
        status: PartnerStatus::Approved,
        buyer_is_partner: false,
        only_excluded: false,
        cap_reached: false,
        terms: terms(policy),
    }
}

fn click(name: &str, day: i64, partner: Option<i64>) -> TouchClaim {
    TouchClaim {
        touch: name.into(),
        at: at(day),
        kind: TouchKind::Click,
        mark: None,
        mark_reason: None,
        speaks_for: partner.map(|p| (PartnerId(p), ProgramId(1))),
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
    OrderFacts { placed_at: at(30), currency: Some(Currency::RUB), customer: CustomerKind::New }
}

fn basis(promos: &[PromoClaim]) -> Basis {
    let policy = CreditPolicy::PromoThenLastClick;
    let claimants = (1..=5).map(|partner| claimant(partner, policy)).collect();
    Basis { order: facts(), fallback: policy, claimants, promo_codes: promos.to_vec(), kept: vec![] }
}

fn run(touches: &[TouchClaim], promos: &[PromoClaim]) -> Decision {
    decide(&basis(promos), touches)
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
    let mut basis = basis(&[]);
    basis.claimants[1].status = PartnerStatus::Suspended;
    basis.claimants[2].buyer_is_partner = true;
    let touches = [bot, click("suspended", 11, Some(2)), click("own", 12, Some(3)), click("late", 31, Some(1))];
    let decision = decide(&basis, &touches);
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

#[test]
fn the_loser_is_the_nearest_of_another_partner() {
    let touches = [click("a", 10, Some(1)), click("b", 20, Some(2)), click("c", 25, Some(2))];
    assert_eq!(run(&touches, &[]).loser.as_deref(), Some("a"));
    assert_eq!(run(&touches, &[promo("ANNA", 1, PromoStanding::Valid)]).loser.as_deref(), Some("c"));
    assert_eq!(run(&touches[1..], &[]).loser, None);
}

fn under(policy: CreditPolicy, basis: Basis) -> Basis {
    let mut basis = basis;
    basis.change_terms(|terms| terms.credit_policy = policy);
    basis
}

fn kept_by(partner: i64, since: i64, orders: i64) -> KeptCustomer {
    KeptCustomer { order: "O-1".into(), since: at(since), orders, claimant: claimant(partner, CreditPolicy::Lifetime) }
}

#[test]
fn the_first_partner_keeps_the_customer_for_so_many_days_and_orders() {
    let touches = [click("b", 20, Some(2))];
    let mut basis = under(CreditPolicy::Lifetime, basis(&[promo("CLARA", 3, PromoStanding::Valid)]));
    assert_eq!(decide(&basis, &touches).winner.unwrap().reason, Reason::FirstClick);
    basis.kept = vec![kept_by(1, -400, 7)];
    let decision = decide(&basis, &touches);
    let winner = decision.winner.as_ref().unwrap();
    assert_eq!((winner.partner, winner.via, winner.reason), (PartnerId(1), Via::Lifetime, Reason::Lifetime));
    assert_eq!(
        verdicts(&decision),
        [
            ("lifetime:O-1", Verdict::Won, Reason::Lifetime),
            ("b", Verdict::Kept, Reason::Lifetime),
            ("promo:CLARA", Verdict::Kept, Reason::Lifetime),
        ]
    );
    assert_eq!(decision.loser.as_deref(), Some("b"));
    basis.change_terms(|terms| terms.lifetime_days = Some(430));
    assert_eq!(decide(&basis, &touches).winner.unwrap().partner, PartnerId(1));
    basis.change_terms(|terms| terms.lifetime_days = Some(429));
    let over = decide(&basis, &touches);
    assert_eq!((over.winner.unwrap().partner, over.trace[0].reason), (PartnerId(2), Reason::OutsideWindow));
    assert_eq!(over.trace[0].detail, "the customer was kept for 429 d, over by 1 d");
    basis.change_terms(|terms| (terms.lifetime_days, terms.lifetime_orders) = (None, Some(8)));
    assert_eq!(decide(&basis, &touches).winner.unwrap().partner, PartnerId(1));
    basis.change_terms(|terms| terms.lifetime_orders = Some(7));
    assert_eq!(decide(&basis, &touches).trace[0].reason, Reason::CapReached);
    basis.change_terms(|terms| terms.lifetime_orders = None);
    basis.kept[0].claimant.status = PartnerStatus::Suspended;
    let suspended = decide(&basis, &touches);
    assert_eq!((suspended.winner.unwrap().partner, suspended.trace[0].reason), (PartnerId(2), Reason::PartnerSuspended));
}

#[test]
fn what_lifetime_would_have_said_is_known_under_other_policies_without_a_line() {
    let mut basis = basis(&[]);
    basis.kept = vec![kept_by(1, 0, 1)];
    basis.change_terms(|terms| terms.credit_policy = CreditPolicy::LastTouch);
    let decision = decide(&basis, &[click("b", 20, Some(2))]);
    assert_eq!(verdicts(&decision), [("b", Verdict::Won, Reason::LatestClickInWindow)]);
    assert_eq!(decision.other_policies["lifetime"], Some(PartnerId(1)));
}

#[test]
fn a_customer_is_kept_from_the_first_order_until_over_and_then_anew() {
    let order = |number: i64, day: i64, partner: i64| PriorOrder {
        external_id: format!("O-{number}"),
        placed_at: at(day),
        partner: PartnerId(partner),
        program: ProgramId(1),
    };
    let orders = [order(1, 0, 1), order(2, 10, 1), order(3, 20, 2), order(4, 31, 3), order(5, 40, 3)];
    let kept = |days, most| {
        let terms = ProgramTerms { lifetime_days: days, lifetime_orders: most, ..terms(CreditPolicy::Lifetime) };
        last_kept(&orders, &terms).map(|(first, orders)| (first.external_id.as_str(), orders))
    };
    assert_eq!(kept(None, None), Some(("O-1", 5)));
    assert_eq!(kept(Some(30), None), Some(("O-4", 2)));
    assert_eq!(kept(None, Some(2)), Some(("O-5", 1)));
    assert_eq!(kept(Some(30), Some(2)), Some(("O-5", 1)));
    assert_eq!(last_kept(&orders, &ProgramTerms { program: ProgramId(2), ..terms(CreditPolicy::Lifetime) }), None);
}

#[test]
fn split_linear_shares_by_touches_and_codes() {
    let touches = [click("a", 10, Some(1)), click("b", 20, Some(2)), click("c", 25, Some(2)), click("old", -5, Some(4))];
    let impression = TouchClaim { kind: TouchKind::Impression, ..click("seen", 28, Some(5)) };
    let mut basis =
        under(CreditPolicy::SplitLinear, basis(&[promo("ANNA", 1, PromoStanding::Valid), promo("X", 3, PromoStanding::Valid)]));
    basis.change_terms(|terms| terms.view_window_days = 30);
    let decision = decide(&basis, &[touches.as_slice(), &[impression]].concat());
    let shares: Vec<_> = decision.shares.iter().map(|s| (s.partner.0, s.touches, s.via, s.touch.as_str())).collect();
    assert_eq!(shares, [(1, 2, Via::PromoCode, "promo:ANNA"), (2, 2, Via::Click, "c"), (3, 1, Via::PromoCode, "promo:X")]);
    let winner = decision.winner.as_ref().unwrap();
    assert_eq!((winner.partner, winner.reason, winner.touch.as_str()), (PartnerId(1), Reason::Split, "promo:ANNA"));
    assert_eq!(decision.trace.iter().filter(|i| i.verdict == Verdict::Won).count(), 5);
    assert_eq!(decision.loser.as_deref(), Some("seen"));
    let alone = decide(&basis, &touches[1..3]);
    assert_eq!(alone.shares.len(), 3);
    basis.promo_codes.clear();
    let alone = decide(&basis, &touches[1..3]);
    assert_eq!((alone.shares.len(), alone.reason), (0, Reason::LatestClickInWindow));
    assert_eq!(verdicts(&alone), [("b", Verdict::Kept, Reason::LaterClick), ("c", Verdict::Won, Reason::LatestClickInWindow)]);
}

fn any_touch() -> impl Strategy<Value = TouchClaim> {
    let kinds = prop::sample::select(vec![TouchKind::Click, TouchKind::Visit, TouchKind::Impression, TouchKind::Promo]);
    let marks = prop::option::weighted(0.2, prop::sample::select(vec![Mark::Bot, Mark::Head, Mark::Duplicate]));
    (0u32..40, 0i64..70, kinds, marks, prop::option::of(1i64..8)).prop_map(|(number, day, kind, mark, partner)| TouchClaim {
        kind,
        mark,
        ..click(&format!("t{number}"), day - 30, partner)
    })
}

fn any_basis() -> impl Strategy<Value = Basis> {
    let standings = [PromoStanding::Valid, PromoStanding::Valid, PromoStanding::Expired, PromoStanding::Unknown];
    let codes = prop::collection::vec((prop::sample::select(standings.to_vec()), 1i64..6), 0..3);
    let kept = prop::option::of((1i64..6, -60i64..30, 1i64..5));
    (codes, prop::sample::select(CreditPolicy::ALL.to_vec()), 0i64..3, any::<bool>(), kept).prop_map(
        |(codes, policy, views, suspended, kept)| {
            let codes: Vec<_> =
                codes.into_iter().enumerate().map(|(n, (standing, p))| promo(&format!("C{n}"), p, standing)).collect();
            let mut basis = basis(&codes);
            basis.kept = kept.into_iter().map(|(partner, since, orders)| kept_by(partner, since, orders)).collect();
            basis.change_terms(|terms| {
                (terms.credit_policy, terms.view_window_days, terms.lifetime_orders) = (policy, views, Some(3));
            });
            if suspended {
                basis.claimants[0].status = PartnerStatus::Suspended;
            }
            basis
        },
    )
}

proptest! {
    #[test]
    fn one_wins_exactly_where_one_could_and_every_policy_picks_among_those(
        basis in any_basis(), touches in prop::collection::vec(any_touch(), 0..12)
    ) {
        let decision = decide(&basis, &touches);
        let kept = basis.kept.iter().filter(|kept| kept.claimant.terms.credit_policy == CreditPolicy::Lifetime);
        prop_assert_eq!(decision.trace.len(), touches.len() + basis.promo_codes.len() + kept.count());
        let of = |verdict| decision.trace.iter().filter(move |i| i.verdict == verdict);
        let sharing: u64 = decision.shares.iter().map(|share| share.touches).sum();
        prop_assert_eq!(of(Verdict::Won).count() as u64, sharing.max(u64::from(decision.winner.is_some())));
        prop_assert!(decision.shares.is_empty() || (decision.shares.len() > 1 && decision.policy == CreditPolicy::SplitLinear));
        if let Some(winner) = &decision.winner {
            prop_assert!(of(Verdict::Won).any(|won| (&winner.touch, Some(winner.partner)) == (&won.touch, won.partner)));
            prop_assert!(decision.shares.iter().all(|share| share.touches <= decision.shares.iter()
                .find(|s| s.partner == winner.partner).map_or(0, |s| s.touches)));
            prop_assert_eq!(decision.other_policies[decision.policy.name()], Some(winner.partner));
        } else {
            prop_assert_eq!(of(Verdict::Kept).count(), 0);
        }
        let could: Vec<_> = of(Verdict::Won).chain(of(Verdict::Kept)).map(|i| i.partner).collect();
        let could_keep = |partner: &Option<PartnerId>| basis.kept.iter().any(|k| Some(k.claimant.partner) == *partner);
        for (policy, partner) in decision.other_policies.iter().filter(|(_, p)| p.is_some()) {
            prop_assert!(could.contains(partner) || (policy == "lifetime" && could_keep(partner)));
        }
        if let Some(loser) = &decision.loser {
            prop_assert!(of(Verdict::Kept).any(|i| &i.touch == loser && i.partner != decision.winner.as_ref().map(|w| w.partner)));
        }
    }

    #[test]
    fn the_same_comes_out_of_the_stored_basis_in_any_order_of_touches(
        basis in any_basis(), touches in prop::collection::vec(any_touch(), 0..8).prop_shuffle()
    ) {
        let mut named: Vec<TouchClaim> = Vec::new();
        for touch in touches {
            if !named.iter().any(|known| known.touch == touch.touch) {
                named.push(touch);
            }
        }
        let stored: Basis = serde_json::from_str(&serde_json::to_string(&basis).unwrap()).unwrap();
        let first = decide(&basis, &named);
        named.reverse();
        prop_assert_eq!(first, decide(&stored, &named));
    }
}
