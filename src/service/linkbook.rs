//! All links in memory, so that a click never waits for a query. Refreshed when the catalog's version changes.

use super::spool::HitLink;
use crate::domain::id::{LinkId, PartnerId, ProgramId};
use crate::domain::link::{Domains, nearest_code};
use crate::domain::link_target::{Destinations, Target};
use crate::domain::partner::PartnerKind;
use crate::domain::program::Program;
use crate::domain::redirect::{Destination, Template};
use crate::domain::text::{host_allowed, host_of, web_address};
use crate::store::link::{Alias, BookRow, TargetRow};
use crate::store::{At, Db, Error, Result, link, program, settings};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A link, ready to be followed.
#[derive(Debug)]
pub struct BookLink {
    pub id: LinkId,
    /// As it is shown; codes are looked up in any case.
    pub code: String,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub partner_kind: Option<PartnerKind>,
    /// As written, macros and all.
    pub utm: BTreeMap<String, String>,
    pub expires_at: Option<At>,
    pub paused: bool,
    /// The link's, else its program's.
    pub fallback_url: Option<String>,
    pub destinations: Destinations,
    utm_moves: bool,
}

impl BookLink {
    /// What a click records of its link; macros in UTM fields take their values from the click.
    pub fn hit_link(&self, query: &str, click_id: &str) -> HitLink {
        let mut utm = self.utm.clone();
        if self.utm_moves {
            let partner = self.partner_id.map(|p| p.to_string()).unwrap_or_default();
            for value in utm.values_mut() {
                *value = Template::of(value, &partner).expand(query, click_id);
            }
            utm.retain(|_, value| !value.is_empty());
        }
        HitLink { id: self.id, program: self.program_id, partner: self.partner_id, partner_kind: self.partner_kind, utm }
    }
}

/// A state of the book.
#[derive(Debug, Default)]
pub struct Snapshot {
    version: i64,
    /// By code and alias, lower-cased.
    links: HashMap<String, Arc<BookLink>>,
    domains: Domains,
    /// Where a program's unknown codes lead.
    fallbacks: HashMap<ProgramId, String>,
    /// Where unknown codes lead elsewhere, if a program says so.
    fallback_url: Option<String>,
    /// Hosts of all programs: a referrer among them starts no new touch.
    pub own_hosts: Vec<String>,
}

impl Snapshot {
    /// A link by its code or alias, in any case. On a program's own domain (`host`) only that program's links are there.
    pub fn get(&self, host: Option<&str>, code: &str) -> Option<&Arc<BookLink>> {
        let link = self.links.get(code).or_else(|| self.links.get(&code.to_ascii_lowercase()))?;
        self.domains.program_at(host).is_none_or(|program| program == link.program_id).then_some(link)
    }

    /// Where an unknown code leads.
    pub fn fallback(&self, host: Option<&str>) -> Option<&str> {
        match self.domains.program_at(host) {
            Some(program) => self.fallbacks.get(&program).map(String::as_str),
            None => self.fallback_url.as_deref(),
        }
    }

    /// The code one typing error away from an unknown one.
    pub fn nearest(&self, code: &str) -> Option<&str> {
        nearest_code(&code.to_ascii_lowercase(), |key| self.links.get(key).map(|link| link.code.as_str()))
    }

    pub fn domains(&self) -> &Domains {
        &self.domains
    }

    fn of(version: i64, programs: Vec<Program>, rows: Vec<BookRow>, targets: Vec<TargetRow>, aliases: Vec<Alias>) -> Snapshot {
        let hosts: HashMap<ProgramId, Arc<[String]>> =
            programs.iter().map(|p| (p.id, Arc::from(p.destination_hosts.clone()))).collect();
        let mut snapshot = Snapshot {
            version,
            links: HashMap::with_capacity(rows.len() + aliases.len()),
            domains: Domains::new(programs.iter().map(|p| (p.id, p.link_domains.as_slice()))),
            own_hosts: programs.iter().flat_map(|p| p.destination_hosts.clone()).collect(),
            fallback_url: programs.iter().find_map(|p| p.fallback_url.clone()),
            fallbacks: programs.into_iter().filter_map(|p| Some((p.id, p.fallback_url?))).collect(),
        };
        let mut targets_of: HashMap<LinkId, Vec<TargetRow>> = HashMap::new();
        for target in targets {
            targets_of.entry(target.link_id).or_default().push(target);
        }
        let mut aliases_of: HashMap<LinkId, Vec<String>> = HashMap::new();
        for alias in aliases {
            aliases_of.entry(alias.link_id).or_default().push(alias.code_key);
        }
        for mut row in rows {
            let (id, code_key) = (row.id, std::mem::take(&mut row.code_key));
            let hosts = hosts.get(&row.program_id).cloned().unwrap_or_else(|| Arc::from([]));
            let program_fallback = snapshot.fallbacks.get(&row.program_id).cloned();
            let link = Arc::new(ready(row, targets_of.remove(&id).unwrap_or_default(), &hosts, program_fallback));
            for alias in aliases_of.remove(&id).unwrap_or_default() {
                snapshot.links.insert(alias, link.clone());
            }
            snapshot.links.insert(code_key, link);
        }
        snapshot
    }
}

/// Compiles what a link leads to; what is no longer allowed is left out.
fn ready(row: BookRow, targets: Vec<TargetRow>, hosts: &Arc<[String]>, program_fallback: Option<String>) -> BookLink {
    let partner = row.partner_id.map(|p| p.to_string()).unwrap_or_default();
    let compile = |url: &str| Destination::compile(url, &row.utm, hosts, &partner);
    let targets = targets.into_iter().filter_map(|target| {
        Some(Target {
            id: target.id,
            destination: compile(&target.url)?,
            weight: u32::try_from(target.weight).ok()?,
            device: target.device,
            country: target.country,
        })
    });
    let destinations = Destinations::new(row.id, compile(&row.url), targets.collect());
    let allowed = |url: &String| web_address(url).is_ok_and(|url| hosts.is_empty() || host_allowed(&host_of(&url), hosts));
    BookLink {
        id: row.id,
        code: row.code,
        program_id: row.program_id,
        partner_id: row.partner_id,
        partner_kind: row.partner_kind,
        utm_moves: row.utm.values().any(|value| value.contains('{')),
        utm: row.utm.0,
        expires_at: row.expires_at,
        paused: row.paused,
        fallback_url: row.fallback_url.filter(allowed).or(program_fallback),
        destinations,
    }
}

/// The book. Clones share it; reading it waits for nobody.
#[derive(Debug, Clone, Default)]
pub struct LinkBook {
    current: Arc<ArcSwap<Snapshot>>,
    /// One refresh at a time; who has waited for another's finds nothing left to do.
    refreshing: Arc<Mutex<()>>,
}

impl LinkBook {
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Reads the book anew if the catalog has changed.
    pub async fn refresh(&self, db: &Db) -> Result<()> {
        let _alone = self.refreshing.lock().await;
        let version = settings::catalog_version(db).await?;
        if version == self.current.load().version && version != 0 {
            return Ok(());
        }
        let (first, last) = (LinkId(0), LinkId(i64::MAX));
        let programs = program::all(db).await?;
        let rows = link::book(db).await?;
        let targets = link::targets(db, first, last).await?;
        let aliases = link::aliases(db, first, last).await?;
        // Many links take a moment to compile: not on a thread that answers.
        let fresh = tokio::task::spawn_blocking(move || Snapshot::of(version, programs, rows, targets, aliases));
        self.current.store(Arc::new(fresh.await.map_err(|e| Error::Unreadable(format!("the link book: {e}")))?));
        Ok(())
    }
}
