//! Who stands behind touches and codes, as they stood at an instant. Partners and programs are read once each, however
//! many touches speak for them.

use super::Result;
use crate::domain::id::{PartnerId, PersonId, ProgramId};
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::payable::{Claimant, ProgramTerms};
use crate::domain::person::{Identifier, IdentifierKind};
use crate::store::order::Order;
use crate::store::{At, Reader, partner, person, program};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

struct KnownPartner {
    kind: PartnerKind,
    group: Option<String>,
    status: PartnerStatus,
    /// Oldest first.
    statuses: Vec<(At, PartnerStatus)>,
    email_hash: Option<String>,
    /// The person with the partner's own e-mail address.
    person: Option<PersonId>,
}

/// Partners and programs that were asked for.
#[derive(Default)]
pub struct Claimants {
    partners: HashMap<PartnerId, Option<KnownPartner>>,
    programs: HashMap<ProgramId, Option<ProgramTerms>>,
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
        let at = At::from(order.placed_at);
        // Before the first known status, the first.
        let status = found.statuses.iter().rev().find(|(since, _)| *since <= at).or(found.statuses.first());
        let same_email = found.email_hash.is_some() && found.email_hash == order.email_hash;
        Ok(Some(Claimant {
            partner,
            status: status.map_or(found.status, |(_, status)| *status),
            buyer_is_partner: same_email || found.person == Some(order.person),
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

    async fn partner(&mut self, reader: &mut Reader<'_>, id: PartnerId) -> Result<Option<&KnownPartner>> {
        if let Entry::Vacant(place) = self.partners.entry(id) {
            let known = match partner::by_id(reader.again(), id).await? {
                None => None,
                Some(found) => {
                    let person = match &found.email_hash {
                        None => None,
                        Some(hash) => {
                            let own = Identifier::new(IdentifierKind::Email, hash.clone());
                            person::of_identifier(reader.again(), &own).await?
                        }
                    };
                    let statuses = partner::statuses(reader.again(), id).await?;
                    let (group, status, email_hash) = (found.group_name, found.status, found.email_hash);
                    Some(KnownPartner { kind: found.kind, group, status, statuses, email_hash, person })
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
