//! Values of query parameters: decoding what browsers and ad systems encode in their several ways, folding for
//! reports, and telling macros that an ad system left unreplaced.

use percent_encoding::percent_decode;
use std::borrow::Cow;

/// The longest value kept, in characters.
pub const LONGEST_VALUE: usize = 500;

/// What is taken off both ends: white space, and what copying from documents leaves behind.
fn is_margin(c: char) -> bool {
    !c.is_ascii_alphanumeric() && is_rare_margin(c)
}

fn is_rare_margin(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200e}' | '\u{200f}')
}

/// A value as it is kept: `+` and `%xx` decoded, trimmed, without NUL, at most 500 characters. Bytes that
/// are no UTF-8 are read as windows-1251 if they make Russian words, and become U+FFFD otherwise.
pub fn decoded(raw: &str) -> Cow<'_, str> {
    let text = match raw.contains(['%', '+']) {
        false => Cow::Borrowed(raw),
        true => {
            let spaced = raw.replace('+', " ");
            let bytes: Vec<u8> = percent_decode(spaced.as_bytes()).collect();
            Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|error| {
                let bytes = error.as_bytes();
                windows_1251(bytes).unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
            }))
        }
    };
    let text = trimmed(text);
    if text.len() <= LONGEST_VALUE && !text.contains('\0') {
        return text;
    }
    Cow::Owned(text.chars().filter(|c| *c != '\0').take(LONGEST_VALUE).collect())
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(is_margin)),
        Cow::Owned(text) => {
            let inner = text.trim_matches(is_margin);
            if inner.len() == text.len() { Cow::Owned(text) } else { Cow::Owned(inner.to_owned()) }
        }
    }
}

/// Russian text in windows-1251: three letters at least, and nothing beside ASCII that a Russian text does not hold.
fn windows_1251(bytes: &[u8]) -> Option<String> {
    let mut letters = 0;
    let text = bytes
        .iter()
        .map(|byte| match byte {
            0..0x80 => Some(char::from(*byte)),
            0xC0.. => {
                letters += 1;
                char::from_u32(0x410 + u32::from(byte - 0xC0))
            }
            0xA8 => Some('Ё'),
            0xB8 => Some('ё'),
            0xB9 => Some('№'),
            0xA0 => Some('\u{a0}'),
            0x96 | 0x97 => Some('–'),
            0xAB => Some('«'),
            0xBB => Some('»'),
            _ => None,
        })
        .collect::<Option<String>>()?;
    (letters >= 3).then_some(text)
}

/// A kept value as reports group it: what was encoded twice decoded once more, trimmed, in lower case.
pub fn folded(value: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(value);
    if value.contains('%')
        && let Ok(again) = percent_decode(value.as_bytes()).decode_utf8()
    {
        text = again;
    }
    let text = trimmed(text);
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return text;
    }
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { text }
}

/// Whether a value holds a macro that should have been replaced before anybody clicked: `{campaign_id}`, `{{ad.id}}`,
/// `{lpurl}`, `${SUBID}`, `%%KEYWORD%%`, `__CAMPAIGN_ID__`, `[CAMPAIGN]`, `$campaign$`, `%ecid!`, `<campaign>`.
pub fn holds_macro(value: &str) -> bool {
    let word = |text: &str| {
        text.len() <= 60
            && text.contains(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:-|~ ,=?".contains(c))
    };
    let between = |open: &str, close: &str, fits: &dyn Fn(&str) -> bool| {
        value.match_indices(open).any(|(at, _)| {
            let rest = &value[at + open.len()..];
            rest.find(close).is_some_and(|end| fits(&rest[..end]))
        })
    };
    let capitals = |text: &str| word(text) && !text.contains(|c: char| c.is_ascii_lowercase() || c == ' ');
    let whole = |open: char, close: char| value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    between("{", "}", &|text| word(text.trim_start_matches('{')))
        || between("%%", "%%", &word)
        || between("%e", "!", &|text| text.len() <= 6 && word(text))
        || between("__", "__", &capitals)
        || whole('[', ']').is_some_and(capitals)
        || whole('$', '$').is_some_and(word)
        || whole('<', '>').is_some_and(word)
        || (value.contains("%7B") && holds_macro(&value.replace("%7B", "{").replace("%7D", "}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_every_encoding_they_come_in() {
        for (raw, expected) in [
            ("plain", "plain"),
            ("%D0%B2%D0%B5%D1%81%D0%BD%D0%B0", "весна"),
            ("a+b%20c", "a b c"),
            ("a%2Bb", "a+b"),
            ("%E2%E5%F1%ED%E0+2026", "весна 2026"),
            ("%ff%fe", "\u{fffd}\u{fffd}"),
            ("100%", "100%"),
            ("%zz%41", "%zzA"),
            ("%20+x%09", "x"),
            ("%EF%BB%BFx", "x"),
            ("a%00b", "ab"),
            ("%25D0%25B2", "%D0%B2"),
        ] {
            assert_eq!(decoded(raw), expected, "{raw}");
        }
        assert_eq!(decoded(&"я".repeat(900)).chars().count(), LONGEST_VALUE);
    }

    #[test]
    fn folding_takes_case_margins_and_a_second_encoding_away() {
        for (value, expected) in [
            ("Google", "google"),
            ("ВЕСНА ", "весна"),
            ("%D0%92%D0%B5%D1%81", "вес"),
            ("50%", "50%"),
            ("%ff", "%ff"),
            ("ÀÉ", "àé"),
        ] {
            assert_eq!(folded(value), expected, "{value}");
        }
    }

    #[test]
    fn macros_are_told_from_braces_of_another_kind() {
        for text in [
            "{campaign_id}",
            "{{ad.id}}",
            "{lpurl}",
            "x-{keyword}-y",
            "%%KEYWORD%%",
            "__CAMPAIGN_ID__",
            "a__AID__b",
            "[CAMPAIGN]",
            "${SUBID}",
            "$campaign_name$",
            "{keyword:default text}",
            "%7Bcampaign%7D",
            "%ecid!",
            "<campaign>",
            "{{ campaign.name }}",
        ] {
            assert!(holds_macro(text), "{text}");
        }
        for text in
            ["spring", "{}", "{1}", "a}b{", "[sale] now", "[sale]", "snake__case", "__init", "50%%", "$5", "a<b", "%e2%82!"]
        {
            assert!(!holds_macro(text), "{text}");
        }
    }
}
