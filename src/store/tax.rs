//! What payees were paid in a year, and what was withheld of it as their tax. `CROSS JOIN` has SQLite look things up in the
//! order they are written in: a partner's few entries or lines first, never a whole run or ledger for each partner.

use super::{At, Reader, Result};
use crate::domain::document::{PaidThisYear, Standing};
use crate::domain::id::{PartnerId, PayoutRunId};
use crate::domain::money::Currency;
use crate::read;
use chrono::NaiveDate;

/// What a partner was paid in roubles under a standing from an instant to another one, and what lies in runs that are not
/// paid. A payment that came back is none.
pub async fn paid_between<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    standing: Standing,
    (from, to): (At, At),
) -> Result<PaidThisYear> {
    let (amount_minor, tax_minor) = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(p.minor), 0) AS BIGINT), CAST(COALESCE(SUM(l.tax_minor), 0) AS BIGINT) FROM \
             (SELECT j.payout_run_id AS run_id, SUM(CASE WHEN e.account = 'available' THEN -e.amount_minor ELSE e.amount_minor END) AS minor \
              FROM ledger_entries e JOIN journals j ON j.id = e.journal_id WHERE e.partner_id = $1 AND e.currency = 'RUB' \
              AND ((e.account = 'in_payment' AND j.kind <> 'paid') OR (e.account = 'available' AND j.kind = 'returned')) \
              GROUP BY j.payout_run_id HAVING SUM(CASE WHEN e.account = 'available' THEN -e.amount_minor ELSE e.amount_minor END) <> 0) p \
             JOIN payout_runs r ON r.id = p.run_id JOIN payout_run_lines l ON l.payout_run_id = r.id AND l.partner_id = $1 \
             WHERE l.standing = $2 AND l.disposition = 'due' AND (r.paid_at IS NULL OR (r.paid_at >= $3 AND r.paid_at < $4))",
        )
        .bind(partner)
        .bind(standing)
        .bind(from)
        .bind(to)
        .fetch_one(c)
        .await
    })?;
    Ok(PaidThisYear { amount_minor, tax_minor })
}

/// A line of a run that has a tax or a receipt, and what has become of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TaxedLine {
    pub partner_id: PartnerId,
    pub standing: Option<Standing>,
    pub amount_minor: i64,
    pub tax_minor: i64,
    /// What was paid and did not come back, and the last day on which either happened.
    pub paid_minor: i64,
    pub day: Option<NaiveDate>,
    /// What is posted as withheld.
    pub posted_minor: i64,
}

/// The lines of a run that have a tax or a receipt. The note of a tax's journal is the partner's id.
pub async fn taxed_lines<'a>(on: impl Into<Reader<'a>>, run: PayoutRunId) -> Result<Vec<TaxedLine>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT l.partner_id, l.standing, l.amount_minor, l.tax_minor, \
             (SELECT CAST(COALESCE(-SUM(e.amount_minor), 0) AS BIGINT) FROM ledger_entries e CROSS JOIN journals j \
              WHERE j.id = e.journal_id AND e.partner_id = l.partner_id AND e.account IN ('in_payment', 'available') AND j.payout_run_id = l.payout_run_id \
              AND j.kind IN ('paid', 'returned')) AS paid_minor, \
             (SELECT MAX(e.day) FROM ledger_entries e CROSS JOIN journals j \
              WHERE j.id = e.journal_id AND e.partner_id = l.partner_id AND e.account IN ('in_payment', 'available') AND j.payout_run_id = l.payout_run_id \
              AND j.kind IN ('paid', 'returned')) AS day, \
             (SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM journals j JOIN ledger_entries e ON e.journal_id = j.id \
              WHERE j.payout_run_id = l.payout_run_id AND j.kind = 'tax_withheld' AND e.account = 'tax' \
              AND j.note = 'par_' || CAST(l.partner_id AS TEXT)) AS posted_minor \
             FROM payout_run_lines l WHERE l.payout_run_id = $1 AND l.disposition = 'due' \
             AND (l.tax_minor <> 0 OR l.standing = 'self_employed') ORDER BY l.partner_id",
        )
        .bind(run)
        .fetch_all(c)
        .await
    })?)
}

/// A payment of which a tax was withheld.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Withheld {
    pub partner_id: PartnerId,
    pub partner_name: String,
    pub payout_run_id: PayoutRunId,
    pub currency: Currency,
    pub amount_minor: i64,
    pub tax_minor: i64,
    pub day: NaiveDate,
}

/// The payments of which a tax was withheld in a span of days, by run and partner.
pub async fn between<'a>(
    on: impl Into<Reader<'a>>,
    partner: Option<PartnerId>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Withheld>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT l.partner_id, l.partner_name, l.payout_run_id, r.currency, l.amount_minor, l.tax_minor, MAX(e.day) AS day \
             FROM payout_run_lines l CROSS JOIN payout_runs r CROSS JOIN journals j CROSS JOIN ledger_entries e \
             WHERE r.id = l.payout_run_id AND j.payout_run_id = l.payout_run_id AND j.kind = 'tax_withheld' \
             AND j.note = 'par_' || CAST(l.partner_id AS TEXT) AND e.journal_id = j.id AND e.account = 'tax' AND l.tax_minor <> 0 AND ($1 = 0 OR l.partner_id = $1) AND e.day >= $2 AND e.day <= $3 \
             GROUP BY l.partner_id, l.partner_name, l.payout_run_id, r.currency, l.amount_minor, l.tax_minor \
             HAVING SUM(e.amount_minor) <> 0 ORDER BY l.payout_run_id, l.partner_id",
        )
        .bind(partner.map_or(0, |p| p.0))
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// What was withheld of a partner's payments in a span of days.
pub async fn of_partner<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    currency: Currency,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<i64> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM payout_runs r CROSS JOIN payout_run_lines l \
             CROSS JOIN journals j CROSS JOIN ledger_entries e WHERE l.payout_run_id = r.id AND l.partner_id = $1 AND l.tax_minor <> 0 \
             AND j.payout_run_id = r.id AND j.kind = 'tax_withheld' AND j.note = $2 AND e.journal_id = j.id AND e.account = 'tax' \
             AND r.currency = $3 AND e.day >= $4 AND e.day <= $5",
        )
        .bind(partner)
        .bind(partner.to_string())
        .bind(currency)
        .bind(from)
        .bind(to)
        .fetch_one(c)
        .await
    })?)
}

/// Run, partner, tax of the line, and what is posted, where the two differ although the line is paid, or not.
pub async fn off_ledger<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(PayoutRunId, PartnerId, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT * FROM (SELECT l.payout_run_id, l.partner_id, \
             CASE WHEN (SELECT COALESCE(-SUM(e.amount_minor), 0) FROM journals j JOIN ledger_entries e ON e.journal_id = j.id \
              WHERE j.payout_run_id = l.payout_run_id AND j.kind IN ('paid', 'returned') AND e.account IN ('in_payment', 'available') \
              AND e.partner_id = l.partner_id) >= l.amount_minor THEN l.tax_minor ELSE CAST(0 AS BIGINT) END AS owed_minor, \
             (SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) FROM journals j JOIN ledger_entries e ON e.journal_id = j.id \
              WHERE j.payout_run_id = l.payout_run_id AND j.kind = 'tax_withheld' AND e.account = 'tax' \
              AND j.note = 'par_' || CAST(l.partner_id AS TEXT)) AS posted_minor \
             FROM payout_run_lines l WHERE l.disposition = 'due' AND l.tax_minor <> 0) t WHERE owed_minor <> posted_minor \
             ORDER BY payout_run_id, partner_id",
        )
        .fetch_all(c)
        .await
    })?)
}
