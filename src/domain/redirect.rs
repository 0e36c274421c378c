//! Where a tracking link leads: only to addresses the merchant allowed, with what the visitor brought passed on.

use super::text::{host_allowed, host_of, web_address};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// All but the characters that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a redirect is made of.
#[derive(Debug, Clone, Copy)]
pub struct Redirect<'a> {
    /// The link's URL as written, macros and all.
    pub url: &'a str,
    pub utm: &'a BTreeMap<String, String>,
    pub allowed_hosts: &'a [String],
    /// The request's raw query, without `?`.
    pub query: &'a str,
    pub click_id: &'a str,
    pub partner: &'a str,
}

impl Redirect<'_> {
    /// The destination. The link's own parameters win, all others of the request are passed on as received, the link's
    /// UTM fill what is missing, and `trb_click` is added. `None` if the stored URL is
    /// none, or its host is no longer allowed.
    ///
    /// `?to=` (an address or a path) leads elsewhere only within the allowed hosts, else it is as if it were not there.
    pub fn destination(&self) -> Option<String> {
        let parameters: Vec<(Cow<'_, str>, &str)> =
            self.query.split('&').filter(|raw| !raw.is_empty()).map(|raw| (key_of(raw), raw)).collect();
        let main = web_address(&self.with_macros(&parameters)).ok()?;
        if !self.allowed_hosts.is_empty() && !host_allowed(&host_of(&main), self.allowed_hosts) {
            return None;
        }
        let wanted = parameters.iter().find(|(key, _)| key == "to").map(|(_, raw)| value_of(raw));
        let mut destination = wanted.and_then(|to| self.deep_link(&main, &to)).unwrap_or(main);

        let own: Vec<String> = destination.query_pairs().map(|(key, _)| key.into_owned()).collect();
        let is_new = |key: &str| !own.iter().any(|k| k == key);
        let mut query: Vec<Cow<'_, str>> = destination.query().filter(|q| !q.is_empty()).map(Cow::Borrowed).into_iter().collect();
        for (key, raw) in &parameters {
            if key != "to" && key != "trb_click" && is_new(key) {
                query.push(Cow::Borrowed(raw));
            }
        }
        for (field, value) in self.utm {
            let key = format!("utm_{field}");
            if is_new(&key) && !parameters.iter().any(|(k, _)| *k == key) {
                query.push(Cow::Owned(format!("{key}={}", utf8_percent_encode(value, RESERVED))));
            }
        }
        query.push(Cow::Owned(format!("trb_click={}", self.click_id)));
        let query = query.join("&");
        destination.set_query(Some(&query));
        Some(destination.into())
    }

    fn with_macros(&self, parameters: &[(Cow<'_, str>, &str)]) -> String {
        if !self.url.contains('{') {
            return self.url.to_owned();
        }
        let mut url = self.url.replace("{click_id}", self.click_id);
        url = url.replace("{partner}", &utf8_percent_encode(self.partner, RESERVED).to_string());
        for sub in ["sub1", "sub2", "sub3", "sub4", "sub5"] {
            let given = parameters.iter().find(|(key, _)| key == sub).map(|(_, raw)| value_of(raw)).unwrap_or_default();
            url = url.replace(&format!("{{{sub}}}"), &utf8_percent_encode(&given, RESERVED).to_string());
        }
        url
    }

    fn deep_link(&self, main: &url::Url, to: &str) -> Option<url::Url> {
        let path = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\') && !to.chars().any(char::is_control);
        let url = if path { main.join(to).ok()? } else { web_address(to).ok()? };
        let host = host_of(&url);
        (host == host_of(main) && path || host_allowed(&host, self.allowed_hosts)).then_some(url)
    }
}

fn key_of(raw: &str) -> Cow<'_, str> {
    url::form_urlencoded::parse(raw.as_bytes()).next().map(|(key, _)| key).unwrap_or_default()
}

fn value_of(raw: &str) -> String {
    url::form_urlencoded::parse(raw.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn to(url: &str, query: &str) -> Option<String> {
        let utm = BTreeMap::from([("source".to_owned(), "anna blog".to_owned())]);
        let hosts = ["shop.example".to_owned()];
        Redirect { url, utm: &utm, allowed_hosts: &hosts, query, click_id: "C1", partner: "par_1" }.destination()
    }

    #[test]
    fn the_links_own_parameters_win_and_the_rest_is_passed_on() {
        assert_eq!(
            to("https://shop.example/p?a=1", "a=2&b=%D1%8F&utm_campaign=x&trb_click=forged").unwrap(),
            "https://shop.example/p?a=1&b=%D1%8F&utm_campaign=x&utm_source=anna%20blog&trb_click=C1"
        );
        assert_eq!(to("https://shop.example/", "utm_source=own").unwrap(), "https://shop.example/?utm_source=own&trb_click=C1");
    }

    #[test]
    fn a_link_to_a_host_that_is_no_longer_allowed_leads_nowhere() {
        assert_eq!(to("https://old.example/", ""), None);
    }

    #[test]
    fn macros_are_expanded_and_encoded() {
        assert_eq!(
            to("https://shop.example/{sub1}?c={click_id}&p={partner}&s={sub2}", "sub1=a%2Fb").unwrap(),
            "https://shop.example/a%2Fb?c=C1&p=par_1&s=&sub1=a%2Fb&utm_source=anna%20blog&trb_click=C1"
        );
    }

    #[test]
    fn deep_links_stay_within_the_allowed_hosts() {
        let home = to("https://shop.example/", "").unwrap();
        assert!(to("https://shop.example/", "to=/sale").unwrap().starts_with("https://shop.example/sale?"));
        assert!(
            to("https://shop.example/", "to=https://www.shop.example/x%3Fy=1")
                .unwrap()
                .starts_with("https://www.shop.example/x?y=1&")
        );
        for evil in [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "https://shop.example@evil.example/",
            "javascript:alert(1)",
            "https:evil.example",
            "https://shop.example.evil.example/",
            "%2F%2Fevil.example",
            "https://evil.example/%0d%0aX:1",
            "http:///evil.example",
        ] {
            assert_eq!(to("https://shop.example/", &format!("to={evil}")).unwrap(), home, "{evil}");
        }
    }

    proptest! {
        #[test]
        fn no_query_leads_to_another_host(query in "[ -~]{0,80}") {
            let query: String = query.replace([' ', '"', '<', '>', '#'], "");
            if let Some(destination) = to("https://shop.example/", &query) {
                let url = url::Url::parse(&destination).unwrap();
                prop_assert!(host_allowed(&host_of(&url), &["shop.example".to_owned()]));
                prop_assert!(!destination.contains(['\r', '\n']));
            }
        }
    }
}
