//! What money is sent by: tax numbers, bank accounts, IBANs, and what a partner's payout needs of them.
//!
//! Each number is a type whose only door is its check, so one that exists is right by itself; [`Requisites`] holds them
//! against each other. [`Payout`] is how one partner is paid, complete or not; [`ready_for_payment`] makes of it a
//! [`Destination`], in which nothing is missing. Whitespace, which people paste along, is dropped everywhere.

mod account;
mod bik;
mod check;
mod destination;
mod digits;
mod error;
mod field;
mod iban;
mod iban_registry;
mod inn;
mod kind;
mod kpp;
mod ogrn;
mod payee;
mod payout;
mod swift;
#[cfg(test)]
mod tests;

pub use account::{Account, CorrespondentAccount, ForeignAccount, RussianAccount};
pub use bik::Bik;
pub use check::Requisites;
pub use destination::{AccountAbroad, Destination, WiseRecipient, missing, ready_for_payment};
pub use digits::compact;
pub use error::{Fault, RequisiteError};
pub use field::Field;
pub use iban::Iban;
pub use inn::Inn;
pub use kind::{Holder, PayeeKind};
pub use kpp::Kpp;
pub use ogrn::Ogrn;
pub use payee::{NPD_YEARLY_LIMIT_MINOR, Npd, Payee};
pub use payout::Payout;
pub use swift::Swift;
