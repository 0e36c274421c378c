//! Nodes that are killed, and nodes that share what they work on.

use crate::load::*;
use crate::servers::{RedisServer, wait_for};
use crate::support::*;
use serde_json::json;
use tributary::service::linkbook::LinkBook;
use tributary::service::mover::{Mover, Moves};
use tributary::service::spool::Spool;
use tributary::web::server::start;

/// An edge is killed three times under load, on one data folder.
async fn edge_is_killed(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let mut answered = std::collections::HashSet::new();
    for _ in 0..3 {
        let mut edge = node(&url, folder.path(), &[], &["--role", "edge"]);
        let load = Load::start(&[&edge.url]);
        load.more(150).await;
        edge.kill();
        answered.extend(load.end().await);
    }
    // The next start moves what the last crash left.
    let _edge = node(&url, folder.path(), &[], &["--role", "edge"]);
    all_arrive(&service, &answered).await;
}

/// A worker is killed while it holds hits that it took out of Redis and could not store yet.
async fn worker_is_killed(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let Some(redis) = RedisServer::start(&[]).await else { return };
    let (service, _) = with_link(&url).await;
    let redis_url = redis.url();
    let worker = |name: &str| node(&url, &folder.path().join(name), &["--redis-url", &redis_url], &["--role", "worker"]);
    let mut first = worker("first");
    let edge = node(&url, &folder.path().join("edge"), &["--redis-url", &redis_url, "--spool", "redis"], &["--role", "edge"]);
    let load = Load::start(&[&edge.url]);
    load.more(100).await;
    // Nobody writes to the store while this transaction lasts.
    let mut held = service.db.begin().await.unwrap();
    if kind == Kind::Postgres {
        tributary::exec!(&mut held, sqlx::query("LOCK TABLE touches IN ACCESS EXCLUSIVE MODE")).unwrap();
    }
    wait_for("the worker has taken hits that it cannot store", async || {
        let pending: (i64, redis::Value, redis::Value, redis::Value) =
            redis.ask(&["XPENDING", "tributary:{0}:hits", "tributary"]).await;
        (pending.0 > 0).then_some(())
    })
    .await;
    first.kill();
    drop(held);
    let second = worker("second");
    load.more(100).await;
    let answered = load.end().await;
    assert_eq!(metric(&edge.url, "tributary_redis_hits_failed_total").await, 0.0, "all went through Redis");
    all_arrive(&service, &answered).await;
    assert!(metric(&second.url, "tributary_hits_moved_total").await > 100.0);
}

/// Two nodes with the same data folder and the same store.
async fn two_on_one_spool(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let mut one = node(&url, folder.path(), &[], &[]);
    let other = node(&url, folder.path(), &[], &[]);
    let load = Load::start(&[&one.url, &other.url]);
    load.more(500).await;
    one.kill();
    load.more(200).await;
    all_arrive(&service, &load.end().await).await;
}

/// Two workers on one Redis.
async fn two_on_one_redis(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let Some(redis) = RedisServer::start(&[]).await else { return };
    let (service, _) = with_link(&url).await;
    let redis_url = redis.url();
    let start = |name: &str, flags: &[&str], role| {
        let flags = [&["--redis-url", redis_url.as_str()], flags].concat();
        node(&url, &folder.path().join(name), &flags, &["--role", role])
    };
    let edge = start("edge", &["--spool", "redis"], "edge");
    let _workers = [start("one", &[], "worker"), start("other", &[], "worker")];
    let load = Load::start(&[&edge.url]);
    load.more(800).await;
    let answered = load.end().await;
    all_arrive(&service, &answered).await;
    assert!(metric(&edge.url, "tributary_redis_hits_appended_total").await >= answered.len() as f64);
}

macro_rules! on_both_stores {
    ($($name:ident: $body:ident;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $body(Kind::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $body(Kind::Postgres).await;
            }
        }
    )*};
}
pub(super) use on_both_stores;

on_both_stores! {
    an_edge_that_is_killed_loses_no_answered_click: edge_is_killed;
    what_a_killed_worker_held_another_stores: worker_is_killed;
    two_nodes_on_one_spool_store_each_click_once: two_on_one_spool;
    two_workers_on_one_redis_store_each_click_once: two_on_one_redis;
    an_order_waits_for_its_click_on_another_node: order_waits;
}

/// The order comes to one node while its click is still on the disk of another.
async fn order_waits(kind: Kind) {
    let Some(app) = TestApp::spawn(kind).await else { return };
    app.set_up().await;
    let spool_path = app.folder.path().join("edge").join("spool.db");
    let settings = tributary::web::server::Start { hold_mover: true, ..start_settings(spool_path.clone()) };
    let edge = start(app.service.clone(), settings).await.unwrap();
    let answer = visitor().get(format!("http://{}/r/anna", edge.address)).header("user-agent", BROWSER).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let click_id = location.split("trb_click=").nth(1).unwrap().to_owned();
    let order = |id: &str, click_id: &str| {
        let body =
            json!({ "external_id": id, "placed_at": app.now(), "currency": "RUB", "total": "100.00", "click_id": click_id });
        app.request(reqwest::Method::POST, "/v1/orders").json(&body).send()
    };
    let waiting = tokio::spawn(order("W-1", &click_id));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "the order was decided without its click");
    // It holds nobody up meanwhile: a click that is old, or not of ours, is not waited for.
    let other = order("W-2", "c-unknown").await.unwrap();
    assert_eq!(other.status(), 201);
    assert!(!waiting.is_finished());
    let spool = Spool::open(&spool_path, 0, None, false).unwrap();
    let links = LinkBook::default();
    links.refresh(&app.service.db).await.unwrap();
    let mover = Mover::start(app.service.clone(), &spool, links, Moves::Disk).unwrap();
    mover.move_all().await.unwrap();
    let decided: serde_json::Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(decided["payable"]["partner"], "par_1", "{decided}");
    // A click that never comes is not waited for without end.
    let lost = order("W-3", &uuid::Uuid::now_v7().to_string()).await.unwrap();
    assert_eq!(lost.status(), 201);
    assert_eq!(app.broken().await, Vec::<String>::new());
}
