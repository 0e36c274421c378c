//! The tax on the income of individuals (НДФЛ), as whoever pays them withholds it. Residents only: 30 % of non-residents
//! is not reckoned here.

use chrono::NaiveDate;

/// The rates in force from a day on. A rate is for the part of the year's income above its threshold.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    pub since: NaiveDate,
    /// The law.
    pub source: &'static str,
    /// Thresholds in kopecks, rising from zero, and rates in per cent.
    pub steps: &'static [(i64, i64)],
}

const fn first_of_january(year: i32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, 1, 1) {
        Some(day) => day,
        None => NaiveDate::MIN,
    }
}

/// Oldest first; each holds until the next.
pub const SCALES: [Scale; 2] = [
    Scale {
        since: first_of_january(2021),
        source: "Tax Code, article 224, part 1, as of law of 23.11.2020 N 372-FZ",
        steps: &[(0, 13), (5_000_000_00, 15)],
    },
    Scale {
        since: first_of_january(2025),
        source: "Tax Code, article 224, part 1, as of law of 12.07.2024 N 176-FZ",
        steps: &[(0, 13), (2_400_000_00, 15), (5_000_000_00, 18), (20_000_000_00, 20), (50_000_000_00, 22)],
    },
];

/// The scale of income paid on a day.
pub fn scale_on(day: NaiveDate) -> &'static Scale {
    SCALES.iter().rev().find(|scale| scale.since <= day).unwrap_or(&SCALES[0])
}

impl Scale {
    /// The tax of a year's income in kopecks, in whole roubles: less than 50 kopecks are dropped, 50 and more are a rouble
    /// (Tax Code, article 52, part 6).
    pub fn tax_minor(&self, income_minor: i64) -> i64 {
        let hundredths: i128 = self
            .steps
            .iter()
            .enumerate()
            .map(|(index, (above, percent))| {
                let upper = self.steps.get(index + 1).map_or(i64::MAX, |(next, _)| *next);
                i128::from((income_minor.min(upper) - above).max(0)) * i128::from(*percent)
            })
            .sum();
        // Hundredths of a kopeck to whole roubles, half up.
        let roubles = (hundredths + 5_000) / 10_000;
        i64::try_from(roubles * 100).unwrap_or(i64::MAX)
    }

    /// What is withheld of a payment: the tax of the year so far, less what was withheld before (article 226, part 3),
    /// never more than the payment.
    pub fn withheld_minor(&self, paid_before_minor: i64, withheld_before_minor: i64, payment_minor: i64) -> i64 {
        let of_year = self.tax_minor(paid_before_minor.saturating_add(payment_minor));
        of_year.saturating_sub(withheld_before_minor).clamp(0, payment_minor.max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_scale_is_that_of_the_day() {
        assert_eq!(scale_on(day("2024-12-31")).tax_minor(3_000_000_00), 390_000_00);
        // 2,400,000 at 13 %, 600,000 at 15 %.
        assert_eq!(scale_on(day("2025-01-01")).tax_minor(3_000_000_00), 402_000_00);
        // 312,000 + 390,000 + 2,700,000 + 6,000,000 + 22,000.
        assert_eq!(scale_on(day("2026-11-30")).tax_minor(50_100_000_00), 9_424_000_00);
    }

    #[test]
    fn fifty_kopecks_are_a_rouble() {
        let scale = scale_on(day("2026-11-30"));
        for (income, tax) in [(100_00, 13_00), (3_84, 0), (3_85, 1_00), (9_615, 12_00), (9_616, 13_00), (0, 0), (-5_00, 0)] {
            assert_eq!(scale.tax_minor(income), tax, "{income}");
        }
    }

    #[test]
    fn a_payment_over_the_threshold_is_taxed_in_parts() {
        let scale = scale_on(day("2026-11-30"));
        let before = scale.tax_minor(2_300_000_00);
        assert_eq!(scale.withheld_minor(2_300_000_00, before, 200_000_00), 13_000_00 + 15_000_00);
        assert_eq!(scale.withheld_minor(0, 500_00, 1_000_00), 0, "too much was withheld before");
    }

    proptest! {
        #[test]
        fn however_a_year_is_paid_the_tax_is_the_same(payments in prop::collection::vec(1i64..900_000_000, 1..20)) {
            let scale = scale_on(day("2026-11-30"));
            let (mut paid, mut withheld) = (0, 0);
            for payment in payments {
                let tax = scale.withheld_minor(paid, withheld, payment);
                prop_assert!((0..=payment).contains(&tax));
                prop_assert_eq!(tax % 100, 0);
                paid += payment;
                withheld += tax;
            }
            // One rouble may wait where a payment was smaller than it.
            prop_assert!((scale.tax_minor(paid) - withheld).abs() <= 100);
        }
    }
}
