//! What goes on paper beside the money: statements and acts of a partner's month, taxes, receipts of the self-employed.
//!
//! Who the payee is before Russian tax law ([`Standing`]) decides the rest: of an individual's payment the tax is withheld
//! ([`ndfl`]), a self-employed payee has a yearly limit and owes a `receipt`, all others are paid in full.

mod content;
pub mod ndfl;
mod receipt;
mod standing;
mod terms;
mod words;

pub use content::{Content, ContentLine, DocumentKind, DocumentLanguage, DocumentNumber, Party, Sums};
pub use receipt::{GivenReceipt, ReceiptError, ReceiptState, receipt_due};
pub use standing::Standing;
pub use terms::{Obstacle, PaidThisYear, terms_of_payment};
pub use words::{english, russian};
