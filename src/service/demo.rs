//! The bundled sample: real orders, made-up journeys (see `demo/README.md`), taken in through the same imports as a
//! user's own files.
//!
//! Dates move by whole weeks, so that the sample ends within the seven days before `as_of`.

use super::access::{Role, Scope};
use super::catalog::{self, ProgramInput, RuleInput};
use super::import::{ImportError, ImportKind, Imported, import};
use super::input::DecimalInput;
use super::{Context, Error, Tributary, access, settle};
use crate::domain::money::{Currency, Money};
use crate::store::{Tx, partner, settings};
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, TimeZone, Utc};
use std::collections::HashMap;

const ORDERS: &str = include_str!("../../demo/orders.csv");
const CLICKS: &str = include_str!("../../demo/clicks.csv");
const AD_COSTS: &str = include_str!("../../demo/ad_costs.csv");
const AFFILIATES: &str = include_str!("../../demo/affiliates.csv");

/// The zone of the shop whose orders these are.
pub const ZONE: chrono_tz::Tz = chrono_tz::Europe::London;
pub const ADMIN_EMAIL: &str = "owner@shop.example";
pub const PARTNER_EMAIL: &str = "aff_1008@partners.example";
const PARTNER: &str = "aff_1008";

/// Who may look around; made anew at each start of the demo.
#[derive(Debug, Clone)]
pub struct Logins {
    pub api_key: String,
    pub admin_password: String,
    pub partner_password: String,
}

/// Fills an empty store with the sample, as it would stand at the context's time. Done already: nothing happens.
pub async fn fill(service: &Tributary, context: &Context, progress: impl Fn(&str, u64)) -> Result<(), ImportError> {
    let mut tx = service.db.begin().await?;
    if settings::get(&mut tx, "demo").await?.is_some() {
        return Ok(());
    }
    let shift = shift(context.now);
    for terms in ["14/7", "30/30", "45/90"] {
        make_program(&mut tx, context, terms).await?;
    }
    let sample = Sample::read(shift);
    for (kind, name, text) in sample.files() {
        let report = |rows| progress(name, rows);
        let done: Imported = import(&mut tx, context, kind, text.as_bytes(), &HashMap::new(), report).await?;
        tracing::debug!(name, ?done, "imported");
        if kind == ImportKind::Partners {
            make_rules(&mut tx, context).await?;
        }
    }
    settle::release(&mut tx, context).await?;
    settings::set(&mut tx, "demo", &shift.num_days().to_string()).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets fresh passwords for the demo's two users and makes a key.
pub async fn make_logins(service: &Tributary, context: &Context) -> super::Result<Logins> {
    let word = || access::random_token().chars().filter(char::is_ascii_alphanumeric).take(16).collect::<String>();
    let (admin_password, partner_password) = (word(), word());
    let mut tx = service.db.begin().await?;
    let partner = partner::by_reference(&mut tx, PARTNER).await?.ok_or_else(|| Error::not_found(PARTNER))?;
    for (email, role, partner, password) in
        [(ADMIN_EMAIL, Role::Owner, None, &admin_password), (PARTNER_EMAIL, Role::Partner, Some(partner.id), &partner_password)]
    {
        match access::set_password(&mut tx, context, email, password).await {
            Ok(()) => {}
            Err(Error::NotFound { .. }) => {
                access::add_user(&mut tx, context, email, role, partner, password).await?;
            }
            Err(error) => return Err(error),
        }
    }
    let api_key = access::add_key(&mut tx, context, "demo", Scope::Admin).await?;
    tx.commit().await?;
    Ok(Logins { api_key, admin_password, partner_password })
}

/// Whole weeks from the sample's time to ours: its last order and click fall within the seven days before `now`.
fn shift(now: DateTime<Utc>) -> TimeDelta {
    let orders = rows(ORDERS).iter().filter_map(|o| local(&o["time_local"])).max();
    let clicks = rows(CLICKS).iter().filter_map(|c| c["time_utc"].parse::<DateTime<Utc>>().ok()).max();
    let last = orders.max(clicks).unwrap_or_default();
    TimeDelta::weeks((now - last).num_seconds().div_euclid(7 * 86_400))
}

/// A minute of the shop's local time, as an instant.
fn local(text: &str) -> Option<DateTime<Utc>> {
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok()?;
    ZONE.from_local_datetime(&naive).earliest().map(|at| at.with_timezone(&Utc))
}

fn program_name(terms: &str) -> String {
    let (hold, window) = terms.split_once('/').unwrap_or((terms, terms));
    format!("Gift shop, {window}-day window, {hold}-day hold")
}

async fn make_program(tx: &mut Tx, context: &Context, terms: &str) -> super::Result<()> {
    let (hold, window) = terms.split_once('/').unwrap_or((terms, terms));
    let input = ProgramInput {
        name: Some(program_name(terms)),
        currency: Some("GBP".to_owned()),
        destination_hosts: Some(vec!["shop.example".to_owned()]),
        click_window_days: window.parse().ok(),
        hold_days: hold.parse().ok(),
        min_payout: Some(DecimalInput::from("20.00")),
        ..ProgramInput::default()
    };
    catalog::save_program(tx, context, None, &input).await?;
    Ok(())
}

fn rows(text: &str) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().filter_map(Result::ok).collect()
}

fn terms_of(affiliate: &HashMap<String, String>) -> String {
    format!("{}/{}", affiliate["hold_days"], affiliate["cookie_days"])
}

/// The commission of each partner, as `affiliates.csv` has it.
async fn make_rules(tx: &mut Tx, context: &Context) -> super::Result<()> {
    for affiliate in rows(AFFILIATES) {
        let rate = Some(DecimalInput::from(affiliate["rate"].as_str()));
        let fixed = affiliate["commission_type"] == "fixed_per_order";
        let input = RuleInput {
            program: Some(program_name(&terms_of(&affiliate))),
            partner: Some(affiliate["affiliate_id"].clone()),
            percent: rate.clone().filter(|_| !fixed),
            fixed: rate.filter(|_| fixed),
            ..RuleInput::default()
        };
        catalog::make_rule(tx, context, &input).await?;
    }
    Ok(())
}

/// The sample as files in the form of our own imports.
struct Sample {
    partners: String,
    links: String,
    promo_codes: String,
    touches: String,
    orders: String,
    refunds: String,
    costs: String,
}

impl Sample {
    fn files(&self) -> [(ImportKind, &'static str, &str); 7] {
        [
            (ImportKind::Partners, "partners", &self.partners),
            (ImportKind::Links, "links", &self.links),
            (ImportKind::PromoCodes, "promo codes", &self.promo_codes),
            (ImportKind::Touches, "touches", &self.touches),
            (ImportKind::Orders, "orders", &self.orders),
            (ImportKind::Refunds, "refunds", &self.refunds),
            (ImportKind::Costs, "costs", &self.costs),
        ]
    }

    fn read(shift: TimeDelta) -> Sample {
        let affiliates = rows(AFFILIATES);
        let programs: HashMap<String, String> =
            affiliates.iter().map(|a| (a["affiliate_id"].clone(), program_name(&terms_of(a)))).collect();
        let mut partners = File::new(&["external_id", "name", "email", "status"]);
        let mut links = File::new(&["code", "program", "partner", "url", "utm_source", "utm_medium"]);
        let mut promo_codes = File::new(&["code", "program", "partner"]);
        for affiliate in &affiliates {
            let (id, program) = (affiliate["affiliate_id"].as_str(), programs[&affiliate["affiliate_id"]].as_str());
            let status = if affiliate["status"] == "active" { "approved" } else { "suspended" };
            partners.row(&[id, &affiliate["name"], &format!("{id}@partners.example"), status]);
            links.row(&[id, program, id, "https://shop.example/", id, "affiliate"]);
            promo_codes.row(&[&affiliate["coupon_code"], program, id]);
        }
        let (orders, refunds) = orders_and_refunds(shift);
        Sample {
            partners: partners.text(),
            links: links.text(),
            promo_codes: promo_codes.text(),
            touches: touches(shift, &programs),
            orders,
            refunds,
            costs: costs(shift),
        }
    }
}

fn touches(shift: TimeDelta, programs: &HashMap<String, String>) -> String {
    let mut file =
        File::new(&["id", "at", "visitor_id", "customer_id", "url", "referrer", "user_agent", "ip", "partner", "program"]);
    for click in rows(CLICKS) {
        let at = DateTime::parse_from_rfc3339(&click["time_utc"]).map(|at| at.with_timezone(&Utc)).unwrap_or_default();
        let partner = url::Url::parse(&click["url"])
            .ok()
            .and_then(|url| url.query_pairs().find(|(key, _)| key == "aff").map(|(_, value)| value.into_owned()))
            .filter(|id| programs.contains_key(id))
            .unwrap_or_default();
        let program = programs.get(&partner).map_or("", String::as_str);
        let cell = |name: &str| click[name].as_str();
        file.row(&[
            cell("click_id"),
            &instant(at + shift),
            cell("visitor_id"),
            cell("customer_id"),
            cell("url"),
            cell("referrer"),
            cell("user_agent"),
            cell("ip"),
            &partner,
            program,
        ]);
    }
    file.text()
}

/// Sales become orders. A credit note becomes refunds of the invoices it was matched to, in the order listed, up to
/// what is left of each; what remains, and a note without a match, becomes a miss.
fn orders_and_refunds(shift: TimeDelta) -> (String, String) {
    let gbp = |text: &str| "GBP".parse().ok().and_then(|c: Currency| Money::parse(text, c).ok()).map_or(0, Money::minor);
    let decimal = |minor| Money::new(minor, "GBP".parse().unwrap_or(Currency::RUB)).decimal();
    let mut orders =
        File::new(&["external_id", "placed_at", "currency", "total", "shipping", "customer_id", "visitor_id", "promo_codes"]);
    let mut refunds = File::new(&["order", "refund_id", "amount", "refunded_at", "currency"]);
    let all = rows(ORDERS);
    let mut left: HashMap<&str, i64> = HashMap::new();
    for sale in all.iter().filter(|o| o["type"] == "sale") {
        let at = instant(local(&sale["time_local"]).unwrap_or_default() + shift);
        let cell = |name: &str| sale[name].as_str();
        orders.row(&[
            cell("invoice_no"),
            &at,
            "GBP",
            cell("amount_gbp"),
            cell("non_product_gbp"),
            cell("customer_id"),
            cell("synth_visitor_id"),
            cell("synth_coupon"),
        ]);
        left.insert(cell("invoice_no"), gbp(cell("amount_gbp")));
    }
    for note in all.iter().filter(|o| o["type"] == "credit") {
        let at = instant(local(&note["time_local"]).unwrap_or_default() + shift);
        let id = note["invoice_no"].as_str();
        let mut amount = -gbp(&note["amount_gbp"]);
        for (index, invoice) in note["derived_matched_invoice"].split('|').filter(|i| !i.is_empty()).enumerate() {
            let Some(rest) = left.get_mut(invoice) else { continue };
            let taken = amount.min(*rest);
            if taken > 0 {
                let refund_id = if index == 0 { id.to_owned() } else { format!("{id}/{}", index + 1) };
                refunds.row(&[invoice, &refund_id, &decimal(taken), &at, "GBP"]);
                *rest -= taken;
                amount -= taken;
            }
        }
        if amount > 0 {
            refunds.row(&["", id, &decimal(amount), &at, "GBP"]);
        }
    }
    (orders.text(), refunds.text())
}

fn costs(shift: TimeDelta) -> String {
    let mut file = File::new(&["date", "source", "medium", "campaign", "amount", "currency", "impressions", "clicks"]);
    for cost in rows(AD_COSTS) {
        let (source, medium) = match cost["platform"].as_str() {
            "google_ads" => ("google", "cpc"),
            "microsoft_ads" => ("bing", "cpc"),
            "meta_ads" => ("facebook", "paid_social"),
            _ => ("newsletter", "email"),
        };
        let day = cost["date"].parse::<NaiveDate>().unwrap_or_default() + shift;
        let cell = |name: &str| cost[name].as_str();
        file.row(&[
            &day.to_string(),
            source,
            medium,
            cell("campaign"),
            cell("cost"),
            cell("currency"),
            cell("impressions"),
            cell("platform_clicks"),
        ]);
    }
    file.text()
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A CSV file in memory.
struct File(csv::Writer<Vec<u8>>);

impl File {
    fn new(head: &[&str]) -> File {
        let mut file = File(csv::Writer::from_writer(Vec::new()));
        file.row(head);
        file
    }

    fn row(&mut self, cells: &[&str]) {
        // Memory takes every row; all rows have the head's length.
        let _ = self.0.write_record(cells);
    }

    fn text(self) -> String {
        self.0.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}
