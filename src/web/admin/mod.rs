//! The merchant's pages.

mod channel_rules;
mod commission_rule_form;
mod commission_rules;
mod commission_test;
mod documents;
mod home;
mod judge;
mod leads;
mod ledger;
mod order;
mod orders;
mod payout_run;
mod payout_settings;
mod payouts;
mod receipts;
mod rule_form;
mod run;
mod tester;

pub use channel_rules::{change_channel_rules, channel_rule_page, channel_rules_page};
pub use commission_rules::{commission_rule_page, commission_rules_page, save_commission_rule};
pub use documents::{DocumentView, document_page, documents, issue};
pub use home::home;
pub use judge::judge_commission;
pub use leads::leads;
pub use ledger::{ledger_page, move_by_hand, release};
pub use order::order;
pub use orders::orders;
pub use payout_run::{apply_statement, cancel, payout_run, settle_lines, statement};
pub use payout_settings::{change_payout_settings, payout_settings};
pub use payouts::{approve, build, close, export, paid, payouts};
pub use receipts::{ReceiptView, change_receipt, input_of, receipts};
