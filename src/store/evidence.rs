//! What said that identifiers are one person's: each source once, with all the identifiers it ever named.

use super::codec::{json_look_up, json_text};
use super::person::rows_by_ids;
use super::rows::{Holds, Rows, Table, row};
use super::{At, Error, Reader, Result, Tx};
use crate::domain::id::{OrderId, PersonId};
use crate::domain::person::union::Tie;
use crate::{exec, read, run};
use std::collections::HashSet;

/// Stores a source. Answers its id, and whether it is new.
pub async fn insert(tx: &mut Tx, source: &str, now: At) -> Result<(i64, bool)> {
    let new: Option<i64> = run!(tx, |c| {
        sqlx::query_scalar("INSERT INTO evidence (source, at) VALUES ($1, $2) ON CONFLICT (source) DO NOTHING RETURNING id")
            .bind(source)
            .bind(now)
            .fetch_optional(c)
            .await
    })?;
    match new {
        Some(id) => Ok((id, true)),
        None => Ok((by_source(tx, source).await?.ok_or_else(|| Error::missing(source))?, false)),
    }
}

static SOURCES: Table =
    Table { name: "evidence", columns: &[("id", Holds::Number), ("source", Holds::Text), ("at", Holds::Instant)] };

static TIES: Table = Table {
    name: "evidence_ties",
    columns: &[
        ("identifier_id", Holds::Number),
        ("customer_id", Holds::Number),
        ("evidence_id", Holds::Number),
        ("part", Holds::Number),
    ],
};

/// Adds new sources to what is to be stored.
pub fn add_sources(rows: &mut Rows, sources: &[(i64, &str)], now: At) -> Result<()> {
    let dialect = rows.dialect;
    rows.add(&SOURCES, sources.iter().map(|(id, source)| Ok(row![dialect; id, source, now])).collect::<Result<_>>()?);
    Ok(())
}

/// A new tie of an identifier to evidence, which counts for `customer` (0 for none).
#[derive(Debug, Clone, Copy)]
pub struct NewTie {
    pub identifier: i64,
    pub customer: i64,
    pub evidence: i64,
}

/// Adds new ties to what is to be stored.
pub fn add_ties(rows: &mut Rows, ties: &[NewTie]) -> Result<()> {
    let dialect = rows.dialect;
    let of = |tie: &NewTie| Ok(row![dialect; tie.identifier, tie.customer, tie.evidence, 0]);
    rows.add(&TIES, ties.iter().map(of).collect::<Result<_>>()?);
    Ok(())
}

pub async fn by_source<'a>(on: impl Into<Reader<'a>>, source: &str) -> Result<Option<i64>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT id FROM evidence WHERE source = $1").bind(source).fetch_optional(c).await
    })?)
}

/// Ties new identifiers to evidence, which counts for `customer` (0 for none).
pub async fn tie(tx: &mut Tx, evidence: i64, customer: i64, identifiers: &[i64]) -> Result<()> {
    let ties: Vec<NewTie> = identifiers.iter().map(|id| NewTie { identifier: *id, customer, evidence }).collect();
    let mut rows = Rows::new(tx.dialect());
    add_ties(&mut rows, &ties)?;
    rows.store(tx).await
}

/// Those of the pairs of identifier and customer that some evidence ties.
pub async fn tied(tx: &mut Tx, pairs: &[(i64, i64)]) -> Result<HashSet<(i64, i64)>> {
    if pairs.is_empty() {
        return Ok(HashSet::new());
    }
    let fits = "t.identifier_id = CAST(v.value->>0 AS BIGINT) AND t.customer_id = CAST(v.value->>1 AS BIGINT)";
    let sql =
        format!("SELECT DISTINCT t.identifier_id, t.customer_id FROM {}", json_look_up(tx.dialect(), "evidence_ties t", fits));
    let rows = json_text(pairs.iter())?;
    let found: Vec<(i64, i64)> = run!(tx, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&rows).fetch_all(c).await)?;
    Ok(found.into_iter().collect())
}

/// The evidence counts for another customer than before.
pub async fn set_customer(tx: &mut Tx, evidence: i64, customer: i64) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE evidence_ties SET customer_id = $2 WHERE evidence_id = $1 AND customer_id <> $2")
            .bind(evidence)
            .bind(customer)
    })?;
    Ok(())
}

/// Those of `identifiers` that some evidence ties to `customer`.
pub async fn tied_to_customer(tx: &mut Tx, customer: i64, identifiers: &[i64]) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    for id in identifiers {
        let tied: Option<i64> = run!(tx, |c| {
            sqlx::query_scalar("SELECT identifier_id FROM evidence_ties WHERE identifier_id = $1 AND customer_id = $2 LIMIT 1")
                .bind(*id)
                .bind(customer)
                .fetch_optional(c)
                .await
        })?;
        found.extend(tied);
    }
    Ok(found)
}

/// To how many customers evidence ties each of `identifiers`; those it ties to none are left out.
pub async fn count_customers<'a>(on: impl Into<Reader<'a>>, identifiers: &[i64]) -> Result<Vec<(i64, i64)>> {
    let mut connection = on.into().connect().await?;
    let pairs: Vec<(i64, i64)> = rows_by_ids!(
        connection,
        "SELECT DISTINCT identifier_id, customer_id FROM evidence_ties WHERE customer_id > 0 AND identifier_id",
        identifiers
    );
    let mut counts = std::collections::BTreeMap::new();
    for (identifier, _) in pairs {
        *counts.entry(identifier).or_insert(0) += 1;
    }
    Ok(counts.into_iter().collect())
}

type Row = (i64, i64, i64);

fn tie_of((evidence, part, identifier): Row) -> Tie {
    Tie { evidence, part, identifier }
}

/// The ties of identifiers.
pub async fn of_identifiers<'a>(on: impl Into<Reader<'a>>, identifiers: &[i64]) -> Result<Vec<Tie>> {
    let mut connection = on.into().connect().await?;
    let rows: Vec<Row> =
        rows_by_ids!(connection, "SELECT evidence_id, part, identifier_id FROM evidence_ties WHERE identifier_id", identifiers);
    Ok(rows.into_iter().map(tie_of).collect())
}

/// All ties of evidence.
pub async fn ties<'a>(on: impl Into<Reader<'a>>, evidence: &[i64]) -> Result<Vec<Tie>> {
    let mut connection = on.into().connect().await?;
    let rows: Vec<Row> =
        rows_by_ids!(connection, "SELECT evidence_id, part, identifier_id FROM evidence_ties WHERE evidence_id", evidence);
    Ok(rows.into_iter().map(tie_of).collect())
}

/// Puts a tie into another part of its evidence.
pub async fn set_part(tx: &mut Tx, tie: Tie, part: i64) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE evidence_ties SET part = $3 WHERE evidence_id = $1 AND identifier_id = $2")
            .bind(tie.evidence)
            .bind(tie.identifier)
            .bind(part)
    })?;
    Ok(())
}

/// The orders that evidence is of, each with the person it is stored for.
pub async fn orders<'a>(on: impl Into<Reader<'a>>, evidence: &[i64]) -> Result<Vec<(i64, OrderId, PersonId)>> {
    let mut connection = on.into().connect().await?;
    Ok(rows_by_ids!(
        connection,
        "SELECT e.id, o.id, o.person_id FROM evidence e JOIN orders o ON o.external_id = SUBSTR(e.source, 7) \
         WHERE e.source LIKE 'order %' AND e.id",
        evidence
    ))
}

pub async fn set_person_of_order(tx: &mut Tx, order: OrderId, person: PersonId) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE orders SET person_id = $2 WHERE id = $1").bind(order).bind(person))?;
    Ok(())
}

/// How many sources there are.
pub async fn count<'a>(on: impl Into<Reader<'a>>) -> Result<i64> {
    Ok(read!(on.into(), |c| sqlx::query_scalar("SELECT COUNT(*) FROM evidence").fetch_one(c).await)?)
}
