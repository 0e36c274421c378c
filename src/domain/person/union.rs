//! Which identifiers are one person: a function of what is known, never of the order in which it came to be known.
//!
//! *Evidence* (an order, an imported touch) proves that its identifiers are one person's. A *claim* is what a browser says
//! of itself: it attaches an identifier that no evidence knows, and joins no two persons that evidence keeps apart.
//! Identifiers are numbers here, as the store gives them.

use super::{Identifier, IdentifierKind};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Evidence names an identifier. Once a person has reversed a merge that the evidence made, it has parts, and each part
/// joins for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tie {
    pub evidence: i64,
    pub part: i64,
    pub identifier: i64,
}

/// What is known of an identifier by evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No evidence names it.
    Loose,
    /// By evidence it is in this component.
    Proved(i64),
    /// Evidence ties it to too many customers: a shop's own phone, a browser at a counter. It joins nothing.
    Shared,
}

/// The first claim about an identifier: a visitor's customer, or a click's visitor (its customer, where there is none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub of: i64,
    pub at: DateTime<Utc>,
    pub hit: Uuid,
}

/// An identifier with all that decides whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub id: i64,
    pub kind: IdentifierKind,
    pub standing: Standing,
    pub said: Option<Said>,
}

/// Components by evidence: each identifier with the least one of its component. `ties` holds none of shared identifiers.
pub fn components(ties: impl IntoIterator<Item = Tie>) -> HashMap<i64, i64> {
    let mut sets = Sets::default();
    let mut first: HashMap<(i64, i64), i64> = HashMap::new();
    for tie in ties {
        let other = *first.entry((tie.evidence, tie.part)).or_insert(tie.identifier);
        sets.unite(other, tie.identifier);
    }
    let ids: Vec<i64> = sets.parents.keys().copied().collect();
    ids.into_iter().map(|id| (id, sets.root(id))).collect()
}

/// Groups of identifiers, one for each person: components, and what claims attach to them.
///
/// - A loose click follows its claim.
/// - A loose visitor follows its claim to a customer; without one it follows the earliest proved click that says it.
/// - A loose customer takes the earliest claim that leads to a component (by a proved visitor, or by a proved click of its
///   loose visitors). It is attached if evidence gave that component no customer, and no other does so earlier.
/// - What is shared neither follows nor is followed.
///
/// A component has the number of one of its identifiers, or one that is no identifier's (below zero).
/// `known` is closed under claims: who is said, and who says, is in it too, or nobody says it.
pub fn groups(known: &[Known]) -> Vec<Vec<i64>> {
    let by_id: HashMap<i64, &Known> = known.iter().map(|k| (k.id, k)).collect();
    let said = |k: &Known| -> Option<(Said, &Known)> {
        let said = k.said?;
        let target = *by_id.get(&said.of)?;
        let apart = k.standing == Standing::Shared || target.standing == Standing::Shared || k.id == target.id;
        (!apart).then_some((said, target))
    };
    let is_loose = |k: &Known| k.standing == Standing::Loose;
    let mut sets = Sets::default();
    // Leads to a component: when and by which hit it was said, and the proved identifier.
    let mut leads: BTreeMap<i64, (DateTime<Utc>, Uuid, i64)> = BTreeMap::new();
    let mut lead = |loose: i64, said: Said, proved: i64| {
        let new = (said.at, said.hit, proved);
        leads.entry(loose).and_modify(|known| *known = new.min(*known)).or_insert(new);
    };
    let mut with_customer = BTreeSet::new();
    for k in known {
        sets.root(k.id);
        if let Standing::Proved(component) = k.standing {
            sets.unite(component, k.id);
            if k.kind == IdentifierKind::Customer {
                with_customer.insert(component);
            }
        }
        let Some((claim, target)) = said(k) else { continue };
        match (is_loose(k), is_loose(target)) {
            (true, _) => sets.unite(k.id, target.id),
            (false, false) => {}
            // A proved visitor says a customer; a proved click says a visitor or a customer.
            (false, true) => match said(target) {
                Some((_, customer)) if is_loose(customer) => lead(customer.id, claim, k.id),
                Some(_) => {}
                None => lead(target.id, claim, k.id),
            },
        }
    }
    let mut first_customers: BTreeMap<i64, (DateTime<Utc>, Uuid, i64, i64)> = BTreeMap::new();
    for (loose, (at, hit, proved)) in leads {
        let Standing::Proved(component) = by_id[&proved].standing else { continue };
        if by_id[&loose].kind != IdentifierKind::Customer {
            sets.unite(loose, proved);
        } else if !with_customer.contains(&component) {
            let new = (at, hit, loose, proved);
            first_customers.entry(component).and_modify(|known| *known = new.min(*known)).or_insert(new);
        }
    }
    for (_, _, customer, proved) in first_customers.into_values() {
        sets.unite(customer, proved);
    }
    let mut found: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for k in known {
        found.entry(sets.root(k.id)).or_default().push(k.id);
    }
    found.into_values().collect()
}

/// On which side of a merge identifiers were: those that `moved`, and those that `stayed`, each with all that evidence ties
/// to it first. Identifiers that neither side is tied to are left out.
pub fn sides(ties: &[Tie], moved: &BTreeSet<i64>, stayed: &BTreeSet<i64>) -> HashMap<i64, bool> {
    let mut side: HashMap<i64, bool> = stayed.iter().map(|id| (*id, false)).chain(moved.iter().map(|id| (*id, true))).collect();
    let mut by_evidence: BTreeMap<(i64, i64), Vec<i64>> = BTreeMap::new();
    for tie in ties {
        by_evidence.entry((tie.evidence, tie.part)).or_default().push(tie.identifier);
    }
    loop {
        let before = side.len();
        for identifiers in by_evidence.values() {
            let Some(known) = identifiers.iter().find_map(|id| side.get(id).copied()) else { continue };
            for id in identifiers {
                side.entry(*id).or_insert(known);
            }
        }
        if side.len() == before {
            return side;
        }
    }
}

/// The customer that evidence counts for: its strongest identifier, if that stands for a customer.
pub fn customer_of<'a>(identifiers: impl IntoIterator<Item = &'a Identifier>) -> Option<&'a Identifier> {
    identifiers.into_iter().filter(|i| i.kind.is_of_customer()).min_by_key(|i| i.strength())
}

/// Disjoint sets, each known by its least member.
#[derive(Default)]
struct Sets {
    parents: HashMap<i64, i64>,
}

impl Sets {
    fn root(&mut self, id: i64) -> i64 {
        let mut root = id;
        loop {
            let parent = *self.parents.entry(root).or_insert(root);
            if parent == root {
                break;
            }
            root = parent;
        }
        let mut at = id;
        while at != root {
            at = self.parents.insert(at, root).unwrap_or(root);
        }
        root
    }

    fn unite(&mut self, a: i64, b: i64) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents.insert(a.max(b), a.min(b));
    }
}

/// What an act outside says: evidence with its source, or a claim of one hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    Evidence { source: String, identifiers: Vec<Identifier> },
    Claim { at: DateTime<Utc>, hit: Uuid, identifiers: Vec<Identifier> },
}

/// The claims that a hit's identifiers make, each as who says whom: its visitor the customer, its click the visitor (the
/// customer, where there is no visitor).
pub fn claims_of(identifiers: &[Identifier]) -> Vec<(&Identifier, &Identifier)> {
    let of = |kind: IdentifierKind| identifiers.iter().find(|i| i.kind == kind);
    let (visitor, customer, click) = (of(IdentifierKind::Visitor), of(IdentifierKind::Customer), of(IdentifierKind::Click));
    visitor.zip(customer).into_iter().chain(click.zip(visitor.or(customer))).collect()
}

/// The whole rule at once: the persons that statements make, leaving out lone identifiers. What the store keeps bit by bit
/// is this, whatever the order.
pub fn persons(statements: &[Statement], most_customers: i64) -> BTreeSet<BTreeSet<Identifier>> {
    let mut evidence: BTreeMap<&str, BTreeSet<&Identifier>> = BTreeMap::new();
    let mut claims: BTreeMap<&Identifier, (DateTime<Utc>, Uuid, &Identifier)> = BTreeMap::new();
    let mut all: BTreeSet<&Identifier> = BTreeSet::new();
    for statement in statements {
        match statement {
            Statement::Evidence { source, identifiers } => {
                all.extend(identifiers);
                evidence.entry(source).or_default().extend(identifiers);
            }
            Statement::Claim { at, hit, identifiers } => {
                all.extend(identifiers);
                for (who, whom) in claims_of(identifiers) {
                    let new = (*at, *hit, whom);
                    claims.entry(who).and_modify(|known| *known = new.min(*known)).or_insert(new);
                }
            }
        }
    }
    let all: Vec<&Identifier> = all.into_iter().collect();
    let number = |identifier: &Identifier| all.partition_point(|known| *known < identifier) as i64;
    let mut customers: HashMap<i64, BTreeSet<&Identifier>> = HashMap::new();
    let mut ties = Vec::new();
    for (index, identifiers) in evidence.values().enumerate() {
        let customer = customer_of(identifiers.iter().copied());
        for identifier in identifiers {
            customers.entry(number(identifier)).or_default().extend(customer);
            ties.push(Tie { evidence: index as i64, part: 0, identifier: number(identifier) });
        }
    }
    let is_shared = |id: i64| customers.get(&id).is_some_and(|c| all[id as usize].kind.is_shared(c.len() as i64, most_customers));
    ties.retain(|tie| !is_shared(tie.identifier));
    let components = components(ties);
    let known: Vec<Known> = all
        .iter()
        .map(|identifier| {
            let id = number(identifier);
            let standing = match components.get(&id) {
                _ if is_shared(id) => Standing::Shared,
                Some(component) => Standing::Proved(*component),
                None => Standing::Loose,
            };
            let said = claims.get(identifier).map(|(at, hit, whom)| Said { of: number(whom), at: *at, hit: *hit });
            Known { id, kind: identifier.kind, standing, said }
        })
        .collect();
    let named = |group: Vec<i64>| group.into_iter().map(|id| all[id as usize].clone()).collect();
    groups(&known).into_iter().filter(|group| group.len() > 1).map(named).collect()
}

#[cfg(test)]
mod tests;
