//! How fast hits go from the spool into the store, enrichment included: into SQLite beside MOVER_ROWS touches (3 million),
//! and into PostgreSQL's partitions at TRIBUTARY_TEST_POSTGRES; and what memory that takes. Prints lines that
//! benches/run.sh puts into its table.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tributary::clock::Clock;
use tributary::domain::id::{LinkId, PartnerId, ProgramId};
use tributary::domain::partner::PartnerKind;
use tributary::service::Tributary;
use tributary::service::linkbook::LinkBook;
use tributary::service::mover::{Mover, Moves};
use tributary::service::spool::{Hit, HitKind, HitLink, IfRefused, Spool};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SAMPLE: &str = include_str!("../demo/clicks.csv");

/// What the clicks of the sample came with: landing query, referrer, user agent.
struct Seen {
    query: String,
    referrer: String,
    user_agent: String,
}

fn sample() -> anyhow::Result<Vec<Seen>> {
    let mut reader = csv::Reader::from_reader(SAMPLE.as_bytes());
    let head = reader.headers()?.clone();
    let column = |name: &str| head.iter().position(|h| h == name).ok_or_else(|| anyhow::anyhow!("the sample has no {name}"));
    let (url, referrer, user_agent) = (column("url")?, column("referrer")?, column("user_agent")?);
    let mut seen = Vec::new();
    for row in reader.records() {
        let row = row?;
        let query = row[url].split_once('?').map_or("", |(_, query)| query).to_owned();
        seen.push(Seen { query, referrer: row[referrer].to_owned(), user_agent: row[user_agent].to_owned() });
    }
    Ok(seen)
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Memory of this process that is really there, in MiB.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Puts clicks into the spool, three in ten of visitors seen before.
async fn fill(spool: &Spool, seen: &'static [Seen], hits: u64) {
    let mut tasks = tokio::task::JoinSet::new();
    let writers = 256;
    for writer in 0..writers {
        let spool = spool.clone();
        tasks.spawn(async move {
            for number in (writer..hits).step_by(writers as usize) {
                let seen = &seen[(number * 7919 % seen.len() as u64) as usize];
                let url = format!("/r/bench?{}&yclid={}", seen.query, number * 1_000_003);
                let visitor = match number % 10 {
                    0..3 => Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(number * 31 % 100_000)),
                    _ => Uuid::now_v7(),
                };
                let visitor = visitor.to_string();
                let ip = format!("198.18.{}.{}", number % 250, number / 250 % 250);
                let link = HitLink {
                    id: LinkId(1 + (number % 50) as i64),
                    program: ProgramId(1),
                    partner: Some(PartnerId(1 + (number % 50) as i64)),
                    partner_kind: Some(PartnerKind::Affiliate),
                    target: None,
                    utm: "",
                };
                let hit = Hit {
                    link: Some(link),
                    url: Some(&url),
                    referrer: Some(&seen.referrer).filter(|text| !text.is_empty()).map(String::as_str),
                    user_agent: Some(&seen.user_agent),
                    language: Some("en-GB,en;q=0.9"),
                    ip: Some(&ip),
                    visitor: Some(&visitor),
                    ..Hit::new(Uuid::now_v7(), chrono::Utc::now().timestamp_micros(), HitKind::Click)
                };
                let _ = spool.append(&hit, IfRefused::TryAgain).await;
            }
        });
    }
    tasks.join_all().await;
}

/// Fills a spool and moves it; answers how many a second, and the most memory meanwhile.
async fn moved(service: &Tributary, folder: &Path, seen: &'static [Seen], hits: u64) -> anyhow::Result<(f64, u64)> {
    let spool = Spool::open(&folder.join("spool.db"), 0, None, false)?;
    fill(&spool, seen, hits).await;
    let began = Instant::now();
    let mover = Mover::start(service.clone(), &spool, LinkBook::default(), Moves::Disk)?;
    let mut memory = 0;
    while mover.state().moved.load(Ordering::Relaxed) < hits {
        anyhow::ensure!(began.elapsed() < Duration::from_secs(900), "moving takes too long");
        memory = memory.max(resident_mib());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rate = hits as f64 / began.elapsed().as_secs_f64();
    mover.move_all().await?;
    Ok((rate, memory))
}

fn row(work: &str, rate: f64, target: f64) {
    println!("row\t{work}\t{rate:.0}/s\t\t\t≥ {target:.0}/s");
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (rows, hits) = (setting("MOVER_ROWS", 3_000_000), setting("MOVER_HITS", 500_000));
    let seen: &'static [Seen] = sample()?.leak();
    let folder = tempfile::tempdir_in(std::env::var("TMPDIR").unwrap_or_else(|_| "/var/tmp".to_owned()))?;
    let url = format!("sqlite://{}", folder.path().join("tributary.db").display());
    let service = Tributary::open(&url, None, Clock::system()).await?;
    let (empty, memory) = moved(&service, folder.path(), seen, rows).await?;
    println!("mover: {rows} hits into an empty SQLite store, {empty:.0}/s, {memory} MiB at most");
    let (rate, memory) = moved(&service, folder.path(), seen, hits).await?;
    println!("mover: {hits} hits into SQLite beside {rows} touches, {rate:.0}/s, {memory} MiB at most");
    row(&format!("mover into SQLite at {rows} touches"), rate, 45_000.0);
    println!("row\tmemory with {rows} hits waiting\t{memory} MiB\t\t\tflat");
    service.db.close().await;
    let Ok(url) = std::env::var("TRIBUTARY_TEST_POSTGRES") else {
        println!("mover: TRIBUTARY_TEST_POSTGRES is not set, so PostgreSQL is left out");
        return Ok(());
    };
    let service = Tributary::open(&url, None, Clock::system()).await?;
    let other = tempfile::tempdir_in(folder.path())?;
    let (rate, memory) = moved(&service, other.path(), seen, hits).await?;
    println!("mover: {hits} hits into PostgreSQL's partitions, {rate:.0}/s, {memory} MiB at most");
    row("mover into PostgreSQL partitions", rate, 50_000.0);
    Ok(())
}
