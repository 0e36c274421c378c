//! The merchant's pages.

mod channel_rules;
mod home;
mod ledger;
mod order;
mod orders;
mod payouts;
mod rule_form;
mod run;
mod tester;

pub use channel_rules::{change_channel_rules, channel_rule_page, channel_rules_page};
pub use home::home;
pub use ledger::{ledger_page, move_by_hand, release};
pub use order::order;
pub use orders::orders;
pub use payouts::{approve, build, close, export, paid, payouts};
