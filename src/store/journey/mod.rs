//! Everything that analytic credit is reckoned from, read in bulk: orders, identifiers, and touches with no more of them
//! than a model looks at. SQLite is read over its own interface, PostgreSQL by `COPY`, both out of indexes alone.

mod postgres;
mod sqlite;

use super::{At, Db, Reader, Result};
use crate::domain::channel::Channel;
use crate::domain::id::{OrderId, PersonId};
use crate::domain::money::Currency;
use crate::domain::person::IdentifierKind;
use crate::domain::touch::TouchKind;
use crate::{read, run};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// An approved order, as far as credit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditOrder {
    pub id: OrderId,
    pub person: PersonId,
    pub day: NaiveDate,
    pub placed_at: DateTime<Utc>,
    pub currency: Currency,
    pub total_minor: i64,
    pub refunded_minor: i64,
}

/// Whose a touch is, as far as it says so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    Visitor(&'a str),
    /// `alone`: it has no visitor, else it came as that one's already.
    Customer {
        id: &'a str,
        alone: bool,
    },
    /// Found by its own id only.
    Nobody,
}

/// A touch without a mark, as far as models look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BareTouch {
    pub id: Uuid,
    pub at_micros: i64,
    pub kind: TouchKind,
    pub channel: Channel,
}

/// An identifier that touches are found by, and whose it is.
pub type OwnedIdentifier = (IdentifierKind, String, PersonId);

/// All approved orders, by id.
pub async fn orders(db: &Db) -> Result<Vec<CreditOrder>> {
    match db.sqlite_path() {
        Some(path) => sqlite::read(path, sqlite::orders).await,
        None => postgres::orders(db).await,
    }
}

/// The visitor, customer and click ids of all persons.
pub async fn identifiers(db: &Db) -> Result<Vec<OwnedIdentifier>> {
    match db.sqlite_path() {
        Some(path) => sqlite::read(path, sqlite::identifiers).await,
        None => postgres::identifiers(db).await,
    }
}

/// Goes through all touches without a mark: those of a visitor one after the other, in order of time; then those of a
/// customer, the same; then those of nobody. `each` works on a state that is given back in the end.
pub async fn scan<S: Send + 'static>(db: &Db, state: S, each: fn(&mut S, Owner<'_>, BareTouch)) -> Result<S> {
    match db.sqlite_path() {
        Some(path) => sqlite::read(path, move |connection| sqlite::scan(connection, state, each)).await,
        None => postgres::scan(db, state, each).await,
    }
}

/// A touch of a person, by the person's number.
pub type OwnedTouch = (u32, BareTouch);

/// An identifier that touches are found by, and its person's number.
pub type OwnerOfTouches = (IdentifierKind, String, u32);

/// The touches without a mark that have one of these identifiers (each with its person's number), in no order; a touch
/// comes once for each identifier it has. The answer comes in parts.
pub async fn of_owners(db: &Db, owners: Vec<OwnerOfTouches>) -> Result<Vec<Vec<OwnedTouch>>> {
    let Some(path) = db.sqlite_path() else { return Ok(vec![postgres::of_owners(db, owners).await?]) };
    let (first, second) = sqlite::halves(owners);
    let read = |half| sqlite::read(path, move |connection| sqlite::of_owners(connection, half));
    let (first, second) = tokio::join!(read(first), read(second));
    Ok(vec![first?, second?])
}

/// The ids that touches had where they were imported from; those without one are left out.
pub async fn external_ids<'a>(on: impl Into<Reader<'a>>, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let mut connection = on.into().connect().await?;
    let mut found = HashMap::new();
    for chunk in ids.chunks(500) {
        let rows: Vec<(Uuid, String)> = run!(connection, |c| {
            let mut query =
                sqlx::QueryBuilder::new("SELECT id, external_id FROM touches WHERE external_id IS NOT NULL AND id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")").build_query_as().fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// When leads came in, by person, each in order of time.
pub async fn leads(db: &Db) -> Result<HashMap<PersonId, Vec<DateTime<Utc>>>> {
    let rows: Vec<(PersonId, At)> = read!(db, |c| {
        sqlx::query_as(
            "SELECT i.person_id, e.at FROM events e JOIN identifiers i ON i.kind = 'visitor' AND i.value = e.visitor_id \
             WHERE e.kind = 'lead' AND e.visitor_id IS NOT NULL \
             UNION SELECT i.person_id, e.at FROM events e JOIN identifiers i ON i.kind = 'customer' AND i.value = e.customer_id \
             WHERE e.kind = 'lead' AND e.customer_id IS NOT NULL ORDER BY 1, 2",
        )
        .fetch_all(c)
        .await
    })?;
    let mut leads: HashMap<PersonId, Vec<DateTime<Utc>>> = HashMap::new();
    for (person, at) in rows {
        leads.entry(person).or_default().push(at.into());
    }
    Ok(leads)
}

/// The same of one person.
pub async fn leads_of_person<'a>(on: impl Into<Reader<'a>>, person: PersonId) -> Result<Vec<DateTime<Utc>>> {
    let rows: Vec<At> = read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT e.at FROM identifiers i JOIN events e ON e.visitor_id = i.value \
             WHERE i.person_id = $1 AND i.kind = 'visitor' AND e.kind = 'lead' AND e.visitor_id IS NOT NULL \
             UNION SELECT e.at FROM identifiers i JOIN events e ON e.customer_id = i.value \
             WHERE i.person_id = $1 AND i.kind = 'customer' AND e.kind = 'lead' AND e.customer_id IS NOT NULL ORDER BY 1",
        )
        .bind(person)
        .fetch_all(c)
        .await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// When a person's approved orders were placed.
pub async fn orders_of_person<'a>(on: impl Into<Reader<'a>>, person: PersonId) -> Result<Vec<DateTime<Utc>>> {
    let rows: Vec<At> = read!(on.into(), |c| {
        sqlx::query_scalar("SELECT placed_at FROM orders WHERE person_id = $1 AND status = 'approved' ORDER BY placed_at, id")
            .bind(person)
            .fetch_all(c)
            .await
    })?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// When all approved orders of the persons who ordered in a span of days were placed, by person.
pub async fn orders_of_buyers<'a>(
    on: impl Into<Reader<'a>>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<HashMap<PersonId, Vec<DateTime<Utc>>>> {
    let rows: Vec<(PersonId, At)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT person_id, placed_at FROM orders WHERE status = 'approved' AND person_id IN \
             (SELECT person_id FROM orders WHERE status = 'approved' AND day >= $1 AND day <= $2)",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?;
    let mut orders: HashMap<PersonId, Vec<DateTime<Utc>>> = HashMap::new();
    for (person, at) in rows {
        orders.entry(person).or_default().push(at.into());
    }
    Ok(orders)
}

/// How a name in a column is read; what is not known is an error of the store.
fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: &[u8]) -> Result<T> {
    all.iter()
        .copied()
        .find(|one| name(*one).as_bytes() == text)
        .ok_or_else(|| super::Error::Unreadable(format!("'{}' of a touch", String::from_utf8_lossy(text))))
}

fn channel_of(text: &[u8]) -> Result<Channel> {
    named(Channel::ALL, Channel::name, text)
}

fn kind_of(text: &[u8]) -> Result<TouchKind> {
    named(&TouchKind::ALL, TouchKind::name, text)
}
