//! Where a tracking link leads: only to addresses the merchant allowed, with what the visitor brought passed on.
//!
//! What does not depend on the request is compiled once; a click then writes its address straight into one text.
//! A deep link (`?to=`) and macros in a path are taken through the URL parser, click by click.

use super::ad_marking::{ERID, erid_of};
use super::template::{RESERVED, Template, UtmField, key_of, value_of};
use super::text::{host_allowed, host_of, web_address};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use url::{Position, Url};

/// What may not stand in the query of an http address (the URL standard's special-query set). With it, nothing that
/// could end a header line is left.
const NOT_IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');

/// An address that is allowed, ready to be sent to.
#[derive(Debug, Clone)]
pub struct Destination {
    address: Address,
    utm: Arc<[UtmField]>,
    allowed_hosts: Arc<[String]>,
    /// The address has it among its own parameters; a deep link is given it.
    erid: Option<Box<str>>,
}

#[derive(Debug, Clone)]
enum Address {
    /// Written by the URL parser beforehand: macros, if any, stand where it leaves them alone.
    Written {
        /// Everything before `#`.
        head: Template,
        has_query: bool,
        /// With its `#`.
        fragment: Template,
        /// Names of its own parameters.
        own_keys: Box<[String]>,
    },
    /// As the merchant wrote it. A macro stands where only the parser knows what it becomes: before the query, or in a
    /// parameter's name.
    Moving { url: Template, without_macros: Box<str> },
}

impl Address {
    /// `url` is an address, `{partner}` put in.
    fn of(url: &str, plain: Url) -> Address {
        let moving = || Address::Moving { url: Template::of(url, ""), without_macros: plain.as_str().into() };
        let before_query = url.split(['?', '#']).next().unwrap_or_default();
        let Ok(parsed) = Url::parse(url) else { return moving() };
        let query = parsed.query().unwrap_or_default();
        let key_moves = |raw: &str| !Template::of(raw.split('=').next().unwrap_or_default(), "").is_plain();
        if !Template::of(before_query, "").is_plain() || query.split('&').any(key_moves) {
            return moving();
        }
        let end = if query.is_empty() { Position::AfterPath } else { Position::AfterQuery };
        // Braces pass the parser unchanged in a query and in a fragment.
        Address::Written {
            head: Template::of(&parsed[..end], ""),
            has_query: !query.is_empty(),
            fragment: Template::of(&parsed[Position::AfterQuery..], ""),
            own_keys: parsed.query_pairs().map(|(key, _)| key.into_owned()).collect(),
        }
    }

    /// A click's address, as the URL parser reads it; the bare address, should that ever fail.
    fn parse(&self, query: &str, click_id: &str) -> Result<Url, String> {
        let mut text = String::new();
        match self {
            Address::Written { head, fragment, .. } => {
                head.write(&mut text, query, click_id);
                fragment.write(&mut text, query, click_id);
                Url::parse(&text).map_err(|_| text)
            }
            Address::Moving { url, without_macros } => {
                url.write(&mut text, query, click_id);
                Url::parse(&text).map_err(|_| without_macros.to_string())
            }
        }
    }
}

impl Destination {
    /// `None` if the text is no address, or its host is not allowed (any is, where none are named), or would not be the
    /// same for every click: the address may hold macros, but not in its host.
    ///
    /// An `erid` becomes one of the address's own parameters, unless it has one already.
    pub fn compile(
        url: &str,
        utm: &Arc<[UtmField]>,
        allowed_hosts: &Arc<[String]>,
        partner: &str,
        erid: Option<&str>,
    ) -> Option<Destination> {
        let mut url = url.trim().replace("{partner}", &utf8_percent_encode(partner, RESERVED).to_string());
        let own_erid = web_address(&url).ok().and_then(|plain| erid_of(&plain));
        if let (Some(erid), None) = (erid, &own_erid) {
            url = with_parameter(&url, ERID, erid);
        }
        let erid = own_erid.or(erid.map(str::to_owned)).map(String::into_boxed_str);
        let template = Template::of(&url, "");
        let with = |query: &str, click_id: &str| {
            let mut text = String::new();
            template.write(&mut text, query, click_id);
            web_address(&text).ok()
        };
        let plain = with("", "")?;
        if host_of(&plain) != host_of(&with("sub1=x&sub2=x&sub3=x&sub4=x&sub5=x", "x")?) {
            return None;
        }
        if !allowed_hosts.is_empty() && !host_allowed(&host_of(&plain), allowed_hosts) {
            return None;
        }
        Some(Destination { address: Address::of(&url, plain), utm: utm.clone(), allowed_hosts: allowed_hosts.clone(), erid })
    }

    /// Where a click leads. The link's own parameters win, all others of the request (`query`: raw, without `?`) are
    /// passed on as received, the link's UTM fill what is missing, and `trb_click` is added.
    ///
    /// `?to=` (an address or a path) leads elsewhere only within the allowed hosts, else it is as if it were not there.
    /// The text holds nothing but visible ASCII.
    pub fn location(&self, query: &str, click_id: &str) -> String {
        self.written(query, click_id).unwrap_or_else(|| self.parsed(query, click_id))
    }

    /// The quick way, without the URL parser; `None` if it is needed.
    fn written(&self, query: &str, click_id: &str) -> Option<String> {
        let Address::Written { head, has_query, fragment, own_keys } = &self.address else { return None };
        let mut out = String::with_capacity(256 + query.len());
        head.write(&mut out, query, click_id);
        let mut separator = if *has_query { "&" } else { "?" };
        let mut brought = 0_u32;
        for raw in query.split('&').filter(|raw| !raw.is_empty()) {
            let key = key_of(raw);
            if key == "to" {
                return None;
            }
            if key == "trb_click" || own_keys.iter().any(|own| *own == key) {
                continue;
            }
            if key.starts_with("utm_")
                && let Some(index) = self.utm.iter().position(|utm| *utm.key == *key)
            {
                brought |= 1 << index;
            }
            out.push_str(separator);
            out.extend(utf8_percent_encode(raw, NOT_IN_QUERY));
            separator = "&";
        }
        for (index, utm) in self.utm.iter().enumerate() {
            let missing = brought & (1 << index) == 0 && !own_keys.iter().any(|own| **own == *utm.key);
            if missing && utm.write(&mut out, separator, query, click_id) {
                separator = "&";
            }
        }
        out.push_str(separator);
        out.push_str("trb_click=");
        out.push_str(click_id);
        fragment.write(&mut out, query, click_id);
        Some(out)
    }

    /// The slow way, which knows everything.
    fn parsed(&self, query: &str, click_id: &str) -> String {
        let parameters: Vec<(Cow<'_, str>, &str)> =
            query.split('&').filter(|raw| !raw.is_empty()).map(|raw| (key_of(raw), raw)).collect();
        let main = match self.address.parse(query, click_id) {
            Ok(url) => url,
            Err(bare) => return bare,
        };
        let wanted = parameters.iter().find(|(key, _)| key == "to").map(|(_, raw)| value_of(raw));
        let mut destination = wanted.and_then(|to| self.deep_link(&main, &to)).unwrap_or(main);

        let own: Vec<String> = destination.query_pairs().map(|(key, _)| key.into_owned()).collect();
        let is_new = |key: &str| !own.iter().any(|k| k == key);
        let mut joined = destination.query().filter(|q| !q.is_empty()).map(|q| format!("{q}&")).unwrap_or_default();
        for (key, raw) in &parameters {
            if key != "to" && key != "trb_click" && is_new(key) {
                let _ = write!(joined, "{}&", utf8_percent_encode(raw, NOT_IN_QUERY));
            }
        }
        for utm in self.utm.iter() {
            if is_new(&utm.key) && !parameters.iter().any(|(k, _)| **k == *utm.key) {
                let mut field = String::new();
                if utm.write(&mut field, "", query, click_id) {
                    joined = joined + &field + "&";
                }
            }
        }
        let _ = write!(joined, "trb_click={click_id}");
        destination.set_query(Some(&joined));
        destination.into()
    }

    fn deep_link(&self, main: &Url, to: &str) -> Option<Url> {
        let path = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\') && !to.chars().any(char::is_control);
        let url = if path { main.join(to).ok()? } else { web_address(to).ok()? };
        let host = host_of(&url);
        let allowed = host == host_of(main) && path || host_allowed(&host, &self.allowed_hosts);
        allowed.then(|| self.marked(url))
    }

    /// A deep link with the link's `erid`, whatever stood there.
    fn marked(&self, mut url: Url) -> Url {
        if let Some(erid) = &self.erid {
            let others = url.query().unwrap_or_default().split('&').filter(|raw| !raw.is_empty() && key_of(raw) != ERID);
            let query = others.map(|raw| format!("{raw}&")).collect::<String>() + ERID + "=" + erid;
            url.set_query(Some(&query));
        }
        url
    }
}

/// An address with one more parameter at the end of its query. Macros in it stay as they are.
fn with_parameter(url: &str, key: &str, value: &str) -> String {
    let (head, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let separator = match head.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{head}{separator}{key}={value}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compiled(url: &str, utm: &[(&str, &str)]) -> Option<Destination> {
        Destination::compile(url, &fields(utm), &Arc::from(["shop.example".to_owned()]), "par_1", None)
    }

    fn fields(utm: &[(&str, &str)]) -> Arc<[UtmField]> {
        UtmField::all_of(&utm.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect(), "par_1")
    }

    fn to(url: &str, query: &str) -> Option<String> {
        Some(compiled(url, &[("source", "anna blog")])?.location(query, "C1"))
    }

    #[test]
    fn the_links_own_parameters_win_and_the_rest_is_passed_on() {
        assert_eq!(
            to("https://shop.example/p?a=1", "a=2&b=%D1%8F&utm_campaign=x&trb_click=forged").unwrap(),
            "https://shop.example/p?a=1&b=%D1%8F&utm_campaign=x&utm_source=anna%20blog&trb_click=C1"
        );
        assert_eq!(to("https://shop.example/", "utm_source=own").unwrap(), "https://shop.example/?utm_source=own&trb_click=C1");
        assert_eq!(
            to("https://shop.example/p?a%62=1", "%61b=2&a+b=3&=x&&").unwrap(),
            "https://shop.example/p?a%62=1&a+b=3&=x&utm_source=anna%20blog&trb_click=C1"
        );
    }

    #[test]
    fn a_fragment_stays_at_the_end() {
        assert_eq!(
            to("https://shop.example/#top", "a=1").unwrap(),
            "https://shop.example/?a=1&utm_source=anna%20blog&trb_click=C1#top"
        );
        assert_eq!(
            to("https://shop.example/?#s-{sub1}", "sub1=a/b&utm_source=x").unwrap(),
            "https://shop.example/?sub1=a/b&utm_source=x&trb_click=C1#s-a%2Fb"
        );
    }

    #[test]
    fn a_link_to_a_host_that_is_no_longer_allowed_leads_nowhere() {
        assert_eq!(to("https://old.example/", ""), None);
        for moving in [
            "https://shop.example{sub1}/",
            "https://{click_id}@shop.example/",
            "https://shop.example:{sub2}/",
            "https://{sub3}shop.example/",
        ] {
            assert_eq!(to(moving, ""), None, "{moving}");
        }
        assert!(Destination::compile("https://old.example/", &fields(&[]), &Arc::from([]), "", None).is_some());
    }

    #[test]
    fn the_erid_is_carried_to_the_destination() {
        let marked = |url: &str, query: &str| {
            let hosts = Arc::from(["shop.example".to_owned()]);
            Destination::compile(url, &fields(&[]), &hosts, "par_1", Some("2Vtz")).unwrap().location(query, "C1")
        };
        for (url, query, wanted) in [
            ("https://shop.example", "", "https://shop.example/?erid=2Vtz&trb_click=C1"),
            ("https://shop.example/?#top", "", "https://shop.example/?erid=2Vtz&trb_click=C1#top"),
            ("https://shop.example/p?a=1#x?y", "b=2", "https://shop.example/p?a=1&erid=2Vtz&b=2&trb_click=C1#x?y"),
            ("https://shop.example/{sub1}", "sub1=s", "https://shop.example/s?erid=2Vtz&sub1=s&trb_click=C1"),
            // The link's own wins: over what the visitor brings, and the address's over the field.
            ("https://shop.example/", "erid=forged&e%72id=x", "https://shop.example/?erid=2Vtz&trb_click=C1"),
            ("https://shop.example/?erid=own", "erid=forged", "https://shop.example/?erid=own&trb_click=C1"),
            // A deep link is an advertisement as well.
            ("https://shop.example/", "to=/sale?a=1", "https://shop.example/sale?a=1&erid=2Vtz&trb_click=C1"),
            ("https://shop.example/", "to=/sale%3Ferid=forged%26b=1", "https://shop.example/sale?b=1&erid=2Vtz&trb_click=C1"),
            ("https://shop.example/?erid=own", "to=/sale", "https://shop.example/sale?erid=own&trb_click=C1"),
        ] {
            assert_eq!(marked(url, query), wanted, "{url} {query}");
        }
    }

    #[test]
    fn macros_are_expanded_and_encoded() {
        assert_eq!(
            to("https://shop.example/{sub1}?c={click_id}&p={partner}&s={sub2}", "sub1=a%2Fb").unwrap(),
            "https://shop.example/a%2Fb?c=C1&p=par_1&s=&sub1=a%2Fb&utm_source=anna%20blog&trb_click=C1"
        );
        assert_eq!(
            to("https://shop.example/{x}?{sub1}=1&y={y}", "sub1=a").unwrap(),
            "https://shop.example/%7Bx%7D?a=1&y={y}&sub1=a&utm_source=anna%20blog&trb_click=C1"
        );
    }

    #[test]
    fn utm_fields_may_hold_macros() {
        let utm = [("campaign", "{partner}/{sub1} {x}"), ("content", "{sub2}"), ("medium", "{sub3}"), ("term", "{click_id}")];
        let destination = compiled("https://shop.example/", &utm).unwrap();
        assert_eq!(
            destination.location("sub1=%D1%8F&utm_content=own", "C1"),
            "https://shop.example/?sub1=%D1%8F&utm_content=own&utm_campaign=par_1%2F%D1%8F%20%7Bx%7D&utm_term=C1&trb_click=C1"
        );
        let recorded = |text| fields(&[("term", text)])[0].value("a=1&sub1=%D1%8F+b", "C1");
        assert_eq!(recorded("{partner}/{sub1} {x} {").as_deref(), Some("par_1/я b {x} {"));
        assert_eq!(recorded("{sub2}"), None);
    }

    #[test]
    fn what_may_not_stand_in_a_header_is_encoded() {
        for query in ["a=\r\nSet-Cookie:x", "a=\u{7f}\u{0}", "a=я", "a=\"<>' #", "\n=1"] {
            for url in ["https://shop.example/", "https://shop.example/{sub1}", "https://shop.example/?q=я {x}#я"] {
                let location = to(url, query).unwrap();
                assert!(location.bytes().all(|b| (0x21..0x7f).contains(&b)), "{location:?}");
            }
        }
        assert_eq!(
            to("https://shop.example/", "a=\r\nb").unwrap(),
            "https://shop.example/?a=%0D%0Ab&utm_source=anna%20blog&trb_click=C1"
        );
    }

    #[test]
    fn deep_links_stay_within_the_allowed_hosts() {
        let home = to("https://shop.example/", "").unwrap();
        assert!(to("https://shop.example/", "to=/sale").unwrap().starts_with("https://shop.example/sale?"));
        assert!(to("https://shop.example/", "%74o=/sale").unwrap().starts_with("https://shop.example/sale?"));
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

    /// Names and values that meet one another: own parameters, UTM, macros, encoded keys, empty pieces.
    fn parameter() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "a",
            "b",
            "%61",
            "sub1",
            "sub2",
            "s%75b1",
            "utm_source",
            "utm_%73ource",
            "utm_medium",
            "utm_x",
            "trb_click",
            "trb%5Fclick",
            "c+d",
            "c%20d",
            "",
            "ключ",
            "%zz",
            "%ff",
            "consent",
            "To",
            "erid",
        ]);
        prop_oneof![
            4 => (key, "[ -~]{0,6}|[a-z%+]{0,6}|я\u{7f}?").prop_map(|(key, value)| format!("{key}={}", value.replace('&', ""))),
            1 => "[a-z=%'\"+.]{0,6}",
        ]
    }

    proptest! {
        #[test]
        fn the_quick_way_writes_what_the_parser_would(
            parameters in prop::collection::vec(parameter(), 0..6),
            erid in prop::sample::select(vec![None, Some("2Vtz")]),
            own in prop::sample::select(vec![
                "https://shop.example", "https://shop.example/p?a=1", "http://SHOP.example:8080/x/../y?%61=1&c d=2#f",
                "https://shop.example/?q={sub1}&c={click_id}&u={x}", "https://shop.example/?#{sub2}-{partner}",
                "https://shop.example/я?utm_source=own&'=1", "https://shop.example/?e%72id=own", "https://shop.example/?&&c+d=&{partner}={sub1}",
            ]),
        ) {
            let utm = [("source", "anna & blog"), ("medium", "{sub1}"), ("campaign", "{partner}-{click_id}")];
            let hosts = Arc::from(["shop.example".to_owned(), "shop.example:8080".to_owned()]);
            let destination = Destination::compile(own, &fields(&utm), &hosts, "par_1", erid).unwrap();
            let query = parameters.join("&");
            prop_assert_eq!(destination.written(&query, "C1").unwrap(), destination.parsed(&query, "C1"));
        }

        #[test]
        fn no_query_leads_to_another_host(
            query in "[ -~]{0,80}|to=[ -~]{0,80}|(\\PC|[\r\n\0=&]){0,40}",
            own in prop::sample::select(vec!["https://shop.example/", "https://shop.example/{sub1}/{sub2}?{sub1}={sub2}", "https://shop.example/a#{sub1}"]),
        ) {
            let destination = to(own, &query).unwrap();
            let url = Url::parse(&destination).unwrap();
            prop_assert!(host_allowed(&host_of(&url), &["shop.example".to_owned()]));
            prop_assert!(destination.bytes().all(|b| (0x21..0x7f).contains(&b)), "{:?}", destination);
        }
    }
}
