//! The style sheet and pictures, in the binary; named by their content, so that browsers keep them for good.

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("assets/app.css");

static STYLE_SHEET: LazyLock<String> = LazyLock::new(|| {
    let digest = hex::encode(Sha256::digest(STYLE.as_bytes()));
    format!("/assets/app.css?v={}", &digest[..12])
});

/// Where the style sheet of this build is.
pub fn style_sheet() -> &'static str {
    STYLE_SHEET.as_str()
}

/// `GET /assets/{file}`.
pub async fn file(request: HttpRequest, name: Path<String>) -> HttpResponse {
    let (kind, body): (&str, &'static [u8]) = match name.as_str() {
        "app.css" => ("text/css; charset=utf-8", STYLE.as_bytes()),
        "document.css" => ("text/css; charset=utf-8", include_bytes!("assets/document.css")),
        "logo.svg" => ("image/svg+xml", include_bytes!("assets/logo.svg")),
        "favicon.svg" => ("image/svg+xml", include_bytes!("assets/favicon.svg")),
        _ => return super::signin::error_page(actix_web::http::StatusCode::NOT_FOUND, "there is no such file"),
    };
    let kept =
        if request.query_string().starts_with("v=") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CACHE_CONTROL, kept))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(body)
}
