//! Tributary records where customers come from, says which channel and partner an order is owed to and why, and hands
//! the accountant a payout file that ties to the cent. `docs/ARCHITECTURE.md` is the map.

pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod service;
pub mod store;
pub mod web;
