//! The merchant's pages.

mod channel_rules;
mod documents;
mod home;
mod order;
mod orders;
mod payouts;
mod receipts;
mod rule_form;
mod run;
mod tester;

pub use channel_rules::{change_channel_rules, channel_rule_page, channel_rules_page};
pub use documents::{DocumentView, document_page, documents, issue};
pub use home::home;
pub use order::order;
pub use orders::orders;
pub use payouts::{approve, build, close, export, paid, payouts};
pub use receipts::{ReceiptView, change_receipt, input_of, receipts};
