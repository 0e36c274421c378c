//! `serve`.

use crate::config::{Config, NodeRole};
use crate::web::server::{Running, Start, start};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, clap::Args)]
pub struct Serve {
    /// What this node does [default: all]
    #[arg(long, env = "TRIBUTARY_ROLE", value_enum)]
    pub role: Option<NodeRole>,
    /// Fill the spool and move nothing into the store, while the store is looked after
    #[arg(long, env = "TRIBUTARY_NO_MOVER")]
    pub no_mover: bool,
}

pub async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let service = super::open(config).await?;
    let running = start(service, settings(config)).await?;
    println!("Tributary listens on http://{} (public address {})", running.address, running.app.public_url);
    until_stopped(running).await
}

/// How the settings start a node.
pub fn settings(config: &Config) -> Start {
    Start {
        listen: config.listen,
        spool_path: config.spool_path(),
        public_url: config.public_url.clone(),
        edge_rate_limit: config.edge_rate_limit,
        trusted_proxies: config.trusted_proxies.clone(),
        country_header: config.country_header.clone(),
        geoip_database: config.geoip_database.clone(),
        role: config.role,
        threads: config.http_threads,
        spool_limit: i64::from(config.spool_limit_mb) << 20,
        spool: config.spool,
        redis_url: config.redis_url.clone(),
        hold_mover: config.no_mover,
        ip_retention_days: config.ip_retention_days,
        ready_lag: Duration::from_secs(u64::from(config.ready_lag_seconds)),
    }
}

/// Waits for SIGTERM or SIGINT, then ends in order.
pub async fn until_stopped(running: Running) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}
