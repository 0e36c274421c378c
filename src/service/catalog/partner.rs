//! Partners.

use crate::domain::id::PartnerId;
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::requisites::Payout;
use crate::domain::text::Email;
use crate::service::input::{Problems, maybe_null};
use crate::service::{Context, Error, Result};
use crate::store::partner::Partner;
use crate::store::{Tx, audit, partner, settings};
use sqlx::types::Json;
use std::collections::BTreeMap;

/// A partner as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerInput {
    pub name: Option<String>,
    pub email: Option<String>,
    /// The id the partner has elsewhere; files may refer to it.
    pub external_id: Option<String>,
    /// `affiliate` (default), `referrer`, `reseller`, `offline`.
    pub kind: Option<String>,
    /// `applied`, `approved` (default), `suspended`.
    pub status: Option<String>,
    pub group: Option<String>,
    /// The partner who recruited this one, and has the second tier.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub recruited_by: Option<Option<String>>,
    /// `{"method": "manual", …requisites}`, all texts: `country, kind, name, inn, kpp, ogrn, address, contract_number,
    /// contract_date, npd_since, npd_checked_on`, and by method `bik, account, correspondent_account, bank_name` (`bank_ru`),
    /// `iban, swift` (`sepa`), `iban` or `account, swift` (`swift`), `email` (`paypal`), `email` or `recipient_id` (`wise`).
    #[schema(value_type = Option<Object>)]
    pub payout: Option<BTreeMap<String, serde_json::Value>>,
}

/// Makes a partner, or changes `known`.
pub async fn save_partner(tx: &mut Tx, context: &Context, known: Option<PartnerId>, input: &PartnerInput) -> Result<Partner> {
    let before = match known {
        Some(id) => Some(partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let name = p.line("/name", &input.name, 200).or_else(|| old.map(|o| o.name.clone()));
    if name.is_none() && p.0.is_empty() {
        p.add("/name", "is required");
    }
    let recruiter_id = match &input.recruited_by {
        None => old.and_then(|o| o.recruiter_id),
        Some(None) => None,
        Some(given) => find_recruiter(tx, &mut p, given, known).await?,
    };
    let email: Option<Email> = p.parse("/email", &input.email);
    let email = email.map(|e| e.as_str().to_owned()).or_else(|| old.and_then(|o| o.email.clone()));
    let saved = Partner {
        id: known.unwrap_or(PartnerId(0)),
        external_id: p.line("/external_id", &input.external_id, 200).or_else(|| old.and_then(|o| o.external_id.clone())),
        name: name.unwrap_or_default(),
        email_hash: email.as_deref().and_then(|e| context.hash_key.email(e)),
        email,
        kind: p.word("/kind", &input.kind).unwrap_or(old.map_or(PartnerKind::Affiliate, |o| o.kind)),
        status: p.word("/status", &input.status).unwrap_or(old.map_or(PartnerStatus::Approved, |o| o.status)),
        group_name: p.line("/group", &input.group, 100).or_else(|| old.and_then(|o| o.group_name.clone())),
        recruiter_id,
        payout: Json(check_payout(&mut p, input.payout.as_ref(), old.map(|o| &o.payout.0))),
        created_at: old.map_or(context.at(), |o| o.created_at),
    };
    p.done()?;
    let id = match old {
        Some(old) => {
            partner::update(tx, &saved).await?;
            if old.status != saved.status {
                partner::set_status_since(tx, old.id, saved.status, context.at()).await?;
            }
            old.id
        }
        None => partner::insert(tx, &saved).await?,
    };
    // The link book knows a partner's kind, and nothing else of it.
    if old.is_some_and(|o| o.kind != saved.kind) {
        settings::terms_changed(tx).await?;
    } else {
        settings::catalog_changed(tx).await?;
    }
    let saved = Partner { id, ..saved };
    let brief = |p: &Partner| serde_json::json!({ "name": p.name, "email": p.email, "status": p.status, "group": p.group_name, "payout": p.payout.0 });
    let detail = serde_json::json!({ "before": old.map(brief), "after": brief(&saved) });
    audit::record(tx, &context.actor, "partner.save", &id.to_string(), &detail, context.at()).await?;
    Ok(saved)
}

/// Who recruited a partner: somebody else, and nobody whom the partner has recruited, however far off.
async fn find_recruiter(
    tx: &mut Tx,
    p: &mut Problems,
    given: &Option<String>,
    known: Option<PartnerId>,
) -> Result<Option<PartnerId>> {
    let wanted: Option<PartnerId> = p.parse("/recruited_by", given);
    let Some(wanted) = wanted else { return Ok(None) };
    let Some(found) = partner::by_id(&mut *tx, wanted).await? else {
        p.add("/recruited_by", "there is no such partner");
        return Ok(None);
    };
    let mut next = Some(found);
    while let Some(recruiter) = next {
        if Some(recruiter.id) == known {
            p.add("/recruited_by", "is the partner, or was recruited by them");
            return Ok(None);
        }
        next = match recruiter.recruiter_id {
            None => None,
            Some(id) => partner::by_id(&mut *tx, id).await?,
        };
    }
    Ok(Some(wanted))
}

/// A payout as it is stored: its right values in one form, unknown keys kept. Requisites that are there must be right; what is
/// missing may come later.
fn check_payout(
    p: &mut Problems,
    given: Option<&BTreeMap<String, serde_json::Value>>,
    old: Option<&serde_json::Value>,
) -> serde_json::Value {
    let Some(given) = given else {
        return old.cloned().unwrap_or_else(|| serde_json::json!({ "method": "manual" }));
    };
    p.required("/payout/method", given.get("method"));
    let mut texts = BTreeMap::new();
    for (key, value) in given {
        match value.as_str() {
            Some(text) if text.chars().count() <= 500 && !text.chars().any(char::is_control) => {
                texts.insert(key.as_str(), text);
            }
            _ => p.add(&format!("/payout/{key}"), "must be a text of one line"),
        }
    }
    let payout = Payout::read(texts);
    for fault in payout.faults() {
        p.add(&format!("/payout/{}", fault.field.key()), &fault.error);
    }
    payout.fields().into_iter().map(|(key, text)| (key.to_owned(), serde_json::Value::String(text))).collect()
}
