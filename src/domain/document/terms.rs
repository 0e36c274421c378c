//! What tax law makes of a payment: how much is withheld, or why it cannot be made.

use super::Standing;
use super::ndfl::scale_on;
use crate::domain::money::{Currency, Money};
use crate::domain::requisites::{NPD_YEARLY_LIMIT_MINOR, Npd};
use chrono::NaiveDate;

/// What a payee with the same standing was paid in the calendar year, and what lies in runs that are not paid yet. In
/// kopecks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaidThisYear {
    pub amount_minor: i64,
    pub tax_minor: i64,
}

/// Why a payment cannot be made. As a sentence that begins with what it is about: `npd: …`, `tax: …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error(
        "npd: {paid} paid this year and {due} due are {over} over the yearly limit of the self-employed, {limit}",
        over = Money::new(paid.minor() + due.minor() - limit.minor(), limit.currency())
    )]
    NpdLimit { paid: Money, due: Money, limit: Money },
    #[error("npd: the self-employed status begins on {since}")]
    NpdNotYet { since: NaiveDate },
    #[error("npd: the yearly limit of the self-employed is in RUB, the run in {0}")]
    NpdCurrency(Currency),
    #[error("tax: the tax of an individual is reckoned in RUB, the run is in {0}")]
    TaxCurrency(Currency),
}

/// The text is no obstacle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the words of an obstacle")]
pub struct NoObstacle;

/// Back from its sentence, as lines of runs keep it.
impl std::str::FromStr for Obstacle {
    type Err = NoObstacle;

    fn from_str(text: &str) -> Result<Obstacle, NoObstacle> {
        let money = |text: &str| {
            let (amount, currency) = text.split_once(' ')?;
            Money::parse(amount, currency.parse().ok()?).ok()
        };
        let read = || {
            if let Some(since) = text.strip_prefix("npd: the self-employed status begins on ") {
                return Some(Obstacle::NpdNotYet { since: since.parse().ok()? });
            }
            if let Some(currency) = text.strip_prefix("npd: the yearly limit of the self-employed is in RUB, the run in ") {
                return Some(Obstacle::NpdCurrency(currency.parse().ok()?));
            }
            if let Some(currency) = text.strip_prefix("tax: the tax of an individual is reckoned in RUB, the run is in ") {
                return Some(Obstacle::TaxCurrency(currency.parse().ok()?));
            }
            let (paid, rest) = text.strip_prefix("npd: ")?.split_once(" paid this year and ")?;
            let (due, rest) = rest.split_once(" due are ")?;
            let (_, limit) = rest.split_once(" over the yearly limit of the self-employed, ")?;
            Some(Obstacle::NpdLimit { paid: money(paid)?, due: money(due)?, limit: money(limit)? })
        };
        read().ok_or(NoObstacle)
    }
}

/// What is withheld of a payment on a day, in minor units of its currency; or what stands in its way.
pub fn terms_of_payment(standing: Standing, npd: &Npd, paid: PaidThisYear, due: Money, day: NaiveDate) -> Result<i64, Obstacle> {
    let roubles = due.currency() == Currency::RUB;
    match standing {
        Standing::Company | Standing::SoleTrader | Standing::Foreign => Ok(0),
        Standing::Individual if !roubles => Err(Obstacle::TaxCurrency(due.currency())),
        Standing::Individual => Ok(scale_on(day).withheld_minor(paid.amount_minor, paid.tax_minor, due.minor())),
        Standing::SelfEmployed if !roubles => Err(Obstacle::NpdCurrency(due.currency())),
        Standing::SelfEmployed => match npd.since {
            Some(since) if since > day => Err(Obstacle::NpdNotYet { since }),
            _ if paid.amount_minor.saturating_add(due.minor()) > NPD_YEARLY_LIMIT_MINOR => Err(Obstacle::NpdLimit {
                paid: Money::new(paid.amount_minor, Currency::RUB),
                due,
                limit: Money::new(NPD_YEARLY_LIMIT_MINOR, Currency::RUB),
            }),
            _ => Ok(0),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_is_read_back_from_its_sentence() {
        let roubles = |minor| Money::new(minor, Currency::RUB);
        for obstacle in [
            Obstacle::NpdLimit { paid: roubles(239_000_001), due: roubles(1_000_000), limit: roubles(NPD_YEARLY_LIMIT_MINOR) },
            Obstacle::NpdNotYet { since: "2026-12-01".parse().unwrap() },
            Obstacle::NpdCurrency(Currency::EUR),
            Obstacle::TaxCurrency(Currency::EUR),
        ] {
            assert_eq!(obstacle.to_string().parse(), Ok(obstacle));
        }
        assert_eq!("requisites: no account".parse::<Obstacle>(), Err(NoObstacle));
    }

    #[test]
    fn the_self_employed_are_paid_up_to_the_limit_and_not_a_kopeck_more() {
        let day: NaiveDate = "2026-11-30".parse().unwrap();
        let npd = Npd { since: "2026-01-01".parse().ok(), checked_on: None };
        let paid = PaidThisYear { amount_minor: 2_399_000_00, tax_minor: 0 };
        let pay = |minor, currency| terms_of_payment(Standing::SelfEmployed, &npd, paid, Money::new(minor, currency), day);
        assert_eq!(pay(1_000_00, Currency::RUB), Ok(0));
        assert_eq!(
            pay(1_000_01, Currency::RUB).unwrap_err().to_string(),
            "npd: 2399000.00 RUB paid this year and 1000.01 RUB due are 0.01 RUB over the yearly limit of the self-employed, 2400000.00 RUB"
        );
        assert!(matches!(pay(1, "EUR".parse().unwrap()), Err(Obstacle::NpdCurrency(_))));
        let later = Npd { since: "2026-12-01".parse().ok(), checked_on: None };
        let early = terms_of_payment(Standing::SelfEmployed, &later, PaidThisYear::default(), Money::new(1, Currency::RUB), day);
        assert!(matches!(early, Err(Obstacle::NpdNotYet { .. })));
    }

    #[test]
    fn an_individual_is_paid_less_the_tax_and_the_others_in_full() {
        let day: NaiveDate = "2026-11-30".parse().unwrap();
        let due = Money::new(1_000_00, Currency::RUB);
        for (standing, withheld) in
            [(Standing::Individual, 130_00), (Standing::Company, 0), (Standing::SoleTrader, 0), (Standing::Foreign, 0)]
        {
            assert_eq!(terms_of_payment(standing, &Npd::default(), PaidThisYear::default(), due, day), Ok(withheld));
        }
        let euros = Money::new(1_000_00, "EUR".parse().unwrap());
        let refused = terms_of_payment(Standing::Individual, &Npd::default(), PaidThisYear::default(), euros, day);
        assert!(matches!(refused, Err(Obstacle::TaxCurrency(_))));
    }
}
