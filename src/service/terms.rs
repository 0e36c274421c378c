//! What orders are decided by and hardly ever changes: programs, partners, rules, and which months are closed. Kept in
//! memory for as long as the store's revision of it stays the same, which the store changes by itself.

use super::Result;
use crate::domain::commission::Rule;
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::program::Program;
use crate::store::{At, Reader, Tx, partner, payout, program, referrer, revision, rule};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A partner as orders look at them.
#[derive(Debug)]
pub struct KnownPartner {
    pub kind: PartnerKind,
    pub group: Option<String>,
    pub recruiter: Option<PartnerId>,
    pub status: PartnerStatus,
    /// Oldest first.
    pub statuses: Vec<(At, PartnerStatus)>,
    pub email_hash: Option<String>,
    /// The customer that a referrer is.
    pub customer: Option<String>,
}

impl KnownPartner {
    /// Before the first known status, the first.
    pub fn status_at(&self, at: At) -> PartnerStatus {
        let known = self.statuses.iter().rev().find(|(since, _)| *since <= at).or(self.statuses.first());
        known.map_or(self.status, |(_, status)| *status)
    }
}

#[derive(Debug, Default)]
struct Known {
    programs: Option<Arc<[Program]>>,
    partners: HashMap<PartnerId, Option<Arc<KnownPartner>>>,
    rules: HashMap<ProgramId, Arc<[Rule]>>,
    latest_closed: Option<Option<String>>,
}

/// The terms of one revision, each read when it is first asked for. A new one reads everything itself.
#[derive(Debug, Clone, Default)]
pub struct Terms(Arc<Mutex<Known>>);

/// The terms of the revision that was asked for last.
#[derive(Debug, Default)]
pub struct TermsCache(Mutex<Option<(i64, Terms)>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl TermsCache {
    /// The terms as a transaction sees them. They hold until it changes some of them itself.
    pub async fn of(&self, tx: &mut Tx) -> Result<Terms> {
        let revision = revision::of_terms(tx).await?;
        let mut last = lock(&self.0);
        match &*last {
            Some((known, terms)) if *known == revision => Ok(terms.clone()),
            _ => {
                let terms = Terms::default();
                *last = Some((revision, terms.clone()));
                Ok(terms)
            }
        }
    }
}

impl Terms {
    /// All programs.
    pub async fn programs(&self, reader: &mut Reader<'_>) -> Result<Arc<[Program]>> {
        if let Some(known) = lock(&self.0).programs.clone() {
            return Ok(known);
        }
        let all: Arc<[Program]> = program::all(reader.again()).await?.into();
        lock(&self.0).programs = Some(all.clone());
        Ok(all)
    }

    /// A program; `None` if there is none.
    pub async fn program(&self, reader: &mut Reader<'_>, id: ProgramId) -> Result<Option<Program>> {
        Ok(self.programs(reader).await?.iter().find(|program| program.id == id).cloned())
    }

    /// A partner; `None` if there is none.
    pub async fn partner(&self, reader: &mut Reader<'_>, id: PartnerId) -> Result<Option<Arc<KnownPartner>>> {
        if let Some(known) = lock(&self.0).partners.get(&id) {
            return Ok(known.clone());
        }
        let read = match partner::by_id(reader.again(), id).await? {
            None => None,
            Some(found) => Some(Arc::new(KnownPartner {
                kind: found.kind,
                group: found.group_name,
                recruiter: found.recruiter_id,
                status: found.status,
                statuses: partner::statuses(reader.again(), id).await?,
                email_hash: found.email_hash,
                customer: match found.kind {
                    PartnerKind::Referrer => referrer::customer_of(reader.again(), id).await?,
                    PartnerKind::Affiliate | PartnerKind::Reseller | PartnerKind::Offline => None,
                },
            })),
        };
        lock(&self.0).partners.insert(id, read.clone());
        Ok(read)
    }

    /// Every version of every rule of a program.
    pub async fn rules(&self, reader: &mut Reader<'_>, program: ProgramId) -> Result<Arc<[Rule]>> {
        if let Some(known) = lock(&self.0).rules.get(&program) {
            return Ok(known.clone());
        }
        let all: Arc<[Rule]> = rule::of_program(reader.again(), program).await?.into();
        lock(&self.0).rules.insert(program, all.clone());
        Ok(all)
    }

    /// Whether any rule has a cap.
    pub async fn have_caps(&self, reader: &mut Reader<'_>) -> Result<bool> {
        for program in self.programs(reader).await?.iter() {
            if self.rules(reader, program.id).await?.iter().any(|rule| rule.cap.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The latest closed month, as `2026-10`.
    pub async fn latest_closed(&self, reader: &mut Reader<'_>) -> Result<Option<String>> {
        if let Some(known) = lock(&self.0).latest_closed.clone() {
            return Ok(known);
        }
        let latest = payout::latest_closed(reader.again()).await?;
        lock(&self.0).latest_closed = Some(latest.clone());
        Ok(latest)
    }
}
