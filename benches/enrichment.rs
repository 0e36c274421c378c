//! What enrichment costs a touch: channel, bot, click marks and device, one touch at a time over the sample's visits and the
//! same as clicks through a link, each user agent met before. Prints lines that benches/run.sh puts into its table.

use std::hint::black_box;
use std::time::Instant;
use tributary::domain::id::{LinkId, PartnerId, ProgramId};
use tributary::domain::partner::PartnerKind;
use tributary::service::enrich::Enricher;
use tributary::service::spool::{Hit, HitKind, HitLink};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SAMPLE: &str = include_str!("../demo/clicks.csv");
const ROUNDS: usize = 20;
const MINUTE_MICROS: i64 = 60_000_000;

#[derive(serde::Deserialize)]
struct Seen {
    time_utc: chrono::DateTime<chrono::Utc>,
    visitor_id: String,
    ip: String,
    url: String,
    referrer: String,
    user_agent: String,
    customer_id: String,
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A visit, or a click through one of fifty links.
fn hit_of(seen: &Seen, number: usize, by_link: bool) -> Hit<'_> {
    let link = HitLink {
        id: LinkId(1 + (number % 50) as i64),
        program: ProgramId(1),
        partner: Some(PartnerId(1 + (number % 50) as i64)),
        partner_kind: Some(PartnerKind::Affiliate),
        target: None,
        utm: "",
    };
    Hit {
        link: by_link.then_some(link),
        url: Some(&seen.url),
        referrer: given(&seen.referrer),
        user_agent: given(&seen.user_agent),
        language: Some("en-GB,en;q=0.9"),
        ip: given(&seen.ip),
        visitor: given(&seen.visitor_id),
        customer: given(&seen.customer_id),
        ..Hit::new(Uuid::now_v7(), seen.time_utc.timestamp_micros(), if by_link { HitKind::Click } else { HitKind::Visit })
    }
}

/// The value below which a part of sorted nanoseconds lies, in µs.
fn part_us(nanos: &[u128], part: f64) -> f64 {
    nanos.get((nanos.len() as f64 * part) as usize).map_or(0.0, |nanos| *nanos as f64 / 1_000.0)
}

fn main() -> anyhow::Result<()> {
    let seen: Vec<Seen> = csv::Reader::from_reader(SAMPLE.as_bytes()).into_deserialize().collect::<Result<_, _>>()?;
    let own_hosts = ["shop.example".to_owned()];
    for (name, by_link) in [("visits", false), ("clicks", true)] {
        let mut enricher = Enricher::default();
        for seen in &seen {
            enricher.user_agent(&seen.user_agent);
        }
        let mut nanos = Vec::with_capacity(seen.len() * ROUNDS);
        let (mut none, mut marked) = (0_usize, 0_usize);
        for round in 0..ROUNDS {
            for (number, seen) in seen.iter().enumerate() {
                let mut hit = hit_of(seen, number + round, by_link);
                hit.at_micros += round as i64 * 400 * 1_440 * MINUTE_MICROS;
                let began = Instant::now();
                let touch = black_box(enricher.touch_of(black_box(&hit), &[], &own_hosts));
                black_box(enricher.user_agent(&seen.user_agent).client);
                let took = began.elapsed().as_nanos();
                match touch {
                    Some(touch) => {
                        marked += usize::from(touch.mark.is_some());
                        nanos.push(took);
                    }
                    None => none += 1,
                }
            }
        }
        nanos.sort_unstable();
        let (median, late) = (part_us(&nanos, 0.5), part_us(&nanos, 0.99));
        let mean = nanos.iter().sum::<u128>() as f64 / nanos.len().max(1) as f64 / 1_000.0;
        let touches = nanos.len();
        println!(
            "enrichment, {name}: {touches} touches, {marked} of them marked, {none} hits were none; \
             median {median:.2} µs, mean {mean:.2} µs, 99 of 100 within {late:.2} µs"
        );
        println!("row\tenrichment, {name}, a touch, median\t{median:.2} µs\t\t\t≤ 3 µs");
    }
    Ok(())
}
