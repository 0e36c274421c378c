//! What was answered is kept: through `kill -9`, and through a disk that is full.

use crate::support::*;
use serde_json::json;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tributary::clock::Clock;
use tributary::domain::touch::touch_id;
use tributary::service::access::{self, Scope};
use tributary::service::catalog::{LinkInput, ProgramInput, save_link, save_program};
use tributary::service::{Tributary, doctor};
use tributary::store::touch;

async fn with_link(database_url: &str) -> String {
    let service = Tributary::open(database_url, None, Clock::system()).await.unwrap();
    let context = service.context("test");
    let mut tx = service.db.begin().await.unwrap();
    let hosts = Some(vec!["shop.example".to_owned()]);
    let program = ProgramInput {
        name: Some("Shop".into()),
        currency: Some("RUB".into()),
        destination_hosts: hosts,
        ..ProgramInput::default()
    };
    save_program(&mut tx, &context, None, &program).await.unwrap();
    let link = LinkInput { code: Some("a".into()), url: Some("https://shop.example/".into()), ..LinkInput::default() };
    save_link(&mut tx, &context, None, &link).await.unwrap();
    let key = access::add_key(&mut tx, &context, "test", Scope::Admin).await.unwrap();
    tx.commit().await.unwrap();
    service.db.close().await;
    key
}

async fn no_answered_click_is_lost(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let Some(database_url) = fresh_database(kind, &folder).await else { return };
    with_link(&database_url).await;
    let data = folder.path().display().to_string();
    let arguments =
        ["--database-url", &database_url, "--data-dir", &data, "--listen", "127.0.0.1:0", "--edge-rate-limit", "0", "serve"];
    let answered: Arc<Mutex<HashSet<String>>> = Arc::default();
    for _ in 0..3 {
        let mut server = Server::start(&arguments);
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let load: Vec<_> = (0..16)
            .map(|_| {
                let (client, url, answered) = (client.clone(), format!("{}/r/a", server.url), answered.clone());
                tokio::spawn(async move {
                    let end = Instant::now() + Duration::from_secs(4);
                    while Instant::now() < end {
                        let Ok(answer) = client.get(&url).header("user-agent", BROWSER).send().await else { return };
                        assert_eq!(answer.status(), 302);
                        let location = answer.headers()["location"].to_str().unwrap();
                        answered.lock().unwrap().insert(location.split("trb_click=").nth(1).unwrap().to_owned());
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(700)).await;
        server.kill();
        for task in load {
            task.await.unwrap();
        }
    }
    // The next start moves what the last crash left.
    let server = Server::start(&arguments);
    let waiting = reqwest::get(format!("{}/readyz", server.url)).await.unwrap();
    assert_eq!(waiting.status(), 200);
    drop(server);
    let service = Tributary::open(&database_url, None, Clock::system()).await.unwrap();
    let answered = answered.lock().unwrap().clone();
    assert!(answered.len() > 300, "only {} clicks were answered", answered.len());
    let mut missing = 0;
    for click in &answered {
        missing += usize::from(touch::by_id(&service.db, touch_id(click)).await.unwrap().is_none());
    }
    assert_eq!(missing, 0, "of {} answered", answered.len());
    assert!(doctor::examine(&service).await.unwrap().iter().all(|f| f.broken.is_empty()));
}

mod kill_dash_nine_loses_no_click_that_was_answered {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite() {
        no_answered_click_is_lost(Kind::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        no_answered_click_is_lost(Kind::Postgres).await;
    }
}

/// A file system of its own that can be filled up; unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None`, with a word about it, where mounting is not allowed.
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mounted =
            std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|m| m.status.success()) {
            return Some(SmallDisk(folder));
        }
        eprintln!("skipped: a file system cannot be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_named_and_leaves_nothing_half_written() {
    let Some(disk) = SmallDisk::mount() else { return };
    let folder = disk.0.path();
    let database_url = format!("sqlite://{}", folder.join("tributary.db").display());
    let key = with_link(&database_url).await;
    let server = Server::start(&["--database-url", &database_url, "--listen", "127.0.0.1:0", "serve"]);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let order = async |id: String| {
        let body = json!({ "external_id": id, "placed_at": "2026-01-01T00:00:00Z", "currency": "RUB", "total": "1.00", "metadata": { "x": "y".repeat(100_000) } });
        let answer = client.post(format!("{}/v1/orders", server.url)).bearer_auth(&key).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    assert_eq!(order("D-0".into()).await.0, 201);
    let filler = folder.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
    let mut stored = vec!["D-0".to_owned()];
    let mut refused = Vec::new();
    for number in 1..200 {
        let id = format!("D-{number}");
        match order(id.clone()).await {
            (201, _) => stored.push(id),
            (503, problem) => {
                assert_eq!(problem["type"], "about:tributary/disk-full", "{problem}");
                refused.push(id);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused.len(), 1, "the disk never filled up");
    // The redirect goes on; the hit waits in memory until there is room again.
    let clicked = client.get(format!("{}/r/a", server.url)).header("user-agent", BROWSER).send().await.unwrap();
    assert_eq!(clicked.status(), 302);
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    for id in &refused {
        assert_eq!(order(id.clone()).await.0, 201, "nothing of it was there");
        stored.push(id.clone());
    }
    let listed = client.get(format!("{}/v1/orders?limit=1000", server.url)).bearer_auth(&key).send().await.unwrap();
    let listed: serde_json::Value = listed.json().await.unwrap();
    assert_eq!(listed["data"].as_array().unwrap().len(), stored.len());
    drop(server);
    assert_eq!(run(&["--database-url", &database_url, "doctor"], "").0, 0);
}
