//! Live, ready, and the numbers an operator watches.

use super::App;
use actix_web::HttpResponse;
use actix_web::web::Data;
use std::sync::atomic::Ordering;

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// 200 while the store and the spool answer, else 503.
pub async fn ready(app: Data<App>) -> HttpResponse {
    let store = app.service.db.ping().await.is_ok();
    let spool = app.spool.file().waiting().await.is_ok();
    let body = serde_json::json!({ "store": store, "spool": spool });
    if store && spool { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

/// Prometheus text format 0.0.4.
pub async fn metrics(app: Data<App>) -> HttpResponse {
    let counts = app.spool.counts();
    let waiting = app.spool.file().waiting().await.unwrap_or(-1);
    let mut text = String::new();
    for (name, kind, help, value) in [
        ("tributary_hits_appended_total", "counter", "Hits put on disk.", counts.appended.load(Ordering::Relaxed) as i64),
        (
            "tributary_hits_not_durable_total",
            "counter",
            "Hits the disk refused.",
            counts.not_durable.load(Ordering::Relaxed) as i64,
        ),
        ("tributary_spool_batches", "gauge", "Batches that wait to be moved.", waiting),
    ] {
        text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text)
}
