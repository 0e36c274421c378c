//! Commissions: what an order owes a partner under a rule, and where that stands.

use super::rows::{Holds, Rows, Table, next_ids, row};
use super::{At, Dialect, Error, Reader, Result, Tx};
use crate::domain::commission::{CommissionKind, CommissionState, Explanation};
use crate::domain::id::*;
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;
use serde_json::Value;
use sqlx::types::Json;

/// A commission as stored. `amount_minor` equals the sum of its ledger entries.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Commission {
    pub id: CommissionId,
    pub kind: CommissionKind,
    /// Of an order, or a lead; a month's volume and clicks are of neither.
    pub order_id: Option<OrderId>,
    pub lead_id: Option<LeadId>,
    pub partner_id: PartnerId,
    pub program_id: ProgramId,
    pub rule_id: RuleId,
    pub rule_version: i64,
    /// The month it belongs to, as `2026-10`; of an order the one in which it was placed.
    pub period: String,
    /// The day, for clicks.
    pub day: Option<NaiveDate>,
    pub currency: Currency,
    pub state: CommissionState,
    pub amount_minor: i64,
    pub explanation: Json<Explanation>,
    pub hold_until: At,
    pub payout_run_id: Option<PayoutRunId>,
    /// A person has to approve it, once the hold is over.
    pub needs_approval: bool,
    /// Who approved or declined it.
    pub judged_by: Option<String>,
    pub declined_because: Option<String>,
}

const COLUMNS: &str = "m.id, m.kind, m.order_id, m.lead_id, m.partner_id, m.program_id, m.rule_id, m.rule_version, m.period, m.day, m.currency, \
     m.state, m.amount_minor, m.explanation, m.hold_until, m.payout_run_id, m.needs_approval, m.judged_by, m.declined_because";

fn select(rest: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM commissions m {rest}"))
}

static TABLE: Table = Table {
    name: "commissions",
    columns: &[
        ("id", Holds::Number),
        ("kind", Holds::Text),
        ("order_id", Holds::Number),
        ("lead_id", Holds::Number),
        ("partner_id", Holds::Number),
        ("program_id", Holds::Number),
        ("rule_id", Holds::Number),
        ("rule_version", Holds::Number),
        ("period", Holds::Text),
        ("day", Holds::Day),
        ("currency", Holds::Text),
        ("state", Holds::Text),
        ("amount_minor", Holds::Number),
        ("explanation", Holds::Json),
        ("hold_until", Holds::Instant),
        ("needs_approval", Holds::Truth),
        ("created_at", Holds::Instant),
        ("updated_at", Holds::Instant),
    ],
};

impl Commission {
    fn row(&self, dialect: Dialect, now: At) -> Result<Vec<Value>> {
        Ok(row![dialect;
            self.id, self.kind, self.order_id, self.lead_id, self.partner_id, self.program_id, self.rule_id, self.rule_version,
            self.period, self.day, self.currency, self.state, self.amount_minor, self.explanation, self.hold_until,
            self.needs_approval, now, now,
        ])
    }
}

/// Adds new commissions, which nobody has judged and no run has, to what is to be stored.
pub fn add<'a>(rows: &mut Rows, commissions: impl Iterator<Item = &'a Commission>, now: At) -> Result<()> {
    let dialect = rows.dialect;
    rows.add(&TABLE, commissions.map(|commission| commission.row(dialect, now)).collect::<Result<_>>()?);
    Ok(())
}

/// Stores a new commission; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, commission: &Commission, now: At) -> Result<CommissionId> {
    let [mut ids] = next_ids(tx, [(TABLE.name, 1)]).await?;
    let id = CommissionId(ids.next().ok_or_else(|| Error::missing("an id"))?);
    let mut rows = Rows::new(tx.dialect());
    add(&mut rows, std::iter::once(&Commission { id, ..commission.clone() }), now)?;
    rows.store(tx).await?;
    Ok(id)
}

/// Stores what changed of a commission: state, explanation with its amount, month, and what a person said.
pub async fn update(tx: &mut Tx, changed: &Commission, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE commissions SET state = $2, amount_minor = $3, explanation = $4, rule_version = $5, period = $6, \
             needs_approval = $7, judged_by = $8, declined_because = $9, updated_at = $10 WHERE id = $1",
        )
        .bind(changed.id)
        .bind(changed.state)
        .bind(changed.explanation.0.owed_minor())
        .bind(&changed.explanation)
        .bind(changed.rule_version)
        .bind(&changed.period)
        .bind(changed.needs_approval)
        .bind(&changed.judged_by)
        .bind(&changed.declined_because)
        .bind(now)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: CommissionId) -> Result<Option<Commission>> {
    Ok(read!(on.into(), |c| sqlx::query_as(select("WHERE m.id = $1")).bind(id).fetch_optional(c).await)?)
}

/// What tiers add to a partner's month under a rule.
pub async fn of_volume<'a>(
    on: impl Into<Reader<'a>>,
    rule: RuleId,
    partner: PartnerId,
    period: &str,
) -> Result<Option<Commission>> {
    let sql = select("WHERE m.kind = 'volume' AND m.rule_id = $1 AND m.partner_id = $2 AND m.period = $3");
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(rule).bind(partner).bind(period).fetch_optional(c).await)?)
}

pub async fn of_lead<'a>(on: impl Into<Reader<'a>>, lead: LeadId) -> Result<Vec<Commission>> {
    Ok(read!(on.into(), |c| sqlx::query_as(select("WHERE m.lead_id = $1 ORDER BY m.id")).bind(lead).fetch_all(c).await)?)
}

/// All that tiers add to months.
pub async fn of_volumes<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<Commission>> {
    Ok(read!(on.into(), |c| sqlx::query_as(select("WHERE m.kind = 'volume' ORDER BY m.id")).fetch_all(c).await)?)
}

/// What the clicks of a day are paid, by partner and rule.
pub async fn of_clicks<'a>(on: impl Into<Reader<'a>>, day: NaiveDate) -> Result<Vec<Commission>> {
    let sql = select("WHERE m.kind = 'clicks' AND m.day = $1 ORDER BY m.id");
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(day).fetch_all(c).await)?)
}

/// Brings many commissions to a state.
pub async fn set_states(tx: &mut Tx, ids: &[CommissionId], state: CommissionState, now: At) -> Result<()> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "UPDATE commissions SET state = $1, updated_at = $2 WHERE id IN (SELECT value FROM json_each($3))",
        Dialect::Postgres => {
            "UPDATE commissions SET state = $1, updated_at = $2 \
             WHERE id = ANY (ARRAY(SELECT CAST(v AS BIGINT) FROM json_array_elements_text(CAST($3 AS JSON)) v))"
        }
    };
    let list = serde_json::to_string(&ids.iter().map(|id| id.0).collect::<Vec<_>>());
    let list = list.map_err(|e| super::Error::Unreadable(e.to_string()))?;
    exec!(tx, sqlx::query(sql).bind(state).bind(now).bind(&list))?;
    Ok(())
}

pub async fn of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Vec<Commission>> {
    let sql = select("WHERE m.order_id = $1 ORDER BY m.id");
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?)
}

/// What each order from `first` to `last`, both included, owes each partner.
pub async fn sums<'a>(on: impl Into<Reader<'a>>, first: OrderId, last: OrderId) -> Result<Vec<(OrderId, PartnerId, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT order_id, partner_id, CAST(SUM(amount_minor) AS BIGINT) FROM commissions \
             WHERE order_id >= $1 AND order_id <= $2 GROUP BY order_id, partner_id",
        )
        .bind(first)
        .bind(last)
        .fetch_all(c)
        .await
    })?)
}

/// A commission whose hold is over, and what of it lies there.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HeldOver {
    pub id: CommissionId,
    pub order_id: Option<OrderId>,
    pub partner_id: PartnerId,
    pub currency: Currency,
    pub hold_until: At,
    pub held_minor: i64,
    /// The latest day on which something was posted there.
    pub last_day: Option<NaiveDate>,
}

/// In hold, though the hold is over and nobody has to approve it; by the end of the hold, after `after`.
pub async fn hold_over<'a>(
    on: impl Into<Reader<'a>>,
    now: At,
    after: Option<(At, CommissionId)>,
    limit: i64,
) -> Result<Vec<HeldOver>> {
    let (since, id) = after.unwrap_or((At(chrono::DateTime::UNIX_EPOCH), CommissionId(0)));
    let mut connection = on.into().connect().await?;
    // Only so does PostgreSQL look each commission's journals up instead of reading all there are.
    let sql = match connection.dialect() {
        Dialect::Sqlite => {
            "SELECT m.id, m.order_id, m.partner_id, m.currency, m.hold_until, COALESCE(SUM(e.amount_minor), 0) AS held_minor, \
             MAX(e.day) AS last_day FROM (SELECT id, order_id, partner_id, currency, hold_until FROM commissions \
             WHERE state = 'pending' AND hold_until <= $1 AND needs_approval = $2 AND hold_until >= $3 AND (hold_until > $3 OR id > $4) \
             ORDER BY hold_until, id LIMIT $5) m LEFT JOIN journals j ON j.commission_id = m.id \
             LEFT JOIN ledger_entries e ON e.journal_id = j.id AND e.account = 'held' \
             GROUP BY m.hold_until, m.id, m.order_id, m.partner_id, m.currency ORDER BY m.hold_until, m.id"
        }
        Dialect::Postgres => {
            "SELECT m.id, m.order_id, m.partner_id, m.currency, m.hold_until, h.held_minor, h.last_day FROM \
             (SELECT id, order_id, partner_id, currency, hold_until FROM commissions \
             WHERE state = 'pending' AND hold_until <= $1 AND needs_approval = $2 AND hold_until >= $3 AND (hold_until > $3 OR id > $4) \
             ORDER BY hold_until, id LIMIT $5) m CROSS JOIN LATERAL \
             (SELECT CAST(COALESCE(SUM(e.amount_minor), 0) AS BIGINT) AS held_minor, MAX(e.day) AS last_day FROM journals j \
             JOIN ledger_entries e ON e.journal_id = j.id AND e.account = 'held' WHERE j.commission_id = m.id) h \
             ORDER BY m.hold_until, m.id"
        }
    };
    Ok(run!(connection, |c| { sqlx::query_as(sql).bind(now).bind(false).bind(since).bind(id).bind(limit).fetch_all(c).await })?)
}

/// Newest first, before `before`; of one partner, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, before: i64, limit: i64) -> Result<Vec<Commission>> {
    let sql = select("WHERE m.id < $1 AND ($3 = 0 OR m.partner_id = $3) ORDER BY m.id DESC LIMIT $2");
    let partner = partner.map_or(0, |p| p.0);
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(before).bind(limit).bind(partner).fetch_all(c).await)?)
}

/// Marks the commissions that a run pays: released up to and including `until`, of the partners whose lines are due. The
/// `+` has the databases read what is approved in the order it lies in, not partner by partner.
pub async fn put_in_run(tx: &mut Tx, run: PayoutRunId, currency: Currency, until: NaiveDate, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE commissions SET state = 'payable', payout_run_id = $1, updated_at = $4 \
             WHERE +partner_id IN (SELECT l.partner_id FROM payout_run_lines l WHERE l.payout_run_id = $1 AND l.state = 'due') \
             AND currency = $2 AND state = 'approved' \
             AND NOT EXISTS (SELECT 1 FROM journals j WHERE j.commission_id = commissions.id AND j.kind = 'released' AND j.day > $3)",
        )
        .bind(run)
        .bind(currency)
        .bind(until)
        .bind(now)
    })?;
    Ok(())
}

/// Marks as paid the commissions of a run whose lines are.
pub async fn lines_were_paid(tx: &mut Tx, run: PayoutRunId, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE commissions SET state = 'paid', updated_at = $2 WHERE payout_run_id = $1 AND state = 'payable' \
             AND partner_id IN (SELECT l.partner_id FROM payout_run_lines l WHERE l.payout_run_id = $1 AND l.state = 'paid')",
        )
        .bind(run)
        .bind(now)
    })?;
    Ok(())
}

/// Frees the commissions of a run whose lines have failed or are cancelled: they wait for another run.
pub async fn lines_were_taken_out(tx: &mut Tx, run: PayoutRunId, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE commissions SET state = CASE WHEN state IN ('payable', 'paid') THEN 'approved' ELSE state END, \
             payout_run_id = NULL, updated_at = $2 WHERE payout_run_id = $1 AND partner_id IN \
             (SELECT l.partner_id FROM payout_run_lines l WHERE l.payout_run_id = $1 AND l.state IN ('failed', 'cancelled'))",
        )
        .bind(run)
        .bind(now)
    })?;
    Ok(())
}

/// A commission with its order, if it is of one, and why the order is owed to the partner.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct CommissionOfOrder {
    #[sqlx(flatten)]
    pub commission: Commission,
    pub order_external_id: Option<String>,
    /// Of the order, else when the commission was made.
    pub placed_at: At,
    pub via: Option<crate::domain::payable::Via>,
    pub reason: Option<crate::domain::payable::Reason>,
}

/// A partner's commissions with their orders, the latest first.
pub async fn of_partner_with_orders<'a>(
    on: impl Into<Reader<'a>>,
    partner: PartnerId,
    limit: i64,
) -> Result<Vec<CommissionOfOrder>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS}, o.external_id AS order_external_id, COALESCE(o.placed_at, m.created_at) AS placed_at, \
         COALESCE(s.via, d.via) AS via, d.reason FROM commissions m LEFT JOIN orders o ON o.id = m.order_id \
         LEFT JOIN payable_decisions d ON d.order_id = m.order_id AND m.kind = 'order' \
         LEFT JOIN payable_shares s ON s.order_id = m.order_id AND s.partner_id = m.partner_id AND s.program_id = m.program_id \
         WHERE m.partner_id = $1 ORDER BY placed_at DESC, m.id DESC LIMIT $2"
    ));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(partner).bind(limit).fetch_all(c).await)?)
}

/// When the next of a partner's held commissions is released, by currency.
pub async fn next_releases<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Vec<(Currency, At)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT currency, MIN(hold_until) FROM commissions WHERE partner_id = $1 AND state = 'pending' AND amount_minor <> 0 \
             GROUP BY currency ORDER BY currency",
        )
        .bind(partner)
        .fetch_all(c)
        .await
    })?)
}
