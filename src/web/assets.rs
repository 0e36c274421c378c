//! stub
use actix_web::HttpResponse;
pub async fn file() -> HttpResponse { HttpResponse::Ok().finish() }
