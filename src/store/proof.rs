//! What `doctor` asks the store: each query answers the rows that break a rule, so an empty answer is a proof.

use super::{Db, Dialect, Reader, Result};
use crate::domain::id::{CommissionId, JournalId, PartnerId, PayoutRunId};
use crate::domain::payout_run::LineState;
use crate::{read, run};

/// Journals whose entries do not sum to zero, or have other currencies than their own.
pub async fn unbalanced_journals<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(JournalId, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT j.id, CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM journals j LEFT JOIN ledger_entries e ON e.journal_id = j.id \
             GROUP BY j.id HAVING COALESCE(SUM(e.amount_minor), 0) <> 0 OR COUNT(e.id) < 2 \
             OR COUNT(*) FILTER (WHERE e.currency <> j.currency) > 0 ORDER BY j.id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Commissions whose amount differs from what their entries say was earned.
pub async fn commissions_off_ledger<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(CommissionId, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT m.id, m.amount_minor, CAST(COALESCE(SUM(-e.amount_minor), 0) AS BIGINT) FROM commissions m \
             LEFT JOIN journals j ON j.commission_id = m.id LEFT JOIN ledger_entries e ON e.journal_id = j.id AND e.account = 'expense' \
             GROUP BY m.id, m.amount_minor HAVING m.amount_minor <> COALESCE(SUM(-e.amount_minor), 0) ORDER BY m.id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Runs whose total is not the sum of their due lines, or not what was put into payment for them.
pub async fn runs_off_lines<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(PayoutRunId, i64, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT * FROM (SELECT r.id, r.total_minor, \
             (SELECT CAST(COALESCE(SUM(l.amount_minor), 0) AS BIGINT) FROM payout_run_lines l \
              WHERE l.payout_run_id = r.id AND l.disposition = 'due') AS lines_minor, \
             (SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM journals j JOIN ledger_entries e ON e.journal_id = j.id \
              WHERE j.payout_run_id = r.id AND j.kind = 'put_in_run' AND e.account = 'in_payment') AS posted_minor \
             FROM payout_runs r) t WHERE total_minor <> lines_minor OR total_minor <> posted_minor ORDER BY id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Lines that were due and do not stand where their postings say: what is in payment and what was paid for each.
pub async fn lines_off_ledger<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(PayoutRunId, PartnerId, LineState, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT l.payout_run_id, l.partner_id, l.state, CAST(COALESCE(p.in_payment_minor, 0) AS BIGINT), \
             CAST(COALESCE(p.paid_minor, 0) AS BIGINT) FROM payout_run_lines l LEFT JOIN (SELECT j.payout_run_id, e.partner_id, \
             SUM(CASE WHEN e.account = 'in_payment' THEN e.amount_minor ELSE 0 END) AS in_payment_minor, \
             -SUM(CASE WHEN j.kind IN ('paid', 'returned') THEN e.amount_minor ELSE 0 END) AS paid_minor \
             FROM journals j JOIN ledger_entries e ON e.journal_id = j.id \
             WHERE j.payout_run_id IS NOT NULL AND e.partner_id IS NOT NULL GROUP BY j.payout_run_id, e.partner_id) p \
             ON p.payout_run_id = l.payout_run_id AND p.partner_id = l.partner_id \
             WHERE COALESCE(p.in_payment_minor, 0) <> CASE WHEN l.state = 'due' THEN l.amount_minor ELSE 0 END \
             OR COALESCE(p.paid_minor, 0) <> CASE WHEN l.state = 'paid' THEN l.amount_minor ELSE 0 END \
             ORDER BY l.payout_run_id, l.partner_id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Orders refunded by more than their total.
pub async fn over_refunded<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(String, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT o.external_id, o.total_minor, CAST(SUM(r.amount_minor) AS BIGINT) FROM orders o JOIN refunds r ON r.order_id = o.id \
             GROUP BY o.external_id, o.total_minor HAVING SUM(r.amount_minor) > o.total_minor ORDER BY o.external_id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Approved orders on which nothing was decided.
pub async fn undecided<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<String>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT o.external_id FROM orders o WHERE o.status = 'approved' \
             AND NOT EXISTS (SELECT 1 FROM payable_decisions d WHERE d.order_id = o.id) ORDER BY o.external_id LIMIT 100",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Commissions in a state that their held money contradicts: money in hold after release, or not all of it during the hold.
/// State, amount and what is held.
pub async fn states_off_ledger<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(CommissionId, String, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT m.id, m.state, m.amount_minor, CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM commissions m \
             LEFT JOIN journals j ON j.commission_id = m.id LEFT JOIN ledger_entries e ON e.journal_id = j.id AND e.account = 'held' \
             GROUP BY m.id, m.state, m.amount_minor \
             HAVING COALESCE(SUM(e.amount_minor), 0) <> CASE WHEN m.state = 'pending' THEN m.amount_minor ELSE 0 END ORDER BY m.id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// What the database itself finds broken: pages, indexes, foreign keys.
pub async fn broken_pages(db: &Db) -> Result<Vec<String>> {
    if db.dialect() == Dialect::Postgres {
        return Ok(Vec::new());
    }
    let mut connection = Reader::from(db).connect().await?;
    let mut broken: Vec<String> =
        run!(connection, |c| sqlx::query_scalar("SELECT * FROM pragma_integrity_check").fetch_all(c).await)?;
    broken.retain(|line| line != "ok");
    let orphans: Vec<String> = run!(connection, |c| {
        sqlx::query_scalar("SELECT DISTINCT \"table\" || ' points at a missing ' || \"parent\" FROM pragma_foreign_key_check")
            .fetch_all(c)
            .await
    })?;
    broken.extend(orphans);
    Ok(broken)
}
