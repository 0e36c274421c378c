//! All links in memory, so that a click never waits for a query. Refreshed when the catalog's version changes: by the
//! links that are newer than the book, or whole where a program or a partner's kind has changed.

use super::catalog::channel_rules;
use super::spool::HitLink;
use crate::domain::channel::ChannelRule;
use crate::domain::id::{LinkId, PartnerId, ProgramId};
use crate::domain::link::{Domains, nearest_code};
use crate::domain::link_target::{Destinations, Target};
use crate::domain::partner::PartnerKind;
use crate::domain::program::Program;
use crate::domain::redirect::Destination;
use crate::domain::template::UtmField;
use crate::domain::text::{host_allowed, host_of, web_address};
use crate::store::link::{Alias, BookRow, TargetRow};
use crate::store::{At, Db, Error, Result, link, program, settings};
use arc_swap::ArcSwap;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Links that a refresh reads at a time.
const PAGE: i64 = 5_000;

/// A link, ready to be followed.
#[derive(Debug)]
pub struct BookLink {
    pub id: LinkId,
    /// As it is shown; codes are looked up in any case.
    pub code: String,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub partner_kind: Option<PartnerKind>,
    pub expires_at: Option<At>,
    pub paused: bool,
    /// The link's, else its program's.
    pub fallback_url: Option<Arc<str>>,
    pub destinations: Destinations,
    utm: Arc<[UtmField]>,
    /// The same as a query, where no field has a macro.
    utm_query: Option<String>,
    aliases: Vec<Arc<str>>,
}

impl BookLink {
    /// The link's UTM as a query; macros take their values from the click.
    pub fn utm_query(&self, query: &str, click_id: &str) -> Cow<'_, str> {
        match &self.utm_query {
            Some(query) => Cow::Borrowed(query),
            None => Cow::Owned(utm_query(&self.utm, query, click_id)),
        }
    }

    /// What a click records of its link.
    pub fn hit_link<'a>(&'a self, target: Option<i64>, utm: &'a str) -> HitLink<'a> {
        HitLink { id: self.id, program: self.program_id, partner: self.partner_id, partner_kind: self.partner_kind, target, utm }
    }
}

/// UTM fields as a query, with the values of a click.
pub fn utm_query(fields: &[UtmField], query: &str, click_id: &str) -> String {
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    for field in fields {
        if let Some(value) = field.value(query, click_id) {
            written.append_pair(&format!("utm_{}", field.name()), &value);
        }
    }
    written.finish()
}

/// Links by code and alias, lower-cased.
type Links = HashMap<Arc<str>, Arc<BookLink>>;

/// What many links hang on.
#[derive(Debug, Default)]
struct Terms {
    hosts: HashMap<ProgramId, Arc<[String]>>,
    domains: Domains,
    /// Where a program's links and unknown codes lead in the end.
    fallbacks: HashMap<ProgramId, Arc<str>>,
    /// Where unknown codes lead elsewhere, if a program says so.
    fallback_url: Option<Arc<str>>,
}

impl Terms {
    fn of(programs: &[Program]) -> Terms {
        let fallback = |p: &Program| p.fallback_url.as_deref().map(Arc::from);
        Terms {
            hosts: programs.iter().map(|p| (p.id, Arc::from(p.destination_hosts.clone()))).collect(),
            domains: Domains::new(programs.iter().map(|p| (p.id, p.link_domains.as_slice()))),
            fallbacks: programs.iter().filter_map(|p| Some((p.id, fallback(p)?))).collect(),
            fallback_url: programs.iter().find_map(fallback),
        }
    }
}

/// A state of the book.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    version: i64,
    links: Arc<Links>,
    terms: Arc<Terms>,
    /// Hosts of all programs: a referrer among them starts no new touch.
    pub own_hosts: Arc<Vec<String>>,
    /// The merchant's own channel rules.
    pub channel_rules: Arc<Vec<ChannelRule>>,
}

impl Snapshot {
    /// A link by its code or alias, in any case. On a program's own domain (`host`) only that program's links are there.
    pub fn get(&self, host: Option<&str>, code: &str) -> Option<&Arc<BookLink>> {
        let link = self.links.get(code).or_else(|| self.links.get(&*code.to_ascii_lowercase()))?;
        self.terms.domains.program_at(host).is_none_or(|program| program == link.program_id).then_some(link)
    }

    /// Where an unknown code leads.
    pub fn fallback(&self, host: Option<&str>) -> Option<&str> {
        match self.terms.domains.program_at(host) {
            Some(program) => self.terms.fallbacks.get(&program).map(|url| &**url),
            None => self.terms.fallback_url.as_deref(),
        }
    }

    /// The code one typing error away from an unknown one.
    pub fn nearest(&self, code: &str) -> Option<&str> {
        nearest_code(&code.to_ascii_lowercase(), |key| self.links.get(key).map(|link| link.code.as_str()))
    }

    pub fn domains(&self) -> &Domains {
        &self.terms.domains
    }
}

/// Puts links into the book, each in place of what it was.
fn put(links: &mut Links, terms: &Terms, rows: Vec<BookRow>, targets: Vec<TargetRow>, aliases: Vec<Alias>) {
    let mut targets_of: HashMap<LinkId, Vec<TargetRow>> = HashMap::new();
    for target in targets {
        targets_of.entry(target.link_id).or_default().push(target);
    }
    let mut aliases_of: HashMap<LinkId, Vec<Arc<str>>> = HashMap::new();
    for alias in aliases {
        aliases_of.entry(alias.link_id).or_default().push(alias.code_key.into());
    }
    for row in rows {
        // An alias may have gone to another link meanwhile.
        for old in links.get(&*row.code_key).map(|old| old.aliases.clone()).unwrap_or_default() {
            if links.get(&old).is_some_and(|owner| owner.id == row.id) {
                links.remove(&old);
            }
        }
        let (id, code_key) = (row.id, Arc::from(row.code_key.as_str()));
        let targets = targets_of.remove(&id).unwrap_or_default();
        let link = Arc::new(ready(row, targets, aliases_of.remove(&id).unwrap_or_default(), terms));
        links.extend(link.aliases.iter().map(|alias| (alias.clone(), link.clone())));
        links.insert(code_key, link);
    }
}

/// Compiles what a link leads to; what is no longer allowed is left out.
fn ready(row: BookRow, targets: Vec<TargetRow>, aliases: Vec<Arc<str>>, terms: &Terms) -> BookLink {
    let hosts = terms.hosts.get(&row.program_id).cloned().unwrap_or_else(|| Arc::from([]));
    let partner = row.partner_id.map(|p| p.to_string()).unwrap_or_default();
    let utm = UtmField::all_of(&row.utm, &partner);
    let compile = |url: &str| Destination::compile(url, &utm, &hosts, &partner, row.erid.as_deref());
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
    let allowed = |url: &String| web_address(url).is_ok_and(|url| hosts.is_empty() || host_allowed(&host_of(&url), &hosts));
    let own_fallback = row.fallback_url.filter(allowed).map(Arc::from);
    BookLink {
        id: row.id,
        code: row.code,
        program_id: row.program_id,
        partner_id: row.partner_id,
        partner_kind: row.partner_kind,
        expires_at: row.expires_at,
        paused: row.paused,
        fallback_url: own_fallback.or_else(|| terms.fallbacks.get(&row.program_id).cloned()),
        destinations,
        utm_query: (!utm.iter().any(UtmField::has_macros)).then(|| utm_query(&utm, "", "")),
        utm,
        aliases,
    }
}

/// The book. Clones share it; reading it waits for nobody.
#[derive(Debug, Clone, Default)]
pub struct LinkBook {
    current: Arc<ArcSwap<Snapshot>>,
    /// One refresh at a time; who has waited for another's finds little left to do.
    refreshing: Arc<Mutex<()>>,
}

impl LinkBook {
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Reads what has changed since the last time, if the catalog has.
    pub async fn refresh(&self, db: &Db) -> Result<()> {
        let _alone = self.refreshing.lock().await;
        let before = self.snapshot();
        let version = settings::catalog_version(db).await?;
        if version == before.version && version != 0 {
            return Ok(());
        }
        let whole = before.version == 0 || version < before.version || settings::terms_version(db).await? > before.version;
        let (mut fresh, since) = if whole {
            let programs = program::all(db).await?;
            let own_hosts = programs.iter().flat_map(|p| p.destination_hosts.clone()).collect();
            let (terms, own_hosts) = (Arc::new(Terms::of(&programs)), Arc::new(own_hosts));
            let channel_rules = Arc::new(channel_rules(db).await?);
            (Snapshot { version, links: Arc::default(), terms, own_hosts, channel_rules }, -1)
        } else {
            (Snapshot { version, ..(*before).clone() }, before.version)
        };
        let mut after = LinkId(0);
        loop {
            let rows = link::book(db, since, after, PAGE).await?;
            let (Some(first), Some(last)) = (rows.first().map(|r| r.id), rows.last().map(|r| r.id)) else { break };
            let (targets, aliases) = link::book_parts(db, since, first, last).await?;
            let (mut links, terms) = (fresh.links, fresh.terms.clone());
            // Many links take a moment to compile: not on a thread that answers.
            let filled = tokio::task::spawn_blocking(move || {
                put(Arc::make_mut(&mut links), &terms, rows, targets, aliases);
                links
            });
            fresh.links = filled.await.map_err(|e| Error::Unreadable(format!("the link book: {e}")))?;
            after = last;
        }
        self.current.store(Arc::new(fresh));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::types::Json;

    fn row(id: i64, code: &str) -> BookRow {
        BookRow {
            id: LinkId(id),
            code: code.to_owned(),
            code_key: code.to_ascii_lowercase(),
            program_id: ProgramId(1),
            partner_id: None,
            partner_kind: None,
            url: "https://shop.example/".to_owned(),
            utm: Json(Default::default()),
            expires_at: None,
            paused: false,
            fallback_url: None,
            erid: None,
        }
    }

    fn alias(code: &str, link: i64) -> Alias {
        Alias { code_key: code.to_owned(), link_id: LinkId(link) }
    }

    #[test]
    fn an_alias_may_go_from_one_link_to_another() {
        let terms = Terms::default();
        for (first, second) in [(1, 2), (2, 1)] {
            let mut links = Links::default();
            put(&mut links, &terms, vec![row(1, "One"), row(2, "two")], vec![], vec![alias("a", first), alias("b", first)]);
            assert_eq!((links.len(), links["a"].id, links["b"].id), (4, LinkId(first), LinkId(first)));
            put(&mut links, &terms, vec![row(1, "One"), row(2, "two")], vec![], vec![alias("a", second)]);
            assert_eq!((links.len(), links["a"].id), (3, LinkId(second)), "from {first}");
        }
    }
}
