//! A real service on a port of its own, over a database of its own; tests act over HTTP.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tributary::clock::Clock;
use tributary::config::{NodeRole, SpoolKind};
use tributary::service::access::{self, Scope};
use tributary::service::{Tributary, doctor};
use tributary::store::Dialect;
use tributary::web::server::{Running, Start, start};

/// A browser, as far as anybody can tell.
pub const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.175 Safari/537.36";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Makes `name::sqlite` and `name::postgres` of one body.
macro_rules! both_stores {
    ($(async fn $name:ident($app:ident: &TestApp) $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn body($app: &TestApp) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let app = TestApp::spawn($crate::support::Kind::Sqlite).await.unwrap();
                body(&app).await;
                app.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some(app) = TestApp::spawn($crate::support::Kind::Postgres).await else { return };
                body(&app).await;
                app.finish().await;
            }
        }
    )*};
}

/// An empty database. `None`, with a word about it, where there is no PostgreSQL; in CI that is a failure.
pub async fn fresh_database(kind: Kind, folder: &TempDir) -> Option<String> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    if kind == Kind::Sqlite {
        return Some(format!("sqlite://{}", folder.path().join("tributary.db").display()));
    }
    let Ok(server) = std::env::var("TRIBUTARY_TEST_POSTGRES") else {
        assert!(std::env::var("CI").is_err(), "TRIBUTARY_TEST_POSTGRES is not set");
        eprintln!("skipped: TRIBUTARY_TEST_POSTGRES is not set");
        return None;
    };
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let pool = sqlx::PgPool::connect(&server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.unwrap();
    pool.close().await;
    let (base, _) = server.rsplit_once('/').unwrap();
    Some(format!("{base}/{name}"))
}

/// The service under test.
pub struct TestApp {
    pub service: Tributary,
    pub clock: Clock,
    pub database_url: String,
    pub folder: TempDir,
    key: String,
    client: Client,
    running: Running,
}

impl TestApp {
    pub async fn spawn(kind: Kind) -> Option<TestApp> {
        TestApp::spawn_at(kind, "2026-11-22T12:00:00Z").await
    }

    /// A service whose clock stands at an instant.
    pub async fn spawn_at(kind: Kind, now: &str) -> Option<TestApp> {
        let folder = tempfile::tempdir().unwrap();
        let database_url = fresh_database(kind, &folder).await?;
        let clock = Clock::standing_at(now.parse::<DateTime<Utc>>().unwrap());
        let service = Tributary::open(&database_url, None, clock.clone()).await.unwrap();
        let mut tx = service.db.begin().await.unwrap();
        let key = access::add_key(&mut tx, &service.context("test"), "test", Scope::Admin).await.unwrap();
        tx.commit().await.unwrap();
        let running = start(service.clone(), start_settings(folder.path().join("spool.db"))).await.unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Some(TestApp { service, clock, database_url, folder, key, client, running })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.address)
    }

    /// A key of a smaller scope.
    pub async fn key(&self, scope: Scope) -> String {
        let mut tx = self.service.db.begin().await.unwrap();
        let key = access::add_key(&mut tx, &self.service.context("test"), "other", scope).await.unwrap();
        tx.commit().await.unwrap();
        key
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.key)
    }

    /// Somebody without a key, who follows no redirect.
    pub fn visitor(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path)).header("user-agent", BROWSER)
    }

    async fn answer(response: Response) -> (u16, Value) {
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        Self::answer(self.request(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        Self::answer(self.request(Method::PATCH, path).json(&body).send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = Self::answer(self.request(Method::GET, path).send().await.unwrap()).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// Posts what must be taken, and answers it.
    pub async fn make(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body.clone()).await;
        assert!((200..300).contains(&status), "POST {path} {body}: {status} {answer}");
        answer
    }

    /// Posts what must be refused; answers the status and the pointers of the errors.
    pub async fn refused(&self, path: &str, body: Value) -> (u16, Vec<String>) {
        let (status, answer) = self.post(path, body.clone()).await;
        assert!(status >= 400, "POST {path} {body} was taken: {answer}");
        let pointers = answer["errors"].as_array().into_iter().flatten().map(|e| e["pointer"].as_str().unwrap().to_owned());
        (status, pointers.collect())
    }

    /// A click on a link; answers where it leads and its click id.
    pub async fn click(&self, code: &str) -> (String, String) {
        let response = self.visitor(Method::GET, &format!("/r/{code}")).send().await.unwrap();
        assert_eq!(response.status(), 302);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let click_id = location.split("trb_click=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        (location, click_id)
    }

    /// Waits until every hit is in the store.
    pub async fn mover_done(&self) {
        self.running.app.mover.move_all().await.unwrap();
    }

    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    pub fn now(&self) -> String {
        self.clock.now().to_rfc3339()
    }

    /// A program in roubles, a partner with a link and a code, and 10 % for all.
    pub async fn set_up(&self) -> Value {
        let program = self
            .make(
                "/v1/programs",
                json!({ "name": "Shop", "currency": "RUB", "destination_hosts": ["shop.example"], "hold_days": 14 }),
            )
            .await;
        let partner = self.make("/v1/partners", json!({ "name": "Anna", "email": "anna@blog.example" })).await;
        let link = self
            .make(
                "/v1/links",
                json!({ "program": program["id"], "partner": partner["id"], "code": "anna", "url": "https://shop.example/" }),
            )
            .await;
        let promo = self
            .make(
                "/v1/promo-codes",
                json!({ "program": program["id"], "partner": partner["id"], "code": "ANNA10", "discount": { "percent": "10" } }),
            )
            .await;
        let rule = self.make("/v1/commission-rules", json!({ "program": program["id"], "percent": "10" })).await;
        json!({ "program": program["id"], "partner": partner["id"], "link": link["id"], "promo": promo["id"], "rule": rule["id"] })
    }

    /// What `doctor` finds broken.
    pub async fn broken(&self) -> Vec<String> {
        let findings = doctor::examine(&self.service).await.unwrap();
        findings.into_iter().flat_map(|f| f.broken.into_iter().map(move |b| format!("{}: {b}", f.what))).collect()
    }

    /// Does to the store what the service and the store's own guards would refuse.
    pub async fn behind_its_back(&self, sql: &str) {
        let mut tx = self.service.db.begin().await.unwrap();
        let guards: Vec<(String, String)> = match tx.dialect() {
            Dialect::Sqlite => {
                let all = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
                tributary::run!(tx, |c| sqlx::query_as(all).fetch_all(c).await).unwrap()
            }
            Dialect::Postgres => {
                tributary::exec!(tx, sqlx::query("SET LOCAL session_replication_role = replica")).unwrap();
                Vec::new()
            }
        };
        let dropped = guards.iter().map(|(name, _)| format!("DROP TRIGGER {name}"));
        let made_again = guards.iter().map(|(_, sql)| sql.clone());
        for statement in dropped.chain([sql.to_owned()]).chain(made_again) {
            tributary::exec!(tx, sqlx::query(sqlx::AssertSqlSafe(statement.clone()))).unwrap();
        }
        tx.commit().await.unwrap();
    }

    /// Ends the service; `doctor` must find nothing, whatever the test did.
    pub async fn finish(self) {
        assert_eq!(self.broken().await, Vec::<String>::new());
        self.running.stop().await;
    }
}

/// Settings of a node under test: a free port, no rate limit, one thread.
pub fn start_settings(spool_path: PathBuf) -> Start {
    Start {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        spool_path,
        public_url: None,
        edge_rate_limit: 0,
        trusted_proxies: Vec::new(),
        country_header: None,
        geoip_database: None,
        role: NodeRole::All,
        threads: Some(1),
        spool_limit: 0,
        spool: SpoolKind::Disk,
        redis_url: None,
        hold_mover: false,
        ip_retention_days: 90,
        ready_lag: std::time::Duration::from_secs(300),
    }
}

/// The balances of a partner's statement of the clock's month, in its only currency: held, available, in payment.
pub fn balances(statement: &Value) -> (String, String, String) {
    let of = |name: &str| statement["data"][0][name]["amount"].as_str().unwrap_or("0.00").to_owned();
    (of("held"), of("available"), of("in_payment"))
}

/// The built program, as a person runs it.
pub fn tributary(arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tributary"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TRIBUTARY_")) {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs the program to its end: exit code, standard output, standard error.
pub fn run(arguments: &[&str], input: &str) -> (i32, String, String) {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = tributary(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A running `serve` or `demo`, killed when dropped.
pub struct Server {
    child: std::process::Child,
    pub url: String,
    /// The first line it printed.
    pub first_line: String,
}

impl Server {
    pub fn start(arguments: &[&str]) -> Server {
        Server::of(tributary(arguments))
    }

    /// One that a limit on the size of its files does not kill: its writes fail instead.
    pub fn start_patient(arguments: &[&str]) -> Server {
        let program = tributary(arguments);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#]).arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Server::of(command)
    }

    fn of(mut command: std::process::Command) -> Server {
        use std::io::BufRead;
        use std::process::Stdio;
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first_line = String::new();
        std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first_line).unwrap();
        let url = first_line.split("http://").nth(1).and_then(|rest| rest.split([' ', '"', ')']).next()).unwrap_or_default();
        Server { url: format!("http://{url}"), child, first_line }
    }

    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
