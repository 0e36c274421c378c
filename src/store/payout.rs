//! Closed months, payout runs with their lines, and the record of what was exported.

use super::{At, Dialect, Reader, Result, Tx, taken};
use crate::domain::document::Standing;
use crate::domain::id::{JournalId, PartnerId, PayoutRunId};
use crate::domain::ledger::JournalKind;
use crate::domain::money::Currency;
use crate::domain::payout_run::{LineState, RunState};
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;
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

/// A payout run as stored. Of a month and currency, one is not cancelled.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PayoutRun {
    pub id: PayoutRunId,
    pub period: String,
    pub currency: Currency,
    pub early: bool,
    pub state: RunState,
    pub total_minor: i64,
    pub built_at: At,
    pub built_by: String,
    pub approved_at: Option<At>,
    pub approved_by: Option<String>,
    pub paid_at: Option<At>,
    pub paid_by: Option<String>,
    pub bank_reference: Option<String>,
    pub cancelled_at: Option<At>,
    pub cancelled_by: Option<String>,
    pub cancelled_because: Option<String>,
}

/// A line of a run. `disposition` is how it was built: `due`, `carried`, `blocked`; only what was due is in the total, and in
/// the files. `state` is where it stands now.
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
    pub state: LineState,
    /// When and by whom it was last said to be paid, failed or cancelled.
    pub settled_at: Option<At>,
    pub settled_by: Option<String>,
    /// The bank's day, where a statement tells it.
    pub paid_on: Option<NaiveDate>,
    pub bank_reference: Option<String>,
    pub failed_because: Option<String>,
}

impl PayoutRunLine {
    /// What is sent to the payee.
    pub fn net_minor(&self) -> i64 {
        self.amount_minor - self.tax_minor
    }
}

const SELECT: &str = "SELECT id, period, currency, early, state, total_minor, built_at, built_by, approved_at, approved_by, \
     paid_at, paid_by, bank_reference, cancelled_at, cancelled_by, cancelled_because FROM payout_runs";

/// Lines in one statement: far below the parameters that either database takes.
const LINES_AT_ONCE: usize = 500;

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

/// Stores the lines of a run as they were built.
pub async fn insert_lines(tx: &mut Tx, run: PayoutRunId, lines: &[PayoutRunLine]) -> Result<()> {
    for chunk in lines.chunks(LINES_AT_ONCE) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new(
                "INSERT INTO payout_run_lines (payout_run_id, partner_id, amount_minor, disposition, reason, partner_name, \
                 partner_email, payout, standing, tax_minor, state) ",
            );
            query.push_values(chunk, |mut row, line| {
                row.push_bind(run)
                    .push_bind(line.partner_id)
                    .push_bind(line.amount_minor)
                    .push_bind(&line.disposition)
                    .push_bind(&line.reason)
                    .push_bind(&line.partner_name)
                    .push_bind(&line.partner_email)
                    .push_bind(&line.payout)
                    .push_bind(line.standing)
                    .push_bind(line.tax_minor)
                    .push_bind(line.state);
            });
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: PayoutRunId) -> Result<Option<PayoutRun>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

pub async fn of_period<'a>(on: impl Into<Reader<'a>>, period: &str) -> Result<Vec<PayoutRun>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE period = $1 ORDER BY currency, id"));
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
            "SELECT partner_id, amount_minor, disposition, reason, partner_name, partner_email, payout, standing, tax_minor, state, \
             settled_at, settled_by, paid_on, bank_reference, failed_because FROM payout_run_lines WHERE payout_run_id = $1 \
             ORDER BY partner_id",
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

/// In which states the lines of a run are, each once.
pub async fn line_states<'a>(on: impl Into<Reader<'a>>, run: PayoutRunId) -> Result<Vec<LineState>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT DISTINCT state FROM payout_run_lines WHERE payout_run_id = $1").bind(run).fetch_all(c).await
    })?)
}

/// Where one partner's line of a run stands.
pub async fn line_state<'a>(on: impl Into<Reader<'a>>, run: PayoutRunId, partner: PartnerId) -> Result<Option<LineState>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT state FROM payout_run_lines WHERE payout_run_id = $1 AND partner_id = $2")
            .bind(run)
            .bind(partner)
            .fetch_optional(c)
            .await
    })?)
}

/// What is said of a partner's line when it is paid or fails.
#[derive(Debug, Clone)]
pub struct Settled {
    pub partner: PartnerId,
    pub paid_on: Option<NaiveDate>,
    pub bank_reference: Option<String>,
    pub failed_because: Option<String>,
}

impl Settled {
    pub fn of(partner: PartnerId) -> Settled {
        Settled { partner, paid_on: None, bank_reference: None, failed_because: None }
    }
}

/// Brings lines of a run to a state. What a bank told of a line before stays where nothing new is told.
pub async fn settle_lines(tx: &mut Tx, run: PayoutRunId, state: LineState, lines: &[Settled], by: &str, now: At) -> Result<()> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            "UPDATE payout_run_lines SET state = $2, settled_at = $3, settled_by = $4, paid_on = COALESCE(v.paid_on, payout_run_lines.paid_on), \
             bank_reference = COALESCE(v.bank_reference, payout_run_lines.bank_reference), failed_because = v.failed_because \
             FROM (SELECT json_extract(value, '$[0]') AS partner_id, json_extract(value, '$[1]') AS paid_on, \
             json_extract(value, '$[2]') AS bank_reference, json_extract(value, '$[3]') AS failed_because FROM json_each($5)) v \
             WHERE payout_run_lines.payout_run_id = $1 AND payout_run_lines.partner_id = v.partner_id"
        }
        Dialect::Postgres => {
            "UPDATE payout_run_lines SET state = $2, settled_at = $3, settled_by = $4, paid_on = COALESCE(v.paid_on, payout_run_lines.paid_on), \
             bank_reference = COALESCE(v.bank_reference, payout_run_lines.bank_reference), failed_because = v.failed_because \
             FROM (SELECT CAST(value ->> 0 AS BIGINT) AS partner_id, CAST(value ->> 1 AS DATE) AS paid_on, \
             value ->> 2 AS bank_reference, value ->> 3 AS failed_because FROM jsonb_array_elements(CAST($5 AS JSONB))) v \
             WHERE payout_run_lines.payout_run_id = $1 AND payout_run_lines.partner_id = v.partner_id"
        }
    };
    for chunk in lines.chunks(10_000) {
        let rows: Vec<_> = chunk.iter().map(|l| (l.partner.0, l.paid_on, &l.bank_reference, &l.failed_because)).collect();
        let rows = serde_json::to_string(&rows).map_err(|e| super::Error::Unreadable(e.to_string()))?;
        exec!(tx, sqlx::query(sql).bind(run).bind(state).bind(now).bind(by).bind(&rows))?;
    }
    Ok(())
}

/// Stores the state that a run's lines have brought it to.
pub async fn set_state(
    tx: &mut Tx,
    id: PayoutRunId,
    state: RunState,
    bank_reference: Option<&str>,
    by: &str,
    now: At,
) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE payout_runs SET state = $2, bank_reference = COALESCE($3, bank_reference), \
             paid_at = CASE WHEN $2 = 'paid' THEN COALESCE(paid_at, $5) ELSE paid_at END, \
             paid_by = CASE WHEN $2 = 'paid' THEN COALESCE(paid_by, $4) ELSE paid_by END WHERE id = $1",
        )
        .bind(id)
        .bind(state)
        .bind(bank_reference)
        .bind(by)
        .bind(now)
    })?;
    Ok(())
}

/// Cancels a run: its month may have another.
pub async fn cancel(tx: &mut Tx, id: PayoutRunId, because: &str, by: &str, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE payout_runs SET state = 'cancelled', cancelled_at = $2, cancelled_by = $3, cancelled_because = $4 WHERE id = $1",
        )
        .bind(id)
        .bind(now)
        .bind(by)
        .bind(because)
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

/// That a run took a partner's available balance, or gave back what it took.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MovedByRun {
    pub journal_id: JournalId,
    pub kind: JournalKind,
    pub day: NaiveDate,
    pub payout_run_id: PayoutRunId,
    pub period: String,
    pub early: bool,
}

/// What runs took of a partner's balance in a currency and gave back to it, oldest first.
pub async fn moved_by_runs<'a>(on: impl Into<Reader<'a>>, partner: PartnerId, currency: Currency) -> Result<Vec<MovedByRun>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT j.id AS journal_id, j.kind, j.day, r.id AS payout_run_id, r.period, r.early FROM ledger_entries e \
             JOIN journals j ON j.id = e.journal_id JOIN payout_runs r ON r.id = j.payout_run_id \
             WHERE e.partner_id = $1 AND e.currency = $2 AND e.account = 'available' \
             AND j.kind IN ('put_in_run', 'taken_out_of_run', 'returned') ORDER BY j.id",
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
             AND j.kind NOT IN ('put_in_run', 'taken_out_of_run', 'returned') ORDER BY j.day, j.id",
        )
        .bind(partner)
        .bind(currency)
        .bind(until)
        .bind(before)
        .fetch_all(c)
        .await
    })?)
}
