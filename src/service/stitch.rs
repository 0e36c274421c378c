//! Joins identifiers into persons as `domain::person::union` says: evidence is kept, what browsers claim is attached, and
//! each change looks only at the persons it concerns. Every merge is recorded with what it moved, and can be reversed.

mod guard;
mod regroup;
mod reversal;
mod together;

pub use guard::{most_customers, set_most_customers, start_guard};
pub use regroup::Around;
pub use reversal::{ReverseInput, reverse};
pub(super) use together::{Addition, Adds, Evidence, add, additions};

use super::{Context, Result};
use crate::domain::id::PersonId;
use crate::domain::person::union::{claims_of, customer_of};
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::touch::touch_id;
use crate::store::person::StoredIdentifier;
use crate::store::{At, Tx, evidence, person};
use chrono::{DateTime, Utc};
use regroup::Cause;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Browsers that one customer takes on their own word; later ones wait for evidence.
const MOST_BROWSERS: i64 = 1_000;

/// The identifier of a click id, in whatever form it was given.
pub fn click_identifier(click_id: &str) -> Identifier {
    Identifier::new(IdentifierKind::Click, touch_id(click_id).to_string())
}

/// Takes evidence in: `source` says that all `identifiers` are one person's, who is answered. The same source again adds
/// what it did not name before. `None` if nothing of it joins: it names nothing, or only what too many customers share.
pub async fn join(tx: &mut Tx, context: &Context, identifiers: &[Identifier], source: &str) -> Result<Option<PersonId>> {
    let (evidence, is_new) = match identifiers {
        [] => return of_source(tx, source).await,
        _ => evidence::insert(tx, source, context.at()).await?,
    };
    let cause = Cause { because: source, evidence: Some(evidence) };
    let known = person::stored(tx, identifiers).await?;
    let fresh: Vec<&Identifier> = identifiers.iter().filter(|i| !known.iter().any(|k| is(k, i))).collect();
    if !is_new {
        return amend(tx, context, cause, evidence, known, &fresh).await;
    }

    let customer = customer_of(identifiers);
    let most = match known.is_empty() {
        true => 1,
        false => most_customers(&mut *tx).await?,
    };
    let known_customer = customer.and_then(|customer| known.iter().find(|k| is(k, customer))).map(|k| k.id);
    let counted = match known_customer {
        Some(id) => evidence::tied_to_customer(tx, id, &ids(&known)).await?,
        None => Vec::new(),
    };
    let (mut crosses, mut was_loose) = (false, false);
    let mut joining: Vec<&StoredIdentifier> = Vec::new();
    for k in &known {
        let customers = k.customers + i64::from(customer.is_some() && !counted.contains(&k.id));
        if !k.proved || customers != k.customers {
            person::set_proved(tx, k.id, customers).await?;
        }
        was_loose |= !k.proved;
        crosses |= k.kind.is_shared(customers, most) && !k.kind.is_shared(k.customers, most);
        if !k.kind.is_shared(customers, most) {
            joining.push(k);
        }
    }
    let mut persons: Vec<PersonId> = joining.iter().map(|k| k.person_id).collect();
    persons.sort_unstable();
    persons.dedup();
    let home = match persons.first() {
        Some(first) => *first,
        None if fresh.is_empty() && !crosses => {
            evidence::tie(tx, evidence, known_customer.unwrap_or(0), &ids(&known)).await?;
            return Ok(None);
        }
        None => person::insert(tx, context.at()).await?,
    };
    let added = person::add(tx, home, &fresh, Some(i64::from(customer.is_some()))).await?;
    let customer_id = customer.and_then(|customer| known.iter().chain(&added).find(|k| is(k, customer))).map_or(0, |k| k.id);
    evidence::tie(tx, evidence, customer_id, &[ids(&known), ids(&added)].concat()).await?;

    if crosses {
        let mut around = Around::default();
        around.reach(&mut *tx, known.iter().map(|k| k.person_id).chain([home])).await?;
        let shared: Vec<i64> = known.iter().filter(|k| !joining.iter().any(|j| j.id == k.id)).map(|k| k.id).collect();
        around.reckon_by_evidence(tx, context, &shared, cause).await?;
        return of_source(tx, source).await;
    }
    let settled = persons.is_empty() || !(was_loose || person::have_claims(tx, &persons).await?);
    if settled {
        for merged in persons.iter().skip(1) {
            let moved = person::of_persons(&mut *tx, &[*merged]).await?;
            regroup::merge(tx, context, home, *merged, &moved.iter().collect::<Vec<_>>(), cause).await?;
        }
        return Ok(Some(home));
    }
    let mut around = Around::default();
    around.reach(&mut *tx, persons.iter().copied().chain([home])).await?;
    let joined: BTreeSet<i64> = joining.iter().map(|k| k.id).chain(ids(&added)).collect();
    let loose_before: BTreeSet<i64> = joining.iter().filter(|k| !k.proved).map(|k| k.id).chain(ids(&added)).collect();
    around.reckon_by_persons(tx, context, &joined, &loose_before, cause).await?;
    Ok(joined.first().and_then(|id| around.rows.get(id)).map(|row| row.person_id))
}

/// Evidence that is known says more, or the same again.
async fn amend(
    tx: &mut Tx,
    context: &Context,
    cause: Cause<'_>,
    evidence: i64,
    known: Vec<StoredIdentifier>,
    fresh: &[&Identifier],
) -> Result<Option<PersonId>> {
    let tied: Vec<i64> = evidence::ties(&mut *tx, &[evidence]).await?.iter().map(|tie| tie.identifier).collect();
    let mut untied: Vec<i64> = ids(&known).into_iter().filter(|id| !tied.contains(id)).collect();
    if !(untied.is_empty() && fresh.is_empty()) {
        let mut all = person::by_ids(&mut *tx, &tied).await?;
        let home = match all.iter().chain(&known).map(|k| k.person_id).min() {
            Some(home) => home,
            None => person::insert(tx, context.at()).await?,
        };
        let added = person::add(tx, home, fresh, Some(0)).await?;
        untied.extend(ids(&added));
        all.extend(known.into_iter().filter(|k| untied.contains(&k.id)));
        all.extend(added);
        let named: Vec<Identifier> = all.iter().map(identifier).collect();
        let customer = customer_of(&named).and_then(|customer| all.iter().find(|k| is(k, customer))).map_or(0, |k| k.id);
        evidence::tie(tx, evidence, customer, &untied).await?;
        evidence::set_customer(tx, evidence, customer).await?;
        let counts = evidence::count_customers(&mut *tx, &ids(&all)).await?;
        let most = most_customers(&mut *tx).await?;
        let mut changed = Vec::new();
        for k in &all {
            let customers = counts.iter().find(|(id, _)| *id == k.id).map_or(0, |(_, count)| *count);
            person::set_proved(tx, k.id, customers).await?;
            if k.kind.is_shared(customers, most) != k.kind.is_shared(k.customers, most) {
                changed.push(k.id);
            }
        }
        let mut around = Around::default();
        around.reach(&mut *tx, all.iter().map(|k| k.person_id)).await?;
        around.reckon_by_evidence(tx, context, &changed, cause).await?;
    }
    Ok(person_of(
        &person::by_ids(&mut *tx, &tied.into_iter().chain(untied).collect::<Vec<_>>()).await?,
        most_customers(tx).await?,
    ))
}

/// The person whose a source is: that of its strongest identifier that is not shared.
async fn of_source(tx: &mut Tx, source: &str) -> Result<Option<PersonId>> {
    let Some(evidence) = evidence::by_source(&mut *tx, source).await? else { return Ok(None) };
    let tied: Vec<i64> = evidence::ties(&mut *tx, &[evidence]).await?.iter().map(|tie| tie.identifier).collect();
    Ok(person_of(&person::by_ids(&mut *tx, &tied).await?, most_customers(tx).await?))
}

fn person_of<'a>(named: impl IntoIterator<Item = &'a StoredIdentifier>, most_customers: i64) -> Option<PersonId> {
    let joining = named.into_iter().filter(|k| !k.kind.is_shared(k.customers, most_customers));
    joining.map(|k| (identifier(k), k.person_id)).min_by(|a, b| a.0.strength().cmp(&b.0.strength())).map(|(_, person)| person)
}

/// What a browser says of itself, which anybody can make up. The first claim about a visitor (whose customer) and about a
/// click (which visitor's) is kept, by the time and id of the hit; it attaches what no evidence knows.
pub async fn attach(tx: &mut Tx, context: &Context, identifiers: &[Identifier], at: DateTime<Utc>, hit: Uuid) -> Result<()> {
    let claims = claims_of(identifiers);
    let mut known = person::stored(tx, identifiers).await?;
    let find = |known: &[StoredIdentifier], wanted: &Identifier| known.iter().find(|k| is(k, wanted)).cloned();
    let at = At::from(at);
    let mut touched: BTreeSet<PersonId> = BTreeSet::new();
    for (who, whom) in claims {
        let (mut who_known, mut whom_known) = (find(&known, who), find(&known, whom));
        let is_first = who_known.as_ref().and_then(|k| k.said_at.zip(k.said_hit)).is_none_or(|first| (at, hit) < first);
        if !is_first || who_known.as_ref().is_some_and(|k| k.said_refused) {
            continue;
        }
        if let Some(whom) = &whom_known
            && whom.kind == IdentifierKind::Customer
            && person::count_who_say(tx, whom.id, MOST_BROWSERS).await? >= MOST_BROWSERS
        {
            continue;
        }
        let home = match (&whom_known, &who_known) {
            (Some(one), _) | (None, Some(one)) => one.person_id,
            (None, None) => person::insert(tx, context.at()).await?,
        };
        for (named, place) in [(whom, &mut whom_known), (who, &mut who_known)] {
            if place.is_none() {
                let added = person::add(tx, home, &[named], None).await?;
                known.extend(added.clone());
                *place = added.into_iter().next();
            }
        }
        if let (Some(who), Some(whom)) = (who_known, whom_known) {
            person::set_said(tx, who.id, whom.id, at, hit).await?;
            touched.extend([who.person_id, whom.person_id]);
        }
    }
    if !touched.is_empty() {
        let mut around = Around::default();
        around.reach(&mut *tx, touched).await?;
        let because = format!("what a browser said in hit {hit}");
        let cause = Cause { because: &because, evidence: Some(0) };
        around.reckon_by_persons(tx, context, &BTreeSet::new(), &BTreeSet::new(), cause).await?;
    }
    Ok(())
}

fn is(stored: &StoredIdentifier, identifier: &Identifier) -> bool {
    stored.kind == identifier.kind && stored.value == identifier.value
}

fn identifier(stored: &StoredIdentifier) -> Identifier {
    Identifier::new(stored.kind, stored.value.clone())
}

fn ids(stored: &[StoredIdentifier]) -> Vec<i64> {
    stored.iter().map(|k| k.id).collect()
}
