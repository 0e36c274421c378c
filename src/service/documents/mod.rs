//! Papers beside the money: statements and acts, taxes withheld, receipts of the self-employed.

mod issue;
mod proof;
mod receipts;
mod taxes;

pub use issue::{Draw, Issued, NotIssued, issue, issue_month, page};
pub use proof::proofs;
pub use receipts::{ReceiptInput, annul_receipt, receive_receipt, remind_of_receipt};
pub use taxes::{by_tax_law, payments_changed};
