//! What a partner earned, lost and was paid in a month, by currency.

use super::{Result, Tributary, settle};
use crate::domain::id::PartnerId;
use crate::domain::ledger::JournalKind;
use crate::domain::money::Currency;
use crate::domain::time::Period;
use crate::store::ledger::{Balance, StatementLine};
use crate::store::withholding::{self, Withholding};
use crate::store::{Reader, ledger};

/// `closing = opening + earned − reversed + adjusted − paid = held + available + in_payment`, where what is kept back counts as
/// held, and what is written off as adjusted.
#[derive(Debug, Clone)]
pub struct Statement {
    pub currency: Currency,
    pub opening_minor: i64,
    pub earned_minor: i64,
    pub reversed_minor: i64,
    pub adjusted_minor: i64,
    pub paid_minor: i64,
    /// What of `adjusted` was written off.
    pub written_off_minor: i64,
    pub closing: Balance,
    /// What was kept back at the end: `closing.withheld_minor` in sum.
    pub withheld: Vec<Withholding>,
    pub lines: Vec<StatementLine>,
}

/// The statements as they stand now: what is due is released first, and everything is read as of one instant.
pub async fn as_of_now(service: &Tributary, partner: PartnerId, period: Period) -> Result<Vec<Statement>> {
    let mut tx = service.db.begin().await?;
    settle::release(&mut tx, &service.context("statement")).await?;
    let statements = of_month(&mut tx, partner, period).await?;
    tx.commit().await?;
    Ok(statements)
}

/// The statements of a month, one for each currency the partner ever had entries in by its end.
pub async fn of_month<'a>(on: impl Into<Reader<'a>>, partner: PartnerId, period: Period) -> Result<Vec<Statement>> {
    let mut reader = on.into();
    let before = period.first_day().pred_opt().unwrap_or(period.first_day());
    let opening = ledger::balances(reader.again(), Some(partner), before).await?;
    let closing = ledger::balances(reader.again(), Some(partner), period.last_day()).await?;
    let lines = ledger::statement_lines(reader.again(), partner, period.first_day(), period.last_day()).await?;
    let kept_back = closing.iter().any(|(.., balance)| balance.withheld_minor != 0);
    let withheld = if kept_back { withholding::open_at(reader, partner, period.last_day()).await? } else { Vec::new() };
    Ok(closing
        .into_iter()
        .map(|(_, currency, closing)| {
            let lines: Vec<StatementLine> = lines.iter().filter(|l| l.currency == currency).cloned().collect();
            let sum = |kind| lines.iter().filter(|l| l.kind == kind).map(|l| l.amount_minor).sum::<i64>();
            Statement {
                currency,
                opening_minor: opening.iter().find(|(_, c, _)| *c == currency).map_or(0, |(.., b)| b.total_minor()),
                earned_minor: sum(JournalKind::Earned),
                reversed_minor: -sum(JournalKind::Reversed),
                adjusted_minor: sum(JournalKind::Adjusted) + sum(JournalKind::WrittenOff),
                paid_minor: -sum(JournalKind::Paid) - sum(JournalKind::Returned),
                written_off_minor: sum(JournalKind::WrittenOff),
                closing,
                withheld: withheld.iter().filter(|w| w.currency == currency).cloned().collect(),
                lines,
            }
        })
        .collect())
}
