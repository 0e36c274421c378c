//! Settings, checked once at start: flag, then environment, then `tributary.toml`, then default.

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeRole {
    /// Everything.
    All,
    /// Redirect, pixel and events, and moving them to the store.
    Edge,
    /// The clockwork only.
    Worker,
    /// API and pages.
    Web,
}

/// Where the edge puts hits before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpoolKind {
    /// A file in the data folder, synced before each answer.
    Disk,
    /// Redis Streams at `redis_url`, as durable as its appendfsync; the disk while Redis is not there.
    Redis,
}

/// Settings as given; each may also stand in `tributary.toml` under its name with underscores.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Given {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "TRIBUTARY_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// sqlite://path/to/file.db or postgres://… [default: sqlite://data/tributary.db]
    #[arg(long, global = true, env = "TRIBUTARY_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// A file that holds the database address
    #[arg(long, global = true, env = "TRIBUTARY_DATABASE_URL_FILE", hide = true)]
    pub database_url_file: Option<PathBuf>,
    /// redis://…, several of a cluster with commas between; workers read there what edges with --spool redis wrote
    #[arg(long, global = true, env = "TRIBUTARY_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// A file that holds the Redis address
    #[arg(long, global = true, env = "TRIBUTARY_REDIS_URL_FILE", hide = true)]
    pub redis_url_file: Option<PathBuf>,
    /// Folder of the click spool [default: that of the SQLite file, else data]
    #[arg(long, global = true, env = "TRIBUTARY_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// What this node does; a flag of `serve`, for `--role` is the user's role elsewhere.
    #[arg(skip)]
    pub role: Option<NodeRole>,
    /// Address under which people reach this service [default: http://LISTEN]
    #[arg(long, global = true, env = "TRIBUTARY_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Requests a second and client address on the edge, 0 for no limit [default: 50]
    #[arg(long, global = true, env = "TRIBUTARY_EDGE_RATE_LIMIT")]
    pub edge_rate_limit: Option<u32>,
    /// Networks whose X-Forwarded-For counts, comma-separated
    #[arg(long, global = true, env = "TRIBUTARY_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Where a click is safe before its redirect leaves [default: disk]
    #[arg(long, global = true, env = "TRIBUTARY_SPOOL", value_enum)]
    pub spool: Option<SpoolKind>,
    /// Days after which client addresses are shortened to their network, 0 to store none [default: 90]
    #[arg(long, global = true, env = "TRIBUTARY_IP_RETENTION_DAYS")]
    pub ip_retention_days: Option<u32>,
    /// Megabytes of the click spool beyond which no click is recorded, 0 for no limit [default: 20480]
    #[arg(long, global = true, env = "TRIBUTARY_SPOOL_LIMIT_MB")]
    pub spool_limit_mb: Option<u32>,
    /// Seconds a click may wait for the store before /readyz says 503 [default: 300]
    #[arg(long, global = true, env = "TRIBUTARY_READY_LAG_SECONDS")]
    pub ready_lag_seconds: Option<u32>,
    /// HTTP threads [default: one a core]
    #[arg(long, global = true, env = "TRIBUTARY_HTTP_THREADS")]
    pub http_threads: Option<usize>,
    /// Fill the spool and move nothing into the store, while the store is looked after
    #[arg(skip)]
    pub no_mover: Option<bool>,
    /// Header in which trusted proxies name the visitor's country, like CF-IPCountry
    #[arg(long, global = true, env = "TRIBUTARY_COUNTRY_HEADER")]
    pub country_header: Option<String>,
    /// Countries of addresses, a file in MaxMind's format (.mmdb)
    #[arg(long, global = true, env = "TRIBUTARY_GEOIP_DATABASE")]
    pub geoip_database: Option<PathBuf>,
    /// Time zone of the merchant's days, for a new store [default: Europe/Moscow]
    #[arg(long, global = true, env = "TRIBUTARY_TIME_ZONE")]
    pub time_zone: Option<String>,
    /// The settings file [default: tributary.toml, if it is there]
    #[arg(long, global = true, env = "TRIBUTARY_CONFIG")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

/// Settings that are right.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub database_url: String,
    /// As given; see [`Config::spool_path`].
    pub data_dir: Option<PathBuf>,
    pub role: NodeRole,
    pub public_url: Option<String>,
    pub edge_rate_limit: u32,
    pub trusted_proxies: Vec<IpNet>,
    pub country_header: Option<String>,
    pub geoip_database: Option<PathBuf>,
    pub time_zone: Option<chrono_tz::Tz>,
    pub redis_url: Option<String>,
    pub spool: SpoolKind,
    pub ip_retention_days: u32,
    pub spool_limit_mb: u32,
    pub ready_lag_seconds: u32,
    pub http_threads: Option<usize>,
    pub no_mover: bool,
}

impl Config {
    /// The spool of this node: in the data folder, else beside the SQLite file, else in `data`.
    pub fn spool_path(&self) -> PathBuf {
        let beside = self.database_url.strip_prefix("sqlite://").and_then(|path| Path::new(path).parent());
        let folder = self.data_dir.as_deref().or(beside).unwrap_or(Path::new("data"));
        folder.join("spool.db")
    }
}

fn secret(text: Option<String>, file: Option<PathBuf>) -> anyhow::Result<Option<String>> {
    match (text, file) {
        (Some(text), _) => Ok(Some(text)),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file).map_err(|e| anyhow::anyhow!("{}: {e}", file.display()))?;
            Ok(Some(text.trim().to_owned()))
        }
        (None, None) => Ok(None),
    }
}

impl Given {
    /// Fills in what the file and the defaults say.
    pub fn resolve(self) -> anyhow::Result<Config> {
        let path = self.config.clone().unwrap_or_else(|| PathBuf::from("tributary.toml"));
        let file: Given = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && self.config.is_none() => Given::default(),
            Err(e) => return Err(anyhow::anyhow!("{}: {e}", path.display())),
        };
        let database_url = match secret(self.database_url, self.database_url_file)? {
            Some(url) => url,
            None => secret(file.database_url, file.database_url_file)?.unwrap_or_else(|| "sqlite://data/tributary.db".to_owned()),
        };
        let redis_url = match secret(self.redis_url, self.redis_url_file)? {
            Some(url) => Some(url),
            None => secret(file.redis_url, file.redis_url_file)?,
        };
        let spool = self.spool.or(file.spool).unwrap_or(SpoolKind::Disk);
        anyhow::ensure!(spool == SpoolKind::Disk || redis_url.is_some(), "--spool redis needs --redis-url");
        let time_zone = match self.time_zone.or(file.time_zone) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| anyhow::anyhow!("'{text}' is not a time zone like Europe/Moscow"))?),
        };
        let public_url = self.public_url.or(file.public_url).map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = &public_url {
            crate::domain::text::web_address(url).map_err(|e| anyhow::anyhow!("public-url: {e}"))?;
        }
        Ok(Config {
            listen: self.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            data_dir: self.data_dir.or(file.data_dir),
            database_url,
            role: self.role.or(file.role).unwrap_or(NodeRole::All),
            public_url,
            edge_rate_limit: self.edge_rate_limit.or(file.edge_rate_limit).unwrap_or(50),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies).unwrap_or_default(),
            country_header: self.country_header.or(file.country_header),
            geoip_database: self.geoip_database.or(file.geoip_database),
            time_zone,
            redis_url,
            spool,
            ip_retention_days: self.ip_retention_days.or(file.ip_retention_days).unwrap_or(90),
            spool_limit_mb: self.spool_limit_mb.or(file.spool_limit_mb).unwrap_or(20_480),
            ready_lag_seconds: self.ready_lag_seconds.or(file.ready_lag_seconds).unwrap_or(300),
            http_threads: self.http_threads.or(file.http_threads).filter(|threads| *threads > 0),
            no_mover: self.no_mover.or(file.no_mover).unwrap_or(false),
        })
    }
}
