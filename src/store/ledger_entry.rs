//! Entries with all they lead back to, and what the accounts hold together.

use super::{At, Reader, Result};
use crate::domain::id::*;
use crate::domain::ledger::{AccountKind, JournalKind};
use crate::domain::money::Currency;
use crate::read;
use chrono::NaiveDate;
use sqlx::QueryBuilder;

/// An entry with its journal, and what that leads back to.
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
    pub lead_external_id: Option<String>,
    pub commission_id: Option<CommissionId>,
    /// Of the commission, with the version that it is paid by now.
    pub rule_id: Option<RuleId>,
    pub rule_version: Option<i64>,
    pub payout_run_id: Option<PayoutRunId>,
    /// The month of the run.
    pub run_period: Option<String>,
    pub takes_back: Option<JournalId>,
    pub note: Option<String>,
    /// Who acted; of a run's journals without one, who built or paid the run.
    pub actor: Option<String>,
    /// The act of the audit log.
    pub act_id: Option<i64>,
    pub act: Option<String>,
}

/// Which entries.
#[derive(Debug, Clone, Copy, Default)]
pub struct EntryFilter {
    pub partner: Option<PartnerId>,
    pub kind: Option<JournalKind>,
    /// Both days included.
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
}

/// Where a page of entries begins.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// Oldest first.
    After(EntryId),
    /// Newest first.
    Before(EntryId),
}

const SELECT: &str = "SELECT e.id, e.journal_id, j.kind, e.day, j.at, e.account, e.partner_id, e.currency, e.amount_minor, \
     o.external_id AS order_external_id, l.external_id AS lead_external_id, j.commission_id, m.rule_id, m.rule_version, \
     j.payout_run_id, r.period AS run_period, j.takes_back, j.note, \
     COALESCE(j.actor, CASE j.kind WHEN 'put_in_run' THEN r.built_by WHEN 'paid' THEN r.paid_by END) AS actor, j.audit_id AS act_id, a.act \
     FROM ledger_entries e JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
     LEFT JOIN commissions m ON m.id = j.commission_id LEFT JOIN leads l ON l.id = m.lead_id \
     LEFT JOIN payout_runs r ON r.id = j.payout_run_id LEFT JOIN audit_log a ON a.id = j.audit_id WHERE ";

/// A page of entries.
pub async fn entries<'a>(on: impl Into<Reader<'a>>, filter: EntryFilter, place: Place, limit: i64) -> Result<Vec<EntryRow>> {
    Ok(read!(on.into(), |c| {
        let mut query = QueryBuilder::new(SELECT);
        match place {
            Place::After(id) => query.push("e.id > ").push_bind(id),
            Place::Before(id) => query.push("e.id < ").push_bind(id),
        };
        if let Some(partner) = filter.partner {
            query.push(" AND e.partner_id = ").push_bind(partner);
        }
        if let Some(kind) = filter.kind {
            query.push(" AND j.kind = ").push_bind(kind);
        }
        if let Some(day) = filter.from {
            query.push(" AND e.day >= ").push_bind(day);
        }
        if let Some(day) = filter.to {
            query.push(" AND e.day <= ").push_bind(day);
        }
        query.push(match place {
            Place::After(_) => " ORDER BY e.id LIMIT ",
            Place::Before(_) => " ORDER BY e.id DESC LIMIT ",
        });
        query.push_bind(limit);
        query.build_query_as().fetch_all(c).await
    })?)
}

/// Each partner with the months of their entries, as `2026-10`.
pub async fn months<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(PartnerId, String)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT DISTINCT partner_id, SUBSTR(CAST(day AS TEXT), 1, 7) AS month FROM ledger_entries WHERE partner_id IS NOT NULL \
             ORDER BY partner_id, month",
        )
        .fetch_all(c)
        .await
    })?)
}

/// What all accounts of a kind hold together at the end of a day, by currency; accounts that no entry touched are left out.
pub async fn trial_balance<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<(Currency, AccountKind, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT currency, account, CAST(SUM(amount_minor) AS BIGINT) FROM ledger_entries WHERE day <= $1 \
             GROUP BY currency, account ORDER BY currency, account",
        )
        .bind(day)
        .fetch_all(c)
        .await
    })?)
}
