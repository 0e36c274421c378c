//! stub
use actix_web::{HttpResponse, http::StatusCode};
pub async fn root() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn page() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn sign_in() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn sign_out() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn choose_language() -> HttpResponse { HttpResponse::Ok().finish() }
pub fn error_page(status: StatusCode, detail: &str) -> HttpResponse { HttpResponse::build(status).body(detail.to_owned()) }
