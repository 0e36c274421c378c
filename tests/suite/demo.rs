//! The bundled sample: the figures of `docs/demo.md`, which can be worked out from its files by hand.

use crate::support::*;
use chrono::{Datelike, NaiveDate, TimeDelta};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Cohort and month number: customers, orders, revenue in pence.
type Cohorts = BTreeMap<(String, u64), (usize, i64, i64)>;

/// As a spreadsheet makes them of the sample's file: a customer without an id is one of his own.
fn cohorts_by_hand() -> Cohorts {
    let mut reader = csv::Reader::from_reader(include_str!("../../demo/orders.csv").as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|known| known == name).unwrap();
    let (number, at, kind, customer, amount) =
        (column("invoice_no"), column("time_local"), column("type"), column("customer_id"), column("amount_gbp"));
    let mut orders = Vec::new();
    let mut first: HashMap<String, i32> = HashMap::new();
    for row in reader.records().map(Result::unwrap).filter(|row| &row[kind] == "sale") {
        // The sample is moved by 778 weeks to end on the day that is asked for.
        let day = row[at][..10].parse::<NaiveDate>().unwrap() + TimeDelta::weeks(778);
        let month = day.year() * 12 + day.month0() as i32;
        let customer = if row[customer].is_empty() { format!("guest {}", &row[number]) } else { row[customer].to_owned() };
        let earliest = first.entry(customer.clone()).or_insert(month);
        *earliest = month.min(*earliest);
        orders.push((customer, month, row[amount].replace('.', "").parse::<i64>().unwrap()));
    }
    let mut customers: BTreeMap<(String, u64), HashSet<&str>> = BTreeMap::new();
    let mut cohorts = Cohorts::new();
    for (customer, month, pence) in &orders {
        let begun = first[customer];
        let key = (format!("{}-{:02}", begun / 12, begun % 12 + 1), u64::try_from(month - begun).unwrap());
        customers.entry(key.clone()).or_default().insert(customer);
        let cell = cohorts.entry(key).or_default();
        *cell = (0, cell.1 + 1, cell.2 + pence);
    }
    for (key, customers) in customers {
        cohorts.entry(key).and_modify(|cell| cell.0 = customers.len());
    }
    cohorts
}

fn cohorts_as_told(report: &Value) -> Cohorts {
    let mut cohorts = Cohorts::new();
    for cohort in report["data"].as_array().unwrap() {
        for month in cohort["months"].as_array().unwrap().iter().filter(|month| month["orders"] != 0) {
            let pence = month["revenue"]["amount"].as_str().unwrap().replace('.', "").parse().unwrap();
            let key = (cohort["cohort"].as_str().unwrap().to_owned(), month["month"].as_u64().unwrap());
            cohorts.insert(key, (month["customers"].as_u64().unwrap() as usize, month["orders"].as_i64().unwrap(), pence));
        }
    }
    cohorts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sample_gives_the_figures_that_its_files_say() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let mut server = Server::start(&["demo", "--data-dir", &data, "--listen", "127.0.0.1:0", "--as-of", "2026-11-22", "--json"]);
    let logins: Value = serde_json::from_str(&server.first_line).unwrap();
    let key = logins["api_key"].as_str().unwrap().to_owned();
    assert_eq!(logins["url"].as_str().unwrap(), server.url);
    let client = reqwest::Client::new();
    let get = async |path: &str| -> Value {
        client.get(format!("{}{path}", server.url)).bearer_auth(&key).send().await.unwrap().json().await.unwrap()
    };
    let report = get("/v1/reports/channels?from=2025-01-01&to=2026-12-31&model=linear").await;
    let totals = &report["totals"];
    assert_eq!(totals["orders"], 19_959.0);
    assert_eq!(totals["revenue"]["amount"], "10655622.48");
    assert_eq!(totals["refunds"]["amount"], "471350.63");
    assert_eq!(totals["net_revenue"]["amount"], "10184271.85");
    assert_eq!(totals["ad_cost"]["amount"], "976.46");
    assert_eq!(report["other_currencies"][0]["ad_cost"]["amount"], "781.30");
    assert_eq!((totals["clicks"].as_i64(), totals["clicks_not_counted"].as_i64()), (Some(6_876), Some(380)));
    for (order, commission, formula) in [
        ("573902", "38.90", "12.5 % × 311.18 = 38.90 GBP"),
        ("575733", "28.50", "12.5 % × (246.01 − 18.00 shipping) = 28.50 GBP"),
        ("576503", "3.89", "4.00 per order × 301.60 / 310.10 left after refunds = 3.89 GBP"),
    ] {
        let order = get(&format!("/v1/orders/{order}")).await;
        assert_eq!(order["payable"]["via"], "promo_code");
        assert_eq!(order["commissions"][0]["amount"]["amount"], commission);
        assert_eq!(order["commissions"][0]["formula"], formula);
    }
    assert_eq!(cohorts_by_hand(), cohorts_as_told(&get("/v1/reports/cohorts?from=2025-01-01&to=2026-11-22").await));
    let mut misses = 0;
    let mut cursor = String::new();
    loop {
        let page = get(&format!("/v1/misses?limit=1000&cursor={cursor}")).await;
        misses += page["data"].as_array().unwrap().iter().filter(|m| m["kind"] == "refund").count();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(misses, 836);
    let partners = get("/v1/reports/partners?from=2025-01-01&to=2026-12-31").await;
    let suspended = partners["data"].as_array().unwrap().iter().find(|p| p["name"] == "Demo Partner 7").unwrap();
    assert_eq!((suspended["clicks"].as_i64(), suspended["orders"].as_f64()), (Some(61), Some(0.0)));
    server.kill();
    let database_url = format!("sqlite://{data}/tributary.db");
    let (code, out, _) = run(&["--database-url", &database_url, "doctor"], "");
    assert_eq!(code, 0, "{out}");
    let blocks: Vec<&str> = include_str!("../../docs/what-if.md").split("```\n$ tributary what-if ").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let (arguments, told) = block.split("\n```").next().unwrap().split_once('\n').unwrap();
        let arguments: Vec<&str> = ["--database-url", &database_url, "what-if"].into_iter().chain(arguments.split(' ')).collect();
        let (code, out, err) = run(&arguments, "");
        assert_eq!((code, out.trim_end()), (0, told), "{err}");
    }
}
