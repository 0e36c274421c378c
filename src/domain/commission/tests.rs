use super::*;
use crate::domain::id::{PartnerId, ProgramId, RuleId};
use crate::domain::money::{Currency, RatePpm};
use crate::domain::order::{CustomerKind, OrderAmounts, OrderItem, OrderStatus};
use chrono::{DateTime, Utc};
use proptest::prelude::*;

fn rule(id: i64, terms: Terms) -> Rule {
    Rule {
        id: RuleId(id),
        version: 1,
        program: ProgramId(1),
        kind: RuleKind::Ordinary,
        on: PaidOn::Order,
        lead: None,
        partner: None,
        group: None,
        product: None,
        category: None,
        customer: CustomerCondition::Any,
        terms,
        base: Base::default(),
        limits: Limits::default(),
        cap: None,
        recurring: None,
        priority: 0,
        starts_at: DateTime::UNIX_EPOCH,
        ends_at: None,
        published: true,
        cap_left_minor: None,
    }
}

fn percent(id: i64, text: &str) -> Rule {
    rule(id, Terms::Percent(RatePpm::from_percent(text).unwrap()))
}

fn amounts(total: i64, tax: i64, shipping: i64, refunded: i64) -> OrderAmounts {
    OrderAmounts {
        currency: Currency::RUB,
        total_minor: total,
        tax_minor: tax,
        shipping_minor: shipping,
        discount_minor: 0,
        refunded_minor: refunded,
        items: vec![],
    }
}

fn line(category: &str, amount: i64) -> OrderItem {
    OrderItem { sku: None, name: None, category: Some(category.into()), quantity: 1, amount_minor: amount }
}

fn owed(amounts: &OrderAmounts, rules: &[Rule]) -> Vec<(i64, i64)> {
    let state = OrderState::new(OrderStatus::Approved, amounts);
    assess(state, rules).unwrap().into_iter().map(|o| (o.rule.0, o.owed_minor)).collect()
}

#[test]
fn tax_and_shipping_come_off_and_refunds_shrink_in_proportion() {
    let rules = [percent(1, "10")];
    assert_eq!(owed(&amounts(120_00, 20_00, 0, 0), &rules), [(1, 10_00)]);
    assert_eq!(owed(&amounts(120_00, 10_00, 10_00, 60_00), &rules), [(1, 5_00)]);
    assert_eq!(owed(&amounts(120_00, 20_00, 0, 120_00), &rules), [(1, 0)]);
    assert_eq!(owed(&amounts(100_00, 0, 0, 50_00), &[rule(1, Terms::Fixed(4_00))]), [(1, 2_00)]);
}

#[test]
fn the_formula_says_what_was_taken_off() {
    let amounts = amounts(120_00, 20_00, 0, 60_00);
    let state = OrderState::new(OrderStatus::Approved, &amounts);
    let formula = assess(state, &[percent(1, "12.5")]).unwrap()[0].formula();
    assert_eq!(formula, "12.5 % × (120.00 − 20.00 tax) × 60.00 / 120.00 left after refunds = 6.25 RUB");
}

#[test]
fn portions_of_an_order_are_owed_for_as_the_whole_would_be() {
    let amounts = amounts(120_01, 20_00, 0, 0);
    let of = |rule: Rule| -> Vec<(i64, String)> {
        let rules = [rule];
        let portions = Portion::all(&[1, 2]);
        let owed = portions.map(|portion| OrderState { portion, ..OrderState::new(OrderStatus::Approved, &amounts) });
        owed.map(|state| assess(state, &rules).unwrap().remove(0)).map(|o| (o.owed_minor, o.formula())).collect()
    };
    let tenth = of(percent(1, "10"));
    assert_eq!(tenth[0], (3_33, "10 % × 33.34 of (120.01 − 20.00 tax) (1/3 of the order) = 3.33 RUB".to_owned()));
    assert_eq!(tenth[1].0, 6_67);
    let fixed = of(rule(1, Terms::Fixed(1_00)));
    assert_eq!(fixed[0], (33, "0.33 of 1.00 per order (1/3 of the order) = 0.33 RUB".to_owned()));
    assert_eq!(fixed[1].0, 67);
}

#[test]
fn the_rule_with_most_dimensions_wins_never_the_higher_amount() {
    let general = percent(1, "50");
    let partner = Rule { partner: Some(PartnerId(1)), ..percent(2, "5") };
    let group = Rule { group: Some("vip".into()), ..percent(3, "9") };
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[general.clone(), partner.clone(), group.clone()]), [(2, 5_00)]);
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[general.clone(), group.clone()]), [(3, 9_00)]);
    let new_in_group = Rule { customer: CustomerCondition::New, ..Rule { id: RuleId(4), ..group } };
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[general.clone(), partner, new_in_group]), [(4, 9_00)]);
    let prior = Rule { priority: 1, ..percent(5, "1") };
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[general.clone(), prior]), [(5, 1_00)]);
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[percent(7, "1"), general]), [(1, 50_00)]);
}

#[test]
fn each_line_goes_by_its_own_rule() {
    let books = Rule { category: Some("Books".into()), ..percent(2, "20") };
    let order = OrderAmounts { items: vec![line("books", 30_00), line("toys", 70_00)], ..amounts(100_00, 0, 0, 0) };
    assert_eq!(owed(&order, &[percent(1, "10"), books.clone()]), [(2, 6_00), (1, 7_00)]);
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[books]), []);
}

#[test]
fn amounts_at_the_limit_are_reckoned_or_refused_never_wrapped() {
    let most = crate::domain::money::LARGEST_MINOR;
    assert_eq!(owed(&amounts(most, 0, 0, 1), &[percent(1, "100")]), [(1, most - 1)]);
}

#[test]
fn the_base_says_what_is_taken_off() {
    let order = OrderAmounts { discount_minor: 10_00, ..amounts(120_00, 20_00, 5_00, 0) };
    let with = |less_tax, less_shipping, less_discount| {
        let base = Base { less_tax, less_shipping, less_discount };
        let rules = [Rule { base, ..percent(1, "10") }];
        assess(OrderState::new(OrderStatus::Approved, &order), &rules).unwrap().remove(0)
    };
    assert_eq!(with(true, true, true).owed_minor, 9_50);
    assert_eq!(with(false, false, true).owed_minor, 12_00);
    let gross = with(true, false, false);
    assert_eq!(gross.formula(), "10 % × (120.00 − 20.00 tax + 10.00 discount) = 11.00 RUB");
}

#[test]
fn limits_and_caps_bound_the_sum_and_say_so() {
    let bounded = |least, most, cap_left_minor, refunded| {
        let limits = Limits { least_minor: least, most_minor: most };
        let rules = [Rule { limits, cap_left_minor, ..percent(1, "10") }];
        let amounts = amounts(100_00, 0, 0, refunded);
        let owed = assess(OrderState::new(OrderStatus::Approved, &amounts), &rules).unwrap().remove(0);
        (owed.owed_minor, owed.formula())
    };
    assert_eq!(bounded(Some(15_00), None, None, 0), (15_00, "10 % × 100.00, at least 15.00 = 15.00 RUB".to_owned()));
    assert_eq!(bounded(None, Some(8_00), None, 50_00).0, 4_00);
    assert_eq!(bounded(None, None, Some(3_00), 0), (3_00, "10 % × 100.00, 3.00 left of the cap = 3.00 RUB".to_owned()));
    assert_eq!(bounded(Some(15_00), None, Some(0), 0).0, 0);
}

#[test]
fn a_bonus_is_paid_beside_and_one_of_several_wins() {
    let bonus = |id, text| Rule { kind: RuleKind::Bonus, ..percent(id, text) };
    let first = Rule { customer: CustomerCondition::New, ..bonus(3, "7") };
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[percent(1, "10"), bonus(2, "5")]), [(1, 10_00), (2, 5_00)]);
    assert_eq!(owed(&amounts(100_00, 0, 0, 0), &[percent(1, "10"), bonus(2, "5"), first]), [(1, 10_00), (3, 7_00)]);
}

#[test]
fn what_came_back_by_line_is_off_that_lines_base() {
    let books = Rule { category: Some("books".into()), ..percent(2, "20") };
    let rules = [percent(1, "10"), books];
    let items = [line("books", 30_00), line("toys", 70_00)];
    let owed = |refunded, lines: &[(&str, i64)]| {
        let items = items.iter().map(|i| OrderItem { sku: i.category.clone(), ..i.clone() }).collect();
        let amounts = OrderAmounts { items, ..amounts(110_00, 0, 10_00, refunded) };
        let refunded_lines: Vec<RefundedLine> =
            lines.iter().map(|(sku, minor)| RefundedLine { sku: Some((*sku).into()), name: None, minor: *minor }).collect();
        let state = OrderState { refunded_lines: &refunded_lines, ..OrderState::new(OrderStatus::Approved, &amounts) };
        assess(state, &rules).unwrap().iter().map(|o| (o.rule.0, o.owed_minor)).collect::<Vec<_>>()
    };
    assert_eq!(owed(0, &[]), [(2, 6_00), (1, 7_00)]);
    assert_eq!(owed(15_00, &[("books", 15_00)]), [(2, 3_00), (1, 7_00)]);
    assert_eq!(owed(30_00, &[("books", 20_00), ("books", 20_00)]), [(2, 0), (1, 7_00)]);
    // Half of what is left came back without lines.
    assert_eq!(owed(15_00 + 47_50, &[("books", 15_00)]), [(2, 1_50), (1, 3_50)]);
    assert_eq!(owed(110_00, &[("books", 15_00)]), [(2, 0), (1, 0)]);
    // A line that nobody knows takes from all.
    assert_eq!(owed(55_00, &[("pens", 55_00)]), [(2, 3_00), (1, 3_50)]);
}

#[test]
fn excluded_categories_are_not_paid_for() {
    let order = OrderAmounts { items: vec![line("Books", 30_00), line("toys", 70_00)], ..amounts(100_00, 0, 0, 0) };
    let excluded = ["books".to_owned()];
    let state = OrderState { excluded_categories: &excluded, ..OrderState::new(OrderStatus::Approved, &order) };
    let owed = assess(state, &[percent(1, "10")]).unwrap();
    assert_eq!((owed.len(), owed[0].owed_minor), (1, 7_00));
}

fn steps(terms: &[(i64, &str)]) -> Vec<Step> {
    let rate = |text: &str| StepTerms::Percent(RatePpm::from_percent(text).unwrap());
    terms.iter().map(|(from, text)| Step { from: *from, terms: rate(text) }).collect()
}

#[test]
fn tiers_pay_by_the_months_volume() {
    let tiers = |mode| Tiers::new(VolumeBy::Revenue, mode, steps(&[(0, "5"), (1_000_00, "10"), (2_000_00, "20")])).unwrap();
    let volume = |base_minor| Volume { base_minor, orders: 1 };
    let whole = |mode, minor| tiers(mode).owed(Volume::default(), volume(minor), volume(minor)).unwrap();
    assert_eq!(whole(TierMode::Marginal, 999_99), 50_00);
    assert_eq!(whole(TierMode::Marginal, 2_500_00), 50_00 + 100_00 + 100_00);
    assert_eq!(whole(TierMode::WholeMonth, 999_99), 50_00);
    assert_eq!(whole(TierMode::WholeMonth, 1_000_00), 100_00);
    assert_eq!(whole(TierMode::WholeMonth, 2_500_00), 500_00);
    let by_orders = [(0, 100), (3, 200)].map(|(from, minor)| Step { from, terms: StepTerms::Fixed(minor) });
    let by_orders = Tiers::new(VolumeBy::Orders, TierMode::Marginal, by_orders.to_vec()).unwrap();
    let orders = |orders| Volume { base_minor: 0, orders };
    assert_eq!(by_orders.owed(Volume::default(), orders(5), orders(5)), Some(3 * 100 + 2 * 200));
    // Two versions in a month: the second goes on where the first ended.
    let versions = vec![(1, tiers(TierMode::Marginal), volume(1_500_00)), (2, tiers(TierMode::Marginal), volume(1_000_00))];
    let owed = volume_owed((RuleId(1), Currency::RUB), "2026-10", versions, 125_00).unwrap();
    assert_eq!(owed.owed_minor, 250_00 - 125_00);
    assert_eq!(
        owed.formula(),
        "100.00 for 2026-10 of 1500.00 in 1 orders + 150.00 for 2026-10 of 1000.00 in 1 orders − 125.00 earned at once = 125.00 RUB"
    );
}

#[test]
fn tiers_with_gaps_or_mixed_steps_are_refused() {
    let new = |terms: &[(i64, &str)]| Tiers::new(VolumeBy::Revenue, TierMode::Marginal, steps(terms));
    assert_eq!(new(&[]), Err(WrongTiers::Empty));
    assert_eq!(new(&[(1, "5")]), Err(WrongTiers::Gap));
    assert_eq!(new(&[(0, "5"), (10, "6"), (10, "7")]), Err(WrongTiers::NotRising(2)));
    let mut mixed = steps(&[(0, "5"), (10, "6")]);
    mixed[1].terms = StepTerms::Fixed(5);
    assert_eq!(Tiers::new(VolumeBy::Revenue, TierMode::Marginal, mixed), Err(WrongTiers::Mixed(1)));
    let fixed = vec![Step { from: 0, terms: StepTerms::Fixed(5) }];
    assert_eq!(Tiers::new(VolumeBy::Revenue, TierMode::Marginal, fixed), Err(WrongTiers::NoSuchKind));
}

#[test]
fn the_recruiter_is_owed_a_share_of_what_is_earned() {
    let rule = Rule { kind: RuleKind::SecondTier, ..percent(4, "5") };
    let owed = second_tier(&rule, PartnerId(7), Currency::RUB, 1_50).unwrap().unwrap();
    assert_eq!((owed.owed_minor, owed.formula()), (8, "5 % × 1.50 that par_7 earns = 0.08 RUB".to_owned()));
}

#[test]
fn repeat_orders_are_paid_for_as_long_as_the_rule_says() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let deal = |earlier_orders, placed_at| Deal {
        partner: PartnerId(1),
        group: None,
        customer: if earlier_orders == 0 { CustomerKind::New } else { CustomerKind::Returning },
        placed_at: at(placed_at),
        on: PaidOn::Order,
        earlier_orders,
        first_at: (earlier_orders > 0).then(|| at("2026-01-31T10:00:00Z")),
    };
    let rule = |months, orders| Rule { recurring: Some(Recurring { months, orders }), ..percent(1, "10") };
    assert_eq!(rule(Some(1), None).why_not(&deal(1, "2026-02-28T09:59:59Z")), None);
    assert_eq!(rule(Some(1), None).why_not(&deal(1, "2026-02-28T10:00:00Z")), Some(WhyNot::RecurringOver));
    assert_eq!(rule(None, Some(2)).why_not(&deal(1, "2030-01-01T00:00:00Z")), None);
    assert_eq!(rule(None, Some(2)).why_not(&deal(2, "2026-02-01T00:00:00Z")), Some(WhyNot::RecurringOver));
    assert_eq!(rule(Some(1), Some(2)).why_not(&deal(0, "2030-01-01T00:00:00Z")), None);
    assert_eq!(Rule { published: false, ..percent(1, "10") }.why_not(&deal(0, "2030-01-01T00:00:00Z")), Some(WhyNot::Draft));
}

proptest! {
    #[test]
    fn marginal_tiers_of_parts_add_up_to_the_whole(cuts in prop::collection::vec(1i64..500_000, 1..6)) {
        // In whole roubles and whole per cents nothing is rounded.
        let tiers = Tiers::new(VolumeBy::Revenue, TierMode::Marginal, steps(&[(0, "5"), (30_000_00, "10"), (90_000_00, "15")])).unwrap();
        let volume = |roubles: i64| Volume { base_minor: roubles * 100, orders: 1 };
        let whole = volume(cuts.iter().sum());
        let mut before = 0;
        let mut sum = 0;
        for cut in &cuts {
            sum += tiers.owed(volume(before), volume(*cut), whole).unwrap();
            before += cut;
        }
        prop_assert_eq!(sum, tiers.owed(Volume::default(), whole, whole).unwrap());
    }

    #[test]
    fn a_share_never_exceeds_its_whole(total in 1i64..10_000_000, refunded_part in 0u8..=100, ppm in 0i64..=1_000_000) {
        let refunded = total * i64::from(refunded_part) / 100;
        let rules = [rule(1, Terms::Percent(RatePpm::from_ppm(ppm).unwrap()))];
        let (_, owed) = owed(&amounts(total, 0, 0, refunded), &rules)[0];
        prop_assert!((0..=total - refunded).contains(&owed));
    }
}
