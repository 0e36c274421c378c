//! The Markov model: journeys as walks over an absorbing chain; a channel is worth what would be lost without it.
//!
//! Anderl, Becker, von Wangenheim, Schumann, "Mapping the customer journey" (2016). Always exact, never simulated: the
//! removal effects of order 1 by elimination (`dense`), of orders 2 to 4 by sparse solves (`sparse`).

mod cells;
mod chain;
mod dense;
mod sparse;
mod visits;

pub use chain::{Chain, Next, Transition};

use cells::Packing;

/// How many of a journey's last touches a state of the chain remembers, 1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Order(u8);

/// The text is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the order of the chain is 1, 2, 3 or 4")]
pub struct WrongOrder;

impl Order {
    pub const THIRD: Order = Order(3);

    pub fn new(order: u8) -> Result<Order, WrongOrder> {
        if (1..=4).contains(&order) { Ok(Order(order)) } else { Err(WrongOrder) }
    }

    fn digits(self) -> u32 {
        u32::from(self.0)
    }

    /// Above so many channels a step has no room for them: 4,095 at order 4, 65,535 at order 3.
    pub fn most_channels(self) -> usize {
        Packing::widest(self.digits() + 1).most_channels()
    }
}

impl Default for Order {
    fn default() -> Order {
        Order(1)
    }
}

impl std::str::FromStr for Order {
    type Err = WrongOrder;
    fn from_str(text: &str) -> Result<Order, WrongOrder> {
        Order::new(text.trim().parse().map_err(|_| WrongOrder)?)
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What each channel takes with it when it is removed: every step to it leads to null instead, so each journey that
/// would have met it is lost. From 0 (nothing) to 1 (all); zeros if nothing converts.
#[derive(Debug, Clone, PartialEq)]
pub struct RemovalEffects {
    /// 1 - P(conversion without the channel) / P(conversion).
    pub conversions: Vec<f64>,
    /// 1 - E(value without the channel) / E(value); a conversion is worth the mean of those that left the same state.
    pub value: Vec<f64>,
}

/// What is lost with a channel, and what is left: both sums of products of counts, so that nothing cancels.
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    conversions: f64,
    conversions_left: f64,
    value: f64,
    value_left: f64,
}

impl RemovalEffects {
    fn of(losses: &[Loss]) -> RemovalEffects {
        let part = |lost: f64, left: f64| if lost > 0.0 { lost / (lost + left) } else { 0.0 };
        RemovalEffects {
            conversions: losses.iter().map(|l| part(l.conversions, l.conversions_left)).collect(),
            value: losses.iter().map(|l| part(l.value, l.value_left)).collect(),
        }
    }
}

impl Chain {
    /// The removal effect of each of `channels` channels, by number.
    pub fn removal_effects(&self, channels: usize) -> RemovalEffects {
        let graph = self.graph();
        // Elimination takes memory by the square of the states.
        let few = self.order() == Order(1) && graph.ends.len() <= 2_048;
        RemovalEffects::of(&if few { dense::losses(&graph, channels) } else { sparse::losses(&graph, channels) })
    }
}

#[cfg(test)]
mod tests;
