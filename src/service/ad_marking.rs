//! Monthly figures for the advertising register: what each contract, creative and platform showed, brought and cost.
//!
//! Impressions and clicks are those of the links as they stand now. Money is the ledger's, so that what a closed month says
//! stays; it leads to a link through the click that won the order. What a promo code won has no link: it is listed by
//! platform alone where the program requires marking.

use super::export::Table;
use super::{Result, Tributary};
use crate::domain::id::{CreativeId, LinkId, PartnerId, ProgramId};
use crate::domain::money::{Currency, Money};
use crate::domain::program::Program;
use crate::domain::time::{Period, start_of_day};
use crate::domain::touch::touch_id;
use crate::store::ad_marking::{self, AdLink, WonMoney};
use crate::store::creative::{self, Creative};
use crate::store::{link, partner, program};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// What a row is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    program: ProgramId,
    creative: Option<CreativeId>,
    erid: Option<String>,
    partner: Option<PartnerId>,
    /// The source of a link that is no partner's.
    source: Option<String>,
}

/// Impressions, clicks that count, and money by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdFigures {
    pub impressions: i64,
    pub clicks: i64,
    /// Earned in the month less what was taken back in it.
    pub commission: BTreeMap<Currency, i64>,
    /// Commissions of the payout runs that were paid in the month.
    pub paid: BTreeMap<Currency, i64>,
}

impl AdFigures {
    fn add(&mut self, other: &AdFigures) {
        self.impressions += other.impressions;
        self.clicks += other.clicks;
        for (sums, more) in [(&mut self.commission, &other.commission), (&mut self.paid, &other.paid)] {
            for (currency, minor) in more {
                *sums.entry(*currency).or_default() += minor;
            }
        }
    }

    fn is_zero(&self) -> bool {
        let no_money = |sums: &BTreeMap<Currency, i64>| sums.values().all(|minor| *minor == 0);
        self.impressions == 0 && self.clicks == 0 && no_money(&self.commission) && no_money(&self.paid)
    }

    fn json(&self) -> [(&'static str, Value); 4] {
        let money =
            |sums: &BTreeMap<Currency, i64>| json!(sums.iter().map(|(c, minor)| Money::new(*minor, *c)).collect::<Vec<_>>());
        [
            ("impressions", json!(self.impressions)),
            ("clicks", json!(self.clicks)),
            ("commission", money(&self.commission)),
            ("paid", money(&self.paid)),
        ]
    }
}

/// One creative on one platform; `erid` none: not marked.
#[derive(Debug, Clone)]
pub struct AdRow {
    pub program: Program,
    pub creative: Option<Creative>,
    pub erid: Option<String>,
    pub partner: Option<PartnerId>,
    /// The partner's name; of a link that is no partner's, its source.
    pub platform: Option<String>,
    pub figures: AdFigures,
}

/// The figures of a month. Rows in which nothing happened are left out.
#[derive(Debug, Clone)]
pub struct AdMarkingReport {
    pub period: Period,
    /// By contract, creative, token and platform.
    pub rows: Vec<AdRow>,
    pub totals: AdFigures,
    /// Links of partners that lack the mark their program requires, whatever happened on them.
    pub unmarked_links: i64,
}

/// The figures of a month, in the merchant's time zone.
pub async fn report(service: &Tributary, period: Period) -> Result<AdMarkingReport> {
    let db = &service.db;
    let (first, last) = (period.first_day(), period.last_day());
    let links: HashMap<LinkId, AdLink> = ad_marking::links(db).await?.into_iter().map(|l| (l.id, l)).collect();
    let programs: HashMap<ProgramId, Program> = program::all(db).await?.into_iter().map(|p| (p.id, p)).collect();
    let mut sums: BTreeMap<Key, AdFigures> = BTreeMap::new();
    for (id, impressions, clicks) in ad_marking::touches(db, first, last).await? {
        let Some(link) = links.get(&id) else { continue };
        let figures = sums.entry(key_of(link)).or_default();
        figures.impressions += impressions;
        figures.clicks += clicks;
    }
    let commission = ad_marking::commission(db, first, last).await?;
    let (start, end) = (start_of_day(service.zone, first), start_of_day(service.zone, period.next().first_day()));
    let paid = ad_marking::paid(db, start.into(), end.into()).await?;
    let touches: Vec<_> = commission.iter().chain(&paid).filter_map(touch_of).map(touch_id).collect();
    let through = ad_marking::links_of_touches(db, &touches).await?;
    let place = |won: &WonMoney| {
        let link = touch_of(won).and_then(|touch| through.get(&touch_id(touch))).and_then(|id| links.get(id));
        let required = programs.get(&won.program_id).is_some_and(|p| p.ad_marking_required);
        let alone = Key { program: won.program_id, creative: None, erid: None, partner: Some(won.partner_id), source: None };
        link.map(key_of).or(required.then_some(alone))
    };
    for won in &commission {
        if let Some(key) = place(won) {
            *sums.entry(key).or_default().commission.entry(won.currency).or_default() += won.amount_minor;
        }
    }
    for won in &paid {
        if let Some(key) = place(won) {
            *sums.entry(key).or_default().paid.entry(won.currency).or_default() += won.amount_minor;
        }
    }
    let creatives: HashMap<CreativeId, Creative> =
        creative::list(db, 0, i64::MAX).await?.into_iter().map(|c| (c.id, c)).collect();
    let names: HashMap<PartnerId, String> = partner::list(db, 0, i64::MAX).await?.into_iter().map(|p| (p.id, p.name)).collect();
    let mut totals = AdFigures::default();
    let mut rows = Vec::new();
    for (key, figures) in sums {
        let (false, Some(program)) = (figures.is_zero(), programs.get(&key.program)) else { continue };
        totals.add(&figures);
        let platform = key.partner.and_then(|id| names.get(&id).cloned()).or(key.source);
        let creative = key.creative.and_then(|id| creatives.get(&id).cloned());
        rows.push(AdRow { program: program.clone(), creative, erid: key.erid, partner: key.partner, platform, figures });
    }
    let order = |row: &AdRow| {
        let contract = row.creative.as_ref().and_then(|c| Some((c.contract_number.clone()?, c.contract_date)));
        (contract.is_none(), contract, row.creative.as_ref().map(|c| c.id), row.erid.clone(), row.platform.clone(), row.partner)
    };
    rows.sort_by_cached_key(order);
    Ok(AdMarkingReport { period, rows, totals, unmarked_links: link::count_unmarked(db).await? })
}

fn key_of(link: &AdLink) -> Key {
    let source = if link.partner_id.is_none() { link.utm.get("source").cloned() } else { None };
    Key { program: link.program_id, creative: link.creative_id, erid: link.erid.clone(), partner: link.partner_id, source }
}

/// The touch that won, if it was no promo code.
fn touch_of(won: &WonMoney) -> Option<&str> {
    won.touch.as_deref().filter(|touch| !touch.starts_with("promo:"))
}

impl AdRow {
    fn json(&self) -> Value {
        let creative = self.creative.as_ref();
        let contract = creative.and_then(|c| Some(json!({ "number": c.contract_number.as_ref()?, "date": c.contract_date })));
        let advertiser = creative.and_then(|c| Some(json!({ "name": c.advertiser_name.as_ref()?, "inn": c.advertiser_inn })));
        let mut row = json!({
            "program": self.program.id,
            "contract": contract,
            "advertiser": advertiser,
            "creative": creative.map(|c| c.id),
            "creative_name": creative.map(|c| &c.name),
            "kind": creative.map(|c| c.kind),
            "erid": self.erid,
            "platform": self.platform,
            "partner": self.partner,
        });
        if let Value::Object(fields) = &mut row {
            fields.extend(self.figures.json().map(|(name, value)| (name.to_owned(), value)));
        }
        row
    }
}

impl AdMarkingReport {
    pub fn json(&self) -> Value {
        let totals: serde_json::Map<_, _> =
            self.totals.json().map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        json!({
            "period": self.period,
            "data": self.rows.iter().map(AdRow::json).collect::<Vec<_>>(),
            "totals": totals,
            "unmarked_links": self.unmarked_links,
        })
    }

    /// A line for each row and currency; impressions and clicks stand in the first of a row's lines alone, so that every
    /// column adds up.
    pub fn table(&self) -> Table {
        const HEAD: [&str; 17] = [
            "period",
            "program",
            "contract_number",
            "contract_date",
            "advertiser",
            "inn",
            "creative",
            "creative_name",
            "kind",
            "erid",
            "platform",
            "partner",
            "impressions",
            "clicks",
            "currency",
            "commission",
            "paid",
        ];
        let mut table = Table::new(&HEAD);
        for row in &self.rows {
            for cells in row.lines(self.period) {
                table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
        table
    }
}

impl AdRow {
    fn lines(&self, period: Period) -> Vec<[String; 17]> {
        let creative = self.creative.as_ref();
        let text = |pick: fn(&Creative) -> Option<String>| creative.and_then(pick).unwrap_or_default();
        let kind = creative.and_then(|c| json!(c.kind).as_str().map(str::to_owned)).unwrap_or_default();
        let mut currencies: Vec<Currency> = self.figures.commission.keys().chain(self.figures.paid.keys()).copied().collect();
        currencies.sort_unstable();
        currencies.dedup();
        if currencies.is_empty() {
            currencies.push(self.program.currency);
        }
        let line = |(index, currency): (usize, Currency)| {
            let money =
                |sums: &BTreeMap<Currency, i64>| Money::new(sums.get(&currency).copied().unwrap_or(0), currency).decimal();
            let count = |number: i64| if index == 0 { number } else { 0 }.to_string();
            [
                period.to_string(),
                self.program.id.to_string(),
                text(|c| c.contract_number.clone()),
                text(|c| c.contract_date.map(|day| day.to_string())),
                text(|c| c.advertiser_name.clone()),
                text(|c| c.advertiser_inn.clone()),
                text(|c| Some(c.id.to_string())),
                text(|c| Some(c.name.clone())),
                kind.clone(),
                self.erid.clone().unwrap_or_default(),
                self.platform.clone().unwrap_or_default(),
                self.partner.map(|id| id.to_string()).unwrap_or_default(),
                count(self.figures.impressions),
                count(self.figures.clicks),
                currency.to_string(),
                money(&self.figures.commission),
                money(&self.figures.paid),
            ]
        };
        currencies.into_iter().enumerate().map(line).collect()
    }

    /// The row as a person reads it: contract, creative, token, platform, impressions, clicks, commission, paid.
    pub fn brief(&self) -> Vec<String> {
        let money = |sums: &BTreeMap<Currency, i64>| {
            let texts: Vec<String> = sums.iter().map(|(currency, minor)| Money::new(*minor, *currency).to_string()).collect();
            if texts.is_empty() { "—".to_owned() } else { texts.join(" + ") }
        };
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "—".to_owned());
        vec![
            or_none(self.creative.as_ref().and_then(|c| c.contract_number.clone())),
            or_none(self.creative.as_ref().map(|c| c.name.clone())),
            or_none(self.erid.clone()),
            or_none(self.platform.clone()),
            self.figures.impressions.to_string(),
            self.figures.clicks.to_string(),
            money(&self.figures.commission),
            money(&self.figures.paid),
        ]
    }
}
