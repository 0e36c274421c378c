//! The disk takes nothing any more, and later does again.

use super::nodes::on_both_stores;
use crate::load::*;
use crate::servers::wait_for;
use crate::support::*;
use rustix::process::{Resource, Rlimit, prlimit};

const NOT_DURABLE: &str = "tributary_hits_not_durable_total";

on_both_stores! {
    a_full_disk_stops_no_redirect_and_loses_nothing_that_memory_holds: full_and_empty_again;
}

/// No file of the process may grow: the kernel refuses its writes as a full disk does.
async fn full_and_empty_again(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(url) = fresh_database(kind, &folder).await else { return };
    let (service, _) = with_link(&url).await;
    let node = Server::start_patient(&[
        "--database-url",
        &url,
        "--data-dir",
        &folder.path().display().to_string(),
        "--listen",
        "127.0.0.1:0",
        "--edge-rate-limit",
        "0",
        "serve",
    ]);
    let client = visitor();
    let mut answered = std::collections::HashSet::from([click(&client, &node.url).await.unwrap()]);
    all_arrive(&service, &answered).await;
    let limit = |bytes| prlimit(Some(node.pid()), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    limit(Some(0));
    for count in 1..=60 {
        answered.insert(click(&client, &node.url).await.expect("the redirect goes on"));
        assert_eq!(metric(&node.url, NOT_DURABLE).await, f64::from(count), "each is counted once");
    }
    // What has a sender who can send it again is refused.
    let event = client.post(format!("{}/e", node.url)).body(r#"{"type":"visit","url":"https://shop.example/"}"#);
    assert_eq!(event.send().await.unwrap().status(), 503);
    assert_eq!(stored(&service).await.len(), 1);
    limit(None);
    wait_for("the disk takes hits again", async || {
        let before = metric(&node.url, NOT_DURABLE).await;
        answered.insert(click(&client, &node.url).await.unwrap());
        (metric(&node.url, NOT_DURABLE).await == before).then_some(())
    })
    .await;
    all_arrive(&service, &answered).await;
    assert_eq!(stored(&service).await, answered, "and nothing else");
}
