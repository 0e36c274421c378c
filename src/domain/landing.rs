//! What a landing URL says: UTM fields, ad click ids, `sub1` … `sub5`.
//!
//! Values are kept as they came, decoded once; what reports group by is folded when it is asked for.

mod fields;
mod text;

pub use fields::Fields;
pub use text::{decoded, folded, holds_macro};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// A parameter of `data/click_ids.csv`.
struct Parameter {
    /// As it is written; one that comes in two ways has two names.
    names: Vec<&'static str>,
    is_click_id: bool,
}

/// Parameters that carry a click id of an ad or affiliate platform, or go along with one; by their name in lower case.
static PARAMETERS: LazyLock<HashMap<String, Parameter>> = LazyLock::new(|| {
    let mut parameters: HashMap<String, Parameter> = HashMap::new();
    for name in include_str!("data/click_ids.csv").lines().skip(1).filter_map(|line| line.split(',').next()) {
        if NOT_KEPT.contains(&name) {
            continue;
        }
        let is_click_id = !COMPANIONS.contains(&name);
        let parameter = parameters.entry(name.to_ascii_lowercase()).or_insert(Parameter { names: vec![], is_click_id });
        parameter.names.push(name);
    }
    parameters
});

/// Listed beside the click ids, but no ids themselves.
const COMPANIONS: [&str; 7] = ["gclsrc", "gad_source", "gad_campaignid", "obOrigUrl", "irgwc", "erid", "utm_referrer"];
/// Too general to be taken for a click id, or personal data.
const NOT_KEPT: [&str; 3] = ["click_id", "mc_eid", "_hsenc"];

/// The fields read after `utm_`.
const UTM_FIELDS: [&str; 9] =
    ["source", "medium", "campaign", "content", "term", "id", "source_platform", "creative_format", "marketing_tactic"];
const SUBS: [&str; 5] = ["sub1", "sub2", "sub3", "sub4", "sub5"];
/// No parameter that is read has a longer name.
const LONGEST_KEY: usize = 64;

/// What a landing URL says. Empty values are left out; the first of doubled parameters counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landing<'a> {
    address: &'a str,
    /// `source`, `medium`, `campaign`, `content`, `term` and their lesser kin, as received.
    pub utm: Fields<'a>,
    pub click_ids: Fields<'a>,
    /// What goes along with click ids and proves nothing by itself: `erid`, `utm_referrer`, `gad_source` …
    pub companions: Fields<'a>,
    pub subs: Fields<'a>,
    /// The `trb_click` a redirect put on the URL.
    pub trb_click: Option<String>,
}

impl<'a> Landing<'a> {
    /// Reads an URL or a bare query. What is not readable is left out. UTM that stand behind the `#` are read where the
    /// query has none.
    pub fn of(url_or_query: &'a str) -> Landing<'a> {
        let (address, fragment) = url_or_query.split_once('#').unwrap_or((url_or_query, ""));
        let query = match address.split_once('?') {
            Some((_, query)) => query,
            None if address.contains("://") || address.starts_with('/') => "",
            None => address,
        };
        let mut landing = Landing::of_query(query);
        landing.address = if query.len() == address.len() { "" } else { address };
        if fragment.contains("utm_") && landing.utm.is_empty() {
            landing.read(fragment.split_once('?').map_or(fragment, |(_, query)| query));
        }
        landing
    }

    /// Reads a query.
    pub fn of_query(query: &'a str) -> Landing<'a> {
        let mut landing = Landing::default();
        landing.read(query);
        landing
    }

    fn read(&mut self, query: &'a str) {
        // `?a=1?utm_source=x` and `?a=1;utm_source=x` are common slips.
        let any_slip = query.contains("?utm_") || query.contains(";utm_");
        let slip_in = |text: &str| if any_slip { text.find("?utm_").or_else(|| text.find(";utm_")) } else { None };
        for mut parameter in query.split('&') {
            while let Some(at) = slip_in(parameter) {
                self.take(&parameter[..at]);
                parameter = &parameter[at + 1..];
            }
            self.take(parameter);
        }
    }

    fn take(&mut self, parameter: &'a str) {
        let Some((raw_key, raw_value)) = parameter.split_once('=') else { return };
        let key = if raw_key.contains(['%', '+']) { decoded(raw_key) } else { Cow::Borrowed(raw_key) };
        // An URL that went through HTML, once or twice, says `&amp;utm_source=`.
        let mut key = key.trim();
        while let Some(rest) = key.strip_prefix("amp;") {
            key = rest;
        }
        let mut lower = [0; LONGEST_KEY];
        let Some(lower) = lower.get_mut(..key.len()) else { return };
        lower.copy_from_slice(key.as_bytes());
        lower.make_ascii_lowercase();
        let Ok(lower) = std::str::from_utf8(lower) else { return };
        let (fields, name) = if let Some(field) =
            lower.strip_prefix("utm_").and_then(|rest| UTM_FIELDS.into_iter().find(|field| *field == rest))
        {
            (&mut self.utm, field)
        } else if let Some(sub) = SUBS.into_iter().find(|sub| *sub == lower) {
            (&mut self.subs, sub)
        } else if lower == "trb_click" {
            let value = decoded(raw_value);
            if !value.is_empty() && self.trb_click.is_none() {
                self.trb_click = Some(value.into_owned());
            }
            return;
        } else if let Some(parameter) = PARAMETERS.get(lower) {
            let Some(name) = parameter.names.iter().find(|name| **name == key).or(parameter.names.first()) else { return };
            (if parameter.is_click_id { &mut self.click_ids } else { &mut self.companions }, *name)
        } else {
            return;
        };
        let value = decoded(raw_value);
        if !value.is_empty() {
            fields.add(name, value);
        }
    }

    /// A UTM field as reports group it: `+` and `%20` read as space, then trimmed and case folded.
    pub fn grouped(&self, field: &str) -> Option<Cow<'_, str>> {
        self.utm.get(field).map(folded).filter(|value| !value.is_empty())
    }

    /// The UTM fields whose value holds a macro that the ad system should have replaced.
    pub fn unreplaced_macros(&self) -> Vec<&'static str> {
        self.utm.iter().filter(|(_, value)| holds_macro(value)).map(|(field, _)| field).collect()
    }

    /// Host (in lower case, without `www.` and port) and path of the address; empty where it has none.
    pub fn host_and_path(&self) -> (Cow<'_, str>, &str) {
        let address = self.address.split('?').next().unwrap_or_default();
        let Some((_, rest)) = address.split_once("://") else { return (Cow::Borrowed(""), address) };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host =
            host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(host, _)| host);
        let host = if host.is_ascii() && !host.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Borrowed(host.strip_prefix("www.").unwrap_or(host))
        } else {
            let host = host.parse::<super::text::Host>().map_or_else(|_| host.to_lowercase(), |host| host.as_str().to_owned());
            Cow::Owned(host.strip_prefix("www.").map(str::to_owned).unwrap_or(host))
        };
        (host, path)
    }

    /// The service and campaign of OpenStat's mark: `service;campaign;ad;place`, mostly in base64.
    pub fn openstat(&self) -> Option<(String, Option<String>)> {
        let value = self.click_ids.get("_openstat")?;
        let bare = value.trim_end_matches('=');
        let bytes = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare)).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| value.to_owned());
        let (service, rest) = text.split_once(';')?;
        let campaign = rest.split(';').next().map(folded).filter(|campaign| !campaign.is_empty()).map(Cow::into_owned);
        let service = folded(service).into_owned();
        (!service.is_empty()).then_some((service, campaign))
    }
}

/// UTM fields (`source`, `medium`, …) as a query.
pub fn utm_query(utm: &BTreeMap<String, String>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (field, value) in utm {
        query.append_pair(&format!("utm_{field}"), value);
    }
    query.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utm(url: &str, field: &str) -> Option<String> {
        Landing::of(url).utm.get(field).map(str::to_owned)
    }

    #[test]
    fn fields_are_read_as_they_come() {
        let url = "https://shop.example/p?utm_source=Google&utm_medium=cpc&utm_campaign=%D0%B2%D0%B5%D1%81%D0%BD%D0%B0&gclid=AbC&sub1=s17#x";
        let landing = Landing::of(url);
        assert_eq!(landing.utm.get("campaign"), Some("весна"));
        assert_eq!(landing.utm.get("source"), Some("Google"));
        assert_eq!(landing.grouped("source").as_deref(), Some("google"));
        assert_eq!(landing.click_ids.get("gclid"), Some("AbC"));
        assert_eq!(landing.subs.get("sub1"), Some("s17"));
    }

    #[test]
    fn broken_input_is_read_as_far_as_it_goes() {
        for (url, expected) in [
            ("https://shop.example/?utm_source=%zz%41&utm_medium=%ff", Some("%zzA")),
            ("https://shop.example/?utm_source=&utm_source=b", Some("b")),
            ("https://shop.example/?utm_source=a&utm_source=b", Some("a")),
            ("https://shop.example/?a=1&amp;utm_source=x", Some("x")),
            ("https://shop.example/?a=1&amp;amp;utm_source=x", Some("x")),
            ("https://shop.example/?a=1&amp%3Butm_source=x", Some("x")),
            ("https://shop.example/?a=1?utm_source=x", Some("x")),
            ("https://shop.example/?a=1;utm_source=x;utm_medium=y", Some("x")),
            ("https://shop.example/?UTM_Source=X", Some("X")),
            ("https://shop.example/?+utm_source+=x", Some("x")),
            ("https://shop.example/?utm%5Fsource=x", Some("x")),
            ("https://shop.example/p#utm_source=x", Some("x")),
            ("https://shop.example/p#!/route?utm_source=x", Some("x")),
            ("https://shop.example/p?utm_source=y#utm_source=x", Some("y")),
            ("https://shop.example/p#about", None),
            ("https://shop.example/?utm_source", None),
            ("utm_source=x&a=b", Some("x")),
        ] {
            assert_eq!(utm(url, "source").as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn click_ids_keep_their_case_whatever_that_of_their_name() {
        for (query, name, value) in [
            ("yclid=18446744073709551615", "yclid", "18446744073709551615"),
            ("GCLID=AbC-d_E", "gclid", "AbC-d_E"),
            ("ScCid=aB", "ScCid", "aB"),
            ("sccid=aB", "sccid", "aB"),
            ("SCCID=aB", "ScCid", "aB"),
            ("RANSITEID=q%2Bw", "ranSiteID", "q+w"),
        ] {
            assert_eq!(Landing::of_query(query).click_ids.get(name), Some(value), "{query}");
        }
        let landing = Landing::of_query("gad_source=1&mc_eid=x&erid=2Vtzq&click_id=7");
        assert!(landing.click_ids.is_empty());
        assert_eq!(landing.companions.get("erid"), Some("2Vtzq"));
    }

    #[test]
    fn openstat_is_read_in_base64_and_bare() {
        for value in [
            "ZGlyZWN0LnlhbmRleC5ydTsxMjM7NDU2O3lhbmRleC5ydQ",
            "ZGlyZWN0LnlhbmRleC5ydTsxMjM7NDU2O3lhbmRleC5ydQ==",
            "direct.yandex.ru;123;4;5",
        ] {
            let query = format!("_openstat={value}");
            let expected = Some(("direct.yandex.ru".to_owned(), Some("123".to_owned())));
            assert_eq!(Landing::of_query(&query).openstat(), expected, "{value}");
        }
        assert_eq!(Landing::of_query("_openstat=test").openstat(), None);
    }

    #[test]
    fn host_and_path_are_told() {
        for (url, host, path) in [
            ("https://www.Shop.example:8443/a/b?x=/y#z", "shop.example", "/a/b"),
            ("https://user@shop.example", "shop.example", ""),
            ("/r/code?x=1", "", "/r/code"),
            ("https://пример.рф/п", "xn--e1afmkfd.xn--p1ai", "/п"),
            ("a=1", "", ""),
        ] {
            let landing = Landing::of(url);
            let (found, found_path) = landing.host_and_path();
            assert_eq!((&*found, found_path), (host, path), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_broken(text in "\\PC{0,80}|(utm_source|&|=|%|[0-9a-f]{2}|;|\\?|#|amp;){0,30}") {
            let landing = Landing::of(&text);
            let _ = (landing.grouped("source"), landing.unreplaced_macros(), landing.openstat(), landing.host_and_path());
            prop_assert!(landing.utm.iter().all(|(_, value)| !value.is_empty() && value.chars().count() <= 500));
        }

        #[test]
        fn folding_twice_is_folding_once(text in "[ -~а-яА-Я]{0,20}") {
            let once = folded(&text).into_owned();
            prop_assume!(!once.contains('%'));
            prop_assert_eq!(folded(&once), once.as_str());
        }
    }
}
