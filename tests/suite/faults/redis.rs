//! Redis is killed, is not there, keeps nothing, or loses a master.

use super::nodes::on_both_stores;
use crate::load::*;
use crate::servers::{RedisCluster, RedisServer, wait_for};
use crate::support::*;

const FAILED: &str = "tributary_redis_hits_failed_total";
const IN_REDIS: &str = "tributary_redis_hits_appended_total";
const ON_DISK: &str = "tributary_hits_appended_total";

on_both_stores! {
    without_redis_clicks_go_to_the_disk: killed_and_back;
}

async fn killed_and_back(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    // Under `everysec` a killed Redis may lose what it has not written while the disk is busy.
    let Some(mut redis) = RedisServer::start(&["--appendfsync", "always"]).await else { return };
    let (service, _) = with_link(&url).await;
    let node = node(&url, folder.path(), &["--redis-url", &redis.url(), "--spool", "redis"], &[]);
    let load = Load::start(&[&node.url]);
    for _ in 0..2 {
        wait_for("clicks go to Redis", async || {
            let before = metric(&node.url, IN_REDIS).await;
            load.more(60).await;
            (metric(&node.url, IN_REDIS).await > before + 30.0).then_some(())
        })
        .await;
        redis.kill();
        let before = metric(&node.url, ON_DISK).await;
        load.more(150).await;
        assert!(metric(&node.url, ON_DISK).await > before, "the disk did not take over");
        redis.restart().await;
    }
    assert_eq!(load.failed(), 0, "every redirect is a redirect");
    assert!(metric(&node.url, FAILED).await > 0.0);
    all_arrive(&service, &load.end().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_that_is_not_there_or_keeps_nothing_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(Kind::Sqlite, &folder).await else { return };
    let Some(mut forgetful) = RedisServer::start(&["--appendonly", "no"]).await else { return };
    let (service, _) = with_link(&url).await;
    let mut answered = std::collections::HashSet::new();
    for name in ["forgetful", "away"] {
        if name == "away" {
            forgetful.kill();
        }
        let node = node(&url, &folder.path().join(name), &["--redis-url", &forgetful.url(), "--spool", "redis"], &[]);
        let load = Load::start(&[&node.url]);
        load.more(100).await;
        assert_eq!(load.failed(), 0);
        answered.extend(load.end().await);
        assert_eq!(metric(&node.url, IN_REDIS).await, 0.0);
        all_arrive(&service, &answered).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_of_the_cluster_is_killed_and_its_replica_has_every_click() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut cluster) = RedisCluster::start().await else { return };
    let Some(url) = fresh_database(Kind::Sqlite, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let urls = cluster.urls();
    let edge = node(&url, &folder.path().join("edge"), &["--redis-url", &urls, "--spool", "redis"], &["--role", "edge"]);
    let load = Load::start(&[&edge.url]);
    load.more(300).await;
    assert!(metric(&edge.url, IN_REDIS).await > 0.0, "clicks go to the cluster");
    // Nobody has read anything yet: what the killed master held is with its replica, or nowhere.
    let (first, _) = cluster.master_and_replica(&[]).await;
    cluster.nodes[first].kill();
    load.more(300).await;
    cluster.is_whole_without(&[first]).await;
    // A replica that comes back takes over with what it had when it went. A click that came meanwhile was answered only
    // because it is elsewhere.
    let (second, replica) = cluster.master_and_replica(&[first]).await;
    cluster.nodes[replica].kill();
    load.more(300).await;
    cluster.nodes[second].kill();
    cluster.nodes[replica].restart().await;
    cluster.is_whole_without(&[first, second]).await;
    load.more(100).await;
    assert_eq!(load.failed(), 0, "every redirect is a redirect");
    let answered = load.end().await;
    let _worker = node(&url, &folder.path().join("worker"), &["--redis-url", &urls], &["--role", "worker"]);
    all_arrive(&service, &answered).await;
}
