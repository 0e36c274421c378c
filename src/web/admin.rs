//! stub
use actix_web::HttpResponse;
pub async fn home() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn order() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn payouts() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn close() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn build() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn approve() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn paid() -> HttpResponse { HttpResponse::Ok().finish() }
pub async fn export() -> HttpResponse { HttpResponse::Ok().finish() }
