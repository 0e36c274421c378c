//! What an order owes its partner: the rules in force, applied to the order as it stands now.
//!
//! [`assess`] looks only at the order's final state, never at how it came about. So amendments, refunds and cancels
//! in any order and number end at the same sum; the ledger gets the difference to what was posted before.

use super::id::{PartnerId, ProgramId, RuleId};
use super::money::{Currency, Money, RatePpm, divide_half_even, split_minor};
use super::order::{CustomerKind, OrderAmounts, OrderItem, OrderStatus};
use chrono::{DateTime, Utc};

/// What a rule pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// Of the commissionable amount.
    Percent(RatePpm),
    /// Minor units per order, in the program's currency.
    Fixed(i64),
}

/// For which customers a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerCondition {
    Any,
    New,
    Returning,
}

impl CustomerCondition {
    fn holds(self, kind: CustomerKind) -> bool {
        match self {
            CustomerCondition::Any => true,
            CustomerCondition::New => kind == CustomerKind::New,
            CustomerCondition::Returning => kind == CustomerKind::Returning,
        }
    }
}

/// One version of a commission rule; it holds for orders placed from `starts_at` until before `ends_at`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rule {
    pub id: RuleId,
    pub version: i64,
    pub program: ProgramId,
    pub partner: Option<PartnerId>,
    pub group: Option<String>,
    pub product: Option<String>,
    pub category: Option<String>,
    pub customer: CustomerCondition,
    pub terms: Terms,
    pub priority: i64,
    pub starts_at: DateTime<Utc>,
    pub ends_at: Option<DateTime<Utc>>,
}

impl Rule {
    /// Whether the rule can matter to this partner's orders placed at `placed_at`, before looking at their lines.
    pub fn concerns(&self, partner: PartnerId, group: Option<&str>, customer: CustomerKind, placed_at: DateTime<Utc>) -> bool {
        self.partner.is_none_or(|p| p == partner)
            && self.group.as_deref().is_none_or(|g| Some(g) == group)
            && self.customer.holds(customer)
            && self.starts_at <= placed_at
            && self.ends_at.is_none_or(|end| placed_at < end)
    }

    fn fits_line(&self, item: Option<&OrderItem>) -> bool {
        let same = |wanted: &Option<String>, has: Option<&String>| match wanted {
            None => true,
            Some(wanted) => has.is_some_and(|has| has.to_lowercase() == wanted.to_lowercase()),
        };
        same(&self.product, item.and_then(|i| i.sku.as_ref())) && same(&self.category, item.and_then(|i| i.category.as_ref()))
    }

    /// The greatest wins: dimensions matched, partner before group, product before category, customer, priority, age.
    fn rank(&self) -> (usize, bool, bool, bool, bool, bool, i64, std::cmp::Reverse<RuleId>) {
        let customer = self.customer != CustomerCondition::Any;
        let (partner, group) = (self.partner.is_some(), self.group.is_some());
        let (product, category) = (self.product.is_some(), self.category.is_some());
        let dimensions = [partner || group, product || category, customer].into_iter().filter(|d| *d).count();
        (dimensions, partner, group, product, category, customer, self.priority, std::cmp::Reverse(self.id))
    }
}

/// The part of an order that is one partner's, where several share it: `touches[index]` of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion<'a> {
    touches: &'a [u64],
    index: usize,
}

impl<'a> Portion<'a> {
    pub const WHOLE: Portion<'static> = Portion { touches: &[1], index: 0 };

    /// One portion for each partner.
    pub fn all(touches: &'a [u64]) -> impl Iterator<Item = Portion<'a>> {
        (0..touches.len()).map(move |index| Portion { touches, index })
    }

    /// This part of an amount; all parts together are the amount.
    fn of(self, minor: i64) -> i64 {
        split_minor(minor, self.touches).get(self.index).copied().unwrap_or(0)
    }

    fn shown(self) -> Option<(u64, u64)> {
        let own = self.touches.get(self.index)?;
        (self.touches.len() > 1).then(|| (*own, self.touches.iter().sum()))
    }
}

/// The order as it stands, or a partner's portion of it.
#[derive(Debug, Clone, Copy)]
pub struct OrderState<'a> {
    pub status: OrderStatus,
    pub amounts: &'a OrderAmounts,
    pub portion: Portion<'a>,
}

/// What an order owes under one rule, with everything the formula used.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owed {
    pub rule: RuleId,
    pub rule_version: i64,
    pub terms: Terms,
    pub currency: Currency,
    pub status: OrderStatus,
    pub total_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub refunded_minor: i64,
    /// Total less tax and shipping.
    pub commissionable_minor: i64,
    /// The part of it whose lines fall under this rule; of the partner's portion, where several share the order.
    pub base_minor: i64,
    /// The partner's touches and codes, and those of all who share the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<(u64, u64)>,
    /// What would be owed without refunds.
    pub full_minor: i64,
    /// What is owed now.
    pub owed_minor: i64,
}

impl Owed {
    /// The formula with its numbers, for people: `12.5 % × 100.00 = 12.50 RUB`.
    pub fn formula(&self) -> String {
        let money = |minor| Money::new(minor, self.currency).decimal();
        if self.status != OrderStatus::Approved {
            let state = if self.status == OrderStatus::Cancelled { "cancelled" } else { "not approved" };
            return format!("the order is {state}: 0 {}", self.currency);
        }
        let mut text = match self.terms {
            Terms::Fixed(minor) if self.portion.is_some() => format!("{} of {} per order", money(self.full_minor), money(minor)),
            Terms::Fixed(minor) => format!("{} per order", money(minor)),
            Terms::Percent(rate) => {
                let mut base = money(self.total_minor);
                if self.tax_minor != 0 {
                    base += &format!(" − {} tax", money(self.tax_minor));
                }
                if self.shipping_minor != 0 {
                    base += &format!(" − {} shipping", money(self.shipping_minor));
                }
                if self.tax_minor != 0 || self.shipping_minor != 0 {
                    base = format!("({base})");
                }
                if self.base_minor != self.commissionable_minor {
                    base = format!("{} of {base}", money(self.base_minor));
                }
                format!("{} % × {base}", rate.percent())
            }
        };
        if let Some((own, all)) = self.portion {
            text += &format!(" ({own}/{all} of the order)");
        }
        if self.refunded_minor != 0 {
            let left = money(self.total_minor - self.refunded_minor);
            text += &format!(" × {left} / {} left after refunds", money(self.total_minor));
        }
        format!("{text} = {} {}", money(self.owed_minor), self.currency)
    }
}

/// The amounts are too large to multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the order's amounts are too large to reckon a commission on")]
pub struct TooLarge;

/// What the order owes under each of `rules` that wins a line of it. `rules` are those frozen with the decision:
/// they concern the partner, the customer and the time. An order without lines is one line of no product.
///
/// The commissionable amount is shared among the lines by their amounts (largest remainder). What is owed is
/// half-even(rate × base × (total − refunded) / total); a fixed sum shrinks in the same proportion. An order that is
/// pending or cancelled owes nothing.
pub fn assess(order: OrderState<'_>, rules: &[Rule]) -> Result<Vec<Owed>, TooLarge> {
    let amounts = order.amounts;
    let commissionable = amounts.commissionable_minor();
    let lines: Vec<Option<&OrderItem>> =
        if amounts.items.is_empty() { vec![None] } else { amounts.items.iter().map(Some).collect() };
    let weights: Vec<u64> = lines.iter().map(|l| l.map_or(1, |i| i.amount_minor.max(0).unsigned_abs())).collect();
    let bases = split_minor(order.portion.of(commissionable), &weights);

    let mut won: Vec<(&Rule, i64)> = Vec::new();
    for (line, base) in lines.into_iter().zip(bases) {
        let Some(rule) = rules.iter().filter(|r| r.fits_line(line)).max_by_key(|r| r.rank()) else { continue };
        match won.iter_mut().find(|(r, _)| r.id == rule.id) {
            Some((_, sum)) => *sum += base,
            None => won.push((rule, base)),
        }
    }
    won.into_iter().map(|(rule, base)| owed_under(order, rule, commissionable, base)).collect()
}

fn owed_under(order: OrderState<'_>, rule: &Rule, commissionable: i64, base: i64) -> Result<Owed, TooLarge> {
    let amounts = order.amounts;
    let (rate, reckoned_on) = match rule.terms {
        Terms::Percent(rate) => (rate.ppm(), base),
        Terms::Fixed(minor) => (1_000_000, order.portion.of(minor)),
    };
    let of = |left: i64, whole: i64| {
        i128::from(rate)
            .checked_mul(i128::from(reckoned_on))
            .and_then(|n| n.checked_mul(i128::from(left)))
            .and_then(|n| divide_half_even(n, 1_000_000 * i128::from(whole)))
            .ok_or(TooLarge)
    };
    let full_minor = of(1, 1)?;
    let owed_minor = match order.status {
        OrderStatus::Pending | OrderStatus::Cancelled => 0,
        OrderStatus::Approved if amounts.total_minor == 0 => full_minor,
        OrderStatus::Approved => of(amounts.total_minor - amounts.refunded_minor, amounts.total_minor)?,
    };
    Ok(Owed {
        rule: rule.id,
        rule_version: rule.version,
        terms: rule.terms,
        currency: amounts.currency,
        status: order.status,
        total_minor: amounts.total_minor,
        tax_minor: amounts.tax_minor,
        shipping_minor: amounts.shipping_minor,
        refunded_minor: amounts.refunded_minor,
        commissionable_minor: commissionable,
        base_minor: base,
        portion: order.portion.shown(),
        full_minor,
        owed_minor,
    })
}

/// Where a commission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionState {
    /// In hold.
    Pending,
    /// The hold is over; waits for a payout run.
    Approved,
    /// In a payout run.
    Payable,
    Paid,
    /// Owes nothing any more.
    Reversed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(id: i64, terms: Terms) -> Rule {
        Rule {
            id: RuleId(id),
            version: 1,
            program: ProgramId(1),
            partner: None,
            group: None,
            product: None,
            category: None,
            customer: CustomerCondition::Any,
            terms,
            priority: 0,
            starts_at: DateTime::UNIX_EPOCH,
            ends_at: None,
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
        let state = OrderState { status: OrderStatus::Approved, amounts, portion: Portion::WHOLE };
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
        let state = OrderState { status: OrderStatus::Approved, amounts: &amounts, portion: Portion::WHOLE };
        let formula = assess(state, &[percent(1, "12.5")]).unwrap()[0].formula();
        assert_eq!(formula, "12.5 % × (120.00 − 20.00 tax) × 60.00 / 120.00 left after refunds = 6.25 RUB");
    }

    #[test]
    fn portions_of_an_order_are_owed_for_as_the_whole_would_be() {
        let amounts = amounts(120_01, 20_00, 0, 0);
        let of = |rule: Rule| -> Vec<(i64, String)> {
            let rules = [rule];
            let portions = Portion::all(&[1, 2]);
            let owed = portions.map(|portion| OrderState { status: OrderStatus::Approved, amounts: &amounts, portion });
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
        let most = super::super::money::LARGEST_MINOR;
        assert_eq!(owed(&amounts(most, 0, 0, 1), &[percent(1, "100")]), [(1, most - 1)]);
    }

    proptest! {
        #[test]
        fn a_share_never_exceeds_its_whole(total in 1i64..10_000_000, refunded_part in 0u8..=100, ppm in 0i64..=1_000_000) {
            let refunded = total * i64::from(refunded_part) / 100;
            let rules = [rule(1, Terms::Percent(RatePpm::from_ppm(ppm).unwrap()))];
            let (_, owed) = owed(&amounts(total, 0, 0, refunded), &rules)[0];
            prop_assert!((0..=total - refunded).contains(&owed));
        }
    }
}
