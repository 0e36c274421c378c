//! E-mail addresses in the one form that is hashed.

/// An address trimmed and lower-cased, its host in ASCII as DNS knows it (`почта.рф` = `xn--…`). Plus-tags and dots stay:
/// whether `a+b@` is `a@`, and `a.b@` is `ab@`, is for the host to say, and most say no. `None` if it is no address.
pub fn normalised(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let (local, host) = lower.rsplit_once('@')?;
    if local.is_empty() || host.is_empty() || lower.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return None;
    }
    if host.is_ascii() {
        return Some(lower);
    }
    match url::Host::parse(host) {
        Ok(url::Host::Domain(ascii)) => Some(format!("{local}@{ascii}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_lower_cased_and_keep_tags_and_dots() {
        for (typed, expected) in [
            (" Anna@Shop.Example\n", Some("anna@shop.example")),
            ("anna+news@shop.example", Some("anna+news@shop.example")),
            ("an.na@shop.example", Some("an.na@shop.example")),
            ("Анна@Почта.РФ", Some("анна@xn--80a1acny.xn--p1ai")),
            ("анна@xn--80a1acny.xn--p1ai", Some("анна@xn--80a1acny.xn--p1ai")),
            ("a@b@shop.example", Some("a@b@shop.example")),
            ("anna", None),
            ("@shop.example", None),
            ("anna@", None),
            ("anna @shop.example", None),
            ("", None),
        ] {
            assert_eq!(normalised(typed).as_deref(), expected, "{typed}");
        }
    }
}
