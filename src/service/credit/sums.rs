//! Shares the orders of some months by every model, and sums what each channel gets.

use super::fits::Fits;
use super::gather::{Gathered, credit_touch};
use super::people::People;
use crate::domain::attribution::{CreditTouch, HalfLife, Journey, Model, Window, credit_weights};
use crate::domain::channel::Channel;
use crate::domain::money::{Currency, split_minor};
use crate::domain::time::{Period, comes_after};
use crate::store::credit::{CreditKey, CreditSum, CreditSums};
use crate::store::journey::CreditOrder;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sums of a month's orders in one currency: by model as asked, then by channel.
type Table = Vec<[CreditSum; Channel::ALL.len()]>;

/// What is shared, and by what.
pub struct Sharing {
    pub people: Arc<People>,
    pub gathered: Arc<Gathered>,
    pub fits: Fits,
    pub models: Vec<Model>,
    pub from: Period,
    pub to: Period,
}

/// The last lead not after the order and inside the window.
pub fn lead_before(leads: &[DateTime<Utc>], placed_at: DateTime<Utc>, window: Window) -> Option<DateTime<Utc>> {
    let before = leads.partition_point(|lead| !comes_after(*lead, placed_at));
    let lead = before.checked_sub(1).and_then(|place| leads.get(place).copied())?;
    (placed_at - lead <= TimeDelta::days(window.click_days)).then_some(lead)
}

impl Sharing {
    /// Shares all orders, on as many threads as there are cores. The sums are the same whatever their number.
    pub fn sums(&self) -> CreditSums {
        let persons = self.people.count();
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let part = persons.div_ceil(threads).max(1);
        let mut tables: BTreeMap<(Period, Currency), Table> = BTreeMap::new();
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                (0..persons).step_by(part).map(|from| scope.spawn(move || self.part(from..(from + part).min(persons)))).collect();
            for part in parts {
                // Orders that were not shared must not be missing silently.
                let part = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                for (key, table) in part {
                    match tables.entry(key) {
                        std::collections::btree_map::Entry::Vacant(entry) => {
                            entry.insert(table);
                        }
                        std::collections::btree_map::Entry::Occupied(mut entry) => add(entry.get_mut(), &table),
                    }
                }
            }
        });
        self.by_key(tables)
    }

    fn part(&self, persons: std::ops::Range<usize>) -> BTreeMap<(Period, Currency), Table> {
        let mut tables: BTreeMap<(Period, Currency), Table> = BTreeMap::new();
        let window = Window::default();
        let mut bases = BTreeMap::new();
        let (mut touches, mut steps): (Vec<CreditTouch>, Vec<CreditTouch>) = (Vec::new(), Vec::new());
        for person in persons {
            let orders = &self.people.orders[self.people.orders_of[person].clone()];
            if orders.is_empty() {
                continue;
            }
            touches.clear();
            touches.extend(self.gathered.touches[self.gathered.of[person].clone()].iter().map(|(_, touch)| credit_touch(touch)));
            for order in orders {
                let period = Period::of(order.day);
                if period < self.from || period > self.to {
                    continue;
                }
                steps.clear();
                steps.extend(self.people.steps_of(order, &touches, window));
                let basis = bases.entry(period).or_insert_with(|| self.fits.basis(period, HalfLife::default()));
                let table = tables
                    .entry((period, order.currency))
                    .or_insert_with(|| vec![[CreditSum::default(); Channel::ALL.len()]; self.models.len()]);
                let lead_at = lead_before(&self.people.leads[person], order.placed_at, window);
                for (model, row) in self.models.iter().zip(table.iter_mut()) {
                    let journey = Journey { touches: &steps, lead_at };
                    // A month with more channels than the model can do gives it nothing to go by.
                    let weights = credit_weights(*model, journey, basis).unwrap_or_default();
                    share(row, order, &steps, &weights);
                }
            }
        }
        tables
    }

    fn by_key(&self, tables: BTreeMap<(Period, Currency), Table>) -> CreditSums {
        let mut sums = CreditSums::new();
        for ((period, currency), table) in tables {
            for (model, row) in self.models.iter().zip(table) {
                for (channel, sum) in Channel::ALL.iter().zip(row).filter(|(_, sum)| *sum != CreditSum::default()) {
                    sums.insert(CreditKey { period, model: model.to_string(), currency, channel: *channel }, sum);
                }
            }
        }
        sums
    }
}

/// Gives an order to the channels of its steps; to `direct` if there is none.
fn share(row: &mut [CreditSum; Channel::ALL.len()], order: &CreditOrder, steps: &[CreditTouch], weights: &[u64]) {
    let net = order.total_minor - order.refunded_minor;
    let mut given = weights.iter().enumerate().filter(|(_, weight)| **weight > 0);
    let alone = match (given.next(), given.next()) {
        (None, _) if steps.is_empty() => Some(Channel::Direct),
        (Some((only, _)), None) => steps.get(only).map(|step| step.channel),
        _ => None,
    };
    if let Some(channel) = alone {
        let sum = &mut row[channel as usize];
        sum.orders_millionths += 1_000_000;
        sum.revenue_minor += order.total_minor;
        sum.net_revenue_minor += net;
        return;
    }
    let orders = split_minor(1_000_000, weights);
    let revenue = split_minor(order.total_minor, weights);
    let net = if net == order.total_minor { revenue.clone() } else { split_minor(net, weights) };
    for (place, step) in steps.iter().enumerate().take(weights.len()) {
        let sum = &mut row[step.channel as usize];
        sum.orders_millionths += orders[place];
        sum.revenue_minor += revenue[place];
        sum.net_revenue_minor += net[place];
    }
}

fn add(to: &mut Table, more: &Table) {
    for (to, more) in to.iter_mut().flatten().zip(more.iter().flatten()) {
        to.orders_millionths += more.orders_millionths;
        to.revenue_minor += more.revenue_minor;
        to.net_revenue_minor += more.net_revenue_minor;
    }
}
