//! Whether a touch is a machine's, and by which rule: known crawlers, what machines call themselves, addresses in the
//! user agent, and user agents that name neither browser nor device. Being old or rare makes nobody a machine.

use regex::{Regex, RegexSet, RegexSetBuilder};
use std::sync::LazyLock;

struct Crawlers {
    set: RegexSet,
    patterns: Vec<&'static str>,
}

/// Patterns of the list that also fit people: those who tap a link in Viber, and a browser that says GTmetrix and no more.
const FIT_PEOPLE: [&str; 2] = ["Viber", "GTmetrix"];

/// Known crawlers; patterns from crawler-user-agents (MIT).
static CRAWLERS: LazyLock<Crawlers> = LazyLock::new(|| {
    let patterns: Vec<&str> = include_str!("data/crawler_patterns.txt").lines().filter(|p| !FIT_PEOPLE.contains(p)).collect();
    let set = RegexSetBuilder::new(&patterns).dfa_size_limit(LARGE).size_limit(LARGE).build();
    Crawlers { set: set.expect("a list of ours, compiled in a test"), patterns }
});

/// Bytes that the compiled lists may take.
const LARGE: usize = 64 << 20;

struct Words {
    set: RegexSet,
    /// The sort of machine that each pattern tells, and the pattern by itself.
    sorts: Vec<(&'static str, &'static str)>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let mut sort = "";
    let mut sorts = vec![];
    for line in include_str!("data/machine_words.txt").lines() {
        match line.strip_prefix("= ") {
            Some(name) => sort = name,
            None if line.is_empty() || line.starts_with('#') => {}
            None => sorts.push((sort, line)),
        }
    }
    let patterns = sorts.iter().map(|(_, pattern)| format!("(?i:{pattern})"));
    let set = RegexSetBuilder::new(patterns).dfa_size_limit(LARGE).size_limit(LARGE).build();
    Words { set: set.expect("a list of ours, compiled in a test"), sorts }
});

/// The sort whose words are looked at only where nothing speaks for a browser.
const TOOL: &str = "tool";

fn of_ours(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of ours, compiled in a test")
}

/// An address: machines tell whom to complain to.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| of_ours(r"(?i)https?:/[^\s;,)\]]*|www\.[a-z][^\s;,)\]]*|[a-z0-9_.-]+@[a-z0-9-]+\.[a-z]+"));
/// Addresses that browsers say: those of Internet Explorer's relatives.
const OF_BROWSERS: [&str; 4] = ["bsalsa.com", "avantbrowser.com", "ntlworld.com", "maxthon.com"];

/// `Mozilla/5.0 (compatible; Name…` without the browsers that say so, and `Mozilla/5.0 (Name/1.0)`.
static COMPATIBLE: LazyLock<Regex> =
    LazyLock::new(|| of_ours(r"compatible[;,] *([^;,)]*)|^Mozilla/5\.0 \(([A-Za-z][A-Za-z_.-]*/v?[0-9][^;)]*)\)$"));
/// `Mozilla/5.0` and no more, and `Mozilla/5.0 Name/1.0`, which no browser says.
static NO_BROWSER: LazyLock<Regex> = LazyLock::new(|| {
    of_ours(r"(?i)^Mozilla/[0-9.]+(?: \(compatible;? *\))?$|^Mozilla/[0-9.]+ (?:[b-fh-z]|a[^p]|g[^e])[a-z-]*/[0-9]")
});
const COMPATIBLE_BROWSERS: [&str; 12] =
    ["msie ", "konqueror", "u", "netpositive", "abrowse", "ibrowse", "omniweb", "icab", "windows", "linux", "opera", "netfront"];

/// What every browser says of itself, its device or its system, in lower case.
static SIGNS_OF_BROWSERS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("data/browser_signs.txt").lines().collect());

/// What user agents of devices hold that begin with the device's name or the app's.
const OF_TELEPHONES: [&str; 19] = [
    "android",
    "iphone",
    "ipad",
    "ipod",
    "ios/",
    "cfnetwork",
    "midp",
    "cldc",
    "symbian",
    "up.browser",
    "netfront",
    "ucweb",
    "ucbrowser",
    "blackberry",
    "playstation",
    "sonos",
    "webkit",
    "windows phone",
    "trident",
];
/// Text browsers and the first ones: people use them, whatever library they name.
const TEXT_BROWSERS: [&str; 8] = ["lynx", "links", "elinks", "w3m", "ncsa_mosaic", "netsurf", "dillo", "emacs-w3"];

/// The rule by which `user_agent` is a machine; `None` for a browser. An empty one is a machine: browsers send theirs.
pub fn bot_reason(user_agent: &str) -> Option<String> {
    let user_agent = user_agent.trim();
    if user_agent.is_empty() {
        return Some("no user agent".to_owned());
    }
    let lower = user_agent.to_ascii_lowercase();
    if TEXT_BROWSERS.iter().any(|name| lower.strip_prefix(name).is_some_and(|rest| rest.starts_with(['/', ' ', '(']))) {
        return None;
    }
    let crawlers = &*CRAWLERS;
    if let Some(index) = crawlers.set.matches(user_agent).iter().next() {
        return Some(format!("crawler {}", crawlers.patterns[index].replace('\\', "")));
    }
    let words = &*WORDS;
    let begins_like_a_browser = ["mozill", "opera", "dalvik"].iter().any(|start| lower.starts_with(start));
    let unsure = begins_like_a_browser || OF_TELEPHONES.iter().any(|sign| lower.contains(sign));
    let said = words.set.matches(user_agent);
    if let Some(index) = said.iter().find(|index| !unsure || words.sorts[*index].0 != TOOL) {
        let (sort, pattern) = words.sorts[index];
        let said = Regex::new(&format!("(?i:{pattern})")).ok().and_then(|p| p.find(user_agent).map(|m| m.as_str().to_owned()));
        let said = said.unwrap_or_default();
        return Some(format!("{sort}, says '{}'", said.trim_matches(|c: char| !c.is_alphanumeric())));
    }
    let of_browsers = |address: &str| OF_BROWSERS.iter().any(|known| address.to_ascii_lowercase().contains(known));
    let address = ADDRESS.find_iter(user_agent).find(|found| !of_browsers(found.as_str()));
    if let Some(address) = address {
        return Some(format!("names an address, {}", address.as_str()));
    }
    if NO_BROWSER.is_match(user_agent) {
        return Some("names neither browser nor device".to_owned());
    }
    if let Some(found) = COMPATIBLE.captures(user_agent)
        && let Some(name) = found.get(1).or(found.get(2)).map(|name| name.as_str().trim())
        && !name.is_empty()
    {
        let name_lower = name.to_ascii_lowercase();
        let browser = |known: &&str| name_lower == **known || (known.len() > 1 && name_lower.starts_with(*known));
        let mutant = name_lower.starts_with("msie or");
        if mutant || !COMPATIBLE_BROWSERS.iter().any(browser) {
            return Some(format!("compatible, but says only '{name}'"));
        }
    }
    let tells_nothing = lower == "other" || SIGNS_OF_BROWSERS.iter().any(|sign| lower.contains(sign));
    (!tells_nothing).then(|| "names neither browser nor device".to_owned())
}

/// Whether the headers of a request say that a browser fetched ahead of any click: `Purpose`, `Sec-Purpose`, `X-Purpose`
/// or `X-Moz` with `prefetch`, `prerender` or `preview`.
pub fn is_prefetch<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
    headers.into_iter().any(|(name, value)| {
        let named = ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|known| name.trim().eq_ignore_ascii_case(known));
        let value = value.to_ascii_lowercase();
        named && ["prefetch", "prerender", "preview"].iter().any(|word| value.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_named_and_browsers_left_alone() {
        for (machine, reason) in [
            ("", "no user agent"),
            ("curl/7.88.1", "crawler ^curl"),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler Googlebot/"),
            ("python-requests/2.32", "crawler python-requests"),
            ("SomethingNew-Bot (internal)", "crawler, says 'Bot'"),
            ("WhatsApp/2.23 A", "crawler WhatsApp"),
            ("Mozilla/5.0 (compatible; Shiny; https://shiny.example)", "names an address, https://shiny.example"),
            ("Mozilla/5.0 (compatible; Shiny 1.0)", "compatible, but says only 'Shiny 1.0'"),
            ("InterascoAgent/1.0", "tool, says 'Agent'"),
            ("Interasco 1.0", "names neither browser nor device"),
            ("Mozilla/5.0", "names neither browser nor device"),
            ("Mozilla/5.0 Interasco/1.0", "names neither browser nor device"),
            ("terraform/1.9 (linux amd64)", "HTTP library, says 'terraform'"),
        ] {
            assert_eq!(bot_reason(machine).as_deref(), Some(reason), "{machine}");
        }
        for browser in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.175 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.7.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 13; CUBOT_KINGKONG_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 12; reeder P13 Blue Max) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 7.1.1; Swift 2 Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; Seeker) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0 Atom/24.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 13; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0 Mobile Safari/537.36 musical_ly_2023 BytedanceWebview/d8a21c6",
            "Mozilla/5.0 (Linux; Android 11; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0 Mobile Safari/537.36 Viber/21.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML,like Gecko) Mobile/21F79 Instagram 330.0.3.29.91 (iPhone14,3; iOS 17_5; en_IR@calendar=gregorian; en; scale=3.00)",
            "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; Embedded Web Browser from: http://bsalsa.com/; .NET CLR 2.0)",
            "Mozilla/5.0 (compatible; Konqueror/4.4; Linux) KHTML/4.4.5 (like Gecko) Kubuntu",
            "Mozilla/5.0 (Linux; Android 10; MAX) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/119.0 Mobile Safari/537.36 Line/13.4.0/IAB",
            "Mozilla/5.0 (Linux; Android 12; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/107 Mobile Safari/537.36 MicroMessenger/8.0.40",
            "Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)",
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/5.0 TV Safari/537.36",
            "Lynx/2.8.9rel.1 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/1.1.1",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/4.2.23453/34.1088; U; en) Presto/2.8.119 Version/11.10",
            "Nokia6280/2.0 (03.60) Profile/MIDP-2.0 Configuration/CLDC-1.1",
        ] {
            assert_eq!(bot_reason(browser), None, "{browser}");
        }
    }

    #[test]
    fn every_pattern_compiles_and_is_needed_as_it_stands() {
        let lines = include_str!("data/crawler_patterns.txt").lines().count();
        assert_eq!(CRAWLERS.patterns.len() + FIT_PEOPLE.len(), lines);
        assert_eq!(CRAWLERS.set.len(), CRAWLERS.patterns.len());
        assert!(WORDS.sorts.iter().all(|(sort, pattern)| !sort.is_empty() && Regex::new(&format!("(?i:{pattern})")).is_ok()));
        let _ = (&*ADDRESS, &*COMPATIBLE, &*NO_BROWSER);
    }

    #[test]
    fn prefetch_is_told_by_its_headers() {
        for (name, value, expected) in [
            ("Purpose", "prefetch", true),
            ("sec-purpose", "prefetch;prerender", true),
            ("X-Moz", "Prefetch", true),
            ("X-Purpose", "preview", true),
            ("Sec-Fetch-Dest", "prefetch", false),
            ("Purpose", "other", false),
        ] {
            assert_eq!(is_prefetch([(name, value)]), expected, "{name}: {value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_user_agent_is_too_odd(text in "\\PC{0,60}|(Mozilla/5.0 |\\(compatible; |http://|é|@|bot|;|\\))*") {
            let _ = bot_reason(&text);
        }
    }
}
