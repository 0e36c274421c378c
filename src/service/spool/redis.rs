//! The spool in Redis Streams, for nodes without a durable disk: an entry a hit, read by the workers as one consumer
//! group. On a cluster it is a stream for each of some hash-tagged shards.
//!
//! How durable it is, Redis's own settings say: with `appendfsync always` an answered hit outlives the machine; with
//! `everysec` a crash of the machine may cost the last second, and a killed Redis up to two, for it puts off writing its log
//! while the disk is slow to sync; without `appendonly` nothing is put here. On a cluster with replicas a hit is answered when a replica has it too.

use super::NotDurable;
use super::shards::Shards;
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::streams::{StreamAutoClaimReply, StreamReadReply};
use redis::{Client, Cmd, Pipeline, RedisError, RedisFuture, Value, cmd};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

const GROUP: &str = "tributary";
/// Streams on a cluster; one elsewhere.
const SHARDS: usize = 12;
const RESPONSE: Duration = Duration::from_millis(500);
/// What a worker has read and not acknowledged for this long, another takes over.
const ABANDONED: Duration = Duration::from_secs(15);
/// How long a replica may take to have a hit, in milliseconds.
const REPLICA_MILLIS: u32 = 200;

/// What was found out about the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nature {
    cluster: bool,
    /// A replica follows the masters.
    replicas: bool,
}

/// The spool in Redis. Clones share it.
#[derive(Clone)]
pub struct RedisSpool {
    shared: Arc<Shared>,
}

struct Shared {
    /// Tells connections of one spool from those of another in a thread.
    number: u64,
    addresses: Vec<String>,
    nature: Mutex<Option<Nature>>,
    up: AtomicBool,
    /// The shards of a cluster.
    shards: Shards<SHARDS>,
    started: Instant,
    /// The queues of the shards of a cluster.
    queues: Mutex<Vec<mpsc::UnboundedSender<Queued>>>,
    appended: AtomicU64,
    failed: AtomicU64,
}

impl Shared {
    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

type Queued = (Vec<u8>, oneshot::Sender<Result<(), NotDurable>>);

/// One server or a cluster behind one face.
#[derive(Clone)]
enum Connection {
    One(ConnectionManager),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Connection::One(connection) => connection.req_packed_command(cmd),
            Connection::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(&'a mut self, pipeline: &'a Pipeline, offset: usize, count: usize) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Connection::One(connection) => connection.req_packed_commands(pipeline, offset, count),
            Connection::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        0
    }
}

thread_local! {
    /// A connection of each HTTP thread, so that no hit crosses to another thread and back.
    static CONNECTIONS: RefCell<HashMap<u64, Connection>> = RefCell::new(HashMap::new());
}

fn stream(shard: usize) -> String {
    format!("tributary:{{{shard}}}:hits")
}

/// The slot of a shard's stream: that of the hash tag in its name
/// (<https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>).
fn slot_of(shard: usize) -> u16 {
    crc16::State::<crc16::XMODEM>::calculate(shard.to_string().as_bytes()) % 16_384
}

impl RedisSpool {
    /// `addresses`: one `redis://…`, or several of a cluster with commas between. Nothing is connected yet.
    pub fn new(addresses: &str) -> Result<RedisSpool, RedisError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let addresses: Vec<String> =
            addresses.split(',').map(|address| address.trim().to_owned()).filter(|a| !a.is_empty()).collect();
        for address in &addresses {
            Client::open(address.as_str())?;
        }
        Ok(RedisSpool {
            shared: Arc::new(Shared {
                number: NUMBER.fetch_add(1, Ordering::Relaxed),
                addresses,
                nature: Mutex::new(None),
                up: AtomicBool::new(false),
                shards: Shards::default(),
                started: Instant::now(),
                queues: Mutex::default(),
                appended: AtomicU64::new(0),
                failed: AtomicU64::new(0),
            }),
        })
    }

    /// Whether hits are put here now.
    pub fn is_up(&self) -> bool {
        self.shared.up.load(Ordering::Relaxed)
    }

    pub fn appended(&self) -> u64 {
        self.shared.appended.load(Ordering::Relaxed)
    }

    /// How many hits went elsewhere because Redis did not take them.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Looks whether Redis is there and keeps what it is given; to be called every second.
    pub async fn tend(&self) {
        if self.is_up() {
            return;
        }
        match tokio::time::timeout(Duration::from_secs(3), self.examine()).await {
            Ok(Ok(nature)) => {
                let known = self.shared.nature.lock().unwrap_or_else(PoisonError::into_inner).replace(nature);
                if known.is_none() {
                    tracing::info!(cluster = nature.cluster, replicas = nature.replicas, "hits go to Redis");
                }
                self.shared.up.store(true, Ordering::Release);
            }
            Ok(Err(error)) => tracing::warn!(%error, "Redis does not take hits; they go to the disk"),
            Err(_) => tracing::warn!("Redis does not answer; hits go to the disk"),
        }
    }

    async fn examine(&self) -> anyhow::Result<Nature> {
        let mut last = anyhow::anyhow!("there is no address");
        for address in &self.shared.addresses {
            match examine_one(address).await {
                Ok(nature) => return Ok(nature),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn nature(&self) -> Option<Nature> {
        *self.shared.nature.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shards(&self) -> usize {
        if self.nature().is_some_and(|nature| nature.cluster) { SHARDS } else { 1 }
    }

    async fn connect(&self) -> Result<Connection, RedisError> {
        if self.nature().is_some_and(|nature| nature.cluster) {
            let client = ClusterClient::builder(self.shared.addresses.clone())
                .connection_timeout(RESPONSE)
                .response_timeout(RESPONSE + Duration::from_millis(u64::from(REPLICA_MILLIS)))
                .retries(1)
                .build()?;
            return Ok(Connection::Cluster(client.get_async_connection().await?));
        }
        let address = self.shared.addresses.first().map_or("", String::as_str);
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(RESPONSE))
            .set_response_timeout(Some(RESPONSE))
            .set_number_of_retries(1);
        Ok(Connection::One(Client::open(address)?.get_connection_manager_with_config(config).await?))
    }

    /// This thread's connection.
    async fn connection(&self) -> Result<Connection, RedisError> {
        let number = self.shared.number;
        if let Some(known) = CONNECTIONS.with_borrow(|connections| connections.get(&number).cloned()) {
            return Ok(known);
        }
        let fresh = self.connect().await?;
        CONNECTIONS.with_borrow_mut(|connections| connections.insert(number, fresh.clone()));
        Ok(fresh)
    }

    /// Puts a record into Redis. An error says nothing: the record may be there all the same, and is stored once by its id.
    pub async fn append(&self, record: &[u8]) -> Result<(), NotDurable> {
        if !self.is_up() {
            return Err(NotDurable);
        }
        let appended = match self.nature() {
            Some(Nature { cluster: true, .. }) => self.append_to_shard(record).await,
            _ => self.append_to_one(record).await,
        };
        match appended {
            Ok(()) => {
                self.shared.appended.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(NotDurable) => {
                self.shared.failed.fetch_add(1, Ordering::Relaxed);
                Err(NotDurable)
            }
        }
    }

    async fn append_to_one(&self, record: &[u8]) -> Result<(), NotDurable> {
        let mut connection = self.connection().await.map_err(|error| self.failed_with(&error))?;
        let mut add = cmd("XADD");
        add.arg("tributary:{0}:hits").arg("*").arg("h").arg(record);
        connection.req_packed_command(&add).await.map_err(|error| self.failed_with(&error))?;
        Ok(())
    }

    /// Says it once, and lets hits go to the disk until [`RedisSpool::tend`] finds Redis well.
    fn failed_with(&self, error: &RedisError) -> NotDurable {
        if self.shared.up.swap(false, Ordering::AcqRel) {
            tracing::warn!(%error, "Redis does not take hits; they go to the disk");
        }
        NotDurable
    }

    async fn append_to_shard(&self, record: &[u8]) -> Result<(), NotDurable> {
        let (answer, answered) = oneshot::channel();
        {
            let mut queues = self.shared.queues.lock().unwrap_or_else(PoisonError::into_inner);
            if queues.is_empty() {
                *queues = (0..SHARDS).map(|shard| self.start_shard(shard)).collect();
            }
            let shard = self.shared.shards.pick(self.shared.now()).ok_or(NotDurable)?;
            queues[shard].send((record.to_vec(), answer)).map_err(|_| NotDurable)?;
        }
        answered.await.unwrap_or(Err(NotDurable))
    }

    /// Writes what comes for one shard, everything queued at once, and waits for a replica.
    fn start_shard(&self, shard: usize) -> mpsc::UnboundedSender<Queued> {
        let (queue, mut incoming) = mpsc::unbounded_channel::<Queued>();
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            let mut connection = None;
            let mut queued = Vec::new();
            while incoming.recv_many(&mut queued, 1_000).await > 0 {
                let Some(shared) = shared.upgrade() else { return };
                let spool = RedisSpool { shared };
                let result = spool.write_shard(&mut connection, shard, &queued).await;
                match &result {
                    Ok(()) => spool.shared.shards.well(shard),
                    Err(error) => {
                        // The other shards may well be there: only these hits go to the disk.
                        tracing::warn!(%error, shard, "a shard of Redis does not take hits; they go to the disk");
                        spool.shared.shards.failed(shard, spool.shared.now());
                        connection = None;
                    }
                }
                for (_, answer) in queued.drain(..) {
                    let _ = answer.send(if result.is_ok() { Ok(()) } else { Err(NotDurable) });
                }
            }
        });
        queue
    }

    async fn write_shard(&self, known: &mut Option<ClusterConnection>, shard: usize, queued: &[Queued]) -> anyhow::Result<()> {
        let connection = match known {
            Some(connection) => connection,
            None => match self.connect().await? {
                Connection::Cluster(fresh) => known.insert(fresh),
                Connection::One(_) => anyhow::bail!("it is no cluster any more"),
            },
        };
        let key = stream(shard);
        let mut pipeline = Pipeline::with_capacity(queued.len() + 1);
        for (record, _) in queued {
            pipeline.add_command(cmd("XADD").arg(&key).arg("*").arg("h").arg(record.as_slice()).take());
        }
        let replicas = self.nature().is_some_and(|nature| nature.replicas);
        if replicas {
            pipeline.add_command(cmd("WAIT").arg(1).arg(REPLICA_MILLIS).take());
        }
        let count = queued.len() + usize::from(replicas);
        let route = SingleNodeRoutingInfo::SpecificNode(Route::new(slot_of(shard), SlotAddr::Master));
        let answers = connection.route_pipeline(pipeline, 0, count, route).await?;
        let added =
            answers.iter().take(queued.len()).all(|answer| matches!(answer, Value::BulkString(_) | Value::SimpleString(_)));
        anyhow::ensure!(added, "an entry was not added");
        if replicas {
            let held = matches!(answers.last(), Some(Value::Int(replicas)) if *replicas >= 1);
            anyhow::ensure!(held, "no replica has the hits");
        }
        Ok(())
    }

    /// The end that reads, as one of the group.
    pub fn reader(&self) -> RedisReader {
        let consumer = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
        RedisReader {
            spool: self.clone(),
            consumer,
            connection: None,
            grouped: [false; SHARDS],
            claimed: Instant::now() - ABANDONED,
        }
    }
}

async fn examine_one(address: &str) -> anyhow::Result<Nature> {
    let mut connection = Client::open(address)?.get_multiplexed_async_connection().await?;
    let info: String = cmd("INFO").query_async(&mut connection).await?;
    let says = |line: &str| info.lines().any(|l| l.trim() == line);
    let cluster = says("cluster_enabled:1");
    let settings: Result<HashMap<String, String>, RedisError> =
        cmd("CONFIG").arg("GET").arg("append*").query_async(&mut connection).await;
    match settings {
        Ok(settings) if settings.get("appendonly").map(String::as_str) == Some("no") => {
            anyhow::bail!("appendonly is off: what Redis holds would not outlive it")
        }
        Ok(settings) => {
            let appendfsync = settings.get("appendfsync").cloned().unwrap_or_default();
            tracing::info!(%appendfsync, "Redis keeps what it is given; with everysec a crash of it may cost the last two seconds");
        }
        Err(_) => tracing::warn!("Redis does not tell its settings; make sure that appendonly is on"),
    }
    let mut replicas = info.lines().any(|l| l.strip_prefix("connected_slaves:").is_some_and(|n| n.trim() != "0"));
    if cluster {
        let nodes: String = cmd("CLUSTER").arg("NODES").query_async(&mut connection).await?;
        replicas = nodes.lines().any(|node| node.contains("slave"));
    }
    Ok(Nature { cluster, replicas })
}

/// Entries of one shard.
pub struct RedisRows {
    shard: usize,
    ids: Vec<String>,
    pub records: Vec<Vec<u8>>,
}

/// Reads hits out of Redis, as one of the group of workers: each goes to one of them, and to another if that one is gone.
pub struct RedisReader {
    spool: RedisSpool,
    consumer: String,
    connection: Option<Connection>,
    /// Whose group is there.
    grouped: [bool; SHARDS],
    claimed: Instant,
}

impl RedisReader {
    async fn connection(&mut self) -> Result<Connection, RedisError> {
        match &self.connection {
            Some(connection) => Ok(connection.clone()),
            None => {
                let fresh = self.spool.connect().await?;
                self.connection = Some(fresh.clone());
                Ok(fresh)
            }
        }
    }

    /// Entries that nobody has read, or that one who is gone had read: about `count` a shard. A shard that does not answer
    /// keeps nobody from those of the others.
    pub async fn read(&mut self, count: usize) -> Result<Vec<RedisRows>, RedisError> {
        if self.spool.nature().is_none() {
            return Ok(Vec::new());
        }
        let mut connection = self.connection().await?;
        let claim = self.claimed.elapsed() >= ABANDONED / 3;
        let (mut found, mut failed) = (Vec::new(), None);
        for shard in 0..self.spool.shards() {
            match self.read_shard(&mut connection, shard, count, claim).await {
                Ok(rows) => found.extend(rows),
                Err(error) => {
                    tracing::warn!(%error, shard, "hits in a shard of Redis cannot be read; it is tried again");
                    failed = Some(error);
                }
            }
        }
        if claim {
            self.claimed = Instant::now();
        }
        match failed {
            Some(error) => {
                (self.connection, self.grouped) = (None, [false; SHARDS]);
                if found.is_empty() { Err(error) } else { Ok(found) }
            }
            None => Ok(found),
        }
    }

    async fn read_shard(
        &mut self,
        connection: &mut Connection,
        shard: usize,
        count: usize,
        claim: bool,
    ) -> Result<Option<RedisRows>, RedisError> {
        let key = stream(shard);
        if !self.grouped[shard] {
            let mut create = cmd("XGROUP");
            create.arg("CREATE").arg(&key).arg(GROUP).arg("0").arg("MKSTREAM");
            let made: Result<(), RedisError> = create.query_async(connection).await;
            if let Err(error) = made
                && error.code() != Some("BUSYGROUP")
            {
                return Err(error);
            }
            self.grouped[shard] = true;
        }
        let mut entries = Vec::new();
        if claim {
            let mut ask = cmd("XAUTOCLAIM");
            ask.arg(&key).arg(GROUP).arg(&self.consumer).arg(ABANDONED.as_millis() as u64).arg("0-0").arg("COUNT").arg(count);
            let reply: StreamAutoClaimReply = ask.query_async(connection).await?;
            entries.extend(reply.claimed);
        }
        let mut ask = cmd("XREADGROUP");
        ask.arg("GROUP").arg(GROUP).arg(&self.consumer).arg("COUNT").arg(count).arg("STREAMS").arg(&key).arg(">");
        let reply: Option<StreamReadReply> = ask.query_async(connection).await?;
        entries.extend(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids));
        if entries.is_empty() {
            return Ok(None);
        }
        let (ids, records) = entries.into_iter().map(|entry| (entry.id.clone(), entry.get("h").unwrap_or_default())).unzip();
        Ok(Some(RedisRows { shard, ids, records }))
    }

    /// These entries are in the store: they go.
    pub async fn acknowledge(&mut self, rows: &RedisRows) -> Result<(), RedisError> {
        let mut connection = self.connection().await?;
        let key = stream(rows.shard);
        let mut pipeline = redis::pipe();
        pipeline.cmd("XACK").arg(&key).arg(GROUP).arg(&rows.ids).ignore().cmd("XDEL").arg(&key).arg(&rows.ids).ignore();
        let done: Result<(), RedisError> = pipeline.query_async(&mut connection).await;
        if done.is_err() {
            self.connection = None;
        }
        done
    }

    /// When the oldest entry came, in microseconds; `None` if there is none.
    pub async fn oldest_micros(&mut self) -> Result<Option<i64>, RedisError> {
        if self.spool.nature().is_none() {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let mut oldest = None;
        for shard in 0..self.spool.shards() {
            let first: Vec<(String, Vec<Vec<u8>>)> =
                cmd("XRANGE").arg(stream(shard)).arg("-").arg("+").arg("COUNT").arg(1).query_async(&mut connection).await?;
            let millis = first.first().and_then(|(id, _)| id.split('-').next()?.parse::<i64>().ok());
            oldest = [oldest, millis].into_iter().flatten().min();
        }
        Ok(oldest.map(|millis| millis * 1_000))
    }
}
