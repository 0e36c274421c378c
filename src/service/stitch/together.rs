//! Evidence of many sources at once, as long as it only adds: it names nobody, or one person whom evidence knows already,
//! and no two of the sources name the same. Whatever would make persons one, or part them, is for [`super::join`].

use super::{identifier, is, most_customers};
use crate::domain::id::PersonId;
use crate::domain::person::Identifier;
use crate::domain::person::union::customer_of;
use crate::service::Result;
use crate::store::evidence::NewTie;
use crate::store::person::{Named, StoredIdentifier};
use crate::store::rows::Rows;
use crate::store::{At, Tx, evidence, person};
use std::collections::{HashMap, HashSet};

/// What one new source says is one person's.
pub(in crate::service) struct Evidence {
    pub source: String,
    pub identifiers: Vec<Identifier>,
    /// It is taken in for itself, whatever it says; so is what comes after it and concerns the same.
    pub for_itself: bool,
}

/// Whom evidence adds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum Adds {
    ToNobody,
    /// With all identifiers that the person has.
    To(PersonId, Vec<Identifier>),
}

/// What was found out of evidence, to be stored.
pub(in crate::service) struct Addition {
    pub evidence: Evidence,
    pub adds: Adds,
    /// Of its identifiers, in their order: the id of those that are known.
    known: Vec<Option<i64>>,
}

impl Addition {
    /// Identifiers that are to be stored.
    pub fn count_new(&self) -> usize {
        self.known.iter().filter(|id| id.is_none()).count()
    }

    /// All identifiers of whose it is, once it is stored.
    pub fn identifiers(&self) -> impl Iterator<Item = &Identifier> {
        let before = match &self.adds {
            Adds::ToNobody => &[][..],
            Adds::To(_, identifiers) => identifiers,
        };
        let new = self.evidence.identifiers.iter().zip(&self.known).filter(|(_, known)| known.is_none()).map(|(i, _)| i);
        before.iter().chain(new)
    }
}

/// Finds out whom evidence of new sources adds to. `None` for what has to be taken in for itself, which may be done after all
/// others.
pub(in crate::service) async fn additions(tx: &mut Tx, all: Vec<Evidence>) -> Result<Vec<Option<Addition>>> {
    let named: Vec<Identifier> = all.iter().flat_map(|e| e.identifiers.iter().cloned()).collect();
    let stored = person::stored(tx, &named).await?;
    let stored: HashMap<(_, &str), &StoredIdentifier> = stored.iter().map(|k| ((k.kind, k.value.as_str()), k)).collect();
    let find = |i: &Identifier| stored.get(&(i.kind, i.value.as_str())).copied();
    let adds = adding(tx, &all, &find).await?;
    let addition = |(evidence, adds): (Evidence, Option<Adds>)| {
        let known = evidence.identifiers.iter().map(|i| find(i).map(|k| k.id)).collect();
        adds.map(|adds| Addition { evidence, adds, known })
    };
    Ok(all.into_iter().zip(adds).map(addition).collect())
}

/// Adds evidence to what is to be stored: of each the person, new or not, the id of the evidence, and ids for identifiers.
pub(in crate::service) fn add(
    rows: &mut Rows,
    all: &[(&Addition, PersonId, i64)],
    mut identifier_ids: impl Iterator<Item = i64>,
    now: At,
) -> Result<()> {
    let (mut persons, mut sources, mut named, mut ties) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (addition, person, evidence) in all {
        let Addition { evidence: Evidence { source, identifiers, .. }, adds, known } = addition;
        if *adds == Adds::ToNobody {
            persons.push(*person);
        }
        if identifiers.is_empty() {
            continue;
        }
        sources.push((*evidence, source.as_str()));
        let customer = customer_of(identifiers);
        let ids: Vec<(&Identifier, i64)> =
            identifiers.iter().zip(known).filter_map(|(i, id)| Some((i, id.or_else(|| identifier_ids.next())?))).collect();
        let new = ids.iter().zip(known).filter(|(_, known)| known.is_none());
        named.extend(new.map(|((identifier, id), _)| Named {
            id: *id,
            person: *person,
            identifier,
            customers: i64::from(customer.is_some()),
        }));
        let customer = ids.iter().find(|(i, _)| Some(*i) == customer).map_or(0, |(_, id)| *id);
        ties.extend(ids.iter().map(|(_, identifier)| NewTie { identifier: *identifier, customer, evidence: *evidence }));
    }
    person::add_persons(rows, &persons, now)?;
    person::add_identifiers(rows, &named)?;
    evidence::add_sources(rows, &sources, now)?;
    evidence::add_ties(rows, &ties)?;
    Ok(())
}

/// Whom each source adds to; none where it does more than that.
async fn adding<'a>(
    tx: &mut Tx,
    all: &[Evidence],
    find: &impl Fn(&Identifier) -> Option<&'a StoredIdentifier>,
) -> Result<Vec<Option<Adds>>> {
    let mut adds: Vec<Option<Adds>> = Vec::with_capacity(all.len());
    let mut named: HashSet<&Identifier> = HashSet::new();
    let mut persons: HashSet<PersonId> = HashSet::new();
    // What must be tied to its customer already, by the place of its source.
    let mut pairs: Vec<(usize, (i64, i64))> = Vec::new();
    for (place, e) in all.iter().enumerate() {
        let known: Vec<&StoredIdentifier> = e.identifiers.iter().filter_map(find).collect();
        let first = !e.identifiers.iter().any(|i| named.contains(i)) && !known.iter().any(|k| persons.contains(&k.person_id));
        named.extend(&e.identifiers);
        persons.extend(known.iter().map(|k| k.person_id));
        let Some(one) = known.first().map(|k| k.person_id) else {
            adds.push((first && !e.for_itself).then_some(Adds::ToNobody));
            continue;
        };
        let customer = customer_of(&e.identifiers);
        let known_customer = customer.and_then(|customer| known.iter().find(|k| is(k, customer)));
        let fits = first
            && !e.for_itself
            && known.iter().all(|k| k.proved && k.person_id == one)
            && (customer.is_none() || known_customer.is_some());
        adds.push(fits.then_some(Adds::To(one, Vec::new())));
        if let (true, Some(customer)) = (fits, known_customer) {
            pairs.extend(known.iter().map(|k| (place, (k.id, customer.id))));
        }
    }
    if persons.is_empty() {
        return Ok(adds);
    }
    let most = most_customers(&mut *tx).await?;
    let wanted: Vec<(i64, i64)> = pairs.iter().map(|(_, pair)| *pair).collect();
    let tied = evidence::tied(tx, &wanted).await?;
    for (place, _) in pairs.iter().filter(|(_, pair)| !tied.contains(pair)) {
        adds[*place] = None;
    }
    let of_persons = person::of_persons(&mut *tx, &persons.iter().copied().collect::<Vec<_>>()).await?;
    let ids: Vec<i64> = of_persons.iter().map(|k| k.id).collect();
    let said_of: HashSet<i64> = person::who_say(&mut *tx, &ids).await?.iter().filter_map(|k| k.said_id).collect();
    let claims = of_persons.iter().filter(|k| k.said_id.is_some() || said_of.contains(&k.id));
    let claiming: HashSet<PersonId> = claims.map(|k| k.person_id).collect();
    for (adds, e) in adds.iter_mut().zip(all) {
        let Some(Adds::To(person, identifiers)) = adds else { continue };
        let shared = |k: &StoredIdentifier| k.kind.is_shared(k.customers, most);
        if e.identifiers.iter().filter_map(find).any(shared) || claiming.contains(person) {
            *adds = None;
            continue;
        }
        *identifiers = of_persons.iter().filter(|k| k.person_id == *person).map(identifier).collect();
    }
    Ok(adds)
}
