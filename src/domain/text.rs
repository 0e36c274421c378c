//! Small checked texts: codes, names, e-mail addresses, host names.

/// Why a text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("must not be empty")]
    Empty,
    #[error("is longer than {0} characters")]
    TooLong(usize),
    #[error("must not contain control characters")]
    Control,
    #[error("'{0}' is not an e-mail address")]
    NotAnEmail(String),
    #[error("'{0}' is not a host name like shop.example")]
    NotAHost(String),
    #[error("a link code has 1 to 64 letters, digits, '-', '_' or '.'")]
    NotALinkCode,
    #[error("'{0}' is not an absolute http(s) address")]
    NotAnAddress(String),
}

/// The network of an address: IPv4 /24, IPv6 /48. What is no address becomes an empty one.
pub fn network_of(ip: &str) -> String {
    match ip.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(std::net::IpAddr::V6(v6)) => format!("{}/48", std::net::Ipv6Addr::from_bits(v6.to_bits() & !(u128::MAX >> 48))),
        Err(_) => "/".to_owned(),
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A text for people to read: trimmed, not empty, no control characters, at most `longest` characters.
pub fn line(text: &str, longest: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.chars().count() > longest {
        Err(TextError::TooLong(longest))
    } else if text.chars().any(char::is_control) {
        Err(TextError::Control)
    } else {
        Ok(text.to_owned())
    }
}

/// An e-mail address, lower-cased; one `@`, something before it, a host with a dot or `localhost` after it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Email {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim().to_lowercase();
        let fits = text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c))
            && text.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && name.len() <= 64 && !host.contains('@') && host.parse::<Host>().is_ok()
            });
        if fits { Ok(Email(text)) } else { Err(TextError::NotAnEmail(excerpt(&text))) }
    }
}

/// A host name in lower case ASCII (punycode), with an optional port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host(String);

impl Host {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Host {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let wrong = || TextError::NotAHost(excerpt(text));
        if text.is_empty() || text.chars().any(|c| "/@?#\\ ".contains(c) || c.is_control()) {
            return Err(wrong());
        }
        let url = url::Url::parse(&format!("http://{text}/")).map_err(|_| wrong())?;
        let host = url.host_str().filter(|h| !h.is_empty() && !h.starts_with('.')).ok_or_else(wrong)?;
        Ok(Host(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }))
    }
}

/// The path part of a tracking link. Kept as typed; two codes that differ only in case are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkCode(String);

impl LinkCode {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes a code unique.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl std::str::FromStr for LinkCode {
    type Err = TextError;
    fn from_str(text: &str) -> Result<Self, TextError> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !text.bytes().all(|b| b == b'.');
        if fits { Ok(LinkCode(text.to_owned())) } else { Err(TextError::NotALinkCode) }
    }
}

/// An absolute `http` or `https` address without credentials.
pub fn web_address(text: &str) -> Result<url::Url, TextError> {
    let wrong = || TextError::NotAnAddress(excerpt(text));
    if text.len() > 8_192 || text.chars().any(|c| c.is_control() || c == '\\') {
        return Err(wrong());
    }
    let url = url::Url::parse(text.trim()).map_err(|_| wrong())?;
    let fits =
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none();
    if fits { Ok(url) } else { Err(wrong()) }
}

/// The host of an address as [`Host`] writes it.
pub fn host_of(url: &url::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether `host` is one of `allowed` or below one of them (`www.shop.example` under `shop.example`).
pub fn host_allowed(host: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|a| host == a || host.strip_suffix(a.as_str()).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_folded_and_checked() {
        assert_eq!("  Anna@Shop.Example ".parse::<Email>().unwrap().as_str(), "anna@shop.example");
        for text in ["anna", "@shop.example", "a@b@c", "a b@c.d", "a@", "a@.", "a,b@c.d"] {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_are_plain_names() {
        assert_eq!("Shop.Example".parse::<Host>().unwrap().as_str(), "shop.example");
        assert_eq!("127.0.0.1:8080".parse::<Host>().unwrap().as_str(), "127.0.0.1:8080");
        for text in ["", "http://shop.example", "shop.example/x", "a@b", "shop example", "a\\b"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_host_itself_and_what_lies_below_it_is_allowed() {
        let allowed = vec!["shop.example".to_owned()];
        assert!(host_allowed("shop.example", &allowed));
        assert!(host_allowed("www.shop.example", &allowed));
        for host in ["evilshop.example", "shop.example.evil.example", "example", ""] {
            assert!(!host_allowed(host, &allowed), "{host}");
        }
    }

    #[test]
    fn an_address_with_credentials_or_a_foreign_scheme_is_refused() {
        for text in ["javascript:alert(1)", "//shop.example", "http://a:b@shop.example/", "ftp://x.example", "http:/\\x"] {
            assert!(web_address(text).is_err(), "{text}");
        }
        assert!(web_address("https://shop.example/p?q=1").is_ok());
    }
}
