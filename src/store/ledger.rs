//! Journals and entries: added, never changed; balances are sums over them.

use super::{At, Reader, Result, ledger_sum};
use crate::domain::id::*;
use crate::domain::ledger::chain::{ChainedEntry, ChainedJournal};
use crate::domain::ledger::{Journal, JournalKind};
use crate::domain::money::Currency;
use crate::domain::time::Period;
use crate::read;
use chrono::NaiveDate;

pub use super::ledger_bulk::{Posting, add, post, post_all};

/// What a journal leads back to.
#[derive(Debug, Clone, Default)]
pub struct Because {
    pub order: Option<OrderId>,
    pub commission: Option<CommissionId>,
    pub run: Option<PayoutRunId>,
    pub note: Option<String>,
    /// Who acted.
    pub actor: Option<String>,
    /// The line of the audit log.
    pub act: Option<i64>,
    pub takes_back: Option<JournalId>,
}

impl Because {
    /// Somebody acted.
    pub fn by(actor: &str) -> Because {
        Because { actor: Some(actor.to_owned()), ..Because::default() }
    }
}

/// The entries of a journal as its hash has them.
pub(super) fn chained_entries(journal: &Journal, day: NaiveDate) -> [ChainedEntry; 2] {
    journal.entries().map(|(account, amount_minor)| ChainedEntry {
        account: account.kind(),
        partner: account.partner(),
        currency: journal.currency(),
        day,
        amount_minor,
    })
}

/// A journal as it is hashed.
pub(super) fn chained_journal<'a>(
    journal: &Journal,
    day: NaiveDate,
    because: &'a Because,
    now: At,
    entries: &'a [ChainedEntry],
) -> ChainedJournal<'a> {
    ChainedJournal {
        kind: journal.kind(),
        currency: journal.currency(),
        at: now.0,
        day,
        order: because.order,
        commission: because.commission,
        run: because.run,
        actor: because.actor.as_deref(),
        act: because.act,
        takes_back: because.takes_back,
        note: because.note.as_deref(),
        entries,
    }
}

/// What a partner's accounts hold in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    pub held_minor: i64,
    pub available_minor: i64,
    pub in_payment_minor: i64,
    /// Kept back by a person; still owed.
    pub withheld_minor: i64,
    /// Given up, and owed no more: below zero what we gave up, above what the partner did.
    pub written_off_minor: i64,
}

impl Balance {
    /// What is owed.
    pub fn total_minor(self) -> i64 {
        self.on_hold_minor() + self.available_minor + self.in_payment_minor
    }

    /// What waits, for the end of its hold or for the person who keeps it back: `held` of a statement.
    pub fn on_hold_minor(self) -> i64 {
        self.held_minor + self.withheld_minor
    }
}

type BalanceColumns = (PartnerId, Currency, i64, i64, i64, i64, i64);

fn balance(
    (partner, currency, held, available, in_payment, withheld, written_off): BalanceColumns,
) -> (PartnerId, Currency, Balance) {
    let balance = Balance {
        held_minor: held,
        available_minor: available,
        in_payment_minor: in_payment,
        withheld_minor: withheld,
        written_off_minor: written_off,
    };
    (partner, currency, balance)
}

const BY_ACCOUNT: &str = "partner_id, currency, \
     CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'held'), 0) AS BIGINT), \
     CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'available'), 0) AS BIGINT), \
     CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'in_payment'), 0) AS BIGINT), \
     CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'withheld'), 0) AS BIGINT), \
     CAST(COALESCE(SUM(amount_minor) FILTER (WHERE account = 'written_off'), 0) AS BIGINT)";

/// Balances by partner and currency, counting entries up to and including `until`.
pub async fn balances<'a>(
    on: impl Into<Reader<'a>>,
    partner: Option<PartnerId>,
    until: NaiveDate,
) -> Result<Vec<(PartnerId, Currency, Balance)>> {
    let month = Period::of(until);
    let rows = match partner {
        Some(partner) if month.last_day() == until => balances_of(on, partner, month).await?,
        _ => {
            let sql = sqlx::AssertSqlSafe(format!(
                "SELECT {BY_ACCOUNT} FROM ledger_entries WHERE partner_id IS NOT NULL AND ($1 = 0 OR partner_id = $1) AND day <= $2 \
                 GROUP BY partner_id, currency ORDER BY partner_id, currency"
            ));
            read!(on.into(), |c| sqlx::query_as(sql).bind(partner.map_or(0, |p| p.0)).bind(until).fetch_all(c).await)?
        }
    };
    Ok(rows.into_iter().map(balance).collect())
}

/// A partner's balances at a month's end: the sums that were made of their entries, and the entries after the last of them.
async fn balances_of<'a>(on: impl Into<Reader<'a>>, partner: PartnerId, month: Period) -> Result<Vec<BalanceColumns>> {
    let mut reader = on.into();
    // Sums made meanwhile do not matter: what is read below is bound to this one. The day is compared as a text, lest PostgreSQL
    // take the index by day and read all entries.
    let summed = ledger_sum::last_entry(reader.again(), partner).await?;
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {BY_ACCOUNT} FROM (\
         SELECT partner_id, currency, account, amount_minor FROM ledger_sums WHERE partner_id = $1 AND last_entry <= $2 AND period <= $3 \
         UNION ALL \
         SELECT partner_id, currency, account, amount_minor FROM ledger_entries WHERE partner_id = $1 AND id > $2 AND SUBSTR(CAST(day AS TEXT), 1, 7) <= $3\
         ) AS parts GROUP BY partner_id, currency ORDER BY partner_id, currency"
    ));
    Ok(read!(reader, |c| { sqlx::query_as(sql).bind(partner).bind(summed).bind(month.to_string()).fetch_all(c).await })?)
}

/// What was available to each partner by currency: at the end of a day, and now. Those without an entry by then are left out.
/// The `+` has SQLite read the entries in the order they lie in, not partner by partner.
pub async fn available<'a>(on: impl Into<Reader<'a>>, until: NaiveDate) -> Result<Vec<(PartnerId, Currency, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT partner_id, currency, CAST(COALESCE(SUM(amount_minor) FILTER (WHERE day <= $1), 0) AS BIGINT), \
             CAST(SUM(amount_minor) AS BIGINT) FROM ledger_entries WHERE account = 'available' AND +partner_id IS NOT NULL \
             GROUP BY partner_id, currency HAVING MIN(day) <= $1 ORDER BY partner_id, currency",
        )
        .bind(until)
        .fetch_all(c)
        .await
    })?)
}

/// What was taken out of `available` after a day: for payout runs less what they gave back, and kept back more than released.
pub async fn taken_after<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<(PartnerId, Currency, i64)>> {
    let rows: Vec<(PartnerId, Currency, i64, i64)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT e.partner_id, e.currency, \
             CAST(COALESCE(-SUM(e.amount_minor) FILTER (WHERE j.kind IN ('put_in_run', 'taken_out_of_run', 'returned')), 0) AS BIGINT), \
             CAST(COALESCE(-SUM(e.amount_minor) FILTER (WHERE j.kind IN ('withheld', 'withholding_released')), 0) AS BIGINT) \
             FROM ledger_entries e JOIN journals j ON j.id = e.journal_id \
             WHERE j.kind IN ('put_in_run', 'taken_out_of_run', 'returned', 'withheld', 'withholding_released') \
             AND e.account = 'available' AND e.day > $1 GROUP BY e.partner_id, e.currency",
        )
        .bind(day)
        .fetch_all(c)
        .await
    })?;
    // What was kept back before the day and released after it became available after it.
    Ok(rows.into_iter().map(|(partner, currency, runs, withheld)| (partner, currency, runs + withheld.max(0))).collect())
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
             WHERE e.partner_id = $1 AND e.account <> 'written_off' AND e.day >= $2 AND e.day <= $3 \
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
             WHERE e.partner_id = $1 AND j.kind IN ('paid', 'returned') GROUP BY e.currency ORDER BY e.currency",
        )
        .bind(partner)
        .fetch_all(c)
        .await
    })?)
}
