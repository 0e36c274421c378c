//! Closed months, payout runs with their lines, and the record of what was exported.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::document::Standing;
use crate::domain::id::{JournalId, PartnerId, PayoutRunId};
use crate::domain::ledger::JournalKind;
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::types::Json;

/// The latest closed month, as `2026-10`.
pub async fn latest_closed<'a>(on: impl Into<Reader<'a>>) -> Result<Option<String>> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT MAX(period) FROM periods").fetch_one(c).await)?)
}

pub async fn close(tx: &mut Tx, period: &str, by: &str, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("INSERT INTO periods (period, closed_at, closed_by) VALUES ($1, $2, $3)").bind(period).bind(now).bind(by)
    })?;
    Ok(())
}

/// When and by whom a month was closed.
pub async fn closing<'a>(on: impl Into<Reader<'a>>, period: &str) -> Result<Option<(At, String)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT closed_at, closed_by FROM periods WHERE period = $1").bind(period).fetch_optional(c).await
    })?)
}

/// A payout run as stored. `state`: `built`, `approved`, `paid`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PayoutRun {
    pub id: PayoutRunId,
    pub period: String,
    pub currency: Currency,
    pub early: bool,
    pub state: String,
    pub total_minor: i64,
    pub built_at: At,
    pub built_by: String,
    pub approved_at: Option<At>,
    pub approved_by: Option<String>,
    pub paid_at: Option<At>,
    pub paid_by: Option<String>,
    pub bank_reference: Option<String>,
}

/// A line of a run. `disposition`: `due`, `carried`, `blocked`; only what is due is in the total.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PayoutRunLine {
    pub partner_id: PartnerId,
    pub amount_minor: i64,
    pub disposition: String,
    pub reason: Option<String>,
    pub partner_name: String,
    pub partner_email: Option<String>,
    pub payout: Json<serde_json::Value>,
    /// Who the payee is before tax law, if that is known.
    pub standing: Option<Standing>,
    /// Withheld of the amount as the payee's tax.
    pub tax_minor: i64,
}

impl PayoutRunLine {
    /// What is sent to the payee.
    pub fn net_minor(&self) -> i64 {
        self.amount_minor - self.tax_minor
    }
}

const SELECT: &str = "SELECT id, period, currency, early, state, total_minor, built_at, built_by, approved_at, approved_by, \
     paid_at, paid_by, bank_reference FROM payout_runs";

/// Stores a run in state `built`.
pub async fn insert(
    tx: &mut Tx,
    period: &str,
    currency: Currency,
    early: bool,
    total_minor: i64,
    by: &str,
    now: At,
) -> Result<PayoutRunId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO payout_runs (period, currency, early, state, total_minor, built_at, built_by) \
                 VALUES ($1, $2, $3, 'built', $4, $5, $6) RETURNING id",
            )
            .bind(period)
            .bind(currency)
            .bind(early)
            .bind(total_minor)
            .bind(now)
            .bind(by)
            .fetch_one(c)
            .await
        }),
        "period",
    )
}

pub async fn insert_line(tx: &mut Tx, run: PayoutRunId, line: &PayoutRunLine) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO payout_run_lines (payout_run_id, partner_id, amount_minor, disposition, reason, partner_name, \
             partner_email, payout, standing, tax_minor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(run)
        .bind(line.partner_id)
        .bind(line.amount_minor)
        .bind(&line.disposition)
        .bind(&line.reason)
        .bind(&line.partner_name)
        .bind(&line.partner_email)
        .bind(&line.payout)
        .bind(line.standing)
        .bind(line.tax_minor)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: PayoutRunId) -> Result<Option<PayoutRun>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

pub async fn of_period<'a>(on: impl Into<Reader<'a>>, period: &str) -> Result<Vec<PayoutRun>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE period = $1 ORDER BY currency"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(period).fetch_all(c).await)?)
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<PayoutRun>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}

pub async fn lines<'a>(on: impl Into<Reader<'a>>, run: PayoutRunId) -> Result<Vec<PayoutRunLine>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT partner_id, amount_minor, disposition, reason, partner_name, partner_email, payout, standing, tax_minor \
             FROM payout_run_lines WHERE payout_run_id = $1 ORDER BY partner_id",
        )
        .bind(run)
        .fetch_all(c)
        .await
    })?)
}

pub async fn approve(tx: &mut Tx, id: PayoutRunId, by: &str, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE payout_runs SET state = 'approved', approved_at = $2, approved_by = $3 WHERE id = $1")
            .bind(id)
            .bind(now)
            .bind(by)
    })?;
    Ok(())
}

pub async fn mark_paid(tx: &mut Tx, id: PayoutRunId, bank_reference: Option<&str>, by: &str, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE payout_runs SET state = 'paid', paid_at = $2, paid_by = $3, bank_reference = $4 WHERE id = $1")
            .bind(id)
            .bind(now)
            .bind(by)
            .bind(bank_reference)
    })?;
    Ok(())
}

/// The first export of a format is what later ones are held against.
pub async fn record_export(tx: &mut Tx, id: PayoutRunId, format: &str, sha256: &str, bytes: i64, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO payout_exports (payout_run_id, format, sha256, bytes, exported_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (payout_run_id, format) DO NOTHING",
        )
        .bind(id)
        .bind(format)
        .bind(sha256)
        .bind(bytes)
        .bind(now)
    })?;
    Ok(())
}

/// Run, format and SHA-256 of everything exported.
pub async fn exports<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(PayoutRunId, String, String)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT payout_run_id, format, sha256 FROM payout_exports ORDER BY payout_run_id, format")
            .fetch_all(c)
            .await
    })?)
}

/// What was exported of a run so far counts no more: its next file is the first again.
pub async fn forget_export(tx: &mut Tx, id: PayoutRunId, format: &str) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM payout_exports WHERE payout_run_id = $1 AND format = $2").bind(id).bind(format))?;
    Ok(())
}

/// That a run took a partner's available balance.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TakenByRun {
    pub journal_id: JournalId,
    pub day: NaiveDate,
    pub payout_run_id: PayoutRunId,
    pub period: String,
    pub early: bool,
}

/// The runs that took of a partner's balance in a currency, oldest first.
pub async fn taken_by_runs<'a>(on: impl Into<Reader<'a>>, partner: PartnerId, currency: Currency) -> Result<Vec<TakenByRun>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT j.id AS journal_id, j.day, r.id AS payout_run_id, r.period, r.early FROM ledger_entries e \
             JOIN journals j ON j.id = e.journal_id JOIN payout_runs r ON r.id = j.payout_run_id \
             WHERE e.partner_id = $1 AND e.currency = $2 AND e.account = 'available' AND j.kind = 'put_in_run' ORDER BY j.id",
        )
        .bind(partner)
        .bind(currency)
        .fetch_all(c)
        .await
    })?)
}

/// A movement of a partner's available balance other than by a run.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AvailableMovement {
    pub journal_id: JournalId,
    pub day: NaiveDate,
    pub kind: JournalKind,
    pub order_external_id: Option<String>,
    pub amount_minor: i64,
}

/// The movements of a partner's available balance up to and including a day and before a journal, oldest first.
pub async fn available_movements<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    currency: Currency,
    until: NaiveDate,
    before: JournalId,
) -> Result<Vec<AvailableMovement>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT j.id AS journal_id, j.day, j.kind, o.external_id AS order_external_id, e.amount_minor FROM ledger_entries e \
             JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
             WHERE e.partner_id = $1 AND e.currency = $2 AND e.account = 'available' AND e.day <= $3 AND j.id < $4 \
             AND j.kind <> 'put_in_run' ORDER BY j.day, j.id",
        )
        .bind(partner)
        .bind(currency)
        .bind(until)
        .bind(before)
        .fetch_all(c)
        .await
    })?)
}
