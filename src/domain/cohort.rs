//! Customers by the month of their first order, and what they did in the months after it.

use super::time::Period;
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// An approved order, as cohorts look at it.
#[derive(Debug, Clone, Copy)]
pub struct CohortOrder<P> {
    pub person: P,
    pub day: NaiveDate,
    pub revenue_minor: i64,
    pub net_revenue_minor: i64,
}

/// What a cohort did in one month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CohortMonth {
    /// Customers who ordered in it.
    pub customers: i64,
    pub orders: i64,
    pub revenue_minor: i64,
    pub net_revenue_minor: i64,
}

/// The customers whose first order was in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    pub month: Period,
    pub customers: i64,
    /// Those of them with a second order.
    pub repeat_customers: i64,
    /// By the number of months since the first order; the last is that of the last day looked at.
    pub months: Vec<CohortMonth>,
}

impl Cohort {
    /// Net revenue of all months up to one, in minor units.
    pub fn net_revenue_to(&self, month: usize) -> i64 {
        self.months.iter().take(month + 1).map(|month| month.net_revenue_minor).sum()
    }
}

/// The cohorts of the months from `from` on, by all orders up to `to`, its end included. A month in which nobody was new has
/// none. `orders` may come in any order; of one person all must be there, or later orders would seem to be first ones.
pub fn cohorts<P: Hash + Eq + Copy>(orders: &[CohortOrder<P>], from: Period, to: NaiveDate) -> Vec<Cohort> {
    let known = || orders.iter().filter(|order| order.day <= to);
    let mut first: HashMap<P, (Period, i64)> = HashMap::with_capacity(orders.len());
    for order in known() {
        let month = Period::of(order.day);
        let entry = first.entry(order.person).or_insert((month, 0));
        entry.0 = entry.0.min(month);
        entry.1 += 1;
    }
    let last = Period::of(to);
    let mut found: BTreeMap<Period, Cohort> = BTreeMap::new();
    for (month, orders) in first.values().filter(|(month, _)| *month >= from) {
        let cohort = found.entry(*month).or_insert_with(|| {
            let months = vec![CohortMonth::default(); month.months_to(last) + 1];
            Cohort { month: *month, customers: 0, repeat_customers: 0, months }
        });
        cohort.customers += 1;
        cohort.repeat_customers += i64::from(*orders > 1);
    }
    let mut active: HashMap<P, Vec<u16>> = HashMap::new();
    for order in known() {
        let Some((month, _)) = first.get(&order.person) else { continue };
        let Some(cohort) = found.get_mut(month) else { continue };
        let number = month.months_to(Period::of(order.day));
        let Some(of_month) = cohort.months.get_mut(number) else { continue };
        of_month.orders += 1;
        of_month.revenue_minor += order.revenue_minor;
        of_month.net_revenue_minor += order.net_revenue_minor;
        let months = active.entry(order.person).or_default();
        let number = u16::try_from(number).unwrap_or(u16::MAX);
        if !months.contains(&number) {
            months.push(number);
            of_month.customers += 1;
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn order(person: u8, day: &str, net: i64) -> CohortOrder<u8> {
        CohortOrder { person, day: day.parse().unwrap(), revenue_minor: net, net_revenue_minor: net }
    }

    #[test]
    fn customers_are_followed_from_the_month_of_their_first_order() {
        let orders = [
            order(1, "2026-01-10", 100),
            order(1, "2026-03-01", 50),
            order(2, "2026-01-31", 30),
            order(2, "2026-01-31", 20),
            order(3, "2026-03-02", 70),
            order(3, "2026-04-01", 9),
        ];
        let all = cohorts(&orders, "2026-01".parse().unwrap(), "2026-03-31".parse().unwrap());
        assert_eq!(all.iter().map(|c| c.month.to_string()).collect::<Vec<_>>(), ["2026-01", "2026-03"]);
        assert_eq!((all[0].customers, all[0].repeat_customers, all[0].months.len()), (2, 2, 3));
        let row = |m: &CohortMonth| (m.customers, m.orders, m.net_revenue_minor);
        assert_eq!(all[0].months.iter().map(row).collect::<Vec<_>>(), [(2, 3, 150), (0, 0, 0), (1, 1, 50)]);
        assert_eq!((all[0].net_revenue_to(1), all[0].net_revenue_to(2)), (150, 200));
        assert_eq!((all[1].customers, all[1].repeat_customers), (1, 0), "what comes later is not known yet");
        assert_eq!(
            cohorts(&orders, "2026-02".parse().unwrap(), "2026-04-30".parse().unwrap()).len(),
            1,
            "a first order before stays one"
        );
    }

    proptest! {
        #[test]
        fn every_order_is_in_one_cohort_and_none_has_more_customers_than_came(
            orders in prop::collection::vec((0..9_u8, 0..400_i64, 0..1_000_i64), 0..80),
        ) {
            let start: NaiveDate = "2026-01-01".parse().unwrap();
            let orders: Vec<CohortOrder<u8>> = orders.into_iter()
                .map(|(person, day, net)| CohortOrder { person, day: start + chrono::TimeDelta::days(day), revenue_minor: net, net_revenue_minor: net }).collect();
            let all = cohorts(&orders, Period::of(start), "2027-12-31".parse().unwrap());
            let months = || all.iter().flat_map(|cohort| &cohort.months);
            prop_assert_eq!(months().map(|m| m.orders).sum::<i64>(), orders.len() as i64);
            prop_assert_eq!(months().map(|m| m.net_revenue_minor).sum::<i64>(), orders.iter().map(|o| o.net_revenue_minor).sum::<i64>());
            let persons: std::collections::HashSet<u8> = orders.iter().map(|order| order.person).collect();
            prop_assert_eq!(all.iter().map(|cohort| cohort.customers).sum::<i64>(), persons.len() as i64);
            for cohort in &all {
                prop_assert_eq!(cohort.months[0].customers, cohort.customers);
                prop_assert!(cohort.months.iter().all(|month| month.customers <= cohort.customers && month.customers <= month.orders));
            }
        }
    }
}
