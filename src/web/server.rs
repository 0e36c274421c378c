//! Starts a node: spool, link book, mover, clockwork, HTTP; and stops it without losing a hit.

use super::country::Countries;
use super::edge::EdgeSettings;
use super::error::Problem;
use super::{App, routes};
use crate::config::{NodeRole, SpoolKind};
use crate::service::linkbook::LinkBook;
use crate::service::mover::{Mover, Moves};
use crate::service::order::OrderQueue;
use crate::service::spool::Spool;
use crate::service::spool::redis::RedisSpool;
use crate::service::{Tributary, worker};
use actix_web::dev::ServerHandle;
use actix_web::web::{Data, PathConfig, QueryConfig};
use actix_web::{App as HttpApp, HttpServer};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Start {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub spool_path: PathBuf,
    /// Default: the address it listens on.
    pub public_url: Option<String>,
    pub edge_rate_limit: u32,
    pub trusted_proxies: Vec<IpNet>,
    /// A header that names the country, believed from trusted proxies.
    pub country_header: Option<String>,
    /// A file in MaxMind's format.
    pub geoip_database: Option<PathBuf>,
    pub role: NodeRole,
    /// HTTP threads; default: one a core.
    pub threads: Option<usize>,
    /// Bytes of the spool beyond which no hit is taken, 0 for none.
    pub spool_limit: i64,
    /// Where hits go first.
    pub spool: SpoolKind,
    /// Where workers read hits too, and where they go with [`SpoolKind::Redis`].
    pub redis_url: Option<String>,
    /// The spool is filled and not moved.
    pub hold_mover: bool,
    /// Days after which client addresses are shortened, 0 to store none.
    pub ip_retention_days: u32,
    /// How long a hit may wait before the node says that it is not ready.
    pub ready_lag: Duration,
}

/// A node that runs.
pub struct Running {
    pub address: SocketAddr,
    pub app: App,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts a node. Hits that a crash left in the spool are moved first.
pub async fn start(service: Tributary, settings: Start) -> anyhow::Result<Running> {
    let redis = settings.redis_url.as_deref().map(RedisSpool::new).transpose()?;
    if let Some(redis) = &redis {
        redis.tend().await;
    }
    let spool = Spool::open(&settings.spool_path, settings.spool_limit, redis, settings.spool == SpoolKind::Redis)?;
    let links = LinkBook::default();
    links.refresh(&service.db).await?;
    let moves = match settings.role {
        _ if settings.hold_mover => Moves::Nothing,
        NodeRole::All | NodeRole::Worker => Moves::DiskAndRedis,
        NodeRole::Edge | NodeRole::Web => Moves::Disk,
    };
    let mover = Mover::start(service.clone(), &spool, links.clone(), moves)?;
    if let Err(error) = mover.move_all().await {
        tracing::error!(%error, "what is left in the spool cannot be moved yet");
    }
    let listener =
        std::net::TcpListener::bind(settings.listen).map_err(|e| anyhow::anyhow!("cannot listen on {}: {e}", settings.listen))?;
    let address = listener.local_addr()?;
    let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let secure = public_url.starts_with("https://");
    let countries = Countries::new(settings.country_header.as_deref(), settings.geoip_database.as_ref())?;
    let keeps_addresses = settings.ip_retention_days > 0;
    let edge = EdgeSettings::new(settings.edge_rate_limit, settings.trusted_proxies.clone(), secure, keeps_addresses, countries);
    let (orders, edge, ready_lag) = (OrderQueue::default(), Arc::new(edge), settings.ready_lag);
    let app = App { service, spool, links, mover, orders, keys: Arc::default(), edge, public_url, ready_lag };

    let role = settings.role;
    let mut tasks = vec![tokio::spawn(refresh_links(app.clone())), tokio::spawn(tend(app.clone()))];
    if matches!(role, NodeRole::All | NodeRole::Worker) {
        tasks.push(tokio::spawn(worker::run_forever(app.service.clone(), settings.ip_retention_days)));
    }
    let data = Data::new(app.clone());
    let threads = settings.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from));
    let server = HttpServer::new(move || {
        HttpApp::new()
            .app_data(data.clone())
            .app_data(QueryConfig::default().error_handler(|e, _| Problem::field("", e).into()))
            .app_data(PathConfig::default().error_handler(|e, _| Problem::malformed(e).into()))
            .configure(|config| match role {
                NodeRole::All => routes(config),
                NodeRole::Edge => super::edge_routes(config),
                NodeRole::Web => super::web_routes(config),
                NodeRole::Worker => super::worker_routes(config),
            })
    })
    .workers(threads)
    // A client that takes longer to say what it wants, or to take the answer at the end, is cut off.
    .client_request_timeout(Duration::from_secs(10))
    .client_disconnect_timeout(Duration::from_secs(3))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(10)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    Ok(Running { address, app, handle, server: tokio::spawn(server), tasks })
}

/// Keeps the link book fresh. A store that is away holds nothing else up.
async fn refresh_links(app: App) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Err(error) = app.links.refresh(&app.service.db).await {
            tracing::warn!(%error, "the links in memory cannot be refreshed; the known ones stay");
        }
    }
}

/// Looks after Redis, and keeps the rate limiter small.
async fn tend(app: App) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Some(redis) = app.spool.redis() {
            redis.tend().await;
        }
        app.edge.tidy();
    }
}

impl Running {
    /// Answers what is under way, moves what is in the spool, and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        let _ = self.server.await;
        for task in &self.tasks {
            task.abort();
        }
        if let Err(error) = self.app.mover.move_all().await {
            tracing::warn!(%error, "the spool is moved at the next start");
        }
        self.app.service.db.close().await;
    }
}
