//! The ledger itself: what persons do to balances by hand, its chain, the sums that make balances quick, and what the
//! accounts hold together.

mod acts;
pub mod chain;
pub mod sums;
mod trial;

pub use acts::{Movement, MovementInput, ReleaseInput, adjust, balance, release_withheld, withhold, write_off};
pub use trial::{Trial, TrialLine, trial_balance};
