//! Rules applied to an order as it stands.

use super::owed::{Owed, SecondTierOwed, VersionVolume, VolumeOwed};
use super::rule::{Rule, RuleKind};
use super::terms::{Base, StepTerms, Terms, Tiers, Volume};
use crate::domain::id::{PartnerId, RuleId};
use crate::domain::money::{Currency, divide_half_even, split_minor};
use crate::domain::order::{OrderAmounts, OrderItem, OrderStatus};

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

/// What was taken back of a line, by its SKU or, where it has none, its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundedLine {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub minor: i64,
}

/// The order as it stands, or a partner's portion of it.
#[derive(Debug, Clone, Copy)]
pub struct OrderState<'a> {
    pub status: OrderStatus,
    pub amounts: &'a OrderAmounts,
    pub portion: Portion<'a>,
    /// What of `refunded_minor` is known by line; the rest takes from every line in proportion.
    pub refunded_lines: &'a [RefundedLine],
    /// Lines of these are not paid for.
    pub excluded_categories: &'a [String],
}

impl<'a> OrderState<'a> {
    pub fn new(status: OrderStatus, amounts: &'a OrderAmounts) -> OrderState<'a> {
        OrderState { status, amounts, portion: Portion::WHOLE, refunded_lines: &[], excluded_categories: &[] }
    }

    /// What was taken back of each line, never more than the line.
    fn taken_back(&self) -> Vec<i64> {
        let items = &self.amounts.items;
        let mut taken = vec![0; items.len()];
        for line in self.refunded_lines {
            let same = |item: &OrderItem| match (&line.sku, &item.sku) {
                (Some(wanted), Some(has)) => wanted == has,
                (None, _) | (_, None) => line.name.is_some() && line.name == item.name,
            };
            let mut left = line.minor.max(0);
            for (item, taken) in items.iter().zip(&mut taken).filter(|(item, _)| same(item)) {
                let takes = left.min(item.amount_minor - *taken).max(0);
                *taken += takes;
                left -= takes;
            }
        }
        // Never more than was refunded in all.
        let mut left = self.amounts.refunded_minor.min(self.amounts.total_minor);
        for taken in &mut taken {
            *taken = (*taken).min(left);
            left -= *taken;
        }
        taken
    }

    fn is_excluded(&self, item: Option<&OrderItem>) -> bool {
        item.is_some_and(|item| item.is_of_any(self.excluded_categories))
    }
}

/// The amounts are too large to multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the order's amounts are too large to reckon a commission on")]
pub struct TooLarge;

/// What the order owes under each of `rules` that wins a line of it. `rules` are those frozen with the decision:
/// they concern the partner, the customer and the time. An order without lines is one line of no product. One ordinary
/// rule wins each line, and one bonus rule beside it.
///
/// The commissionable amount is shared among the lines by their amounts (largest remainder). What is owed is
/// half-even(rate × base × (total − refunded) / total); a fixed sum shrinks in the same proportion. What was taken back
/// line by line is off these lines' base instead, and the rest of the refunds takes from what is left in proportion. An
/// order that is pending or cancelled owes nothing. Under tiers the order earns by the first step at once.
pub fn assess(order: OrderState<'_>, rules: &[Rule]) -> Result<Vec<Owed>, TooLarge> {
    let items = &order.amounts.items;
    let lines: Vec<Option<&OrderItem>> = if items.is_empty() { vec![None] } else { items.iter().map(Some).collect() };
    let weights: Vec<u64> = lines.iter().map(|l| l.map_or(1, |i| i.amount_minor.max(0).unsigned_abs())).collect();
    let taken = order.taken_back();
    let mut bases: Vec<(Base, Vec<i64>)> = Vec::new();
    let mut owed = Vec::new();
    for kind in [RuleKind::Ordinary, RuleKind::Bonus] {
        let mut won: Vec<(&Rule, i64, i64)> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            if order.is_excluded(*line) {
                continue;
            }
            let fitting = rules.iter().filter(|r| r.kind == kind && r.why_not_line(*line).is_none());
            let Some(rule) = fitting.max_by_key(|r| r.rank()) else { continue };
            let known = bases.iter().position(|(base, _)| *base == rule.base);
            let at = known.unwrap_or_else(|| {
                let minor = order.portion.of(order.amounts.commissionable_under(rule.base));
                bases.push((rule.base, split_minor(minor, &weights)));
                bases.len() - 1
            });
            let base = bases[at].1[index];
            let left = match (line, taken.get(index)) {
                (Some(item), Some(taken)) if *taken > 0 => {
                    let kept = i128::from(base) * i128::from(item.amount_minor - taken);
                    divide_half_even(kept, i128::from(item.amount_minor)).ok_or(TooLarge)?
                }
                _ => base,
            };
            match won.iter_mut().find(|(r, ..)| r.id == rule.id) {
                Some((_, sum, sum_left)) => (*sum, *sum_left) = (*sum + base, *sum_left + left),
                None => won.push((rule, base, left)),
            }
        }
        for (rule, base, left) in won {
            owed.push(owed_under(order, rule, base, left, taken.iter().sum())?);
        }
    }
    Ok(owed)
}

fn owed_under(order: OrderState<'_>, rule: &Rule, base: i64, base_left: i64, by_line: i64) -> Result<Owed, TooLarge> {
    let amounts = order.amounts;
    let rate = match &rule.terms {
        Terms::Percent(rate) => StepTerms::Percent(*rate),
        Terms::Fixed(minor) => StepTerms::Fixed(*minor),
        Terms::Tiers(tiers) => tiers.first(),
    };
    let full = full_millionths(order, rule, rate, base).ok_or(TooLarge)?;
    let full_minor = divide_half_even(full, 1_000_000).ok_or(TooLarge)?;
    let (total, proportional) = (amounts.total_minor, amounts.total_minor - by_line);
    let left = total - amounts.refunded_minor;
    let owed_minor = match order.status {
        OrderStatus::Pending | OrderStatus::Cancelled => 0,
        OrderStatus::Approved if total == 0 => full_minor,
        OrderStatus::Approved if proportional == 0 => 0,
        OrderStatus::Approved => {
            // Lines that came back lower the sum by their part of the base: exact, unless a limit bounds the sum.
            let kept = if base_left == base {
                Some(full)
            } else {
                full.checked_mul(i128::from(base_left)).map(|n| n / i128::from(base))
            };
            kept.and_then(|kept| kept.checked_mul(i128::from(left)))
                .and_then(|n| divide_half_even(n, 1_000_000 * i128::from(proportional)))
                .ok_or(TooLarge)?
        }
    };
    Ok(Owed {
        rule: rule.id,
        rule_version: rule.version,
        kind: rule.kind,
        terms: rule.terms.clone(),
        currency: amounts.currency,
        status: order.status,
        declined: false,
        total_minor: total,
        tax_minor: amounts.tax_minor,
        shipping_minor: amounts.shipping_minor,
        discount_minor: if rule.base.less_discount { 0 } else { amounts.discount_minor },
        refunded_minor: amounts.refunded_minor,
        refunded_by_line_minor: by_line,
        base: rule.base,
        commissionable_minor: amounts.commissionable_under(rule.base),
        base_minor: base,
        base_left_minor: (by_line > 0).then_some(base_left),
        portion: order.portion.shown(),
        limits: rule.limits,
        cap_left_minor: rule.cap_left_minor,
        full_minor,
        owed_minor,
    })
}

/// What the rule pays for its base, within its limits, in millionths of a minor unit, so that it is rounded once.
fn full_millionths(order: OrderState<'_>, rule: &Rule, rate: StepTerms, base: i64) -> Option<i128> {
    let millionths = |minor: i64| i128::from(minor).checked_mul(1_000_000);
    let mut sum = match rate {
        StepTerms::Percent(rate) => i128::from(rate.ppm()).checked_mul(i128::from(base))?,
        StepTerms::Fixed(minor) => millionths(order.portion.of(minor))?,
    };
    if let Some(least) = rule.limits.least_minor {
        sum = sum.max(millionths(order.portion.of(least))?);
    }
    if let Some(most) = rule.limits.most_minor {
        sum = sum.min(millionths(order.portion.of(most))?);
    }
    match rule.cap_left_minor {
        Some(left) => Some(sum.min(millionths(left)?)),
        None => Some(sum),
    }
}

/// What a recruiter is owed of what `earner` earns by an order, under a second-tier rule. `None` under other terms.
pub fn second_tier(
    rule: &Rule,
    earner: PartnerId,
    currency: Currency,
    earned_minor: i64,
) -> Result<Option<SecondTierOwed>, TooLarge> {
    let Terms::Percent(rate) = rule.terms else { return Ok(None) };
    let product = i128::from(rate.ppm()) * i128::from(earned_minor);
    let mut owed_minor = divide_half_even(product, 1_000_000).ok_or(TooLarge)?;
    owed_minor = owed_minor.min(rule.limits.most_minor.unwrap_or(i64::MAX)).min(rule.cap_left_minor.unwrap_or(i64::MAX));
    Ok(Some(SecondTierOwed {
        rule: rule.id,
        rule_version: rule.version,
        currency,
        second_tier_of: earner,
        rate,
        earned_minor,
        cap_left_minor: rule.cap_left_minor,
        declined: false,
        owed_minor,
    }))
}

/// What tiers add to what the orders of a month earned at once. `versions` are those of the rule that the month's orders
/// were placed under, the oldest first, each with the volume of its orders.
pub fn volume_owed(
    (rule, currency): (RuleId, Currency),
    month: &str,
    versions: Vec<(i64, Tiers, Volume)>,
    earned_at_once_minor: i64,
) -> Result<VolumeOwed, TooLarge> {
    let sum = |a: Volume, b: Volume| Volume { base_minor: a.base_minor + b.base_minor, orders: a.orders + b.orders };
    let whole = versions.iter().fold(Volume::default(), |all, (_, _, volume)| sum(all, *volume));
    let mut before = Volume::default();
    let mut parts = Vec::with_capacity(versions.len());
    let mut all_minor: i64 = 0;
    for (version, tiers, volume) in versions {
        let owed_minor = tiers.owed(before, volume, whole).ok_or(TooLarge)?;
        before = sum(before, volume);
        all_minor = all_minor.checked_add(owed_minor).ok_or(TooLarge)?;
        parts.push(VersionVolume { version, tiers, volume, owed_minor });
    }
    Ok(VolumeOwed {
        rule,
        rule_version: parts.last().map_or(1, |part| part.version),
        currency,
        month: month.to_owned(),
        versions: parts,
        earned_at_once_minor,
        declined: false,
        owed_minor: all_minor.checked_sub(earned_at_once_minor).ok_or(TooLarge)?,
    })
}
