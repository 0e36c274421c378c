//! What a landing URL says: UTM fields, ad click ids, `sub1` … `sub5`.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Parameters that carry a click id of an ad or affiliate platform, lower-cased, as listed in `data/click_ids.csv`.
static CLICK_ID_PARAMETERS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    include_str!("data/click_ids.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .filter(|name| !COMPANIONS.contains(name))
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect()
});

/// Listed beside the click ids, but no ids themselves, too general to be taken for one, or personal data.
const COMPANIONS: [&str; 9] =
    ["gclsrc", "gad_source", "gad_campaignid", "obOrigUrl", "irgwc", "click_id", "mc_eid", "_hsenc", "utm_referrer"];

/// The UTM fields as received, and the same trimmed and case folded for grouping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landing {
    /// `source`, `medium`, `campaign`, `content`, `term`: as received, empty ones left out.
    pub utm: BTreeMap<String, String>,
    pub click_ids: BTreeMap<String, String>,
    pub subs: BTreeMap<String, String>,
    /// The `trb_click` a redirect put on the URL.
    pub trb_click: Option<String>,
}

impl Landing {
    /// Reads an URL or a bare query. What is not readable is left out; the first of doubled keys counts.
    pub fn of(url_or_query: &str) -> Landing {
        let query = match url_or_query.split_once('?') {
            Some((_, query)) => query,
            None if url_or_query.contains("://") || url_or_query.starts_with('/') => "",
            None => url_or_query,
        };
        Landing::of_query(query.split('#').next().unwrap_or_default())
    }

    /// Reads a query.
    pub fn of_query(query: &str) -> Landing {
        let mut landing = Landing::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            landing.take(&key, &value);
        }
        landing
    }

    fn take(&mut self, key: &str, value: &str) {
        let value = value.trim();
        if value.is_empty() || key.len() > LONGEST_KEY {
            return;
        }
        let mut lower = [0; LONGEST_KEY];
        let key = key.trim();
        let lower = &mut lower[..key.len()];
        lower.copy_from_slice(key.as_bytes());
        lower.make_ascii_lowercase();
        let Ok(key) = std::str::from_utf8(lower) else { return };
        // An URL that went through HTML twice says `&amp;utm_source=`.
        let key = key.strip_prefix("amp;").unwrap_or(key);
        if let Some(field @ ("source" | "medium" | "campaign" | "content" | "term")) = key.strip_prefix("utm_") {
            self.utm.entry(field.to_owned()).or_insert_with(|| kept(value));
        } else if matches!(key, "sub1" | "sub2" | "sub3" | "sub4" | "sub5") {
            self.subs.entry(key.to_owned()).or_insert_with(|| kept(value));
        } else if key == "trb_click" {
            self.trb_click.get_or_insert_with(|| kept(value));
        } else if let Some(name) = CLICK_ID_PARAMETERS.get(key) {
            self.click_ids.entry((*name).to_owned()).or_insert_with(|| kept(value));
        }
    }

    /// A UTM field as reports group it: `+` and `%20` read as space, then trimmed and case folded.
    pub fn grouped(&self, field: &str) -> Option<String> {
        self.utm.get(field).map(|value| value.to_lowercase()).filter(|value| !value.is_empty())
    }
}

/// No parameter that is read has a longer name.
const LONGEST_KEY: usize = 64;

/// A value as it is kept: without NUL, at most 500 characters.
fn kept(value: &str) -> String {
    if value.len() <= 500 && !value.contains('\0') {
        return value.to_owned();
    }
    value.chars().filter(|c| *c != '\0').take(500).collect()
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

    fn utm(url: &str, field: &str) -> Option<String> {
        Landing::of(url).utm.get(field).cloned()
    }

    #[test]
    fn fields_are_read_as_they_come() {
        let url = "https://shop.example/p?utm_source=Google&utm_medium=cpc&utm_campaign=%D0%B2%D0%B5%D1%81%D0%BD%D0%B0&gclid=AbC&sub1=s17#x";
        let landing = Landing::of(url);
        assert_eq!(landing.utm["campaign"], "весна");
        assert_eq!(landing.utm["source"], "Google");
        assert_eq!(landing.grouped("source").as_deref(), Some("google"));
        assert_eq!(landing.click_ids["gclid"], "AbC");
        assert_eq!(landing.subs["sub1"], "s17");
    }

    #[test]
    fn broken_input_is_read_as_far_as_it_goes() {
        assert_eq!(utm("https://shop.example/?utm_source=%zz%41&utm_medium=%ff", "source").as_deref(), Some("%zzA"));
        assert_eq!(utm("https://shop.example/?utm_source=&utm_source=b", "source").as_deref(), Some("b"));
        assert_eq!(utm("https://shop.example/?a=1&amp;utm_source=x", "source").as_deref(), Some("x"));
        assert_eq!(utm("https://shop.example/p#utm_source=x", "source"), None);
        assert_eq!(Landing::of("https://shop.example/?yclid=18446744073709551615").click_ids["yclid"], "18446744073709551615");
    }
}
