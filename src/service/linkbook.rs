//! All links in memory, so that a click never waits for a query. Refreshed when the catalog's version changes.

use super::spool::HitLink;
use crate::domain::landing::utm_query;
use crate::store::link::LinkTarget;
use crate::store::{Db, Result, link, program, settings};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// A state of the book.
#[derive(Debug, Default)]
pub struct Snapshot {
    version: i64,
    links: HashMap<String, Arc<LinkTarget>>,
    /// Hosts of all programs: a referrer among them starts no new touch.
    pub own_hosts: Vec<String>,
    /// Where unknown codes lead, if a program says so.
    pub fallback_url: Option<String>,
}

impl Snapshot {
    /// A link by its code, in any case.
    pub fn get(&self, code: &str) -> Option<&Arc<LinkTarget>> {
        self.links.get(code).or_else(|| self.links.get(&code.to_ascii_lowercase()))
    }

    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.links.keys().map(String::as_str)
    }
}

/// The book. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct LinkBook {
    current: Arc<RwLock<Arc<Snapshot>>>,
}

impl LinkBook {
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the book anew if the catalog has changed.
    pub async fn refresh(&self, db: &Db) -> Result<()> {
        let version = settings::catalog_version(db).await?;
        if version == self.snapshot().version && version != 0 {
            return Ok(());
        }
        let links = link::all_targets(db)
            .await?
            .into_iter()
            .map(|l| (l.code_key.clone(), Arc::new(LinkTarget { utm_query: utm_query(&l.utm.0), ..l })))
            .collect();
        let programs = program::all(db).await?;
        let fresh = Snapshot {
            version,
            links,
            own_hosts: programs.iter().flat_map(|p| p.destination_hosts.clone()).collect(),
            fallback_url: programs.into_iter().find_map(|p| p.fallback_url),
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        Ok(())
    }
}

/// What a click records of its link.
pub fn hit_link(target: &LinkTarget) -> HitLink<'_> {
    HitLink {
        id: target.id,
        program: target.program_id,
        partner: target.partner_id,
        partner_kind: target.partner_kind,
        target: None,
        utm: &target.utm_query,
    }
}
