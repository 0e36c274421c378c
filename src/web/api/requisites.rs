//! Whether tax numbers and bank details are right, before anybody is paid by them.

use super::Body;
use crate::domain::requisites::{Field, PayeeKind, Requisites};
use crate::service::FieldError;
use crate::service::access::Scope;
use crate::service::input::Problems;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::HttpResponse;

/// The requisites of one payee, all as texts; blank ones count as left out.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequisitesInput {
    /// Two letters (ISO 3166).
    pub country: Option<String>,
    /// `company`, `sole_trader`, `self_employed`, `individual`.
    pub kind: Option<String>,
    /// 10 digits of a company, 12 of a person.
    pub inn: Option<String>,
    pub kpp: Option<String>,
    /// 13 digits of a company, 15 (OGRNIP) of a sole trader.
    pub ogrn: Option<String>,
    pub bik: Option<String>,
    /// 20 digits at a Russian bank; elsewhere as the bank writes it.
    pub account: Option<String>,
    pub correspondent_account: Option<String>,
    pub iban: Option<String>,
    /// BIC (ISO 9362).
    pub swift: Option<String>,
}

impl RequisitesInput {
    fn given(&self, field: Field) -> Option<&str> {
        match field {
            Field::Country => self.country.as_deref(),
            Field::Kind => self.kind.as_deref(),
            Field::Inn => self.inn.as_deref(),
            Field::Kpp => self.kpp.as_deref(),
            Field::Ogrn => self.ogrn.as_deref(),
            Field::Bik => self.bik.as_deref(),
            Field::Account => self.account.as_deref(),
            Field::CorrespondentAccount => self.correspondent_account.as_deref(),
            Field::Iban => self.iban.as_deref(),
            Field::Swift => self.swift.as_deref(),
            Field::Method
            | Field::Name
            | Field::Address
            | Field::ContractNumber
            | Field::ContractDate
            | Field::NpdSince
            | Field::NpdCheckedOn
            | Field::BankName
            | Field::Email
            | Field::RecipientId => None,
        }
    }
}

/// What is wrong with them.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct RequisitesAnswer {
    pub valid: bool,
    /// `pointer` names the field, `/inn`; one field may have several.
    pub errors: Vec<FieldError>,
}

/// Checks each requisite by itself (check digits, lengths) and against the others (account and BIK, kind and INN).
#[utoipa::path(post, path = "/v1/requisites/check", tag = "Requisites", request_body = RequisitesInput, responses((status = 200, description = "Checked; `valid` says how", body = RequisitesAnswer), (status = 400, body = Problem), (status = 422, description = "An unknown field or kind, or a value that is no text", body = Problem)))]
pub async fn check(key: ApiKey, body: Body) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let input: RequisitesInput = body.read()?;
    let mut problems = Problems::default();
    problems.parse::<PayeeKind>("/kind", &input.kind);
    problems.done()?;
    let (_, faults) = Requisites::read(|field| input.given(field));
    let errors: Vec<FieldError> = faults
        .iter()
        .map(|fault| FieldError { pointer: format!("/{}", fault.field.key()), detail: fault.error.to_string() })
        .collect();
    Ok(HttpResponse::Ok().json(RequisitesAnswer { valid: errors.is_empty(), errors }))
}
