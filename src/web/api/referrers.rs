//! Customers who recommend.

use super::{Body, Page, act, id, listed, view};
use crate::domain::id::ReferrerId;
use crate::domain::link::short_url;
use crate::service::Error;
use crate::service::access::Scope;
use crate::service::referrer::{Joined, ReferrerInput, join};
use crate::store::referrer::Referrer;
use crate::store::{self, Reader, link, partner, program, promo, referrer};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

/// Take a customer into a referral program: a link, a code and the address of their own page, once by customer id.
#[utoipa::path(post, path = "/v1/referrers", tag = "Referrers", request_body = ReferrerInput, responses((status = 201, description = "New"), (status = 200, description = "Known, with a fresh address of the page"), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input: ReferrerInput = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let joined = join(tx, context, &input).await?;
        let status = if joined.is_new { StatusCode::CREATED } else { StatusCode::OK };
        let mut answer = shown(&app, tx, &joined.referrer).await?;
        answer["page"] = page(&app, &joined);
        Ok((status, answer))
    })
    .await
}

/// One referrer.
#[utoipa::path(get, path = "/v1/referrers/{id}", tag = "Referrers", params(("id" = String, Path)), responses((status = 200, description = "The referrer"), (status = 404, body = Problem)))]
pub async fn one(app: Data<App>, _key: ApiKey, path: Path<String>) -> Result<HttpResponse, Problem> {
    let wanted: ReferrerId = id(&path)?;
    let found = referrer::by_id(&app.service.db, wanted).await?.ok_or_else(|| Error::not_found(wanted))?;
    Ok(HttpResponse::Ok().json(shown(&app, &app.service.db, &found).await?))
}

/// Whose are listed.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct ReferrerFilter {
    customer: Option<String>,
}

/// All referrers; `customer` finds one by the id in the shop.
#[utoipa::path(get, path = "/v1/referrers", tag = "Referrers", params(("customer" = Option<String>, Query), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of referrers")))]
pub async fn list(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    page: Query<Page>,
    filter: Query<ReferrerFilter>,
) -> Result<HttpResponse, Problem> {
    let limit = page.limit()?;
    let found = referrer::list(&app.service.db, filter.customer.as_deref(), page.after()?, limit).await?;
    let mut views = Vec::with_capacity(found.len());
    for referrer in &found {
        views.push((referrer.id.0, shown(&app, &app.service.db, referrer).await?));
    }
    Ok(listed(&request, limit, views, |(id, _)| *id, |(_, view)| view.clone()))
}

fn page(app: &App, joined: &Joined) -> Value {
    let url = format!("{}/refer/{}", app.public_url, joined.page_token);
    json!({ "url": url, "expires_at": view::instant(joined.page_expires_at) })
}

async fn shown<'a>(app: &App, on: impl Into<Reader<'a>>, found: &Referrer) -> store::Result<Value> {
    let mut reader = on.into();
    let name = partner::by_id(reader.again(), found.partner_id).await?.map(|p| p.name);
    let program = program::by_id(reader.again(), found.program_id).await?;
    let link = link::by_id(reader.again(), found.link_id).await?;
    let domain = program.as_ref().and_then(|p| p.link_domains.first().cloned());
    let link = link.map(|l| {
        json!({ "id": l.id, "code": l.code, "short_url": short_url(&app.public_url, domain.as_deref(), &l.code), "url": l.url })
    });
    let code = promo::by_id(reader, found.promo_code_id).await?;
    let code = code.zip(program).map(|(code, program)| {
        let all = view::promo_code(&code, program.currency);
        json!({ "id": all["id"], "code": all["code"], "discount": all["discount"] })
    });
    Ok(json!({
        "id": found.id,
        "program": found.program_id,
        "partner": found.partner_id,
        "customer": found.customer_id,
        "name": name,
        "link": link,
        "promo_code": code,
        "created_at": view::instant(found.created_at),
    }))
}
