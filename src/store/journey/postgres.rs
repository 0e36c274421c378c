//! The reading out of PostgreSQL: touches by binary `COPY`, whose format is that of the manual's page on it.

use super::{BareTouch, CreditOrder, OwnedIdentifier, OwnedTouch, Owner, OwnerOfTouches, channel_of, kind_of};
use crate::domain::id::{OrderId, PersonId};
use crate::domain::money::Currency;
use crate::domain::person::IdentifierKind;
use crate::read;
use crate::store::{At, Backend, Db, Error, Result};
use chrono::NaiveDate;
use futures_util::StreamExt;
use hashbrown::HashMap;
use sqlx::postgres::PgPoolCopyExt;
use uuid::Uuid;

/// Microseconds from 1970 to 2000, where PostgreSQL's instants begin.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

pub async fn orders(db: &Db) -> Result<Vec<CreditOrder>> {
    let rows: Vec<(OrderId, PersonId, NaiveDate, At, Currency, i64, i64)> = read!(db, |c| {
        sqlx::query_as(
            "SELECT o.id, o.person_id, o.day, o.placed_at, o.currency, o.total_minor, CAST(COALESCE(r.refunded, 0) AS BIGINT) \
             FROM orders o LEFT JOIN (SELECT order_id, SUM(amount_minor) AS refunded FROM refunds GROUP BY order_id) r \
             ON r.order_id = o.id WHERE o.status = 'approved' ORDER BY o.id",
        )
        .fetch_all(c)
        .await
    })?;
    let order = |(id, person, day, placed_at, currency, total_minor, refunded_minor): (_, _, _, At, _, _, _)| CreditOrder {
        id,
        person,
        day,
        placed_at: placed_at.into(),
        currency,
        total_minor,
        refunded_minor,
    };
    Ok(rows.into_iter().map(order).collect())
}

pub async fn identifiers(db: &Db) -> Result<Vec<OwnedIdentifier>> {
    Ok(read!(db, |c| {
        sqlx::query_as(
            "SELECT kind, value, person_id FROM identifiers WHERE kind IN ('visitor', 'customer', 'click') ORDER BY kind, value",
        )
        .fetch_all(c)
        .await
    })?)
}

pub async fn scan<S>(db: &Db, mut state: S, each: fn(&mut S, Owner<'_>, BareTouch)) -> Result<S> {
    copy_out(
        db,
        "SELECT at, kind, channel, id, visitor_id FROM touches WHERE visitor_id IS NOT NULL AND mark IS NULL ORDER BY visitor_id, at",
        |fields| {
            each(&mut state, Owner::Visitor(text(fields, 4)?), touch(fields)?);
            Ok(())
        },
    )
    .await?;
    copy_out(
        db,
        "SELECT at, kind, channel, id, customer_id, visitor_id IS NULL FROM touches \
         WHERE customer_id IS NOT NULL AND mark IS NULL ORDER BY customer_id, at",
        |fields| {
            let alone = fields.get(5) == Some(&&[1][..]);
            each(&mut state, Owner::Customer { id: text(fields, 4)?, alone }, touch(fields)?);
            Ok(())
        },
    )
    .await?;
    copy_out(
        db,
        "SELECT at, kind, channel, id FROM touches WHERE visitor_id IS NULL AND customer_id IS NULL AND mark IS NULL",
        |fields| {
            each(&mut state, Owner::Nobody, touch(fields)?);
            Ok(())
        },
    )
    .await?;
    Ok(state)
}

/// Of a row that starts with when, what kind, which channel, and the id.
fn touch(fields: &[&[u8]]) -> Result<BareTouch> {
    let [at, kind, channel, id, ..] = fields else { return Err(unreadable()) };
    let at = i64::from_be_bytes((*at).try_into().map_err(|_| unreadable())?);
    Ok(BareTouch {
        id: Uuid::from_slice(id).map_err(|_| unreadable())?,
        at_micros: at.checked_add(EPOCH_MICROS).ok_or_else(unreadable)?,
        kind: kind_of(kind)?,
        channel: channel_of(channel)?,
    })
}

fn text<'a>(fields: &[&'a [u8]], place: usize) -> Result<&'a str> {
    fields.get(place).and_then(|field| std::str::from_utf8(field).ok()).ok_or_else(unreadable)
}

fn unreadable() -> Error {
    Error::Unreadable("what PostgreSQL copied out".to_owned())
}

/// Hands over the rows of a query, one by one.
async fn copy_out(db: &Db, query: &str, mut each: impl FnMut(&[&[u8]]) -> Result<()>) -> Result<()> {
    let Backend::Postgres(pool) = db.backend() else { return Err(unreadable()) };
    let mut stream = pool.copy_out_raw(&format!("COPY ({query}) TO STDOUT (FORMAT BINARY)")).await?;
    let mut rest: Vec<u8> = Vec::new();
    let mut begun = false;
    while let Some(bytes) = stream.next().await {
        rest.extend_from_slice(&bytes?);
        let mut done = 0;
        if !begun {
            // Signature, flags, and a header extension of a length that follows.
            let Some(length) = number::<4>(&rest, SIGNATURE.len() + 4) else { continue };
            if !rest.starts_with(SIGNATURE) {
                return Err(unreadable());
            }
            done = SIGNATURE.len() + 8 + u32::from_be_bytes(length) as usize;
            begun = true;
        }
        while let Some((fields, end)) = tuple(&rest, done)? {
            done = end;
            if !fields.is_empty() {
                each(&fields)?;
            }
        }
        rest.drain(..done.min(rest.len()));
    }
    Ok(())
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

type Tuple<'a> = (Vec<&'a [u8]>, usize);

/// The fields of the tuple at a place, and where the next one begins; none at the trailer. `None`: it is not all there yet.
fn tuple(bytes: &[u8], at: usize) -> Result<Option<Tuple<'_>>> {
    let Some(count) = number::<2>(bytes, at).map(i16::from_be_bytes) else { return Ok(None) };
    let mut end = at + 2;
    let mut fields = Vec::with_capacity(5);
    for _ in 0..count.max(0) {
        let Some(length) = number::<4>(bytes, end).map(i32::from_be_bytes) else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| unreadable())?;
        let Some(field) = bytes.get(end + 4..end + 4 + length) else { return Ok(None) };
        fields.push(field);
        end += 4 + length;
    }
    Ok(Some((fields, end)))
}

/// Goes through all touches once for each kind of identifier: looking up each owner would search every month's partition
/// for every one of them, which takes longer from some thousands on.
pub async fn of_owners(db: &Db, owners: Vec<OwnerOfTouches>) -> Result<Vec<OwnedTouch>> {
    let mut touches = Vec::with_capacity(owners.len() * 3);
    for (kind, column) in [(IdentifierKind::Visitor, "visitor_id"), (IdentifierKind::Customer, "customer_id")] {
        let persons: HashMap<&str, u32> =
            owners.iter().filter(|owner| owner.0 == kind).map(|(_, value, person)| (value.as_str(), *person)).collect();
        if persons.is_empty() {
            continue;
        }
        let query = format!("SELECT at, kind, channel, id, {column} FROM touches WHERE {column} IS NOT NULL AND mark IS NULL");
        copy_out(db, &query, |fields| {
            if let Some(person) = persons.get(text(fields, 4)?) {
                touches.push((*person, touch(fields)?));
            }
            Ok(())
        })
        .await?;
    }
    let clicks: HashMap<Uuid, u32> = owners
        .iter()
        .filter(|owner| owner.0 == IdentifierKind::Click)
        .filter_map(|(_, value, person)| Some((Uuid::try_parse(value).ok()?, *person)))
        .collect();
    if !clicks.is_empty() {
        copy_out(db, "SELECT at, kind, channel, id FROM touches WHERE mark IS NULL", |fields| {
            let id = fields.get(3).and_then(|id| Uuid::from_slice(id).ok()).ok_or_else(unreadable)?;
            if let Some(person) = clicks.get(&id) {
                touches.push((*person, touch(fields)?));
            }
            Ok(())
        })
        .await?;
    }
    Ok(touches)
}
