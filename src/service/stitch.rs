//! Joins identifiers into persons. The result does not depend on the order in which they arrive; every merge is
//! recorded with what it moved.

use super::{Context, Result};
use crate::domain::id::PersonId;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::touch::touch_id;
use crate::store::{Tx, person};

/// The identifier of a click id, in whatever form it was given.
pub fn click_identifier(click_id: &str) -> Identifier {
    Identifier::new(IdentifierKind::Click, touch_id(click_id).to_string())
}

/// The person all `identifiers` belong to, joining those who were known apart. No identifiers: a new person.
pub async fn join(tx: &mut Tx, context: &Context, identifiers: &[Identifier], because: &str) -> Result<PersonId> {
    let mut known: Vec<PersonId> = Vec::new();
    let mut unknown: Vec<&Identifier> = Vec::new();
    for identifier in identifiers {
        match person::of_identifier(&mut *tx, identifier).await? {
            Some(person) => known.push(person),
            None => unknown.push(identifier),
        }
    }
    known.sort_unstable();
    known.dedup();
    let kept = match known.first() {
        Some(first) => *first,
        None => person::insert(tx, context.at()).await?,
    };
    for merged in known.iter().skip(1) {
        person::merge(tx, kept, *merged, because, context.at()).await?;
    }
    for identifier in unknown {
        person::add_identifier(tx, kept, identifier).await?;
    }
    Ok(kept)
}
