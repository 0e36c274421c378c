//! The merchant's own requisites, which the bank's files name as who pays.

use super::input::Problems;
use super::{Context, Result};
use crate::domain::payout_file::Payer;
use crate::domain::requisites::{Field, Requisites, compact};
use crate::store::{self, Reader, Tx, audit, settings};

/// The setting that holds them, as JSON.
const SETTING: &str = "payer";

/// So that a month and an id still fit the 210 characters of a payment order.
const LONGEST_PURPOSE: usize = 150;

/// The payer as it is sent; it replaces the one there is.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayerInput {
    /// As in the bank's contract, at most 160 characters.
    pub name: Option<String>,
    /// The name in Latin letters, for pain.001.
    pub name_latin: Option<String>,
    pub inn: Option<String>,
    pub kpp: Option<String>,
    pub ogrn: Option<String>,
    /// 20 characters in Russia.
    pub account: Option<String>,
    pub bik: Option<String>,
    pub correspondent_account: Option<String>,
    pub bank_name: Option<String>,
    pub bank_city: Option<String>,
    pub iban: Option<String>,
    pub bic: Option<String>,
    /// Two letters, as `DE`.
    pub country: Option<String>,
    pub address: Option<String>,
    /// Who signs statements and acts, with post and name: `Генеральный директор Иванов И. И.`
    pub signatory: Option<String>,
    /// What Russian payment orders are for, with `{month}` and `{id}`.
    pub purpose: Option<String>,
}

/// The payer, if one is set.
pub async fn payer<'a>(on: impl Into<Reader<'a>>) -> store::Result<Option<Payer>> {
    let text = settings::get(on, SETTING).await?;
    text.map(|text| serde_json::from_str(&text).map_err(|e| store::Error::Unreadable(format!("{SETTING}: {e}")))).transpose()
}

/// Puts a payer in place of the one there was. Runs whose bank files were asked for keep theirs.
pub async fn replace_payer(tx: &mut Tx, context: &Context, input: &PayerInput) -> Result<Payer> {
    let after = checked(input)?;
    let before = payer(&mut *tx).await?;
    let text = serde_json::to_string(&after).map_err(|e| store::Error::Unreadable(e.to_string()))?;
    settings::set(tx, SETTING, &text).await?;
    let detail = serde_json::json!({ "before": before, "after": after });
    audit::record(tx, &context.actor, "payer.replace", SETTING, &detail, context.at()).await?;
    Ok(after)
}

fn checked(input: &PayerInput) -> Result<Payer> {
    let mut p = Problems::default();
    let number = |field| match field {
        Field::Country => input.country.as_deref(),
        Field::Inn => input.inn.as_deref(),
        Field::Kpp => input.kpp.as_deref(),
        Field::Ogrn => input.ogrn.as_deref(),
        Field::Bik => input.bik.as_deref(),
        Field::Account => input.account.as_deref(),
        Field::CorrespondentAccount => input.correspondent_account.as_deref(),
        Field::Iban => input.iban.as_deref(),
        Field::Swift => input.bic.as_deref(),
        _ => None,
    };
    // As strictly as a payee's: check digits, and each against the others.
    let (_, faults) = Requisites::read(number);
    for fault in faults {
        let key = if fault.field == Field::Swift { "bic" } else { fault.field.key() };
        p.add(&format!("/{key}"), fault.error);
    }
    let given = |text: &Option<String>| text.as_deref().map(compact).filter(|text| !text.is_empty());
    let payer = Payer {
        name: p.line("/name", &input.name, 160),
        name_latin: p.line("/name_latin", &input.name_latin, 70),
        inn: given(&input.inn),
        kpp: given(&input.kpp),
        ogrn: given(&input.ogrn),
        account: given(&input.account),
        bik: given(&input.bik),
        correspondent_account: given(&input.correspondent_account),
        bank_name: p.line("/bank_name", &input.bank_name, 160),
        bank_city: p.line("/bank_city", &input.bank_city, 60),
        iban: given(&input.iban),
        bic: given(&input.bic),
        country: given(&input.country),
        address: p.line("/address", &input.address, 140),
        signatory: p.line("/signatory", &input.signatory, 160),
        purpose: p.line("/purpose", &input.purpose, LONGEST_PURPOSE),
    };
    if p.0.is_empty() && payer.name.is_none() {
        p.add("/name", "is required");
    }
    p.done()?;
    Ok(payer)
}
