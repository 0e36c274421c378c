//! Bank statements read back: the 1C exchange format and ISO 20022 camt.053. Anything that is not understood is an
//! error that says where; nothing is skipped in silence.

mod apply;
mod camt053;
mod client_bank;
mod compare;
mod xml;

pub use apply::{Applied, Outcome, apply, preview};
pub use compare::{Comparison, compare};

use crate::domain::bank_statement::BankStatement;
use crate::domain::money::MoneyError;

/// Why a statement could not be read. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    #[error("this is neither 1CClientBankExchange nor camt.053")]
    UnknownFormat,
    #[error("the file says it is in {says}, and is not")]
    Encoding { says: String },
    #[error("the file is cut off: {0} is missing at its end")]
    CutOff(&'static str),
    #[error("line {line}: {what}")]
    Line { line: usize, what: String },
    #[error("line {line}: {field} is missing")]
    Missing { line: usize, field: String },
    #[error("line {line}: {field} '{value}' {problem}")]
    Field { line: usize, field: String, value: String, problem: String },
}

impl StatementError {
    fn line(line: usize, what: impl std::fmt::Display) -> StatementError {
        StatementError::Line { line, what: what.to_string() }
    }

    fn missing(line: usize, field: &str) -> StatementError {
        StatementError::Missing { line, field: field.to_owned() }
    }

    fn field(line: usize, field: &str, value: &str, problem: impl std::fmt::Display) -> StatementError {
        let value = value.chars().take(60).collect();
        StatementError::Field { line, field: field.to_owned(), value, problem: problem.to_string() }
    }

    fn amount(line: usize, field: &str, value: &str, error: &MoneyError) -> StatementError {
        let problem = match error {
            MoneyError::NotADecimal(_) => "is not an amount like 1990.00".to_owned(),
            other => other.to_string(),
        };
        StatementError::field(line, field, value, problem)
    }
}

/// Reads a statement in whichever of the formats it is.
pub fn read(bytes: &[u8]) -> Result<BankStatement, StatementError> {
    let start = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    if start.starts_with(b"1CClientBankExchange") {
        client_bank::read(bytes)
    } else if start.starts_with(b"<") {
        camt053::read(bytes)
    } else {
        Err(StatementError::UnknownFormat)
    }
}

#[cfg(test)]
mod tests;
