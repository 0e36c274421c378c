//! The neighbourhood of a change: the persons it concerns and all whom claims lead to them. Their identifiers are grouped
//! anew by the domain, and what differs from what is stored is moved.

use super::{most_customers, person_of};
use crate::domain::id::PersonId;
use crate::domain::person::IdentifierKind;
use crate::domain::person::union::{Known, Said, Standing, Tie, components, groups};
use crate::service::{Context, Result};
use crate::store::person::StoredIdentifier;
use crate::store::{Reader, Tx, audit, evidence, person, person_merge};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Why persons are regrouped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause<'a> {
    pub because: &'a str,
    /// 0 for a claim.
    pub evidence: Option<i64>,
}

/// Persons with all their identifiers, closed under claims.
#[derive(Debug, Default)]
pub struct Around {
    pub(super) rows: BTreeMap<i64, StoredIdentifier>,
    persons: BTreeSet<PersonId>,
    pub(super) ties: Vec<Tie>,
    tied: BTreeSet<i64>,
    evidence: BTreeSet<i64>,
    most_customers: i64,
    /// Where identifiers go that leave their person, if no person is theirs.
    pub(super) spare: Option<(BTreeSet<i64>, PersonId)>,
}

impl Around {
    /// Reads persons, and those to whom and from whom claims lead.
    pub async fn reach<'a>(&mut self, on: impl Into<Reader<'a>>, persons: impl IntoIterator<Item = PersonId>) -> Result<()> {
        let mut reader = on.into();
        if self.most_customers == 0 {
            self.most_customers = most_customers(reader.again()).await?;
        }
        let mut next: Vec<PersonId> = persons.into_iter().filter(|p| self.persons.insert(*p)).collect();
        while !next.is_empty() {
            next.sort_unstable();
            next.dedup();
            let new = person::of_persons(reader.again(), &next).await?;
            let ids: Vec<i64> = new.iter().map(|row| row.id).collect();
            let said: Vec<i64> = new.iter().filter_map(|row| row.said_id).filter(|id| !self.rows.contains_key(id)).collect();
            self.rows.extend(new.into_iter().map(|row| (row.id, row)));
            let unread: Vec<i64> = said.into_iter().filter(|id| !self.rows.contains_key(id)).collect();
            let mut beside = person::by_ids(reader.again(), &unread).await?;
            beside.extend(person::who_say(reader.again(), &ids).await?);
            next = beside.into_iter().map(|row| row.person_id).filter(|p| self.persons.insert(*p)).collect();
        }
        Ok(())
    }

    fn is_shared(&self, row: &StoredIdentifier) -> bool {
        row.kind.is_shared(row.customers, self.most_customers)
    }

    /// Reads the evidence of all that joins, and of what `also` names; whom it names is reached too.
    pub async fn read_evidence<'a>(&mut self, on: impl Into<Reader<'a>>, also: &[i64]) -> Result<()> {
        let mut reader = on.into();
        loop {
            let wanted = |row: &&StoredIdentifier| row.proved && !self.is_shared(row);
            let joining = self.rows.values().filter(wanted).map(|row| row.id).chain(also.iter().copied());
            let unread: Vec<i64> = joining.filter(|id| !self.tied.contains(id)).collect();
            if unread.is_empty() {
                return Ok(());
            }
            self.tied.extend(&unread);
            let ties = evidence::of_identifiers(reader.again(), &unread).await?;
            let new: BTreeSet<i64> = ties.iter().map(|t| t.evidence).filter(|e| !self.evidence.contains(e)).collect();
            let ties = evidence::ties(reader.again(), &new.iter().copied().collect::<Vec<_>>()).await?;
            self.evidence.extend(new);
            let named: BTreeSet<i64> = ties.iter().map(|t| t.identifier).filter(|id| !self.rows.contains_key(id)).collect();
            self.ties.extend(ties);
            let named = person::by_ids(reader.again(), &named.into_iter().collect::<Vec<_>>()).await?;
            let persons: Vec<PersonId> = named.iter().map(|row| row.person_id).collect();
            self.reach(reader.again(), persons).await?;
        }
    }

    /// The groups there should be by evidence, which [`Around::read_evidence`] has read.
    pub fn groups_by_evidence(&self) -> Vec<Vec<i64>> {
        let joins = |id: i64| self.rows.get(&id).is_some_and(|row| !self.is_shared(row));
        let components = components(self.ties.iter().copied().filter(|tie| joins(tie.identifier)));
        self.groups(|row| components.get(&row.id).copied())
    }

    pub fn identifiers(&self) -> impl Iterator<Item = &StoredIdentifier> {
        self.rows.values()
    }

    /// Groups by evidence that are no one person, or not one alone, as words: what should be one, and whose it is stored.
    pub fn differences(&self) -> Vec<(String, String)> {
        let mut seen: BTreeSet<PersonId> = BTreeSet::new();
        let mut differences = Vec::new();
        for group in self.groups_by_evidence() {
            let rows: Vec<&StoredIdentifier> = group.iter().filter_map(|id| self.rows.get(id)).collect();
            let persons: BTreeSet<PersonId> = rows.iter().map(|row| row.person_id).collect();
            if persons.len() != 1 || persons.iter().any(|person| !seen.insert(*person)) {
                let named = |row: &&StoredIdentifier| format!("{} {}", row.kind.name(), row.value);
                differences.push((
                    rows.iter().map(named).collect::<Vec<_>>().join(", "),
                    persons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                ));
            }
        }
        differences
    }

    /// As [`groups`]; `component` answers for what is not shared.
    fn groups(&self, component: impl Fn(&StoredIdentifier) -> Option<i64>) -> Vec<Vec<i64>> {
        let known: Vec<Known> = self
            .rows
            .values()
            .map(|row| {
                let standing = match component(row) {
                    _ if self.is_shared(row) => Standing::Shared,
                    Some(component) => Standing::Proved(component),
                    None => Standing::Loose,
                };
                let said = row.said_id.zip(row.said_at).zip(row.said_hit).filter(|_| !row.said_refused);
                let said = said.map(|((of, at), hit)| Said { of, at: at.into(), hit });
                Known { id: row.id, kind: row.kind, standing, said }
            })
            .collect();
        groups(&known)
    }

    /// Regroups where evidence only joins: persons as they stand are components. Those of `joined`, which one piece of
    /// evidence names, become one; of these no evidence named `loose_before` until now.
    pub(super) async fn reckon_by_persons(
        &mut self,
        tx: &mut Tx,
        context: &Context,
        joined: &BTreeSet<i64>,
        loose_before: &BTreeSet<i64>,
        cause: Cause<'_>,
    ) -> Result<()> {
        // Numbers that are no identifier's: persons are counted on their own.
        const JOINED: i64 = i64::MIN;
        let of_person = |person: PersonId| -1 - person.0;
        let into_one: BTreeSet<PersonId> =
            joined.difference(loose_before).filter_map(|id| self.rows.get(id)).map(|row| row.person_id).collect();
        let groups = self.groups(|row| match row.proved {
            false => None,
            true if loose_before.contains(&row.id) || into_one.contains(&row.person_id) => Some(JOINED),
            true => Some(of_person(row.person_id)),
        });
        self.store(tx, context, groups, loose_before, cause).await?;
        Ok(())
    }

    /// Regroups by evidence, where something may be parted: what `also` names has become shared, or is so no more.
    pub(super) async fn reckon_by_evidence(
        &mut self,
        tx: &mut Tx,
        context: &Context,
        also: &[i64],
        cause: Cause<'_>,
    ) -> Result<()> {
        self.read_evidence(&mut *tx, also).await?;
        let parted = self.store(tx, context, self.groups_by_evidence(), &BTreeSet::new(), cause).await?;
        for (from, to, identifiers) in parted {
            let detail = json!({ "because": cause.because, "to": to, "identifiers": identifiers });
            audit::record(tx, &context.actor, "person.part", &from.to_string(), &detail, context.at()).await?;
        }
        for (order, to) in self.misplaced_orders(&mut *tx).await? {
            let to = match to {
                Some(to) => to,
                None => person::insert(tx, context.at()).await?,
            };
            evidence::set_person_of_order(tx, order, to).await?;
        }
        Ok(())
    }

    /// Orders of the evidence that are stored for another person than their identifiers; `None` where nothing joins them to
    /// anybody.
    pub async fn misplaced_orders<'a>(
        &self,
        on: impl Into<Reader<'a>>,
    ) -> Result<Vec<(crate::domain::id::OrderId, Option<PersonId>)>> {
        let evidence: Vec<i64> = self.evidence.iter().copied().collect();
        let mut named: HashMap<i64, Vec<&StoredIdentifier>> = HashMap::new();
        for tie in &self.ties {
            named.entry(tie.evidence).or_default().extend(self.rows.get(&tie.identifier));
        }
        let of_somebody: BTreeSet<PersonId> = self.rows.values().map(|row| row.person_id).collect();
        let mut misplaced = Vec::new();
        for (evidence, order, stored) in evidence::orders(on, &evidence).await? {
            let named = named.get(&evidence).map_or(&[][..], Vec::as_slice);
            match person_of(named.iter().copied(), self.most_customers) {
                Some(person) if person != stored => misplaced.push((order, Some(person))),
                None if of_somebody.contains(&stored) => misplaced.push((order, None)),
                _ => {}
            }
        }
        Ok(misplaced)
    }

    /// Moves identifiers so that each group is a person. A person stays with what was proved of it; of several in one group
    /// the oldest is kept, and the others are merged into it. Answers what was parted from its person otherwise.
    async fn store(
        &mut self,
        tx: &mut Tx,
        context: &Context,
        groups: Vec<Vec<i64>>,
        loose_before: &BTreeSet<i64>,
        cause: Cause<'_>,
    ) -> Result<Vec<Parted>> {
        let mut anchors: BTreeMap<PersonId, (bool, bool, i64)> = BTreeMap::new();
        for row in self.rows.values() {
            let unproved = !row.proved || loose_before.contains(&row.id);
            let rank = (unproved, self.is_shared(row), row.id);
            anchors.entry(row.person_id).and_modify(|known| *known = rank.min(*known)).or_insert(rank);
        }
        let mut parted = Vec::new();
        for group in groups {
            let mut by_person: BTreeMap<PersonId, Vec<i64>> = BTreeMap::new();
            for id in &group {
                if let Some(row) = self.rows.get(id) {
                    by_person.entry(row.person_id).or_default().push(*id);
                }
            }
            let is_at_home = |person: &PersonId| anchors.get(person).is_some_and(|anchor| group.contains(&anchor.2));
            let kept = match by_person.keys().find(|person| is_at_home(person)) {
                Some(first) => *first,
                None => match self.spare.take_if(|(ids, _)| group.iter().any(|id| ids.contains(id))) {
                    Some((_, person)) => person,
                    None => person::insert(tx, context.at()).await?,
                },
            };
            for (from, ids) in by_person.iter().filter(|(from, _)| **from != kept) {
                let moved: Vec<&StoredIdentifier> = ids.iter().filter_map(|id| self.rows.get(id)).collect();
                if is_at_home(from) {
                    merge(tx, context, kept, *from, &moved, cause).await?;
                } else {
                    let proved: Vec<_> = moved.iter().filter(|row| row.proved).map(|row| (row.kind, row.value.clone())).collect();
                    person::move_identifiers(tx, ids, kept).await?;
                    if !proved.is_empty() {
                        parted.push((*from, kept, proved));
                    }
                }
            }
            for id in &group {
                if let Some(row) = self.rows.get_mut(id) {
                    row.person_id = kept;
                }
            }
        }
        Ok(parted)
    }
}

/// From whom, to whom, and which proved identifiers.
type Parted = (PersonId, PersonId, Vec<(IdentifierKind, String)>);

/// All of `merged` becomes `kept`'s, which is recorded.
pub(super) async fn merge(
    tx: &mut Tx,
    context: &Context,
    kept: PersonId,
    merged: PersonId,
    moved: &[&StoredIdentifier],
    cause: Cause<'_>,
) -> Result<()> {
    let named: Vec<(IdentifierKind, String)> = moved.iter().map(|row| (row.kind, row.value.clone())).collect();
    person_merge::insert(tx, kept, merged, &named, (cause.because, cause.evidence), context.at()).await?;
    person::move_identifiers(tx, &moved.iter().map(|row| row.id).collect::<Vec<_>>(), kept).await?;
    person::move_orders(tx, merged, kept).await?;
    Ok(())
}
