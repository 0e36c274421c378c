//! Promo codes: how they match, what they take off, when they hold.

use super::money::{Currency, Money, RatePpm, divide_half_even};
use chrono::{DateTime, Utc};

/// What a code takes off for the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discount {
    Percent(RatePpm),
    Amount(Money),
}

impl Discount {
    /// What comes off `total`, never more than it. `None` if the currencies differ.
    pub fn off(self, total: Money) -> Option<Money> {
        match self {
            Discount::Percent(rate) => {
                let minor = divide_half_even(i128::from(total.minor()) * i128::from(rate.ppm()), 1_000_000)?;
                Some(Money::new(minor, total.currency()))
            }
            Discount::Amount(amount) if amount.currency() == total.currency() => {
                Some(Money::new(amount.minor().min(total.minor()), total.currency()))
            }
            Discount::Amount(_) => None,
        }
    }

    pub fn currency(self) -> Option<Currency> {
        match self {
            Discount::Percent(_) => None,
            Discount::Amount(amount) => Some(amount.currency()),
        }
    }
}

/// Whether a code holds at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromoValidity {
    Valid,
    NotStarted,
    Expired,
    Exhausted,
}

/// The limits of a code: half-open in time, `max_uses` orders at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PromoLimits {
    pub starts_at: Option<DateTime<Utc>>,
    pub ends_at: Option<DateTime<Utc>>,
    pub max_uses: Option<i64>,
}

impl PromoLimits {
    /// `used` counts the other orders that hold the code.
    pub fn validity(&self, at: DateTime<Utc>, used: i64) -> PromoValidity {
        if self.starts_at.is_some_and(|start| at < start) {
            PromoValidity::NotStarted
        } else if self.ends_at.is_some_and(|end| at >= end) {
            PromoValidity::Expired
        } else if self.max_uses.is_some_and(|most| used >= most) {
            PromoValidity::Exhausted
        } else {
            PromoValidity::Valid
        }
    }
}

/// What makes a code unique and how an entered one is looked up: trimmed, case folded, nothing else changed.
pub fn promo_key(code: &str) -> String {
    code.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_matches_in_any_case_and_never_as_a_pattern_or_number() {
        for (stored, entered, matches) in [
            ("ANNA10", "anna10", true),
            ("ANNA10", " Anna10 ", true),
            ("СКИДКА", "скидка", true),
            ("=SALE", "=SALE", true),
            ("1E3", "1000", false),
            ("ANNA_0", "ANNA10", false),
        ] {
            assert_eq!(promo_key(stored) == promo_key(entered), matches, "{stored} / {entered}");
        }
    }

    #[test]
    fn a_discount_never_exceeds_the_total() {
        let rub = |minor| Money::new(minor, Currency::RUB);
        assert_eq!(Discount::Amount(rub(500)).off(rub(300)), Some(rub(300)));
        assert_eq!(Discount::Percent(RatePpm::from_percent("12.5").unwrap()).off(rub(1_00)), Some(rub(12)));
        assert_eq!(Discount::Amount(Money::new(1, "EUR".parse().unwrap())).off(rub(300)), None);
    }
}
