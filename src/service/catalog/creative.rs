//! Creatives.

use super::find_program;
use crate::domain::ad_marking::{CreativeKind, Erid};
use crate::domain::id::CreativeId;
use crate::domain::requisites::Inn;
use crate::domain::text::web_address;
use crate::service::input::{Problems, maybe_null};
use crate::service::{Context, Error, Result};
use crate::store::creative::Creative;
use crate::store::{Tx, audit, creative, link, program};
use chrono::{Datelike, NaiveDate};

/// Characters of a creative's HTML or text at most.
const LONGEST_BODY: usize = 65_536;

/// A creative as it is sent; what is left out keeps its value.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreativeInput {
    /// Id or name; may be left out where there is one program.
    pub program: Option<String>,
    pub name: Option<String>,
    /// `banner`, `text`, `video`.
    pub kind: Option<String>,
    /// Token of the advertising register: letters and digits.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub erid: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<AdvertiserInput>)]
    pub advertiser: Option<Option<AdvertiserInput>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<ContractInput>)]
    pub contract: Option<Option<ContractInput>>,
    /// Where the picture or the video is.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub url: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub html: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub text: Option<Option<String>>,
}

/// Who advertises. A foreign advertiser has no INN.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvertiserInput {
    pub name: Option<String>,
    pub inn: Option<String>,
}

/// The contract that the figures are reported under.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractInput {
    pub number: Option<String>,
    /// A day: `2026-09-01`.
    pub date: Option<String>,
}

/// Makes a creative, or changes `known` (not its program). Its links carry a new `erid` from now on.
pub async fn save_creative(tx: &mut Tx, context: &Context, known: Option<CreativeId>, input: &CreativeInput) -> Result<Creative> {
    let before = match known {
        Some(id) => Some(creative::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let program = match old {
        Some(old) => {
            if input.program.is_some() {
                p.add("/program", "cannot be changed");
            }
            program::by_id(&mut *tx, old.program_id).await?
        }
        None => find_program(tx, &mut p, &input.program).await?,
    };
    let name = match &input.name {
        None => p.required("/name", old.map(|o| o.name.clone())),
        Some(name) => p.take("/name", crate::domain::text::line(name, 200)),
    };
    let kind: Option<CreativeKind> = match &input.kind {
        None => p.required("/kind", old.map(|o| o.kind)),
        Some(kind) if kind.trim().is_empty() => p.required("/kind", None),
        given => p.word("/kind", given),
    };
    let erid = match &input.erid {
        None => old.and_then(|o| o.erid.clone()),
        Some(erid) => p.parse::<Erid>("/erid", erid).map(|erid| erid.as_str().to_owned()),
    };
    let (advertiser_name, advertiser_inn) = match &input.advertiser {
        None => old.map(|o| (o.advertiser_name.clone(), o.advertiser_inn.clone())).unwrap_or_default(),
        Some(None) => (None, None),
        Some(Some(advertiser)) => check_advertiser(&mut p, advertiser),
    };
    let (contract_number, contract_date) = match &input.contract {
        None => old.map(|o| (o.contract_number.clone(), o.contract_date)).unwrap_or_default(),
        Some(None) => (None, None),
        Some(Some(contract)) => check_contract(&mut p, contract),
    };
    let url = match &input.url {
        None => old.and_then(|o| o.url.clone()),
        Some(url) => {
            let given = url.as_deref().map(str::trim).filter(|url| !url.is_empty());
            given.and_then(|url| p.take("/url", web_address(url))).map(String::from)
        }
    };
    let html = check_body(&mut p, "/html", &input.html, old.and_then(|o| o.html.clone()));
    let text = check_body(&mut p, "/text", &input.text, old.and_then(|o| o.text.clone()));
    let all = program.zip(name).zip(kind);
    let ((program, name), kind) = p.all(all)?;
    let saved = Creative {
        id: known.unwrap_or(CreativeId(0)),
        program_id: program.id,
        name,
        kind,
        erid,
        advertiser_name,
        advertiser_inn,
        contract_number,
        contract_date,
        url,
        html,
        text,
        created_at: old.map_or(context.at(), |o| o.created_at),
    };
    let id = match old {
        Some(old) => {
            creative::update(tx, &saved).await?;
            if old.erid != saved.erid {
                link::changed_with_creative(tx, old.id).await?;
            }
            old.id
        }
        None => creative::insert(tx, &saved).await?,
    };
    let saved = Creative { id, ..saved };
    let detail = serde_json::json!({ "before": before, "after": saved });
    audit::record(tx, &context.actor, "creative.save", &id.to_string(), &detail, context.at()).await?;
    Ok(saved)
}

fn check_advertiser(p: &mut Problems, advertiser: &AdvertiserInput) -> (Option<String>, Option<String>) {
    let given = p.required("/advertiser/name", advertiser.name.as_deref());
    let name = given.and_then(|name| p.take("/advertiser/name", crate::domain::text::line(name, 500)));
    let inn = p.parse::<Inn>("/advertiser/inn", &advertiser.inn);
    (name, inn.map(|inn| inn.as_str().to_owned()))
}

fn check_contract(p: &mut Problems, contract: &ContractInput) -> (Option<String>, Option<NaiveDate>) {
    let given = p.required("/contract/number", contract.number.as_deref());
    let number = given.and_then(|number| p.take("/contract/number", crate::domain::text::line(number, 100)));
    let day = p.required("/contract/date", contract.date.as_deref());
    let read = |text: &str| {
        let day = text.trim().parse::<NaiveDate>().ok().filter(|day| (1990..=9998).contains(&day.year()));
        day.ok_or("must be a day like 2026-09-01")
    };
    (number, day.and_then(|text| p.take("/contract/date", read(text))))
}

/// HTML or text of any lines; an empty one is none.
fn check_body(p: &mut Problems, pointer: &str, given: &Option<Option<String>>, old: Option<String>) -> Option<String> {
    let Some(given) = given else { return old };
    let body = given.as_deref().filter(|body| !body.trim().is_empty())?;
    if body.chars().count() > LONGEST_BODY {
        p.add(pointer, format!("is longer than {LONGEST_BODY} characters"));
        return None;
    }
    if body.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        p.add(pointer, "must not contain control characters");
        return None;
    }
    Some(body.to_owned())
}
