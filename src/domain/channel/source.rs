//! Where referrers come from: search engines, social networks, messengers, AI assistants, mail, shops, video, ad
//! systems and payment providers, by their addresses. Matomo's lists, and ours, which win.

use super::Channel;
use std::collections::HashMap;
use std::sync::LazyLock;

macro_rules! kinds {
    ($($variant:ident = $name:literal, $channel:ident, $medium:literal;)*) => {
        /// What kind of place it is; [`Kind::Payment`] is no source of visitors.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($variant),* }

        impl Kind {
            /// As `data/*_sources.csv` write it.
            fn of(name: &str) -> Option<Kind> {
                match name { $($name => Some(Kind::$variant),)* _ => None }
            }

            /// The channel and medium of a visitor from there.
            pub fn channel(self) -> (Channel, &'static str) {
                match self { $(Kind::$variant => (Channel::$channel, $medium)),* }
            }
        }
    };
}

kinds! {
    Search = "search", OrganicSearch, "organic";
    Social = "social", OrganicSocial, "social";
    Messenger = "messenger", Messenger, "messenger";
    Video = "video", OrganicVideo, "video";
    Shopping = "shopping", OrganicShopping, "shopping";
    AiAssistant = "ai_assistant", AiAssistant, "ai";
    Email = "email", Email, "email";
    PaidSearch = "paid_search", PaidSearch, "cpc";
    PaidSocial = "paid_social", PaidSocial, "paid_social";
    Display = "display", Display, "display";
    Affiliate = "affiliate", Affiliate, "affiliate";
    Referral = "referral", Referral, "referral";
    Payment = "payment", Direct, "";
}

/// A known place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub kind: Kind,
    /// Its name as reports group it.
    pub name: &'static str,
    /// The parameters of its addresses that hold what was searched for, `|` between them.
    pub term_parameters: &'static str,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The path it is confined to, without its first `/`; empty: any.
    path: &'static str,
    any_subdomain: bool,
    ours: bool,
    source: Source,
}

/// Addresses to what is there.
#[derive(Default)]
struct Book {
    hosts: HashMap<&'static str, Vec<Entry>>,
    /// Those that have a site per country, by what stands before the country's ending.
    stems: HashMap<&'static str, Vec<Entry>>,
    /// Names and hosts of our own list: what UTM call those places.
    ours: HashMap<&'static str, Kind>,
}

const MATOMO: &str = include_str!("../data/matomo_sources.csv");
const OURS: &str = include_str!("../data/own_sources.csv");

fn rows(csv: &'static str) -> impl Iterator<Item = (&'static str, Source)> {
    csv.lines().skip(1).filter_map(|line| {
        let mut columns = line.splitn(4, ',');
        let (address, kind, name, term_parameters) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
        Some((address, Source { kind: Kind::of(kind)?, name, term_parameters }))
    })
}

static BOOK: LazyLock<Book> = LazyLock::new(|| {
    let mut book = Book::default();
    for (csv, ours) in [(OURS, true), (MATOMO, false)] {
        for (address, source) in rows(csv) {
            let (pattern, path) = address.split_once('/').unwrap_or((address, ""));
            let (host, any_subdomain) = pattern.strip_prefix("*.").map_or((pattern, false), |host| (host, true));
            let (map, host) = match host.strip_suffix(".{}") {
                Some(stem) => (&mut book.stems, stem),
                None => (&mut book.hosts, host),
            };
            let entries = map.entry(host).or_default();
            if !entries.iter().any(|known| known.path == path && known.any_subdomain == any_subdomain) {
                entries.push(Entry { path, any_subdomain, ours, source });
            }
            if ours && path.is_empty() && !any_subdomain {
                book.ours.entry(host).or_insert(source.kind);
                book.ours.entry(source.name).or_insert(source.kind);
            }
        }
    }
    book
});

/// Where `host` (in lower case, without `www.`) with this path (without its first `/`) belongs: the host itself, else the
/// nearest domain above it.
///
/// A search engine's other services (`docs.google.com`) are no search; they are referrals of its name.
pub fn find(host: &str, path: &str) -> Option<Source> {
    let book = &*BOOK;
    let mut rest = host;
    loop {
        let below = host[..host.len() - rest.len()].trim_end_matches('.');
        let by_stem = stem(rest).and_then(|stem| book.stems.get(stem));
        let entries = book.hosts.get(rest).into_iter().chain(by_stem).flatten();
        let fitting = entries.filter(|e| is_below(e.path, path) && (!e.any_subdomain || !below.is_empty()));
        let found = fitting.max_by_key(|e| (e.path.len(), e.any_subdomain, e.ours));
        if let Some(entry) = found {
            let other = entry.source.kind == Kind::Search && !entry.any_subdomain && !below.split('.').all(is_common_label);
            return Some(if other { Source { kind: Kind::Referral, term_parameters: "", ..entry.source } } else { entry.source });
        }
        rest = rest.split_once('.')?.1;
    }
}

fn is_below(wanted: &str, path: &str) -> bool {
    path.strip_prefix(wanted)
        .is_some_and(|rest| wanted.is_empty() || rest.is_empty() || wanted.ends_with('/') || rest.starts_with('/'))
}

/// Labels before a search engine's domain that lead to its search.
fn is_common_label(label: &str) -> bool {
    matches!(label, "" | "m" | "mobile" | "touch" | "wap" | "web" | "search" | "s" | "lite" | "html" | "safe" | "start" | "home")
        || matches!(
            label,
            "images" | "image" | "img" | "pics" | "video" | "videos" | "news" | "maps" | "ipv4" | "ipv6" | "portal"
        )
        || (label.len() == 2 && label.bytes().all(|b| b.is_ascii_lowercase()))
        || label.strip_prefix("www").or(label.strip_prefix("ww")).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
}

/// A host without its country's ending: `google` of `google.co.uk`. `None` if it has no such ending.
pub fn stem(host: &str) -> Option<&str> {
    let (before, last) = host.rsplit_once('.')?;
    let country = last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase());
    if country
        && let Some((name, second)) = before.rsplit_once('.')
        && matches!(second, "co" | "com" | "net" | "org" | "ne" | "or" | "ac" | "edu" | "gov" | "msk" | "spb")
    {
        return Some(name);
    }
    (country || matches!(last, "com" | "net" | "org" | "info" | "biz" | "cat")).then_some(before)
}

/// What our list says of a name or host that stands in a UTM source.
pub fn of_name(name: &str) -> Option<Kind> {
    BOOK.ours.get(name).copied()
}

/// What the name of a host that is on no list says: `webmail.provider.example`, `search.engine.example`, a server of
/// 3-D Secure. Only where the label stands right before a registered name, so that nobody can dress up as another.
pub fn by_name(host: &str) -> Option<(Kind, &str)> {
    let (label, rest) = host.split_once('.')?;
    if label.starts_with("3ds")
        || label.contains("3dsecure")
        || label.strip_prefix("acs").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
    {
        return Some((Kind::Payment, rest));
    }
    if rest.contains("mastodon") || rest.contains("mstdn") || label.contains("mastodon") || label.contains("mstdn") {
        return (rest.split('.').count() <= 2).then_some((Kind::Social, "mastodon"));
    }
    let name = stem(rest).or_else(|| rest.rsplit_once('.').map(|(name, _)| name)).filter(|name| !name.contains('.'))?;
    let kind = match label {
        "mail" | "webmail" | "email" | "e-mail" | "imail" | "mymail" | "owa" | "zimbra" | "roundcube" | "poczta" | "posta"
        | "pochta" | "correo" | "mail1" | "mail2" | "webmail1" | "webmail2" | "messagerie" => Kind::Email,
        "search" | "isearch" | "websearch" | "mysearch" | "suche" | "suchen" | "recherche" | "rechercher" | "buscar"
        | "busca" | "buscador" | "ricerca" | "cerca" | "zoeken" | "szukaj" | "hledej" | "hledani" | "poisk" | "otsing"
        | "sok" | "haku" | "arama" | "kereso" | "pesquisa" => Kind::Search,
        "ad" | "ads" | "adserver" | "adserv" | "adsrv" | "adclick" | "adx" => Kind::Display,
        _ => return None,
    };
    Some((kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(host: &str, path: &str) -> Option<(Kind, &'static str)> {
        find(host, path).map(|source| (source.kind, source.name))
    }

    #[test]
    fn every_row_of_the_lists_is_read() {
        for csv in [MATOMO, OURS] {
            let lines: Vec<&str> = csv.lines().skip(1).collect();
            assert_eq!(rows(csv).count(), lines.len());
            for (address, source) in rows(csv) {
                assert_eq!(address, address.to_lowercase());
                assert!(!source.name.is_empty() && source.name == source.name.to_lowercase(), "{address}");
                assert!(!address.split('/').next().unwrap().trim_end_matches(".{}").contains(['{', ' ']), "{address}");
            }
        }
        let mut seen = std::collections::HashSet::new();
        assert!(rows(OURS).all(|(address, _)| seen.insert(address)), "an address stands twice in our list");
    }

    #[test]
    fn the_nearest_address_decides() {
        for (host, path, expected) in [
            ("google.co.uk", "", Some((Kind::Search, "google"))),
            ("google.com.ly", "imgres", Some((Kind::Search, "google images"))),
            ("google.com", "imgresx", Some((Kind::Search, "google"))),
            ("google.com", "aclk", Some((Kind::PaidSearch, "google"))),
            ("translate.google.com", "", Some((Kind::Referral, "google"))),
            ("docs.google.com", "document/d/1", Some((Kind::Referral, "google"))),
            ("something.google.com", "", Some((Kind::Referral, "google"))),
            ("nz.search.yahoo.com", "", Some((Kind::Search, "yahoo!"))),
            ("games.yahoo.com", "", Some((Kind::Referral, "yahoo!"))),
            ("m.vk.com", "", Some((Kind::Social, "vk"))),
            ("vk.com", "video-1_2", Some((Kind::Social, "vk"))),
            ("vk.com", "video/1", Some((Kind::Video, "vk"))),
            ("yandex.com.tr", "search/", Some((Kind::Search, "yandex"))),
            ("yandex.ru", "maps/213", Some((Kind::Referral, "yandex"))),
            ("mail.yandex.kz", "", Some((Kind::Email, "yandex"))),
            ("x.com", "i/grok/share", Some((Kind::AiAssistant, "grok"))),
            ("x.com", "", Some((Kind::Social, "twitter"))),
            ("securepay.tinkoff.ru", "", Some((Kind::Payment, "t-bank"))),
            ("int.search-results.com", "", Some((Kind::Search, "ask"))),
            ("com.vkontakte.android", "", Some((Kind::Social, "vk"))),
            ("yandex.ru.example.org", "", None),
            ("fakevk.com", "", None),
            ("google.evil", "", None),
            ("google.com.evil.example", "", None),
            ("com", "", None),
        ] {
            assert_eq!(kind(host, path), expected, "{host}/{path}");
        }
    }

    #[test]
    fn a_name_says_something_only_where_it_stands_alone() {
        for (host, expected) in [
            ("webmail.provider.com.au", Some((Kind::Email, "provider"))),
            ("mail.provider.example", Some((Kind::Email, "provider"))),
            ("search.engine.de", Some((Kind::Search, "engine"))),
            ("3ds-ds1.bank.ru", Some((Kind::Payment, "bank.ru"))),
            ("acs2.bank.ru", Some((Kind::Payment, "bank.ru"))),
            ("mail.google.com.evil.example", None),
            ("search.yandex.ru.evil.example", None),
            ("blog.example", None),
            ("mailing.shop.example", None),
            ("acsession.example.com", None),
        ] {
            assert_eq!(by_name(host), expected, "{host}");
        }
    }
}
