//! Journals and entries: added, never changed; balances are sums over them.

use super::{At, Reader, Result, Tx};
use crate::domain::id::*;
use crate::domain::ledger::{AccountKind, Journal, JournalKind};
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;

/// What a journal leads back to.
#[derive(Debug, Clone, Default)]
pub struct Because {
    pub order: Option<OrderId>,
    pub commission: Option<CommissionId>,
    pub run: Option<PayoutRunId>,
    pub note: Option<String>,
}

/// Posts a journal on a day.
pub async fn post(tx: &mut Tx, journal: &Journal, day: NaiveDate, because: &Because, now: At) -> Result<JournalId> {
    let id: JournalId = run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO journals (kind, currency, at, day, order_id, commission_id, payout_run_id, note) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        )
        .bind(journal.kind())
        .bind(journal.currency())
        .bind(now)
        .bind(day)
        .bind(because.order)
        .bind(because.commission)
        .bind(because.run)
        .bind(&because.note)
        .fetch_one(c)
        .await
    })?;
    for (account, minor) in journal.entries() {
        exec!(tx, {
            sqlx::query(
                "INSERT INTO ledger_entries (journal_id, account, partner_id, currency, amount_minor, day) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(id)
            .bind(account.kind())
            .bind(account.partner())
            .bind(journal.currency())
            .bind(*minor)
            .bind(day)
        })?;
    }
    Ok(id)
}

/// What of a commission lies in hold, and the latest day something was posted there.
pub async fn held_of_commission<'a>(on: impl Into<Reader<'a>>, commission: CommissionId) -> Result<(i64, Option<NaiveDate>)> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT), MAX(e.day) FROM journals j \
             JOIN ledger_entries e ON e.journal_id = j.id WHERE j.commission_id = $1 AND e.account = 'held'",
        )
        .bind(commission)
        .fetch_one(c)
        .await
    })?)
}

/// What a partner's accounts hold in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    pub held_minor: i64,
    pub available_minor: i64,
    pub in_payment_minor: i64,
}

impl Balance {
    pub fn total_minor(self) -> i64 {
        self.held_minor + self.available_minor + self.in_payment_minor
    }
}

/// Balances by partner and currency, counting entries up to and including `until`.
pub async fn balances<'a>(
    on: impl Into<Reader<'a>>,
    partner: Option<PartnerId>,
    until: NaiveDate,
) -> Result<Vec<(PartnerId, Currency, Balance)>> {
    let rows: Vec<(PartnerId, Currency, i64, i64, i64)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT partner_id, currency, \
             CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'held'), 0) AS BIGINT), \
             CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'available'), 0) AS BIGINT), \
             CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'in_payment'), 0) AS BIGINT) \
             FROM ledger_entries WHERE partner_id IS NOT NULL AND ($1 = 0 OR partner_id = $1) AND day <= $2 \
             GROUP BY partner_id, currency ORDER BY partner_id, currency",
        )
        .bind(partner.map_or(0, |p| p.0))
        .bind(until)
        .fetch_all(c)
        .await
    })?;
    Ok(rows
        .into_iter()
        .map(|(partner, currency, held_minor, available_minor, in_payment_minor)| {
            (partner, currency, Balance { held_minor, available_minor, in_payment_minor })
        })
        .collect())
}

/// What was taken out of `available` for payout runs after a day.
pub async fn put_in_runs_after<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<(PartnerId, Currency, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.partner_id, e.currency, CAST(-SUM(e.amount_minor) AS BIGINT) FROM ledger_entries e \
             JOIN journals j ON j.id = e.journal_id WHERE j.kind = 'put_in_run' AND e.account = 'available' AND e.day > $1 \
             GROUP BY e.partner_id, e.currency",
        )
        .bind(day)
        .fetch_all(c)
        .await
    })?)
}

/// A journal as one partner sees it: what it changed in all their accounts together.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StatementLine {
    pub journal_id: JournalId,
    pub day: NaiveDate,
    pub kind: JournalKind,
    pub currency: Currency,
    pub amount_minor: i64,
    pub order_external_id: Option<String>,
    pub commission_id: Option<CommissionId>,
    pub payout_run_id: Option<PayoutRunId>,
    pub note: Option<String>,
}

/// What changed a partner's total in a span of days. Moves between their own accounts change nothing and are left out.
pub async fn statement_lines<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<StatementLine>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT j.id AS journal_id, j.day, j.kind, j.currency, CAST(SUM(e.amount_minor) AS BIGINT) AS amount_minor, \
             o.external_id AS order_external_id, j.commission_id, j.payout_run_id, j.note \
             FROM ledger_entries e JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
             WHERE e.partner_id = $1 AND e.day >= $2 AND e.day <= $3 \
             GROUP BY j.id, j.day, j.kind, j.currency, o.external_id, j.commission_id, j.payout_run_id, j.note \
             HAVING SUM(e.amount_minor) <> 0 ORDER BY j.day, j.id",
        )
        .bind(partner)
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// What was paid to a partner in all, by currency.
pub async fn paid_in_all<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Vec<(Currency, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.currency, CAST(-SUM(e.amount_minor) AS BIGINT) FROM ledger_entries e JOIN journals j ON j.id = e.journal_id \
             WHERE e.partner_id = $1 AND j.kind = 'paid' GROUP BY e.currency ORDER BY e.currency",
        )
        .bind(partner)
        .fetch_all(c)
        .await
    })?)
}

/// An entry with its journal.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EntryRow {
    pub id: EntryId,
    pub journal_id: JournalId,
    pub kind: JournalKind,
    pub day: NaiveDate,
    pub at: At,
    pub account: AccountKind,
    pub partner_id: Option<PartnerId>,
    pub currency: Currency,
    pub amount_minor: i64,
    pub order_external_id: Option<String>,
    pub commission_id: Option<CommissionId>,
    pub payout_run_id: Option<PayoutRunId>,
}

/// Entries oldest first, after `after`.
pub async fn entries<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, after: i64, limit: i64) -> Result<Vec<EntryRow>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.id, e.journal_id, j.kind, e.day, j.at, e.account, e.partner_id, e.currency, e.amount_minor, \
             o.external_id AS order_external_id, j.commission_id, j.payout_run_id \
             FROM ledger_entries e JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
             WHERE e.id > $1 AND ($3 = 0 OR e.partner_id = $3) ORDER BY e.id LIMIT $2",
        )
        .bind(after)
        .bind(limit)
        .bind(partner.map_or(0, |p| p.0))
        .fetch_all(c)
        .await
    })?)
}
