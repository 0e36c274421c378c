//! Who keeps a customer: the first partner to win one of the customer's orders in a program, for as many days and orders
//! as the program says.

use super::{Claimant, ProgramTerms};
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::time::spoken_seconds;
use chrono::{DateTime, TimeDelta, Utc};

/// An earlier order of the customer, and whom it is owed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorOrder {
    pub external_id: String,
    pub placed_at: DateTime<Utc>,
    pub partner: PartnerId,
    pub program: ProgramId,
}

/// A customer and the partner who keeps them, or did last.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptCustomer {
    /// The order that won the customer.
    pub order: String,
    pub since: DateTime<Utc>,
    /// How many orders the partner was kept for so far, the first included.
    pub orders: i64,
    pub claimant: Claimant,
}

/// Since when and for how many orders a program's customer was last kept, and by whom: `prior` is in order of time. Where
/// the days or orders are over, the next order that is owed to anybody begins anew.
pub fn last_kept<'a>(prior: &'a [PriorOrder], terms: &ProgramTerms) -> Option<(&'a PriorOrder, i64)> {
    let mut kept: Option<(&PriorOrder, i64)> = None;
    for order in prior.iter().filter(|order| order.program == terms.program) {
        kept = match kept {
            Some((first, orders)) if over(terms, first.placed_at, orders, order.placed_at).is_none() => Some((first, orders + 1)),
            _ => Some((order, 1)),
        };
    }
    kept
}

/// Why a customer is kept no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The days of the program, and the seconds beyond them.
    Days {
        days: i64,
        seconds: i64,
    },
    Orders(i64),
}

impl Over {
    pub(super) fn detail(self) -> String {
        match self {
            Over::Days { days, seconds } => {
                format!("the customer was kept for {days} d, over by {}", spoken_seconds(seconds))
            }
            Over::Orders(orders) => format!("the customer was kept for {orders} orders, all placed"),
        }
    }
}

fn over(terms: &ProgramTerms, since: DateTime<Utc>, orders: i64, placed_at: DateTime<Utc>) -> Option<Over> {
    let beyond = |days: i64| (placed_at - since - TimeDelta::days(days)).num_seconds();
    match (terms.lifetime_days, terms.lifetime_orders) {
        (Some(days), _) if placed_at - since > TimeDelta::days(days) => Some(Over::Days { days, seconds: beyond(days) }),
        (_, Some(most)) if orders >= most => Some(Over::Orders(most)),
        _ => None,
    }
}

impl KeptCustomer {
    pub(super) fn over(&self, placed_at: DateTime<Utc>) -> Option<Over> {
        over(&self.claimant.terms, self.since, self.orders, placed_at)
    }

    /// How a trace names it.
    pub fn label(&self) -> String {
        format!("lifetime:{}", self.order)
    }
}
