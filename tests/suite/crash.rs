//! A disk that is full is named, and leaves nothing half written.

use crate::load::with_link;
use crate::support::*;
use serde_json::json;

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
    let (service, key) = with_link(&database_url).await;
    service.db.close().await;
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
