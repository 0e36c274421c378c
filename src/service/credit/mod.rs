//! Analytic credit over history. `people` says who is who, `gather` reads their touches, `fits` teaches the fitted models
//! month by month, `sums` shares the orders, `recompute` does all of it and keeps the result.
//! `journeys` is the same for reports and pages, with what they show of each step.

mod fits;
mod gather;
mod journeys;
mod people;
mod recompute;
mod sums;

pub use fits::{Fits, fits_of, kept_fits};
pub use gather::Stage;
pub use journeys::{CreditOptions, Journeys, OrderJourney, Step, journey_to_lead, of_order};
pub use recompute::{Asked, Change, Recomputed, recompute};
