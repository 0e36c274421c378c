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

/// What a commission comes to, for proofs.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct CommissionAmount {
    pub partner_id: PartnerId,
    pub rule_id: RuleId,
    pub amount_minor: i64,
    pub is_declined: bool,
}

/// The commissions of the orders from `first` to `last`, both included.
pub async fn amounts_of_orders<'a>(
    on: impl Into<Reader<'a>>,
    first: OrderId,
    last: OrderId,
) -> Result<Vec<(OrderId, CommissionAmount)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        order_id: OrderId,
        #[sqlx(flatten)]
        amount: CommissionAmount,
    }
    let rows: Vec<Row> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT order_id, partner_id, rule_id, amount_minor, declined_because IS NOT NULL AS is_declined FROM commissions \
             WHERE order_id >= $1 AND order_id <= $2 ORDER BY id",
        )
        .bind(first)
        .bind(last)
        .fetch_all(c)
        .await
    })?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.amount)).collect())
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

/// A commission whose hold is over. While it is pending, all of it lies there.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HeldOver {
    pub id: CommissionId,
    pub order_id: Option<OrderId>,
    pub partner_id: PartnerId,
    pub currency: Currency,
    pub hold_until: At,
    pub amount_minor: i64,
    /// The latest day on which something was posted of it, if it was changed since it was made.
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
    // Only so do both look each commission's journals up instead of reading all there are.
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT m.id, m.order_id, m.partner_id, m.currency, m.hold_until, m.amount_minor, \
             CASE WHEN m.updated_at > m.created_at THEN (SELECT MAX(j.day) FROM journals j WHERE j.commission_id = m.id) END AS last_day \
             FROM commissions m \
             WHERE m.state = 'pending' AND m.hold_until <= $1 AND m.needs_approval = $2 AND m.hold_until >= $3 \
             AND (m.hold_until > $3 OR m.id > $4) ORDER BY m.hold_until, m.id LIMIT $5",
        )
        .bind(now)
        .bind(false)
        .bind(since)
        .bind(id)
        .bind(limit)
        .fetch_all(c)
        .await
    })?)
}

/// Newest first, before `before`; of one partner, if given.
pub async fn list<'a>(on: impl Into<Reader<'a>>, partner: Option<PartnerId>, before: i64, limit: i64) -> Result<Vec<Commission>> {
    let sql = select("WHERE m.id < $1 AND ($3 = 0 OR m.partner_id = $3) ORDER BY m.id DESC LIMIT $2");
    let partner = partner.map_or(0, |p| p.0);
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(before).bind(limit).bind(partner).fetch_all(c).await)?)
}

/// How many commissions one statement changes: SQLite keeps what it changes in memory until the statement is done,
/// PostgreSQL would go through what was changed before again and again.
fn portion(dialect: Dialect) -> i64 {
    match dialect {
        Dialect::Sqlite => 50_000,
        Dialect::Postgres => i64::MAX,
    }
}

/// The last of the next commissions after `after` for which a condition on `$1` holds.
macro_rules! end_of_portion {
    ($tx:expr, $condition:literal, $of:expr, $after:expr) => {{
        let sql = concat!(
            "SELECT MAX(id) FROM (SELECT id FROM commissions WHERE ",
            $condition,
            " AND id > $2 ORDER BY id LIMIT $3) portion"
        );
        let most = portion($tx.dialect());
        let last: Option<CommissionId> =
            run!($tx, |c| { sqlx::query_scalar(sql).bind($of).bind($after).bind(most).fetch_one(c).await })?;
        last
    }};
}

/// Marks the commissions that a run pays: released up to and including `until`, of the partners whose lines are due. The
/// `+` has the databases read what is approved in the order it lies in, not partner by partner.
pub async fn put_in_run(tx: &mut Tx, run: PayoutRunId, currency: Currency, until: NaiveDate, now: At) -> Result<()> {
    let mut after = CommissionId(0);
    while let Some(last) = end_of_portion!(tx, "state = 'approved' AND currency = $1", currency, after) {
        exec!(tx, {
            sqlx::query(
                "UPDATE commissions SET state = 'payable', payout_run_id = $1, updated_at = $4 \
                 WHERE +partner_id IN (SELECT l.partner_id FROM payout_run_lines l WHERE l.payout_run_id = $1 AND l.state = 'due') \
                 AND currency = $2 AND state = 'approved' AND id > $5 AND id <= $6 \
                 AND NOT EXISTS (SELECT 1 FROM journals j WHERE j.commission_id = commissions.id AND j.kind = 'released' AND j.day > $3)",
            )
            .bind(run)
            .bind(currency)
            .bind(until)
            .bind(now)
            .bind(after)
            .bind(last)
        })?;
        after = last;
    }
    Ok(())
}

/// Marks as paid the commissions of a run whose lines are.
pub async fn lines_were_paid(tx: &mut Tx, run: PayoutRunId, now: At) -> Result<()> {
    let mut after = CommissionId(0);
    while let Some(last) = end_of_portion!(tx, "payout_run_id = $1 AND state = 'payable'", run, after) {
        exec!(tx, {
            sqlx::query(
                "UPDATE commissions SET state = 'paid', updated_at = $2 WHERE payout_run_id = $1 AND state = 'payable' \
                 AND id > $3 AND id <= $4 \
                 AND +partner_id IN (SELECT l.partner_id FROM payout_run_lines l WHERE l.payout_run_id = $1 AND l.state = 'paid')",
            )
            .bind(run)
            .bind(now)
            .bind(after)
            .bind(last)
        })?;
        after = last;
    }
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
