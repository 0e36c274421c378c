//! Texts with macros, which take their values from a click: a link's address and its UTM fields.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All but the characters that RFC 3986 calls unreserved.
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const SUBS: [&str; 5] = ["sub1", "sub2", "sub3", "sub4", "sub5"];

/// A part of a text with macros.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Box<str>),
    ClickId,
    /// `sub1` is 0.
    Sub(usize),
}

/// A text with the macros `{click_id}` and `{sub1}` … `{sub5}`, cut at them; `{partner}` is put in when it is cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template(Box<[Piece]>);

impl Template {
    /// Cuts a text. Braces that hold no macro stay as they are.
    pub(super) fn of(text: &str, partner: &str) -> Template {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            let (name, after) = rest[1..].split_once('}').unwrap_or_default();
            let moving = match name {
                "click_id" => Some(Piece::ClickId),
                name => SUBS.iter().position(|sub| *sub == name).map(Piece::Sub),
            };
            if let Some(piece) = moving {
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain).into()));
                }
                pieces.push(piece);
                rest = after;
            } else if name == "partner" {
                plain.push_str(partner);
                rest = after;
            } else {
                plain.push('{');
                rest = &rest[1..];
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain.into()));
        }
        Template(pieces.into())
    }

    /// With its own text percent-encoded.
    fn encoded(self) -> Template {
        let pieces = self.0.into_iter().map(|piece| match piece {
            Piece::Text(plain) => Piece::Text(utf8_percent_encode(&plain, RESERVED).to_string().into()),
            moving => moving,
        });
        Template(pieces.collect())
    }

    /// Whether every click gives the same text.
    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// Appends the text of a click; what comes from the request is percent-encoded.
    pub(super) fn write(&self, out: &mut String, query: &str, click_id: &str) {
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => out.push_str(plain),
                Piece::ClickId => out.push_str(click_id),
                Piece::Sub(index) => out.extend(utf8_percent_encode(&sub_of(query, *index), RESERVED)),
            }
        }
    }
}

/// A UTM field that a link fills in where the visitor brings none.
#[derive(Debug)]
pub struct UtmField {
    /// `utm_source`.
    pub(super) key: Box<str>,
    /// Its own text percent-encoded.
    value: Template,
}

impl UtmField {
    /// A link's fields by name (`source`); their values may hold macros. `partner` is the link's, or empty.
    pub fn all_of(utm: &BTreeMap<String, String>, partner: &str) -> Arc<[UtmField]> {
        // There are five; the redirect has room for 32.
        let fields = utm
            .iter()
            .take(32)
            .map(|(field, value)| UtmField { key: format!("utm_{field}").into(), value: Template::of(value, partner).encoded() });
        fields.collect()
    }

    /// `source`.
    pub fn name(&self) -> &str {
        &self.key["utm_".len()..]
    }

    /// Whether clicks give it different values.
    pub fn has_macros(&self) -> bool {
        !self.value.is_plain()
    }

    /// What a click records; `None` if the visitor brought nothing to put into it.
    pub fn value(&self, query: &str, click_id: &str) -> Option<String> {
        let mut text = String::new();
        for piece in &self.value.0 {
            match piece {
                Piece::Text(plain) => text.push_str(&percent_decode_str(plain).decode_utf8_lossy()),
                Piece::ClickId => text.push_str(click_id),
                Piece::Sub(index) => text.push_str(&sub_of(query, *index)),
            }
        }
        (!text.is_empty()).then_some(text)
    }

    /// Appends the parameter; leaves it out, and answers false, if the visitor brought nothing to put into it.
    pub(super) fn write(&self, out: &mut String, separator: &str, query: &str, click_id: &str) -> bool {
        let before = out.len();
        out.push_str(separator);
        out.push_str(&self.key);
        out.push('=');
        let empty = out.len();
        self.value.write(out, query, click_id);
        if out.len() == empty {
            out.truncate(before);
        }
        out.len() > before
    }
}

/// The name of a raw parameter; a text of its own only where something in it is encoded.
pub(super) fn key_of(raw: &str) -> Cow<'_, str> {
    let key = raw.split('=').next().unwrap_or_default();
    if !key.bytes().any(|b| b == b'%' || b == b'+') {
        return Cow::Borrowed(key);
    }
    url::form_urlencoded::parse(raw.as_bytes()).next().map(|(key, _)| key).unwrap_or_default()
}

pub(super) fn value_of(raw: &str) -> String {
    url::form_urlencoded::parse(raw.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn sub_of(query: &str, index: usize) -> String {
    let mut parameters = query.split('&').filter(|raw| !raw.is_empty());
    parameters.find(|raw| key_of(raw) == SUBS[index]).map(value_of).unwrap_or_default()
}
