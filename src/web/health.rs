//! Live, ready, and the numbers an operator watches.

use super::App;
use crate::service::spool::redis::RedisSpool;
use actix_web::HttpResponse;
use actix_web::web::Data;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the store may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// 200 while the store answers and no hit waits for too long, else 503. The redirect goes on either way.
pub async fn ready(app: Data<App>) -> HttpResponse {
    let store = tokio::time::timeout(PATIENCE, app.service.db.ping()).await.is_ok_and(|answered| answered.is_ok());
    let lag = lag(&app);
    let spool = lag <= app.ready_lag;
    let body = serde_json::json!({ "store": store, "spool": spool, "spool_oldest_seconds": lag.as_secs_f64() });
    if store && spool { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

fn lag(app: &App) -> Duration {
    app.mover.state().lag(chrono::Utc::now().timestamp_micros())
}

/// Prometheus text format 0.0.4.
pub async fn metrics(app: Data<App>) -> HttpResponse {
    let (spool, mover) = (app.spool.disk().counts(), app.mover.state());
    let count = |value: &AtomicU64| value.load(Ordering::Relaxed) as f64;
    let redis = |count: fn(&RedisSpool) -> u64| app.spool.redis().map_or(0.0, |spool| count(spool) as f64);
    let mut text = String::new();
    for (name, kind, help, value) in [
        ("tributary_hits_appended_total", "counter", "Hits put on disk.", count(&spool.appended)),
        ("tributary_hits_not_durable_total", "counter", "Hits the disk refused.", count(&spool.not_durable)),
        ("tributary_spool_commits_total", "counter", "Synced commits of the spool.", count(&spool.commits)),
        ("tributary_spool_damaged_files_total", "counter", "Spool files set aside as damaged.", count(&spool.damaged_files)),
        ("tributary_spool_bytes", "gauge", "Bytes of the spool in use.", spool.bytes.load(Ordering::Relaxed) as f64),
        ("tributary_spool_oldest_seconds", "gauge", "How long the oldest hit has waited to be moved.", lag(&app).as_secs_f64()),
        ("tributary_redis_hits_appended_total", "counter", "Hits put into Redis.", redis(RedisSpool::appended)),
        (
            "tributary_redis_hits_failed_total",
            "counter",
            "Hits that Redis did not take; they went to the disk.",
            redis(RedisSpool::failed),
        ),
        ("tributary_hits_moved_total", "counter", "Hits moved into the store.", count(&mover.moved)),
        ("tributary_hits_rejected_total", "counter", "Hits the store refused, set aside.", count(&mover.rejected)),
    ] {
        text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text)
}
