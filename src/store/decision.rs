//! Which partner an order is owed to: stored once with its trace, never changed.

use super::rows::{Holds, Rows, Table, row};
use super::{At, Dialect, Error, Reader, Result, Tx};
use crate::domain::commission::{Portion, Rule};
use crate::domain::id::{OrderId, PartnerId, PersonId, ProgramId, PromoCodeId};
use crate::domain::payable::{Basis, PriorOrder, Reason, TraceItem, Via};
use crate::domain::program::CreditPolicy;
use crate::read;
use serde_json::Value;
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A decision as stored; `touch`, `via` and `rules` are those of `partner_id`, who of several that share has the largest
/// part.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredDecision {
    pub order_id: OrderId,
    pub decided_at: At,
    pub policy: CreditPolicy,
    pub partner_id: Option<PartnerId>,
    pub program_id: Option<ProgramId>,
    pub via: Via,
    pub reason: Reason,
    pub touch: Option<String>,
    pub promo_code_id: Option<PromoCodeId>,
    /// Who recruited the partner, and has the second tier.
    pub recruiter_id: Option<PartnerId>,
    pub trace: Json<Vec<TraceItem>>,
    pub other_policies: Json<BTreeMap<String, Option<PartnerId>>>,
    /// The commission rules in force when the order was placed, as they were then.
    pub rules: Json<Vec<Rule>>,
    /// What it was made on; decisions older than this column have none.
    pub basis: Option<Json<Basis>>,
    /// Who would have been owed it without the winner's partner.
    pub loser: Option<String>,
    /// All who share the order; empty where one alone is owed it.
    #[sqlx(skip)]
    pub shares: Vec<StoredShare>,
}

/// One partner's part of an order, as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredShare {
    pub order_id: OrderId,
    pub partner_id: PartnerId,
    pub program_id: ProgramId,
    pub via: Via,
    pub touch: String,
    pub promo_code_id: Option<PromoCodeId>,
    pub recruiter_id: Option<PartnerId>,
    /// Of all touches and codes that share, those of the partner.
    pub touches: i64,
    pub rules: Json<Vec<Rule>>,
}

/// Whom an order is owed to, with what part and by which rules.
#[derive(Debug, Clone, Copy)]
pub struct Owing<'a> {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub portion: Portion<'a>,
    pub rules: &'a [Rule],
    pub recruiter: Option<PartnerId>,
}

impl StoredDecision {
    /// The touches of each who shares.
    pub fn touches_shared(&self) -> Vec<u64> {
        self.shares.iter().map(|share| share.touches.unsigned_abs()).collect()
    }

    /// Categories of a program that are not paid for, as they stood.
    pub fn excluded_categories(&self, program: ProgramId) -> &[String] {
        let terms = self.basis.as_ref().and_then(|basis| basis.0.terms(program));
        terms.map_or(&[], |terms| &terms.excluded_categories)
    }

    /// Everybody who is owed a part; `touches` are [`Self::touches_shared`].
    pub fn owing<'a>(&'a self, touches: &'a [u64]) -> Vec<Owing<'a>> {
        if self.shares.is_empty() {
            let recruiter = self.recruiter_id;
            let whole = |(partner, program)| Owing { partner, program, portion: Portion::WHOLE, rules: &self.rules.0, recruiter };
            return self.partner_id.zip(self.program_id).map(whole).into_iter().collect();
        }
        let part = |(share, portion): (&'a StoredShare, _)| Owing {
            partner: share.partner_id,
            program: share.program_id,
            portion,
            rules: &share.rules.0,
            recruiter: share.recruiter_id,
        };
        self.shares.iter().zip(Portion::all(touches)).map(part).collect()
    }
}

const SELECT: &str = "SELECT order_id, decided_at, policy, partner_id, program_id, via, reason, touch, promo_code_id, trace, \
     other_policies, rules, basis, loser, recruiter_id FROM payable_decisions";

static TABLE: Table = Table {
    name: "payable_decisions",
    columns: &[
        ("order_id", Holds::Number),
        ("decided_at", Holds::Instant),
        ("policy", Holds::Text),
        ("partner_id", Holds::Number),
        ("program_id", Holds::Number),
        ("via", Holds::Text),
        ("reason", Holds::Text),
        ("touch", Holds::Text),
        ("promo_code_id", Holds::Number),
        ("recruiter_id", Holds::Number),
        ("trace", Holds::Json),
        ("other_policies", Holds::Json),
        ("rules", Holds::Json),
        ("basis", Holds::Json),
        ("loser", Holds::Text),
    ],
};

static SHARES: Table = Table {
    name: "payable_shares",
    columns: &[
        ("order_id", Holds::Number),
        ("position", Holds::Number),
        ("partner_id", Holds::Number),
        ("program_id", Holds::Number),
        ("via", Holds::Text),
        ("touch", Holds::Text),
        ("promo_code_id", Holds::Number),
        ("recruiter_id", Holds::Number),
        ("touches", Holds::Number),
        ("rules", Holds::Json),
    ],
};

impl StoredDecision {
    /// It is of this order.
    pub fn set_order(&mut self, order: OrderId) {
        self.order_id = order;
        for share in &mut self.shares {
            share.order_id = order;
        }
    }

    fn row(&self, dialect: Dialect) -> Result<Vec<Value>> {
        Ok(row![dialect;
            self.order_id, self.decided_at, self.policy, self.partner_id, self.program_id, self.via, self.reason, self.touch,
            self.promo_code_id, self.recruiter_id, self.trace, self.other_policies, self.rules, self.basis, self.loser,
        ])
    }
}

impl StoredShare {
    fn row(&self, dialect: Dialect, position: i64) -> Result<Vec<Value>> {
        Ok(row![dialect;
            self.order_id, position, self.partner_id, self.program_id, self.via, self.touch, self.promo_code_id, self.recruiter_id,
            self.touches, self.rules,
        ])
    }
}

/// Adds decisions, of one order each, with their shares to what is to be stored.
pub fn add<'a>(rows: &mut Rows, decisions: impl Iterator<Item = &'a StoredDecision> + Clone) -> Result<()> {
    let dialect = rows.dialect;
    rows.add(&TABLE, decisions.clone().map(|decision| decision.row(dialect)).collect::<Result<_>>()?);
    let shares = decisions.flat_map(|decision| (1..).zip(&decision.shares));
    rows.add(&SHARES, shares.map(|(position, share)| share.row(dialect, position)).collect::<Result<_>>()?);
    Ok(())
}

/// Stores a decision with its shares.
pub async fn insert(tx: &mut Tx, decision: &StoredDecision) -> Result<()> {
    let mut rows = Rows::new(tx.dialect());
    add(&mut rows, std::iter::once(decision))?;
    rows.store(tx).await
}

/// Gives decisions on orders from `first` to `last` their shares: read only where one splits.
async fn with_shares<'a>(
    on: impl Into<Reader<'a>>,
    (first, last): (OrderId, OrderId),
    mut decisions: Vec<StoredDecision>,
) -> Result<Vec<StoredDecision>> {
    if !decisions.iter().any(|d| d.policy == CreditPolicy::SplitLinear) {
        return Ok(decisions);
    }
    let shares: Vec<StoredShare> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT order_id, partner_id, program_id, via, touch, promo_code_id, touches, rules, recruiter_id FROM payable_shares \
             WHERE order_id >= $1 AND order_id <= $2 ORDER BY order_id, position",
        )
        .bind(first)
        .bind(last)
        .fetch_all(c)
        .await
    })?;
    for share in shares {
        if let Ok(at) = decisions.binary_search_by_key(&share.order_id, |d| d.order_id) {
            decisions[at].shares.push(share);
        }
    }
    Ok(decisions)
}

/// The touch or code by which a partner shares an order.
pub async fn shares_between<'a>(
    on: impl Into<Reader<'a>>,
    from: chrono::NaiveDate,
    to: chrono::NaiveDate,
) -> Result<Vec<SharedOrder>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT s.order_id, s.partner_id, s.touch, s.touches FROM payable_shares s JOIN orders o ON o.id = s.order_id \
             WHERE o.status = 'approved' AND o.day >= $1 AND o.day <= $2 ORDER BY s.order_id, s.position",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// A partner's part of an order, as reports read it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SharedOrder {
    pub order_id: OrderId,
    pub partner_id: PartnerId,
    pub touch: String,
    pub touches: i64,
}

/// A person's orders placed before another that are owed to somebody, the earliest first.
pub async fn prior_orders<'a>(
    on: impl Into<Reader<'a>>,
    person: PersonId,
    order: OrderId,
    placed_at: At,
    limit: i64,
) -> Result<Vec<PriorOrder>> {
    let rows: Vec<(String, At, PartnerId, ProgramId)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT o.external_id, o.placed_at, d.partner_id, d.program_id FROM orders o \
             JOIN payable_decisions d ON d.order_id = o.id \
             WHERE o.person_id = $1 AND o.id <> $2 AND o.status <> 'cancelled' AND d.partner_id IS NOT NULL \
             AND (o.placed_at < $3 OR (o.placed_at = $3 AND o.id < $2)) ORDER BY o.placed_at, o.id LIMIT $4",
        )
        .bind(person)
        .bind(order)
        .bind(placed_at)
        .bind(limit)
        .fetch_all(c)
        .await
    })?;
    let prior = |(external_id, placed_at, partner, program): (String, At, PartnerId, ProgramId)| PriorOrder {
        external_id,
        placed_at: placed_at.0,
        partner,
        program,
    };
    Ok(rows.into_iter().map(prior).collect())
}

pub async fn of_order<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<Option<StoredDecision>> {
    let mut reader = on.into();
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE order_id = $1"));
    let found: Vec<StoredDecision> = read!(reader.again(), |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?;
    Ok(with_shares(reader, (order, order), found).await?.pop())
}

/// The orders of the decisions after `after`, oldest first.
pub async fn orders_decided<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<OrderId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT order_id FROM payable_decisions WHERE order_id > $1 ORDER BY order_id LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await
    })?)
}

/// The decisions on orders from `first` to `last`, both included, in order.
pub async fn between<'a>(on: impl Into<Reader<'a>>, first: OrderId, last: OrderId) -> Result<Vec<StoredDecision>> {
    let mut reader = on.into();
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE order_id >= $1 AND order_id <= $2 ORDER BY order_id"));
    let found = read!(reader.again(), |c| sqlx::query_as(sql).bind(first).bind(last).fetch_all(c).await)?;
    with_shares(reader, (first, last), found).await
}

/// As [`of_order`], for one that must be there.
pub async fn must_be<'a>(on: impl Into<Reader<'a>>, order: OrderId) -> Result<StoredDecision> {
    of_order(on, order).await?.ok_or_else(|| Error::missing(&format!("the decision on {order}")))
}
