//! Statements and acts of partners' months.

use super::{Body, Page, act, id, listed, replayed, view};
use crate::domain::document::DocumentKind;
use crate::domain::id::{DocumentId, PartnerId};
use crate::domain::money::Money;
use crate::domain::time::Period;
use crate::service::access::Scope;
use crate::service::documents as service;
use crate::service::{Error, documents::NotIssued};
use crate::store::document::{self, Document, Filter};
use crate::web::App;
use crate::web::documents::{draw, format_of, issued_page, language_of};
use crate::web::error::Problem;
use crate::web::language::Language;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// Which documents.
#[derive(Debug, serde::Deserialize)]
pub struct Wanted {
    period: Option<String>,
    partner: Option<String>,
    kind: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

fn shown(d: &Document) -> Value {
    let money = |minor| Money::new(minor, d.currency);
    let sums = &d.sums.0;
    json!({
        "id": d.id,
        "kind": d.kind,
        "number": d.full_number().to_string(),
        "period": d.period,
        "day": d.day,
        "partner": d.partner_id,
        "payee_name": d.payee_name,
        "currency": d.currency,
        "amount": money(d.amount_minor),
        "opening": money(sums.opening_minor),
        "earned": money(sums.earned_minor),
        "reversed": money(sums.reversed_minor),
        "adjusted": money(sums.adjusted_minor),
        "paid": money(sums.paid_minor),
        "tax_withheld": money(sums.tax_minor),
        "closing": money(sums.closing_minor),
        "issued_at": view::instant(d.issued_at),
        "issued_by": d.issued_by,
    })
}

/// All documents, oldest first.
#[utoipa::path(get, path = "/v1/documents", tag = "Documents", params(("period" = Option<String>, Query), ("partner" = Option<String>, Query), ("kind" = Option<String>, Query, description = "statement, act"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of documents")))]
pub async fn list(app: Data<App>, key: ApiKey, request: HttpRequest, query: Query<Wanted>) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let page = Page { limit: query.limit, cursor: query.cursor.clone() };
    let limit = page.limit()?;
    let period: Option<Period> = read("/period", &query.period)?;
    let filter = Filter {
        period: period.map(|p| p.to_string()),
        partner: read::<PartnerId>("/partner", &query.partner)?,
        kind: read::<DocumentKind>("/kind", &query.kind)?,
    };
    let found = document::list(&app.service.db, &filter, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |d| d.id.0, shown))
}

fn read<T: std::str::FromStr<Err: std::fmt::Display>>(pointer: &str, text: &Option<String>) -> Result<Option<T>, Problem> {
    text.as_deref().map(|text| text.parse().map_err(|e| Problem::field(pointer, e))).transpose()
}

/// Whose documents of which month.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssueInput {
    pub period: Option<String>,
    /// All partners, if left out.
    pub partner: Option<String>,
}

/// Issue the statements and acts of a closed month, of one partner or of all. What is issued already stays as it is.
#[utoipa::path(post, path = "/v1/documents", tag = "Documents", request_body = IssueInput, responses((status = 200, description = "The documents, and which there are none of; of all partners, their numbers only"), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn issue(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Admin)?;
    let input: IssueInput = body.read()?;
    let period: Period = read("/period", &input.period)?.ok_or_else(|| Problem::field("/period", "is required"))?;
    let partner: Option<PartnerId> = read("/partner", &input.partner)?;
    let not_issued = |not: &[NotIssued]| json!(not);
    let Some(partner) = partner else {
        if let Some(known) = replayed(&app, &key, &request, &body).await? {
            return Ok(known);
        }
        let all = service::issue_month(&app.service, &key.actor(), period, draw).await?;
        let numbers = |kind| all.documents.iter().filter(|d| d.kind == kind).count();
        let answer = json!({
            "period": period, "statements": numbers(DocumentKind::Statement), "acts": numbers(DocumentKind::Act),
            "not_issued": not_issued(&all.not_issued),
        });
        return act(&app, &key, &request, &body, Scope::Admin, async |_, _| Ok((StatusCode::OK, answer.clone()))).await;
    };
    act(&app, &key, &request, &body, Scope::Admin, async |tx, context| {
        let issued = service::issue(tx, context, period, partner, draw).await?;
        let documents: Vec<Value> = issued.documents.iter().map(shown).collect();
        Ok((StatusCode::OK, json!({ "period": period, "data": documents, "not_issued": not_issued(&issued.not_issued) })))
    })
    .await
}

/// One document, with its pages and their hashes.
#[utoipa::path(get, path = "/v1/documents/{id}", tag = "Documents", params(("id" = String, Path)), responses((status = 200, description = "The document"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let wanted: DocumentId = id(&path)?;
    let found = document::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    let mut answer = shown(&found);
    let pages = document::pages(&app.service.db, wanted).await?;
    answer["pages"] = pages.iter().map(|p| json!({ "language": p.language, "sha256": p.sha256, "bytes": p.bytes })).collect();
    Ok(HttpResponse::Ok().json(answer))
}

/// Which page.
#[derive(Debug, serde::Deserialize)]
pub struct WhichPage {
    lang: Option<String>,
    format: Option<String>,
}

/// A document's page: the same bytes every time.
#[utoipa::path(get, path = "/v1/documents/{id}/page", tag = "Documents", params(("id" = String, Path), ("lang" = Option<String>, Query, description = "ru (default), en"), ("format" = Option<String>, Query, description = "html (default), or pdf where the build has it")), responses((status = 200, description = "HTML that prints on A4", content_type = "text/html"), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn page(app: Data<App>, key: ApiKey, path: Path<String>, query: Query<WhichPage>) -> Result<HttpResponse, Problem> {
    key.needs(Scope::Read)?;
    let language = language_of(query.lang.as_deref().unwrap_or(""), Language::Ru)?;
    issued_page(&app.service.db, id(&path)?, language, format_of(query.format.as_deref().unwrap_or(""))?).await
}
