//! Who stands behind touches and codes, as they stood at an instant. Partners and programs are read once each, however
//! many touches speak for them.

use super::Result;
use super::terms::{KnownPartner, Terms};
use crate::domain::commission::Rule;
use crate::domain::id::{PartnerId, PersonId, ProgramId};
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::payable::{Claimant, ProgramTerms};
use crate::domain::person::{Identifier, IdentifierKind};
use crate::store::order::Order;
use crate::store::{At, Reader, person};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// Partners and programs that were asked for.
#[derive(Default)]
pub struct Claimants {
    terms: Terms,
    /// By partner: the persons with the partner's own e-mail address or customer id.
    persons: HashMap<PartnerId, Vec<PersonId>>,
}

/// Whether a program pays for no line of an order.
fn only_excluded(order: &Order, terms: &ProgramTerms) -> bool {
    let items = &order.amounts.items;
    !items.is_empty() && items.iter().all(|item| item.is_of_any(&terms.excluded_categories))
}

impl Claimants {
    /// Those of terms that were read before.
    pub fn of(terms: Terms) -> Claimants {
        Claimants { terms, persons: HashMap::new() }
    }

    /// A partner in a program, when the order was placed; `None` if either is gone.
    pub async fn of_order(
        &mut self,
        reader: &mut Reader<'_>,
        order: &Order,
        partner: PartnerId,
        program: ProgramId,
    ) -> Result<Option<Claimant>> {
        let terms = self.terms(reader, program).await?;
        let Some((found, terms)) = self.terms.partner(reader, partner).await?.zip(terms) else { return Ok(None) };
        let status = found.status_at(At::from(order.placed_at));
        let same_email = found.email_hash.is_some() && found.email_hash == order.email_hash;
        let same_customer = found.customer.is_some() && found.customer == order.customer_id;
        // Who is not stored yet is nobody's person.
        let same_person =
            order.person != PersonId::NOT_STORED && self.persons(reader, partner, &found).await?.contains(&order.person);
        Ok(Some(Claimant {
            partner,
            status,
            buyer_is_partner: same_email || same_customer || same_person,
            only_excluded: only_excluded(order, &terms),
            cap_reached: false,
            terms,
        }))
    }

    /// What kind of partner it is.
    pub async fn kind(&self, reader: &mut Reader<'_>, partner: PartnerId) -> Result<Option<PartnerKind>> {
        Ok(self.terms.partner(reader, partner).await?.map(|found| found.kind))
    }

    /// The group a partner is in now.
    pub async fn group(&self, reader: &mut Reader<'_>, partner: PartnerId) -> Result<Option<String>> {
        Ok(self.terms.partner(reader, partner).await?.and_then(|found| found.group.clone()))
    }

    /// Who recruited a partner, if they were approved at an instant.
    pub async fn recruiter(&self, reader: &mut Reader<'_>, partner: PartnerId, at: At) -> Result<Option<PartnerId>> {
        let found = self.terms.partner(reader, partner).await?;
        let Some(recruiter) = found.and_then(|found| found.recruiter) else { return Ok(None) };
        let found = self.terms.partner(reader, recruiter).await?;
        Ok(found.filter(|found| found.status_at(at) == PartnerStatus::Approved).map(|_| recruiter))
    }

    /// Every version of every rule of a program.
    pub async fn rules(&self, reader: &mut Reader<'_>, program: ProgramId) -> Result<Arc<[Rule]>> {
        self.terms.rules(reader, program).await
    }

    /// The terms of a program as they stand; `None` if it is gone.
    pub async fn terms(&self, reader: &mut Reader<'_>, id: ProgramId) -> Result<Option<ProgramTerms>> {
        Ok(self.terms.program(reader, id).await?.as_ref().map(ProgramTerms::from))
    }

    async fn persons(&mut self, reader: &mut Reader<'_>, id: PartnerId, found: &KnownPartner) -> Result<&[PersonId]> {
        if let Entry::Vacant(place) = self.persons.entry(id) {
            let email = found.email_hash.clone().map(|hash| Identifier::new(IdentifierKind::Email, hash));
            let own_id = found.customer.clone().map(|id| Identifier::new(IdentifierKind::Customer, id));
            let mut persons = Vec::new();
            for own in email.into_iter().chain(own_id) {
                persons.extend(person::of_identifier(reader.again(), &own).await?);
            }
            place.insert(persons);
        }
        Ok(self.persons.get(&id).map_or(&[], Vec::as_slice))
    }
}
