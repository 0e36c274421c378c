//! Clicks in numbers, and whether every one that was answered is in the store.

use crate::servers::{LONG, wait_for};
use crate::support::*;
use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tributary::clock::Clock;
use tributary::service::access::{self, Scope};
use tributary::service::catalog::{LinkInput, ProgramInput, save_link, save_program};
use tributary::service::{Tributary, doctor};
use uuid::Uuid;

/// A store with the link `a`, opened; and a key.
pub async fn with_link(database_url: &str) -> (Tributary, String) {
    let service = Tributary::open(database_url, None, Clock::system()).await.unwrap();
    let context = service.context("test");
    let mut tx = service.db.begin().await.unwrap();
    let program = ProgramInput {
        name: Some("Shop".into()),
        currency: Some("RUB".into()),
        destination_hosts: Some(vec!["shop.example".to_owned()]),
        ..ProgramInput::default()
    };
    save_program(&mut tx, &context, None, &program).await.unwrap();
    let link = LinkInput { code: Some("a".into()), url: Some("https://shop.example/".into()), ..LinkInput::default() };
    save_link(&mut tx, &context, None, &link).await.unwrap();
    let key = access::add_key(&mut tx, &context, "test", Scope::Admin).await.unwrap();
    tx.commit().await.unwrap();
    (service, key)
}

/// A node on a free port, without a rate limit; `more` comes before and after `serve` as it is written.
pub fn node(database_url: &str, data: &Path, flags: &[&str], serve: &[&str]) -> Server {
    let data = data.display().to_string();
    let mut arguments =
        vec!["--database-url", database_url, "--data-dir", &data, "--listen", "127.0.0.1:0", "--edge-rate-limit", "0"];
    arguments.extend(flags);
    arguments.push("serve");
    arguments.extend(serve);
    Server::start(&arguments)
}

/// One click; the id that its visitor was given, or what else was answered.
pub async fn click(client: &reqwest::Client, url: &str) -> Result<Uuid, String> {
    let answer = client.get(format!("{url}/r/a")).header("user-agent", BROWSER).send().await;
    let answer = answer.map_err(|error| error.to_string())?;
    let location = answer.headers().get("location").and_then(|l| l.to_str().ok()).unwrap_or_default();
    let id = location.split("trb_click=").nth(1).and_then(|id| Uuid::parse_str(id).ok());
    id.filter(|_| answer.status() == 302).ok_or_else(|| format!("{} {location}", answer.status()))
}

pub fn visitor() -> reqwest::Client {
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(20)).build().unwrap()
}

/// Visitors who click on and on, each after a short rest, on nodes that may come and go.
pub struct Load {
    end: Arc<AtomicBool>,
    answered: Arc<Mutex<HashSet<Uuid>>>,
    /// Answers that were no redirect, or connections that broke off.
    failed: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn start(urls: &[&str]) -> Load {
        let mut load = Load { end: Arc::default(), answered: Arc::default(), failed: Arc::default(), tasks: Vec::new() };
        for number in 0..12 {
            load.add(urls[number % urls.len()]);
        }
        load
    }

    fn add(&mut self, url: &str) {
        let (url, client) = (url.to_owned(), visitor());
        let (end, answered, failed) = (self.end.clone(), self.answered.clone(), self.failed.clone());
        self.tasks.push(tokio::spawn(async move {
            while !end.load(Ordering::Relaxed) {
                match click(&client, &url).await {
                    Ok(id) => {
                        answered.lock().unwrap().insert(id);
                    }
                    Err(_) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
        }));
    }

    /// Waits for so many more answers.
    pub async fn more(&self, count: usize) {
        let before = self.answered.lock().unwrap().len();
        wait_for("clicks are answered", async || (self.answered.lock().unwrap().len() >= before + count).then_some(())).await;
    }

    pub fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// Ends it; answers the clicks that were answered.
    pub async fn end(self) -> HashSet<Uuid> {
        self.end.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        std::mem::take(&mut *self.answered.lock().unwrap())
    }
}

/// The ids of all touches in the store.
pub async fn stored(service: &Tributary) -> HashSet<Uuid> {
    let ids: Result<Vec<Uuid>, tributary::store::Error> =
        async { Ok(tributary::read!(&service.db, |c| sqlx::query_scalar("SELECT id FROM touches").fetch_all(c).await)?) }.await;
    ids.unwrap().into_iter().collect()
}

/// Waits until every click that was answered is in the store, and proves the store whole.
pub async fn all_arrive(service: &Tributary, answered: &HashSet<Uuid>) {
    assert!(!answered.is_empty());
    let began = std::time::Instant::now();
    loop {
        let there = stored(service).await;
        let missing: Vec<&Uuid> = answered.difference(&there).collect();
        if missing.is_empty() {
            break;
        }
        assert!(began.elapsed() < LONG, "{} of {} clicks that were answered are missing", missing.len(), answered.len());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    whole(service).await;
}

/// Nothing that `doctor` proves is broken: each touch is counted once in its day too.
pub async fn whole(service: &Tributary) {
    let broken: Vec<String> = doctor::examine(service).await.unwrap().into_iter().flat_map(|finding| finding.broken).collect();
    assert_eq!(broken, Vec::<String>::new());
}

/// A number of `/metrics`.
pub async fn metric(url: &str, name: &str) -> f64 {
    let text = reqwest::get(format!("{url}/metrics")).await.unwrap().text().await.unwrap();
    let line =
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_else(|| panic!("{name}: {text}"));
    line.parse().unwrap()
}

/// What `/readyz` says.
pub async fn ready(url: &str) -> u16 {
    reqwest::get(format!("{url}/readyz")).await.unwrap().status().as_u16()
}
