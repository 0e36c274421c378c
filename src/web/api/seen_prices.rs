//! The feed of prices that were seen, and the notices it raises.

use super::{Body, Page, act, listed, view};
use crate::domain::money::Money;
use crate::service::access::Scope;
use crate::service::price_watch::{SeenPriceInput, record, review};
use crate::service::report;
use crate::store::notice::{self, Notice};
use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::ApiKey;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

fn shown(n: &Notice, names: &HashMap<String, String>) -> Value {
    json!({
        "id": n.id,
        "kind": n.kind,
        "partner": n.partner_id,
        "name": names.get(&n.partner_id.to_string()),
        "sku": n.sku,
        "seen": Money::new(n.seen_minor, n.currency),
        "minimum": Money::new(n.minimum_minor, n.currency),
        "url": Some(&n.url).filter(|url| !url.is_empty()),
        "since": view::instant(n.since),
        "last_seen": view::instant(n.last_seen_at),
        "closed_at": n.closed_at.map(view::instant),
    })
}

/// Store prices that were seen, all or nothing; `notices` are those that are open for these partners and SKUs.
#[utoipa::path(post, path = "/v1/seen-prices", tag = "Resellers", request_body = Vec<SeenPriceInput>, responses((status = 200, description = "`{new, known, notices}`"), (status = 422, body = Problem)))]
pub async fn create(app: Data<App>, key: ApiKey, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let inputs: Vec<SeenPriceInput> = body.read()?;
    act(&app, &key, &request, &body, Scope::Write, async |tx, context| {
        let (mut prices, mut new) = (BTreeSet::new(), 0_usize);
        for (index, input) in inputs.iter().enumerate() {
            let (of, is_new) = record(tx, context, &format!("/{index}"), input).await?;
            new += usize::from(is_new);
            prices.insert(of);
        }
        let names = report::partner_names(&mut *tx).await?;
        let mut notices = Vec::new();
        for of in &prices {
            review(tx, of).await?;
            notices.extend(notice::open_of(&mut *tx, of).await?.map(|n| shown(&n, &names)));
        }
        Ok((StatusCode::OK, json!({ "new": new, "known": inputs.len() - new, "notices": notices })))
    })
    .await
}

/// Which notices are listed.
#[derive(Debug, Clone, Default, serde::Deserialize)]
pub struct NoticeFilter {
    kind: Option<String>,
    state: Option<String>,
}

/// Notices; those that are open, if nothing else is said.
#[utoipa::path(get, path = "/v1/notices", tag = "Resellers", params(("kind" = Option<String>, Query, description = "`dumping`"), ("state" = Option<String>, Query, description = "`open` (default), `closed`, `all`"), ("limit" = Option<i64>, Query), ("cursor" = Option<String>, Query)), responses((status = 200, description = "A page of notices"), (status = 422, body = Problem)))]
pub async fn notices(
    app: Data<App>,
    _key: ApiKey,
    request: HttpRequest,
    page: Query<Page>,
    filter: Query<NoticeFilter>,
) -> Result<HttpResponse, Problem> {
    let open = match filter.state.as_deref().unwrap_or_default() {
        "" | "open" => Some(true),
        "closed" => Some(false),
        "all" => None,
        _ => return Err(Problem::field("/state", "must be open, closed or all")),
    };
    if !matches!(filter.kind.as_deref().unwrap_or_default(), "" | "dumping") {
        return Err(Problem::field("/kind", "must be dumping"));
    }
    let limit = page.limit()?;
    let names = report::partner_names(&app.service.db).await?;
    let found = notice::list(&app.service.db, open, page.after()?, limit).await?;
    Ok(listed(&request, limit, found, |n| n.id.0, |n| shown(n, &names)))
}
