//! A partner's own papers: statements and acts, and the receipts they still owe.

use crate::domain::document::DocumentLanguage;
use crate::domain::id::{DocumentId, ReceiptId};
use crate::service::Error;
use crate::service::documents::receive_receipt;
use crate::store::document::Filter;
use crate::store::{document, partner, receipt};
use crate::web::App;
use crate::web::admin::{DocumentView, ReceiptView, input_of};
use crate::web::documents::{format_of, issued_page, language_of};
use crate::web::error::Problem;
use crate::web::page::form::Fields;
use crate::web::page::{Frame, answer, see_other};
use crate::web::who::{PageError, PartnerUser};
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

#[derive(Template)]
#[template(path = "cabinet_documents.html")]
struct DocumentsPage {
    frame: Frame,
    here: &'static str,
    problem: Option<(String, String)>,
    receipts: Vec<ReceiptView>,
    documents: Vec<DocumentView>,
}

const PATH: &str = "/cabinet/documents";

/// `GET /cabinet/documents`.
pub async fn documents(app: Data<App>, request: HttpRequest, who: PartnerUser) -> Result<HttpResponse, PageError> {
    shown(&app, &request, who, StatusCode::OK, None).await
}

async fn shown(
    app: &App,
    request: &HttpRequest,
    who: PartnerUser,
    status: StatusCode,
    problem: Option<String>,
) -> Result<HttpResponse, PageError> {
    let db = &app.service.db;
    let context = app.service.context(&who.user.email);
    let own = partner::by_id(db, who.partner).await?.ok_or_else(|| Error::not_found(who.partner))?;
    let frame = Frame::with_way_back(app, request, Some(who.user), PATH).await;
    let receipts = receipt::list(db, receipt::Filter { partner: Some(who.partner), missing: None }, 0, i64::MAX).await?;
    let documents = document::list(db, &Filter { partner: Some(who.partner), ..Filter::default() }, 0, i64::MAX).await?;
    let page = DocumentsPage {
        here: "documents",
        problem: problem.map(|detail| (frame.t("problem-receipt"), detail)),
        receipts: receipts.iter().rev().map(|r| ReceiptView::of(&frame, &context, r, own.name.clone(), None)).collect(),
        documents: documents.iter().rev().map(|d| DocumentView::of(&frame, context.zone, d)).collect(),
        frame,
    };
    Ok(answer(status, &page))
}

/// `GET /cabinet/documents/{id}`: only the partner's own; another's is as if it were not there.
pub async fn document_page(
    app: Data<App>,
    request: HttpRequest,
    who: PartnerUser,
    id: Path<String>,
) -> Result<HttpResponse, PageError> {
    let id: DocumentId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))?;
    let found = document::by_id(&app.service.db, id).await?.filter(|d| d.partner_id == who.partner);
    if found.is_none() {
        return Err(Error::not_found(id).into());
    }
    let query = Fields::of_query(&request);
    let language: DocumentLanguage = language_of(query.get("lang"), who.user.language)?;
    Ok(issued_page(&app.service.db, id, language, format_of(query.get("format"))?).await?)
}

/// `POST /cabinet/receipts/{id}`: the partner gives the receipt of a payment.
pub async fn give_receipt(
    app: Data<App>,
    request: HttpRequest,
    who: PartnerUser,
    id: Path<String>,
    fields: Fields,
) -> Result<HttpResponse, PageError> {
    who.user.check_csrf(fields.get("csrf"))?;
    let id: ReceiptId = id.parse().map_err(|e| Problem::new(StatusCode::NOT_FOUND, "not-found", e))?;
    let context = app.service.context(&who.user.email);
    let mut tx = app.service.db.begin().await?;
    match receive_receipt(&mut tx, &context, id, Some(who.partner), &input_of(&fields)).await {
        Ok(_) => {
            tx.commit().await?;
            Ok(see_other(PATH))
        }
        Err(Error::Store(error)) => Err(error.into()),
        Err(error @ Error::NotFound { .. }) => Err(error.into()),
        Err(error) => {
            drop(tx);
            let detail = error.to_string();
            let status = StatusCode::from_u16(Problem::from(error).status).unwrap_or(StatusCode::CONFLICT);
            shown(&app, &request, who, status, Some(detail)).await
        }
    }
}
