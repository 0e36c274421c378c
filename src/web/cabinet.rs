//! stub
use actix_web::HttpResponse;
pub async fn home() -> HttpResponse { HttpResponse::Ok().finish() }
