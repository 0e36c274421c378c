//! A hit as the edge saw it: raw, so that enrichment can be run again. Written once for each click, so it borrows what
//! it is made of; a record is one byte that names the format, then the hit in `postcard`'s.

use crate::domain::id::{LinkId, PartnerId, ProgramId};
use crate::domain::link_target::Country;
use crate::domain::partner::PartnerKind;
use crate::domain::touch::TouchKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    Click,
    Visit,
    Impression,
    Event,
    Lead,
    Identify,
    Order,
    /// A link code nobody knows.
    UnknownLink,
}

impl HitKind {
    /// The kind of touch it becomes, if it does.
    pub fn touch(self) -> Option<TouchKind> {
        match self {
            HitKind::Click => Some(TouchKind::Click),
            HitKind::Visit => Some(TouchKind::Visit),
            HitKind::Impression => Some(TouchKind::Impression),
            HitKind::Event | HitKind::Lead | HitKind::Identify | HitKind::Order | HitKind::UnknownLink => None,
        }
    }
}

/// The link a click went through, as it was then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitLink<'a> {
    pub id: LinkId,
    pub program: ProgramId,
    pub partner: Option<PartnerId>,
    pub partner_kind: Option<PartnerKind>,
    /// Which of the link's destinations was chosen; none: its own.
    pub target: Option<i64>,
    /// The link's UTM as a query.
    pub utm: &'a str,
}

/// A hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit<'a> {
    pub id: Uuid,
    pub at_micros: i64,
    pub kind: HitKind,
    pub consent_denied: bool,
    pub head: bool,
    pub prefetch: bool,
    #[serde(borrow)]
    pub link: Option<HitLink<'a>>,
    /// The landing URL, or the path and query of a click.
    pub url: Option<&'a str>,
    pub referrer: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub language: Option<&'a str>,
    pub ip: Option<&'a str>,
    pub visitor: Option<&'a str>,
    pub click: Option<&'a str>,
    pub customer: Option<&'a str>,
    pub name: Option<&'a str>,
    /// JSON.
    pub value: Option<&'a str>,
    /// Written before the rest of the record, where it is known.
    #[serde(skip)]
    pub country: Option<Country>,
}

/// The format of a record: its first byte. That of a hit whose country is known has the country's two letters next.
const FORMAT: u8 = 1;
const FORMAT_WITH_COUNTRY: u8 = 2;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableHit {
    #[error("a record of format {0}, which this version does not know")]
    Format(u8),
    #[error("an empty record")]
    Empty,
    #[error("a record that breaks off or holds something else: {0}")]
    Body(#[from] postcard::Error),
}

impl<'a> Hit<'a> {
    /// A hit with nothing known but this.
    pub fn new(id: Uuid, at_micros: i64, kind: HitKind) -> Hit<'a> {
        Hit {
            id,
            at_micros,
            kind,
            consent_denied: false,
            head: false,
            prefetch: false,
            link: None,
            url: None,
            referrer: None,
            user_agent: None,
            language: None,
            ip: None,
            visitor: None,
            click: None,
            customer: None,
            name: None,
            value: None,
            country: None,
        }
    }

    /// Appends the record to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match &self.country {
            Some(country) => {
                out.push(FORMAT_WITH_COUNTRY);
                out.extend_from_slice(country.as_str().as_bytes());
            }
            None => out.push(FORMAT),
        }
        let start = std::mem::take(out);
        // Writing our own types to memory does not fail.
        *out = postcard::to_extend(self, start).unwrap_or_default();
    }

    /// Reads a record.
    pub fn read(record: &'a [u8]) -> Result<Hit<'a>, UnreadableHit> {
        match record.split_first() {
            Some((&FORMAT, body)) => Ok(postcard::from_bytes(body)?),
            Some((&FORMAT_WITH_COUNTRY, rest)) => {
                let (letters, body) = rest.split_at_checked(2).ok_or(UnreadableHit::Empty)?;
                let country = std::str::from_utf8(letters).ok().and_then(|letters| letters.parse().ok());
                Ok(Hit { country, ..postcard::from_bytes(body)? })
            }
            Some((other, _)) => Err(UnreadableHit::Format(*other)),
            None => Err(UnreadableHit::Empty),
        }
    }
}

/// A hit as version 0.1 wrote it, a line of JSON.
#[derive(Deserialize)]
struct FirstHit {
    id: Uuid,
    at_micros: i64,
    kind: FirstKind,
    link: Option<FirstLink>,
    url: Option<String>,
    referrer: Option<String>,
    user_agent: Option<String>,
    language: Option<String>,
    ip: Option<String>,
    visitor: Option<String>,
    click: Option<String>,
    customer: Option<String>,
    name: Option<String>,
    value: Option<serde_json::Value>,
    #[serde(default)]
    consent_denied: bool,
    #[serde(default)]
    head: bool,
    #[serde(default)]
    prefetch: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FirstKind {
    Click,
    Visit,
    Impression,
    Event,
    Lead,
    Identify,
    Order,
    UnknownLink,
}

#[derive(Deserialize)]
struct FirstLink {
    id: LinkId,
    program: ProgramId,
    partner: Option<PartnerId>,
    partner_kind: Option<PartnerKind>,
    #[serde(default)]
    utm: BTreeMap<String, String>,
}

/// The record of a hit that version 0.1 left in the spool.
pub fn record_of_first_version(line: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let first: FirstHit = serde_json::from_slice(line)?;
    let utm = first.link.as_ref().map(|link| crate::domain::landing::utm_query(&link.utm)).unwrap_or_default();
    let value = first.value.map(|v| v.to_string());
    let hit = Hit {
        id: first.id,
        at_micros: first.at_micros,
        kind: match first.kind {
            FirstKind::Click => HitKind::Click,
            FirstKind::Visit => HitKind::Visit,
            FirstKind::Impression => HitKind::Impression,
            FirstKind::Event => HitKind::Event,
            FirstKind::Lead => HitKind::Lead,
            FirstKind::Identify => HitKind::Identify,
            FirstKind::Order => HitKind::Order,
            FirstKind::UnknownLink => HitKind::UnknownLink,
        },
        consent_denied: first.consent_denied,
        head: first.head,
        prefetch: first.prefetch,
        link: first.link.map(|link| HitLink {
            id: link.id,
            program: link.program,
            partner: link.partner,
            partner_kind: link.partner_kind,
            target: None,
            utm: &utm,
        }),
        url: first.url.as_deref(),
        referrer: first.referrer.as_deref(),
        user_agent: first.user_agent.as_deref(),
        language: first.language.as_deref(),
        ip: first.ip.as_deref(),
        visitor: first.visitor.as_deref(),
        click: first.click.as_deref(),
        customer: first.customer.as_deref(),
        name: first.name.as_deref(),
        value: value.as_deref(),
        country: None,
    };
    let mut record = Vec::new();
    hit.write(&mut record);
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_read_back_as_it_was_written() {
        let mut hit = Hit::new(Uuid::from_u128(7), 1_700_000_000_000_000, HitKind::Click);
        hit.link = Some(HitLink {
            id: LinkId(3),
            program: ProgramId(1),
            partner: Some(PartnerId(2)),
            partner_kind: None,
            target: Some(9),
            utm: "a=b",
        });
        hit.url = Some("/r/anna?x=1");
        hit.visitor = Some("v");
        hit.head = true;
        let mut record = Vec::new();
        hit.write(&mut record);
        assert_eq!(Hit::read(&record).unwrap(), hit);
        assert!(Hit::read(&record[..record.len() - 3]).is_err());
        assert!(matches!(Hit::read(&[9, 1]), Err(UnreadableHit::Format(9))));
    }

    #[test]
    fn what_version_0_1_left_is_understood() {
        let line = br#"{"id":"01980000-0000-7000-8000-000000000001","at_micros":5,"kind":"unknown_link","url":"anan","link":{"id":"lnk_1","program":"pro_2","partner":"par_3","partner_kind":"affiliate","utm":{"source":"a b"}}}"#;
        let record = record_of_first_version(line).unwrap();
        let hit = Hit::read(&record).unwrap();
        assert_eq!((hit.kind, hit.url, hit.link.unwrap().utm), (HitKind::UnknownLink, Some("anan"), "utm_source=a+b"));
    }
}
