//! Who stands behind touches and codes, as they stood at an instant. Partners and programs are read once each, however
//! many touches speak for them.

use super::Result;
use crate::domain::commission::Rule;
use crate::domain::id::{PartnerId, PersonId, ProgramId};
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::payable::{Claimant, ProgramTerms};
use crate::domain::person::{Identifier, IdentifierKind};
use crate::store::order::Order;
use crate::store::{At, Reader, partner, person, program, referrer, rule};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

struct KnownPartner {
    kind: PartnerKind,
    group: Option<String>,
    recruiter: Option<PartnerId>,
    status: PartnerStatus,
    /// Oldest first.
    statuses: Vec<(At, PartnerStatus)>,
    email_hash: Option<String>,
    /// The customer that a referrer is.
    customer: Option<String>,
    /// The persons with the partner's own e-mail address or customer id.
    persons: Vec<PersonId>,
}

/// Partners and programs that were asked for.
#[derive(Default)]
pub struct Claimants {
    partners: HashMap<PartnerId, Option<KnownPartner>>,
    programs: HashMap<ProgramId, Option<ProgramTerms>>,
    rules: HashMap<ProgramId, Arc<[Rule]>>,
}

impl KnownPartner {
    /// Before the first known status, the first.
    fn status_at(&self, at: At) -> PartnerStatus {
        let known = self.statuses.iter().rev().find(|(since, _)| *since <= at).or(self.statuses.first());
        known.map_or(self.status, |(_, status)| *status)
    }
}

/// Whether a program pays for no line of an order.
fn only_excluded(order: &Order, terms: &ProgramTerms) -> bool {
    let items = &order.amounts.items;
    !items.is_empty() && items.iter().all(|item| item.is_of_any(&terms.excluded_categories))
}

impl Claimants {
    /// A partner in a program, when the order was placed; `None` if either is gone.
    pub async fn of_order(
        &mut self,
        reader: &mut Reader<'_>,
        order: &Order,
        partner: PartnerId,
        program: ProgramId,
    ) -> Result<Option<Claimant>> {
        let terms = self.terms(reader, program).await?;
        let Some((found, terms)) = self.partner(reader, partner).await?.zip(terms) else { return Ok(None) };
        let status = found.status_at(At::from(order.placed_at));
        let same_email = found.email_hash.is_some() && found.email_hash == order.email_hash;
        let same_customer = found.customer.is_some() && found.customer == order.customer_id;
        Ok(Some(Claimant {
            partner,
            status,
            buyer_is_partner: same_email || same_customer || found.persons.contains(&order.person),
            only_excluded: only_excluded(order, &terms),
            cap_reached: false,
            terms,
        }))
    }

    /// What kind of partner it is.
    pub async fn kind(&mut self, reader: &mut Reader<'_>, partner: PartnerId) -> Result<Option<PartnerKind>> {
        Ok(self.partner(reader, partner).await?.map(|found| found.kind))
    }

    /// The group a partner is in now.
    pub async fn group(&mut self, reader: &mut Reader<'_>, partner: PartnerId) -> Result<Option<String>> {
        Ok(self.partner(reader, partner).await?.and_then(|found| found.group.clone()))
    }

    /// Who recruited a partner, if they were approved at an instant.
    pub async fn recruiter(&mut self, reader: &mut Reader<'_>, partner: PartnerId, at: At) -> Result<Option<PartnerId>> {
        let Some(recruiter) = self.partner(reader, partner).await?.and_then(|found| found.recruiter) else { return Ok(None) };
        let found = self.partner(reader, recruiter).await?;
        Ok(found.filter(|found| found.status_at(at) == PartnerStatus::Approved).map(|_| recruiter))
    }

    /// Every version of every rule of a program.
    pub async fn rules(&mut self, reader: &mut Reader<'_>, program: ProgramId) -> Result<Arc<[Rule]>> {
        if let Some(known) = self.rules.get(&program) {
            return Ok(known.clone());
        }
        let all: Arc<[Rule]> = rule::of_program(reader.again(), program).await?.into();
        self.rules.insert(program, all.clone());
        Ok(all)
    }

    async fn partner(&mut self, reader: &mut Reader<'_>, id: PartnerId) -> Result<Option<&KnownPartner>> {
        if let Entry::Vacant(place) = self.partners.entry(id) {
            let known = match partner::by_id(reader.again(), id).await? {
                None => None,
                Some(found) => {
                    let customer = match found.kind {
                        PartnerKind::Referrer => referrer::customer_of(reader.again(), id).await?,
                        PartnerKind::Affiliate | PartnerKind::Reseller | PartnerKind::Offline => None,
                    };
                    let email = found.email_hash.clone().map(|hash| Identifier::new(IdentifierKind::Email, hash));
                    let own_id = customer.clone().map(|id| Identifier::new(IdentifierKind::Customer, id));
                    let mut persons = Vec::new();
                    for own in email.into_iter().chain(own_id) {
                        persons.extend(person::of_identifier(reader.again(), &own).await?);
                    }
                    let statuses = partner::statuses(reader.again(), id).await?;
                    let (group, status, email_hash) = (found.group_name, found.status, found.email_hash);
                    let recruiter = found.recruiter_id;
                    Some(KnownPartner { kind: found.kind, group, recruiter, status, statuses, email_hash, customer, persons })
                }
            };
            place.insert(known);
        }
        Ok(self.partners.get(&id).and_then(Option::as_ref))
    }

    /// The terms of a program as they stand; `None` if it is gone.
    pub async fn terms(&mut self, reader: &mut Reader<'_>, id: ProgramId) -> Result<Option<ProgramTerms>> {
        if let Entry::Vacant(place) = self.programs.entry(id) {
            let terms = program::by_id(reader.again(), id).await?.as_ref().map(ProgramTerms::from);
            place.insert(terms);
        }
        Ok(self.programs.get(&id).cloned().flatten())
    }
}
