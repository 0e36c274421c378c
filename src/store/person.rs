//! Persons: their identifiers, and what is known of each. Why they belong together stands in
//! [`evidence`](super::evidence).

use super::codec::{json_look_up, json_text};
use super::rows::{Holds, Rows, Table, row};
use super::{At, Reader, Result, Tx};
use crate::domain::id::PersonId;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::{exec, read, run};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Ids a statement, below both drivers' limits of bound values.
pub(super) const IDS_A_STATEMENT: usize = 5_000;

/// An identifier as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredIdentifier {
    pub id: i64,
    pub kind: IdentifierKind,
    pub value: String,
    pub person_id: PersonId,
    /// Whether evidence names it.
    pub proved: bool,
    /// To how many customers evidence ties it.
    pub customers: i64,
    /// The first claim about it: which identifier it says, when, in which hit.
    pub said_id: Option<i64>,
    pub said_at: Option<At>,
    pub said_hit: Option<Uuid>,
    /// Whether a person has reversed what the claim did.
    pub said_refused: bool,
}

const NAMES: &str = "id, kind, value, person_id, proved, customers, said_id, said_at, said_hit, said_refused";
const COLUMNS: &str =
    "i.id, i.kind, i.value, i.person_id, i.proved, i.customers, i.said_id, i.said_at, i.said_hit, i.said_refused";

/// Reads rows by a list of ids, in parts.
macro_rules! rows_by_ids {
    ($on:expr, $head:expr, $ids:expr) => {{
        let mut found = Vec::new();
        for ids in $ids.chunks($crate::store::person::IDS_A_STATEMENT) {
            let mut rows = $crate::run!($on, |c| {
                let mut query = sqlx::QueryBuilder::new(format!("{} IN (", $head));
                let mut list = query.separated(", ");
                for id in ids {
                    list.push_bind(*id);
                }
                query.push(")");
                query.build_query_as().fetch_all(c).await
            })?;
            found.append(&mut rows);
        }
        found
    }};
}
pub(super) use rows_by_ids;

pub async fn insert(tx: &mut Tx, now: At) -> Result<PersonId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar("INSERT INTO persons (created_at) VALUES ($1) RETURNING id").bind(now).fetch_one(c).await
    })?)
}

static PERSONS: Table = Table { name: "persons", columns: &[("id", Holds::Number), ("created_at", Holds::Instant)] };

static IDENTIFIERS: Table = Table {
    name: "identifiers",
    columns: &[
        ("id", Holds::Number),
        ("kind", Holds::Text),
        ("value", Holds::Text),
        ("person_id", Holds::Number),
        ("proved", Holds::Truth),
        ("customers", Holds::Number),
    ],
};

/// Adds new persons to what is to be stored.
pub fn add_persons(rows: &mut Rows, persons: &[PersonId], now: At) -> Result<()> {
    let dialect = rows.dialect;
    rows.add(&PERSONS, persons.iter().map(|person| Ok(row![dialect; person, now])).collect::<Result<_>>()?);
    Ok(())
}

/// A new identifier that evidence names, and to how many customers that ties it.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    pub id: i64,
    pub person: PersonId,
    pub identifier: &'a Identifier,
    pub customers: i64,
}

/// Adds new identifiers to what is to be stored.
pub fn add_identifiers(rows: &mut Rows, named: &[Named<'_>]) -> Result<()> {
    let dialect = rows.dialect;
    let of = |n: &Named<'_>| Ok(row![dialect; n.id, n.identifier.kind, n.identifier.value, n.person, true, n.customers]);
    rows.add(&IDENTIFIERS, named.iter().map(of).collect::<Result<_>>()?);
    Ok(())
}

pub async fn of_identifier<'a>(on: impl Into<Reader<'a>>, identifier: &Identifier) -> Result<Option<PersonId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT person_id FROM identifiers WHERE kind = $1 AND value = $2")
            .bind(identifier.kind)
            .bind(&identifier.value)
            .fetch_optional(c)
            .await
    })?)
}

/// Those of `identifiers` that are stored.
pub async fn stored(tx: &mut Tx, identifiers: &[Identifier]) -> Result<Vec<StoredIdentifier>> {
    if identifiers.is_empty() {
        return Ok(Vec::new());
    }
    let look_up = json_look_up(tx.dialect(), "identifiers i", "i.kind = v.value->>0 AND i.value = v.value->>1");
    let sql = format!("SELECT {COLUMNS} FROM {look_up}");
    let rows = json_text(identifiers.iter().map(|i| (i.kind, &i.value)))?;
    Ok(run!(tx, |c| sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(&rows).fetch_all(c).await)?)
}

/// Stores identifiers that are new; `customers` is how many customers evidence ties them to, `None` where none names them.
pub async fn add(
    tx: &mut Tx,
    person: PersonId,
    identifiers: &[&Identifier],
    customers: Option<i64>,
) -> Result<Vec<StoredIdentifier>> {
    if identifiers.is_empty() {
        return Ok(Vec::new());
    }
    Ok(run!(tx, |c| {
        let mut query = QueryBuilder::new("INSERT INTO identifiers (kind, value, person_id, proved, customers) ");
        query.push_values(identifiers, |mut row, identifier| {
            row.push_bind(identifier.kind)
                .push_bind(&identifier.value)
                .push_bind(person)
                .push_bind(customers.is_some())
                .push_bind(customers.unwrap_or(0));
        });
        query.push(format!(" RETURNING {NAMES}"));
        query.build_query_as().fetch_all(c).await
    })?)
}

pub async fn by_ids<'a>(on: impl Into<Reader<'a>>, ids: &[i64]) -> Result<Vec<StoredIdentifier>> {
    let mut connection = on.into().connect().await?;
    Ok(rows_by_ids!(connection, format!("SELECT {NAMES} FROM identifiers WHERE id"), ids))
}

pub async fn of_persons<'a>(on: impl Into<Reader<'a>>, persons: &[PersonId]) -> Result<Vec<StoredIdentifier>> {
    let mut connection = on.into().connect().await?;
    Ok(rows_by_ids!(connection, format!("SELECT {NAMES} FROM identifiers WHERE person_id"), persons))
}

/// Those whose claim says one of `ids`.
pub async fn who_say<'a>(on: impl Into<Reader<'a>>, ids: &[i64]) -> Result<Vec<StoredIdentifier>> {
    let mut connection = on.into().connect().await?;
    Ok(rows_by_ids!(connection, format!("SELECT {NAMES} FROM identifiers WHERE said_id"), ids))
}

/// How many claims say an identifier, counted up to `most`.
pub async fn count_who_say(tx: &mut Tx, id: i64, most: i64) -> Result<i64> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar("SELECT COUNT(*) FROM (SELECT id FROM identifiers WHERE said_id = $1 LIMIT $2) s")
            .bind(id)
            .bind(most)
            .fetch_one(c)
            .await
    })?)
}

/// Whether claims lead from, to or within one of `persons`, so that evidence alone does not say whose identifiers are.
pub async fn have_claims(tx: &mut Tx, persons: &[PersonId]) -> Result<bool> {
    for person in persons {
        // The least of them, not whether there are any: PostgreSQL would read all claims to answer that.
        let found: Option<i64> = run!(tx, |c| {
            sqlx::query_scalar(
                "SELECT i.id FROM identifiers i WHERE i.person_id = $1 AND (i.said_id IS NOT NULL \
                 OR (SELECT MIN(s.id) FROM identifiers s WHERE s.said_id = i.id) IS NOT NULL) LIMIT 1",
            )
            .bind(*person)
            .fetch_optional(c)
            .await
        })?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Identifiers named by evidence that are tied to more than `customers`.
pub async fn tied_to_more_than<'a>(on: impl Into<Reader<'a>>, customers: i64) -> Result<Vec<StoredIdentifier>> {
    let sql =
        sqlx::AssertSqlSafe(format!("SELECT {NAMES} FROM identifiers WHERE customers > $1 AND kind <> 'customer' ORDER BY id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(customers).fetch_all(c).await)?)
}

/// Evidence names an identifier, and ties it to so many customers.
pub async fn set_proved(tx: &mut Tx, id: i64, customers: i64) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE identifiers SET proved = TRUE, customers = $2 WHERE id = $1").bind(id).bind(customers))?;
    Ok(())
}

/// Sets the claim about an identifier.
pub async fn set_said(tx: &mut Tx, id: i64, said: i64, at: At, hit: Uuid) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE identifiers SET said_id = $2, said_at = $3, said_hit = $4 WHERE id = $1")
            .bind(id)
            .bind(said)
            .bind(at)
            .bind(hit)
    })?;
    Ok(())
}

/// What was said about an identifier is not believed any more.
pub async fn refuse_said(tx: &mut Tx, id: i64) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE identifiers SET said_refused = TRUE WHERE id = $1").bind(id))?;
    Ok(())
}

pub async fn move_identifiers(tx: &mut Tx, ids: &[i64], to: PersonId) -> Result<()> {
    for ids in ids.chunks(IDS_A_STATEMENT) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new("UPDATE identifiers SET person_id = ");
            query.push_bind(to).push(" WHERE id IN (");
            let mut list = query.separated(", ");
            for id in ids {
                list.push_bind(*id);
            }
            query.push(")");
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// Moves all orders of a person to another.
pub async fn move_orders(tx: &mut Tx, from: PersonId, to: PersonId) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE orders SET person_id = $1 WHERE person_id = $2").bind(to).bind(from))?;
    Ok(())
}

/// A page of persons that have identifiers, after `after`.
pub async fn page<'a>(on: impl Into<Reader<'a>>, after: PersonId, limit: i64) -> Result<Vec<PersonId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT DISTINCT person_id FROM identifiers WHERE person_id > $1 ORDER BY person_id LIMIT $2")
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await
    })?)
}
