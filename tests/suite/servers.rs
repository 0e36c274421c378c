//! Servers that a test has for itself and may kill: Redis, a cluster of it, PostgreSQL. Each ends with its owner.

use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a test waits for what must come, however slow the machine is.
pub const LONG: Duration = Duration::from_secs(90);

/// Asks again and again until the answer is there.
pub async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(began.elapsed() < LONG, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// A port that is free now, below those that the system hands out by itself.
fn free_port() -> u16 {
    for _ in 0..200 {
        let port = rand::random_range(12_000..22_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// A process that is killed, by its own id, when its owner goes.
#[derive(Default)]
struct Owned(Option<Child>);

impl Owned {
    fn kill(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|ended| ended.is_some()))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Redis of one's own that keeps what it is given, `everysec`.
pub struct RedisServer {
    process: Owned,
    folder: TempDir,
    arguments: Vec<String>,
    pub port: u16,
}

impl RedisServer {
    /// `None`, with a word about it, where there is no Redis; in CI that is a failure.
    pub async fn start(arguments: &[&str]) -> Option<RedisServer> {
        if Command::new("redis-server").arg("--version").output().is_err() {
            assert!(std::env::var("CI").is_err(), "redis-server is not here");
            eprintln!("skipped: redis-server is not here");
            return None;
        }
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server =
            RedisServer { process: Owned::default(), folder: tempfile::tempdir().unwrap(), arguments, port: free_port() };
        for _ in 0..20 {
            server.spawn();
            if server.answers().await {
                return Some(server);
            }
            server.port = free_port();
        }
        panic!("redis-server does not start");
    }

    fn spawn(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "yes"]);
        command.args(&self.arguments).arg("--dir").arg(self.folder.path());
        self.process = Owned(Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()));
    }

    /// Waits until it answers; `false` if it ended instead.
    async fn answers(&mut self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        let began = Instant::now();
        while began.elapsed() < LONG && !self.process.has_ended() {
            if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        false
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub async fn restart(&mut self) {
        self.spawn();
        assert!(self.answers().await, "redis-server does not start again");
    }

    /// What a command answers.
    pub async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }
}

/// A replica stands in however old what it has is.
const CLUSTERED: [&str; 6] =
    ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-replica-validity-factor", "0"];

/// Three masters with a replica each.
pub struct RedisCluster {
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    pub async fn start() -> Option<RedisCluster> {
        let mut nodes = Vec::new();
        for _ in 0..6 {
            nodes.push(RedisServer::start(&CLUSTERED).await?);
        }
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]).args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        let made = create.args(["--cluster-replicas", "1", "--cluster-yes"]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        let cluster = RedisCluster { nodes };
        for node in &cluster.nodes {
            wait_for("the cluster is made", async || {
                let state: String = node.ask(&["CLUSTER", "INFO"]).await;
                let role: String = node.ask(&["INFO", "replication"]).await;
                let followed = role.contains("master_link_status:up") || role.contains("connected_slaves:1");
                (state.contains("cluster_state:ok") && followed).then_some(())
            })
            .await;
        }
        Some(cluster)
    }

    /// The addresses, as `--redis-url` takes them.
    pub fn urls(&self) -> String {
        self.nodes.iter().map(RedisServer::url).collect::<Vec<_>>().join(",")
    }

    /// A master that has a replica, and that; `dead` are left out.
    pub async fn master_and_replica(&self, dead: &[usize]) -> (usize, usize) {
        for (number, node) in self.nodes.iter().enumerate().filter(|(number, _)| !dead.contains(number)) {
            let role: String = node.ask(&["INFO", "replication"]).await;
            let followed = role.lines().find_map(|line| line.trim().strip_prefix("master_port:")?.parse::<u16>().ok());
            let master = self.nodes.iter().position(|node| Some(node.port) == followed);
            if let Some(master) = master.filter(|master| !dead.contains(master)) {
                return (master, number);
            }
        }
        panic!("no master has a replica");
    }

    /// Waits until those who live serve every slot.
    pub async fn is_whole_without(&self, dead: &[usize]) {
        wait_for("replicas take over", async || {
            for node in self.nodes.iter().enumerate().filter(|(number, _)| !dead.contains(number)).map(|(_, node)| node) {
                // Who has just died may still stand as alive.
                let nodes: String = node.ask(&["CLUSTER", "NODES"]).await;
                let is_dead = |line: &str| dead.iter().any(|dead| line.contains(&format!(":{}@", self.nodes[*dead].port)));
                let serves = |line: &&str| line.contains("master") && !line.contains("fail") && !is_dead(line);
                let alive = nodes.lines().filter(serves).count();
                let state: String = node.ask(&["CLUSTER", "INFO"]).await;
                if alive < 3 || !state.contains("cluster_state:ok") {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }
}

/// A PostgreSQL of one's own that syncs its commits.
pub struct PostgresServer {
    process: Owned,
    folder: TempDir,
    programs: String,
    /// Who it runs as, where the test is root.
    owner: Option<(u32, u32)>,
    pub port: u16,
}

impl PostgresServer {
    /// `None` where tests have no PostgreSQL.
    pub async fn start() -> Option<PostgresServer> {
        if std::env::var("TRIBUTARY_TEST_POSTGRES").is_err() {
            assert!(std::env::var("CI").is_err(), "TRIBUTARY_TEST_POSTGRES is not set");
            eprintln!("skipped: TRIBUTARY_TEST_POSTGRES is not set");
            return None;
        }
        let found = Command::new("scripts/find-postgres.sh").output().unwrap();
        let programs = String::from_utf8(found.stdout).unwrap().trim().to_owned();
        let number = |option: &str| {
            let answer = Command::new("id").args([option, "postgres"]).output().unwrap();
            String::from_utf8(answer.stdout).unwrap().trim().parse::<u32>().ok()
        };
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL refuses to run as root: then its user does.
        let owner = rustix::process::getuid().is_root().then(|| (number("-u").unwrap(), number("-g").unwrap()));
        if let Some((user, group)) = owner {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let mut server = PostgresServer { process: Owned::default(), folder, programs, owner, port: free_port() };
        let made = server
            .program("initdb")
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(server.folder.path().join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        for _ in 0..20 {
            server.spawn();
            if server.answers().await {
                return Some(server);
            }
            server.port = free_port();
        }
        panic!("PostgreSQL does not start");
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(Path::new(&self.programs).join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn spawn(&mut self) {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.folder.path().join("data")).arg("-k").arg(self.folder.path());
        command.args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on"]);
        self.process = Owned(Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()));
    }

    async fn answers(&mut self) -> bool {
        use sqlx::Connection;
        let began = Instant::now();
        while began.elapsed() < LONG && !self.process.has_ended() {
            if let Ok(connection) = sqlx::PgConnection::connect(&self.url()).await {
                let _ = connection.close().await;
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// `kill -9` of the server and of everything it started.
    pub fn kill(&mut self) {
        let Some(postmaster) = self.process.0.as_ref().map(Child::id) else { return };
        let children = children_of(postmaster);
        self.process.kill();
        for child in children {
            if let Some(child) = Pid::from_raw(child) {
                let _ = kill_process(child, Signal::KILL);
            }
        }
    }

    /// Ends it in order, cutting off who is connected.
    pub fn stop(&mut self) {
        if let Some(child) = &mut self.process.0 {
            let _ = kill_process(Pid::from_child(child), Signal::INT);
            let _ = child.wait();
        }
        self.process = Owned::default();
    }

    pub async fn restart(&mut self) {
        let began = Instant::now();
        loop {
            self.spawn();
            if self.answers().await {
                return;
            }
            // What the killed one left may take a moment to go.
            assert!(began.elapsed() < LONG, "PostgreSQL does not start again");
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn children_of(parent: u32) -> Vec<i32> {
    let mut children = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets may hold anything; the state and the parent follow it.
        let parent_of = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent_of == Some(parent) {
            children.push(pid);
        }
    }
    children
}
