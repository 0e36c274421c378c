//! Joins identifiers into persons: what an authenticated order says is joined, what a browser says is only attached. The result does not depend on the order in which they arrive; every merge is
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

/// What a browser says of itself, which anybody can make up: identifiers that nobody has yet go to the person of the
/// first known one (visitor before customer before click), or to a new person. Two persons who are known apart stay so,
/// a person who has a customer id gets no second one, and a click belongs to the first browser that showed it.
pub async fn attach(tx: &mut Tx, context: &Context, identifiers: &[Identifier]) -> Result<()> {
    let rank = |kind: IdentifierKind| match kind {
        IdentifierKind::Visitor => 0,
        IdentifierKind::Customer => 1,
        IdentifierKind::Click | IdentifierKind::Email | IdentifierKind::Phone => 2,
    };
    let mut ranked: Vec<&Identifier> = identifiers.iter().collect();
    ranked.sort_by_key(|i| rank(i.kind));
    let mut person: Option<PersonId> = None;
    let mut unknown: Vec<&Identifier> = Vec::new();
    for identifier in ranked {
        match person::of_identifier(&mut *tx, identifier).await? {
            Some(known) => person = person.or(Some(known)),
            None => unknown.push(identifier),
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let person = match person {
        Some(person) => person,
        None => person::insert(tx, context.at()).await?,
    };
    for identifier in unknown {
        if identifier.kind == IdentifierKind::Customer && person::has_kind(&mut *tx, person, IdentifierKind::Customer).await? {
            continue;
        }
        person::add_identifier(tx, person, identifier).await?;
    }
    Ok(())
}
