//! Analytic credit: a person's touches and a model give every touch its share of an order. `docs/models.md` explains the
//! models; `rules` shares one order, `fit` learns from a period, `paths` reckons over files of aggregated journeys.

mod fit;
mod journey;
mod markov;
mod model;
pub mod paths;
mod rules;
mod shapley;
mod whole;

pub use fit::{ChannelWorth, Fit};
pub use journey::{NullJourney, conversions_served, null_journeys, touches_before};
pub use markov::{Next, Order, RemovalEffects, Transition, WrongOrder};
pub use model::{Model, PositionShares, UnknownModel};
pub use rules::{Basis, CreditTouch, HalfLife, Journey, Window, credit_weights, touches_in_window};
pub use shapley::{MOST_CHANNELS, TooManyChannels};
pub use whole::{split_among_conversions, whole_weights};
