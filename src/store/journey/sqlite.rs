//! The reading over SQLite's own interface, each on a connection and a thread of its own.

use super::{BareTouch, CreditOrder, OwnedIdentifier, OwnedTouch, Owner, OwnerOfTouches, channel_of, kind_of};
use crate::domain::id::{OrderId, PersonId};
use crate::domain::money::Currency;
use crate::domain::person::IdentifierKind;
use crate::store::{Error, Result};
use chrono::{DateTime, NaiveDate};
use rusqlite::{Connection, OpenFlags, Row};
use std::path::Path;
use uuid::Uuid;

/// Reads on a thread that may wait for the disk.
pub async fn read<T: Send + 'static>(path: &Path, job: impl FnOnce(&Connection) -> Result<T> + Send + 'static) -> Result<T> {
    let path = path.to_owned();
    let done = tokio::task::spawn_blocking(move || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "mmap_size", 268_435_456)?;
        // Whatever is read here is read in order: pages met before are not met again.
        connection.pragma_update(None, "cache_size", -8_192)?;
        job(&connection)
    });
    done.await.map_err(|error| Error::Unreadable(error.to_string()))?
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str> {
    row.get_ref(column)?.as_str().map_err(|error| Error::Unreadable(error.to_string()))
}

/// One of our own names: whether it is UTF-8 need not be looked at.
fn name<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8]> {
    row.get_ref(column)?.as_bytes().map_err(|error| Error::Unreadable(error.to_string()))
}

fn instant(micros: i64) -> Result<DateTime<chrono::Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| Error::Unreadable(format!("{micros} is no instant")))
}

pub fn orders(connection: &Connection) -> Result<Vec<CreditOrder>> {
    let mut statement = connection.prepare(
        "SELECT o.id, o.person_id, o.day, o.placed_at, o.currency, o.total_minor, COALESCE(r.refunded, 0) FROM orders o \
         LEFT JOIN (SELECT order_id, SUM(amount_minor) AS refunded FROM refunds GROUP BY order_id) r ON r.order_id = o.id \
         WHERE o.status = 'approved' ORDER BY o.id",
    )?;
    let mut rows = statement.query([])?;
    let mut orders = Vec::new();
    let mut last: Option<(String, NaiveDate)> = None;
    while let Some(row) = rows.next()? {
        let day = text(row, 2)?;
        let day = match &last {
            Some((known, day_of)) if known == day => *day_of,
            _ => {
                let read: NaiveDate = day.parse().map_err(|_| Error::Unreadable(format!("the day {day} of an order")))?;
                last = Some((day.to_owned(), read));
                read
            }
        };
        let currency = text(row, 4)?;
        orders.push(CreditOrder {
            id: OrderId(row.get(0)?),
            person: PersonId(row.get(1)?),
            day,
            placed_at: instant(row.get(3)?)?,
            currency: currency.parse::<Currency>().map_err(|_| Error::Unreadable(format!("the currency {currency}")))?,
            total_minor: row.get(5)?,
            refunded_minor: row.get(6)?,
        });
    }
    Ok(orders)
}

pub fn identifiers(connection: &Connection) -> Result<Vec<OwnedIdentifier>> {
    let mut found = Vec::new();
    // Row after row: whoever looks up their touches sorts them as they need.
    let mut statement = connection.prepare("SELECT kind, value, person_id FROM identifiers NOT INDEXED")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind = match text(row, 0)? {
            "visitor" => IdentifierKind::Visitor,
            "customer" => IdentifierKind::Customer,
            "click" => IdentifierKind::Click,
            _ => continue,
        };
        found.push((kind, text(row, 1)?.to_owned(), PersonId(row.get(2)?)));
    }
    Ok(found)
}

/// Of a row that starts with when, what kind, which channel, and the id.
fn touch(row: &Row<'_>) -> Result<BareTouch> {
    let id = row.get_ref(3)?.as_blob().ok().and_then(|bytes| Uuid::from_slice(bytes).ok());
    Ok(BareTouch {
        id: id.ok_or_else(|| Error::Unreadable("the id of a touch".to_owned()))?,
        at_micros: row.get(0)?,
        kind: kind_of(name(row, 1)?)?,
        channel: channel_of(name(row, 2)?)?,
    })
}

pub fn scan<S>(connection: &Connection, mut state: S, each: fn(&mut S, Owner<'_>, BareTouch)) -> Result<S> {
    // One snapshot for all three.
    let snapshot = connection.unchecked_transaction()?;
    let mut visitors = snapshot.prepare(
        "SELECT at, kind, channel, id, visitor_id FROM touches INDEXED BY touches_visitor \
         WHERE visitor_id IS NOT NULL AND mark IS NULL ORDER BY visitor_id, at",
    )?;
    let mut rows = visitors.query([])?;
    while let Some(row) = rows.next()? {
        each(&mut state, Owner::Visitor(text(row, 4)?), touch(row)?);
    }
    let mut customers = snapshot.prepare(
        "SELECT at, kind, channel, id, customer_id, visitor_id IS NULL FROM touches INDEXED BY touches_customer \
         WHERE customer_id IS NOT NULL AND mark IS NULL ORDER BY customer_id, at",
    )?;
    let mut rows = customers.query([])?;
    while let Some(row) = rows.next()? {
        each(&mut state, Owner::Customer { id: text(row, 4)?, alone: row.get(5)? }, touch(row)?);
    }
    let mut unnamed = snapshot.prepare(
        "SELECT at, kind, channel, id FROM touches INDEXED BY touches_unnamed \
         WHERE visitor_id IS NULL AND customer_id IS NULL AND mark IS NULL",
    )?;
    let mut rows = unnamed.query([])?;
    while let Some(row) = rows.next()? {
        each(&mut state, Owner::Nobody, touch(row)?);
    }
    Ok(state)
}

pub fn of_owners(connection: &Connection, owners: Vec<OwnerOfTouches>) -> Result<Vec<OwnedTouch>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut by_visitor = snapshot.prepare("SELECT at, kind, channel, id FROM touches WHERE visitor_id = ?1 AND mark IS NULL")?;
    let mut by_customer =
        snapshot.prepare("SELECT at, kind, channel, id FROM touches WHERE customer_id = ?1 AND mark IS NULL")?;
    let mut by_id = snapshot.prepare("SELECT at, kind, channel, id FROM touches WHERE id = ?1 AND mark IS NULL")?;
    let mut touches = Vec::with_capacity(owners.len() * 3);
    for (kind, value, person) in &owners {
        let mut rows = match kind {
            IdentifierKind::Visitor => by_visitor.query([value])?,
            IdentifierKind::Customer => by_customer.query([value])?,
            IdentifierKind::Click => match Uuid::try_parse(value) {
                Ok(id) => by_id.query([id.as_bytes().as_slice()])?,
                Err(_) => continue,
            },
            IdentifierKind::Email | IdentifierKind::Phone => continue,
        };
        while let Some(row) = rows.next()? {
            touches.push((*person, touch(row)?));
        }
    }
    Ok(touches)
}

/// Two halves of each kind, in about the order of the store's indexes: whoever goes through one meets each page of them
/// once, and neither needs the other's.
pub fn halves(mut owners: Vec<OwnerOfTouches>) -> (Vec<OwnerOfTouches>, Vec<OwnerOfTouches>) {
    let beginning = |text: &str| {
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        u128::from_be_bytes(bytes)
    };
    owners.sort_by_cached_key(|(kind, value, _)| (*kind, beginning(value)));
    let (mut first, mut second) = (Vec::new(), Vec::new());
    while let Some(kind) = owners.first().map(|owner| owner.0) {
        let others = owners.split_off(owners.partition_point(|owner| owner.0 == kind));
        second.extend(owners.split_off(owners.len() / 2));
        first.append(&mut owners);
        owners = others;
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owners() -> impl Strategy<Value = Vec<OwnerOfTouches>> {
        let kind = prop_oneof![Just(IdentifierKind::Click), Just(IdentifierKind::Visitor), Just(IdentifierKind::Customer)];
        prop::collection::vec((kind, "[a-c]{0,20}", 0..9_u32), 0..40)
    }

    proptest! {
        #[test]
        fn halves_lose_nobody_and_each_has_half_of_every_kind(owners in owners()) {
            let (first, second) = halves(owners.clone());
            for kind in [IdentifierKind::Click, IdentifierKind::Visitor, IdentifierKind::Customer] {
                let of_kind = |owners: &[OwnerOfTouches]| owners.iter().filter(|owner| owner.0 == kind).count();
                prop_assert!(of_kind(&second).abs_diff(of_kind(&first)) <= 1);
            }
            let (mut all, mut given) = ([first, second].concat(), owners);
            all.sort();
            given.sort();
            prop_assert_eq!(all, given);
        }
    }
}
