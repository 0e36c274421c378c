//! The merchant's pages.

mod channel_rules;
mod commission_rule_form;
mod commission_rules;
mod commission_test;
mod home;
mod judge;
mod leads;
mod order;
mod orders;
mod payouts;
mod rule_form;
mod run;
mod tester;

pub use channel_rules::{change_channel_rules, channel_rule_page, channel_rules_page};
pub use commission_rules::{commission_rule_page, commission_rules_page, save_commission_rule};
pub use home::home;
pub use judge::judge_commission;
pub use leads::leads;
pub use order::order;
pub use orders::orders;
pub use payouts::{approve, build, close, export, paid, payouts};
