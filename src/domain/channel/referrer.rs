//! Where a visitor came from by the referrer alone: the shop's own pages, a payment provider, a known place, any other
//! site, an app (`android-app://…`), or nowhere.

use super::source::{self, Kind, Source};
use crate::domain::landing::{Landing, decoded, folded};
use crate::domain::text::host_allowed;
use std::borrow::Cow;
use url::Url;

/// A referrer, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// There is none, or one without a host.
    Nothing,
    /// It is no address.
    Unreadable,
    /// The shop's own.
    Own,
    PaymentProvider,
    /// On a list; with what was searched for there.
    Known(Source, Option<String>),
    /// On no list, but its name tells: kind, name.
    Named(Kind, String),
    /// Any other host.
    Other(String),
}

impl Origin {
    /// Reads a referrer. `own_hosts` are the shop's, with all below them; so is the landing page's own host.
    pub fn of(referrer: Option<&str>, landing: &Landing<'_>, own_hosts: &[String]) -> Origin {
        let found = read(referrer, landing, own_hosts);
        // Yandex's counter carries the true referrer through a redirect of the shop's own.
        match (&found, landing.companions.get("utm_referrer")) {
            (Origin::Nothing | Origin::Own, Some(carried)) => match read(Some(carried), landing, own_hosts) {
                Origin::Nothing | Origin::Unreadable => found,
                carried => carried,
            },
            _ => found,
        }
    }

    /// Nobody new came: from the shop's own pages or back from paying.
    pub fn is_within(&self) -> bool {
        matches!(self, Origin::Own | Origin::PaymentProvider)
    }
}

/// The host of a referrer as rules look at it: in lower case, without `www.`.
pub fn host_of(referrer: Option<&str>) -> Option<String> {
    Address::of(referrer?.trim()).map(|address| address.bare_host().to_owned()).filter(|host| !host.is_empty())
}

fn read(referrer: Option<&str>, landing: &Landing<'_>, own_hosts: &[String]) -> Origin {
    let text = referrer.map(str::trim).unwrap_or_default();
    if text.is_empty() || matches!(text, "-" | "null" | "undefined" | "(none)" | "(direct)" | "about:client") {
        return Origin::Nothing;
    }
    let Some(address) = Address::of(text) else { return Origin::Unreadable };
    let bare = address.bare_host();
    if bare.is_empty() {
        return Origin::Nothing;
    }
    let is_own = host_allowed(&address.host, own_hosts)
        || own_hosts.iter().any(|own| own.strip_prefix("www.") == Some(bare))
        || address.port.is_some_and(|port| host_allowed(&format!("{}:{port}", address.host), own_hosts))
        || landing.host_and_path().0 == bare;
    if is_own {
        return Origin::Own;
    }
    match source::find(bare, address.path.trim_start_matches('/')) {
        Some(Source { kind: Kind::Payment, .. }) => Origin::PaymentProvider,
        Some(known) => Origin::Known(known, address.term(known.term_parameters)),
        None => address.unlisted(),
    }
}

/// The parts of a referrer that tell something.
struct Address<'a> {
    is_app: bool,
    /// In lower case, without a dot at its end.
    host: Cow<'a, str>,
    port: Option<u16>,
    path: Cow<'a, str>,
    query: Cow<'a, str>,
    fragment: Cow<'a, str>,
}

impl<'a> Address<'a> {
    fn of(text: &'a str) -> Option<Address<'a>> {
        Address::plain(text).or_else(|| Address::parsed(&parse(text)?))
    }

    /// The common case, without the URL parser: a host of lower-case ASCII and nothing in the path that moves.
    fn plain(text: &'a str) -> Option<Address<'a>> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let (host, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let last = host.rsplit('.').next()?;
        let is_plain = host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
            && last.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && !host.contains("..")
            && !host.contains("xn--");
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !is_plain || path.contains("/.") || path.contains(|c: char| c == '\\' || c == '%' || c.is_control()) {
            return None;
        }
        let text = Cow::Borrowed;
        Some(Address {
            is_app: false,
            host: text(host),
            port: None,
            path: text(path),
            query: text(query),
            fragment: text(fragment),
        })
    }

    fn parsed(url: &Url) -> Option<Address<'a>> {
        let text = |text: &str| Cow::Owned(text.to_owned());
        Some(Address {
            is_app: url.scheme().ends_with("-app"),
            host: Cow::Owned(url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()),
            port: url.port(),
            path: text(url.path()),
            query: text(url.query().unwrap_or_default()),
            fragment: text(url.fragment().unwrap_or_default()),
        })
    }

    fn bare_host(&self) -> &str {
        self.host.strip_prefix("www.").unwrap_or(&self.host)
    }

    fn unlisted(&self) -> Origin {
        let host = self.bare_host();
        // `android-app://package/https/host/…`, `ios-app://number/https/host/…`
        if self.is_app {
            let mut steps = self.path.split('/').skip(1);
            if let (Some("http" | "https"), Some(inner)) = (steps.next(), steps.next())
                && let Some(known) =
                    source::find(inner.strip_prefix("www.").unwrap_or(inner), "").filter(|s| s.kind != Kind::Payment)
            {
                return Origin::Known(known, None);
            }
            return Origin::Other(host.to_owned());
        }
        match source::by_name(host) {
            Some((Kind::Payment, _)) => Origin::PaymentProvider,
            Some((kind, name)) => Origin::Named(kind, name.to_owned()),
            None => Origin::Other(host.to_owned()),
        }
    }

    /// What was searched for, as reports group it.
    fn term(&self, parameters: &str) -> Option<String> {
        let value_in = |query: &str, wanted: &str| {
            let value = query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == wanted)?.1;
            Some(folded(&decoded(value)).into_owned()).filter(|term| !term.is_empty())
        };
        let mut wanted = parameters.split('|').filter(|name| !name.is_empty());
        wanted.find_map(|name| value_in(&self.query, name).or_else(|| value_in(&self.fragment, name)))
    }
}

/// An address, or a known place without its scheme.
fn parse(text: &str) -> Option<Url> {
    if let Ok(url) = Url::parse(text) {
        return Some(url);
    }
    let bare = text.strip_prefix("//").unwrap_or(text);
    if bare.contains([' ', '\\', '@']) || !bare.contains('.') {
        return None;
    }
    let url = Url::parse(&format!("https://{bare}")).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    source::find(host.strip_prefix("www.").unwrap_or(host), "").is_some().then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(referrer: &str, url: &str) -> Origin {
        let own = ["shop.example".to_owned(), "www.other.example".to_owned(), "127.0.0.1:8080".to_owned()];
        Origin::of(Some(referrer), &Landing::of(url), &own)
    }

    #[test]
    fn own_and_payment_hosts_are_told_from_places_people_come_from() {
        for referrer in [
            "https://shop.example/cart",
            "https://blog.shop.example/",
            "https://other.example/",
            "http://127.0.0.1:8080/x",
            "https://www.landing.example/",
        ] {
            assert_eq!(origin(referrer, "https://landing.example/p"), Origin::Own, "{referrer}");
        }
        for referrer in [
            "https://yookassa.ru/x",
            "https://securepay.tinkoff.ru/",
            "https://acs1.bank.ru/",
            "https://www.paypal.com/checkoutnow",
        ] {
            assert_eq!(origin(referrer, ""), Origin::PaymentProvider, "{referrer}");
        }
        for referrer in ["", " - ", "about:blank", "data:text/html,x", "mailto:a@b.c", "null"] {
            assert_eq!(origin(referrer, ""), Origin::Nothing, "{referrer}");
        }
        assert_eq!(origin("not an address", ""), Origin::Unreadable);
        assert_eq!(origin("https://shop.example.evil.test/", ""), Origin::Other("shop.example.evil.test".to_owned()));
        assert_eq!(origin("https://user@blog.test:8443/", ""), Origin::Other("blog.test".to_owned()));
    }

    #[test]
    fn what_was_searched_for_is_read() {
        for (referrer, expected) in [
            ("https://go.mail.ru/search?q=%D0%9F%D0%BE%D0%B4%D0%B0%D1%80%D0%BE%D0%BA", Some("подарок")),
            ("https://nova.rambler.ru/search?query=%EF%EE%E4%E0%F0%EE%EA", Some("подарок")),
            ("https://www.google.com/#q=tarot+card", Some("tarot card")),
            ("https://www.google.com/search?q=", None),
            ("https://yandex.ru/", None),
        ] {
            match origin(referrer, "") {
                Origin::Known(Source { kind: Kind::Search, .. }, term) => assert_eq!(term.as_deref(), expected, "{referrer}"),
                other => panic!("{referrer}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_known_place_is_known_without_its_scheme() {
        for referrer in ["www.google.com/search?q=x", "//google.com/", "google.com."] {
            assert!(matches!(origin(referrer, ""), Origin::Known(Source { name: "google", .. }, _)), "{referrer}");
        }
        for referrer in ["blog.example/post", "google com", "x@google.com", "google"] {
            assert_eq!(origin(referrer, ""), Origin::Unreadable, "{referrer}");
        }
    }

    #[test]
    fn apps_are_known_by_their_package_or_the_site_they_show() {
        for (referrer, name) in [
            ("android-app://com.google.android.googlequicksearchbox/", "google"),
            ("android-app://com.VKontakte.android", "vk"),
            ("android-app://org.telegram.messenger/", "telegram"),
            ("android-app://some.browser/https/www.pinterest.com/pin/1", "pinterest"),
            ("ios-app://429047995/https/m.ok.ru/", "odnoklassniki"),
        ] {
            assert!(matches!(origin(referrer, ""), Origin::Known(source, _) if source.name == name), "{referrer}");
        }
        assert_eq!(origin("android-app://com.some.app/", ""), Origin::Other("com.some.app".to_owned()));
    }

    #[test]
    fn yandexs_counter_carries_the_true_referrer() {
        let carried = |referrer| origin(referrer, "https://shop.example/?utm_referrer=https%3A%2F%2Fvk.com%2Ffeed");
        for referrer in ["", "https://shop.example/redirect"] {
            assert!(matches!(carried(referrer), Origin::Known(Source { name: "vk", .. }, _)), "{referrer}");
        }
        assert!(matches!(carried("https://ya.ru/"), Origin::Known(Source { name: "yandex", .. }, _)));
    }

    proptest::proptest! {
        #[test]
        fn the_quick_way_reads_what_the_parser_does(text in r"https?://(www\.)?[a-z0-9.-]{0,8}\.(com|ru|x1|1)(/[a-zA-Z.?=%#/&\\]{0,12}|:80|)") {
            let Ok(url) = Url::parse(&text) else { return Ok(()) };
            if let (Some(plain), Some(parsed)) = (Address::plain(&text), Address::parsed(&url)) {
                proptest::prop_assert_eq!((&plain.host, plain.port), (&parsed.host, parsed.port));
                proptest::prop_assert_eq!(plain.path.trim_start_matches('/'), parsed.path.trim_start_matches('/'));
            }
        }
    }
}
