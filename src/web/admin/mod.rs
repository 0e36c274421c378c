//! The merchant's pages.

mod home;
mod order;
mod orders;
mod payouts;
mod run;

pub use home::home;
pub use order::order;
pub use orders::orders;
pub use payouts::{approve, build, close, export, paid, payouts};
