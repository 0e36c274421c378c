//! How long a partner's balance takes who has 100,000 entries, beside as many of other partners: by adding up all of them,
//! and by the sums that the clockwork makes; and what an entry costs to post. On SQLite, and on PostgreSQL at
//! TRIBUTARY_TEST_POSTGRES. Prints lines that benches/run.sh puts into its table.

use std::time::{Duration, Instant};
use tributary::clock::Clock;
use tributary::domain::id::PartnerId;
use tributary::domain::ledger::{Account, Journal, JournalKind};
use tributary::domain::money::Currency;
use tributary::domain::time::FAR_DAY;
use tributary::service::catalog::{PartnerInput, save_partner};
use tributary::service::{Tributary, worker};
use tributary::store::ledger::{self, Because, Posting};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Entries of the partner.
const ENTRIES: i64 = 100_000;
const OTHERS: i64 = 50;
const ROUNDS: usize = 200;

async fn fill(service: &Tributary) -> anyhow::Result<PartnerId> {
    let context = service.context("bench");
    let mut tx = service.db.begin().await?;
    let mut ids = Vec::new();
    for number in 0..=OTHERS {
        let input = PartnerInput { name: Some(format!("Partner {number}")), ..PartnerInput::default() };
        ids.push(save_partner(&mut tx, &context, None, &input).await?.id);
    }
    let today = context.today();
    // Each of the partner's journals has two entries of theirs; those of the others stand between.
    for number in 0..ENTRIES / 2 {
        let day = today - chrono::TimeDelta::days(730 * (ENTRIES / 2 - number) / ENTRIES);
        for partner in [ids[0], ids[1 + (number % OTHERS) as usize]] {
            let (from, to) = (Account::Held(partner), Account::Available(partner));
            let journal = Journal::transfer(JournalKind::Released, Currency::RUB, from, to, 100 + number % 900);
            if let Some(journal) = journal {
                ledger::post(&mut tx, &Posting { journal, day, because: Because::by("bench") }, context.at()).await?;
            }
        }
    }
    tx.commit().await?;
    Ok(ids[0])
}

/// The median of many times.
async fn median(service: &Tributary, partner: PartnerId) -> anyhow::Result<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let found = ledger::balances(&service.db, Some(partner), FAR_DAY).await?;
        times.push(start.elapsed());
        anyhow::ensure!(found.len() == 1, "one currency");
    }
    times.sort();
    Ok(times[ROUNDS / 2])
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

async fn measure(name: &str, url: &str) -> anyhow::Result<()> {
    let service = Tributary::open(url, None, Clock::system()).await?;
    let start = Instant::now();
    let partner = fill(&service).await?;
    let journals = ENTRIES as f64;
    println!("balance, {name}: {:.0} journals/s posted in one transaction", journals / start.elapsed().as_secs_f64());
    let without = median(&service, partner).await?;
    let start = Instant::now();
    worker::run_once(&service).await?;
    println!("balance, {name}: sums made in {:.0} ms", ms(start.elapsed()));
    let with = median(&service, partner).await?;
    println!(
        "row\tbalance of {ENTRIES} entries, {name}\t{:.1} times quicker by sums\t{:.2} ms",
        ms(without) / ms(with),
        ms(with)
    );
    service.db.close().await;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    measure("SQLite", &format!("sqlite://{}", folder.path().join("balance.db").display())).await?;
    if let Ok(url) = std::env::var("TRIBUTARY_TEST_POSTGRES") {
        measure("PostgreSQL", &url).await?;
    }
    Ok(())
}
