//! Whether a user agent is a machine, and by which rule.

use regex::{Regex, RegexSet};
use std::sync::LazyLock;

struct Crawlers {
    set: RegexSet,
    names: Vec<&'static str>,
}

/// Known crawlers; patterns from crawler-user-agents (MIT).
static CRAWLERS: LazyLock<Crawlers> = LazyLock::new(|| {
    let names: Vec<&str> = include_str!("data/crawler_patterns.txt").lines().filter(|p| Regex::new(p).is_ok()).collect();
    Crawlers { set: RegexSet::new(&names).unwrap_or_default(), names }
});

/// What machines say of themselves that are on no list.
static GENERAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?:^|[^u])bot(?:[^a-z]|$)|robot|crawl|spider|scrap(?:e|y)|slurp|headless|phantomjs|puppeteer|playwright",
        r"|python|curl/|wget|libwww|httpclient|http-client|go-http|okhttp|java/|axios|node-fetch|guzzle|ruby|perl",
        r"|feedfetcher|feedburner|rss|uptime|pingdom|monitor|preview|validator|lighthouse|archiver|\+https?://",
    ))
    .expect("a pattern of our own, compiled in a test")
});

/// The rule by which `user_agent` is a machine; `None` for a browser. An empty one is a machine: browsers send theirs.
pub fn bot_reason(user_agent: &str) -> Option<String> {
    if user_agent.trim().is_empty() {
        return Some("no user agent".to_owned());
    }
    let crawlers = &*CRAWLERS;
    if let Some(index) = crawlers.set.matches(user_agent).iter().next() {
        return Some(format!("crawler {}", crawlers.names[index].replace('\\', "")));
    }
    GENERAL.find(user_agent).map(|found| format!("says '{}'", found.as_str().trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_named_and_browsers_left_alone() {
        for machine in [
            "",
            "curl/7.88.1",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "python-requests/2.32",
        ] {
            assert!(bot_reason(machine).is_some(), "{machine}");
        }
        for browser in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.175 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.7.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
        ] {
            assert_eq!(bot_reason(browser), None, "{browser}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(CRAWLERS.names.len(), include_str!("data/crawler_patterns.txt").lines().count());
        assert!(CRAWLERS.set.len() > 500);
    }
}
