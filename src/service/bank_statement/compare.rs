//! A statement held against a run. Nothing is stored: `apply` marks what it says.

use super::{StatementError, read};
use crate::domain::bank_statement::{BankStatement, OtherStatement, Reconciliation, reconcile};
use crate::domain::id::PayoutRunId;
use crate::domain::payout_file::FileError;
use crate::domain::requisites::compact;
use crate::service::payout::{RunWithLines, load};
use crate::service::{Context, Error, Refusal, Result, payout_file};
use crate::store::Reader;

impl From<StatementError> for Error {
    fn from(error: StatementError) -> Error {
        Error::refused(Refusal::StatementUnreadable, error)
    }
}

impl From<OtherStatement> for Error {
    fn from(error: OtherStatement) -> Error {
        let refusal = match error {
            OtherStatement::Account { .. } => Refusal::OtherAccount,
            OtherStatement::Period { .. } | OtherStatement::Later { .. } => Refusal::OtherMonth,
        };
        Error::refused(refusal, error)
    }
}

/// What a statement says of a run; the verdicts are in the order of its entries.
#[derive(Debug, Clone)]
pub struct Comparison {
    pub statement: BankStatement,
    pub found: Reconciliation,
}

/// Reads a statement and holds it against the payments of a run.
///
/// Errors: it cannot be read, it is of another account than the payer's, it ends before the payments' date, it is of a later
/// month and speaks of none of them, no payer is set, there is no such run.
pub async fn compare<'a>(on: impl Into<Reader<'a>>, context: &Context, id: PayoutRunId, bytes: &[u8]) -> Result<Comparison> {
    let mut reader = on.into();
    let loaded = load(reader.again(), id).await?;
    with_run(reader, context, &loaded, bytes).await
}

/// [`compare`] with a run that is loaded.
pub(super) async fn with_run(reader: Reader<'_>, context: &Context, loaded: &RunWithLines, bytes: &[u8]) -> Result<Comparison> {
    let statement = read(bytes)?;
    let (header, is_kept) = payout_file::header(reader, context, loaded.run.id).await?;
    let accounts: Vec<String> = [&header.payer.account, &header.payer.iban].into_iter().flatten().map(|a| compact(a)).collect();
    if accounts.is_empty() {
        return Err(FileError::Payer(vec!["account"]).into());
    }
    let paid_from = if is_kept { header.value_date() } else { context.day(loaded.run.built_at.0) };
    statement.check(&accounts, paid_from)?;
    let batch = payout_file::batch(loaded, Some(header))?;
    let found = reconcile(&statement.entries, &batch.payments, batch.currency);
    statement.check_month(&found, paid_from)?;
    Ok(Comparison { statement, found })
}
