//! What each channel and partner returned. Credit is reckoned when it is asked for: orders stream past with their
//! person's touches, money is split by largest remainder, so rows add up to totals.

mod converted;
mod table;

pub use converted::{ConvertedLine, conversion_json};

use super::credit::{CreditOptions, Fits, Journeys, Step, fits_of};
use super::{Error, Result, Tributary};
use crate::domain::attribution::Model;
use crate::domain::channel::Channel;
use crate::domain::figures;
use crate::domain::id::{OrderId, PartnerId};
use crate::domain::money::{Currency, Money, split_minor};
use crate::store::decision::SharedOrder;
use crate::store::report::ReportOrder;
use crate::store::{Db, Reader, cost, decision, order, partner, program, report};
use chrono::NaiveDate;
use converted::{Exchange, InReport};
use std::collections::{BTreeMap, HashMap, HashSet};

/// By what rows are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dimension {
    Channel,
    Source,
    Medium,
    Campaign,
    Partner,
    Day,
}

impl Dimension {
    pub const ALL: [Dimension; 6] = [Self::Channel, Self::Source, Self::Medium, Self::Campaign, Self::Partner, Self::Day];

    pub fn name(self) -> &'static str {
        match self {
            Dimension::Channel => "channel",
            Dimension::Source => "source",
            Dimension::Medium => "medium",
            Dimension::Campaign => "campaign",
            Dimension::Partner => "partner",
            Dimension::Day => "day",
        }
    }
}

impl std::str::FromStr for Dimension {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Dimension, String> {
        let names = Dimension::ALL.map(Dimension::name).join(", ");
        Dimension::ALL.into_iter().find(|d| d.name() == text).ok_or_else(|| format!("'{text}' is not one of {names}"))
    }
}

/// What is asked. Days are inclusive, in the merchant's zone.
#[derive(Debug, Clone)]
pub struct Question {
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub model: Model,
    pub group_by: Vec<Dimension>,
    pub credit: CreditOptions,
    /// Amounts in other currencies are told apart, never added. Default: that of the programs, else of the orders.
    pub currency: Option<Currency>,
    /// Amounts in other currencies are converted, each by the rate of its own day, and shown with it.
    pub convert: bool,
}

/// The sums of a row. Shared orders and customers are counted in millionths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    pub clicks: i64,
    pub clicks_not_counted: i64,
    pub visitors: i64,
    pub orders_millionths: i64,
    pub new_customers_millionths: i64,
    pub revenue_minor: i64,
    pub net_revenue_minor: i64,
    pub ad_cost_minor: i64,
    pub commission_minor: i64,
}

impl Sums {
    pub fn cost_minor(&self) -> i64 {
        self.ad_cost_minor + self.commission_minor
    }

    /// The figures of the row, ready to be written.
    pub fn figures(&self, currency: Currency) -> Figures {
        let money = |minor| Money::new(minor, currency);
        let per = |minor, millionths| figures::per_piece(minor, millionths).map(money);
        let (clicks, millionth) = (self.clicks, 1_000_000);
        Figures {
            clicks,
            clicks_not_counted: self.clicks_not_counted,
            visitors: self.visitors,
            orders: self.orders_millionths as f64 / 1e6,
            new_customers: self.new_customers_millionths as f64 / 1e6,
            revenue: money(self.revenue_minor),
            refunds: money(self.revenue_minor - self.net_revenue_minor),
            net_revenue: money(self.net_revenue_minor),
            ad_cost: money(self.ad_cost_minor),
            commission: money(self.commission_minor),
            cost: money(self.cost_minor()),
            cr: figures::percent(self.orders_millionths as f64 / 1e6, clicks as f64),
            aov: per(self.net_revenue_minor, self.orders_millionths),
            cpc: if self.ad_cost_minor == 0 { None } else { per(self.ad_cost_minor, clicks.saturating_mul(millionth)) },
            cac: if self.cost_minor() == 0 { None } else { per(self.cost_minor(), self.new_customers_millionths) },
            roas: figures::roas(self.net_revenue_minor, self.ad_cost_minor),
            roi: figures::roi(self.net_revenue_minor, self.cost_minor()),
        }
    }
}

/// The figures of a row. `cr` and `roi` are percentages; `null` where the divisor is zero.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Figures {
    pub clicks: i64,
    pub clicks_not_counted: i64,
    pub visitors: i64,
    pub orders: f64,
    pub new_customers: f64,
    pub revenue: Money,
    pub refunds: Money,
    pub net_revenue: Money,
    pub ad_cost: Money,
    pub commission: Money,
    pub cost: Money,
    pub cr: Option<f64>,
    pub aov: Option<Money>,
    pub cpc: Option<Money>,
    pub cac: Option<Money>,
    pub roas: Option<f64>,
    pub roi: Option<f64>,
}

/// What was left out because it is in another currency.
#[derive(Debug, Clone, serde::Serialize)]
pub struct OtherCurrency {
    pub currency: Currency,
    pub orders: i64,
    pub revenue: Money,
    pub ad_cost: Money,
}

/// A report: rows by their keys, the totals, and what is in other currencies.
#[derive(Debug, Clone)]
pub struct Report {
    pub question: Question,
    pub currency: Currency,
    /// Best net revenue first.
    pub rows: Vec<(Vec<Option<String>>, Sums)>,
    pub totals: Sums,
    pub other_currencies: Vec<OtherCurrency>,
    /// What of each row was converted, by its keys.
    pub converted: HashMap<Vec<Option<String>>, Vec<ConvertedLine>>,
}

struct Origin<'a> {
    day: NaiveDate,
    channel: Channel,
    source: Option<&'a str>,
    medium: Option<&'a str>,
    campaign: Option<&'a str>,
    partner: Option<PartnerId>,
}

impl Origin<'_> {
    fn keys(&self, by: &[Dimension]) -> Vec<Option<String>> {
        let some = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        by.iter()
            .map(|dimension| match dimension {
                Dimension::Channel => Some(self.channel.name().to_owned()),
                Dimension::Source => some(self.source),
                Dimension::Medium => some(self.medium),
                Dimension::Campaign => some(self.campaign),
                Dimension::Partner => self.partner.map(|p| p.to_string()),
                Dimension::Day => Some(self.day.to_string()),
            })
            .collect()
    }
}

/// The currency reports are in if none is asked for.
pub async fn default_currency<'a>(on: impl Into<Reader<'a>>) -> Result<Currency> {
    let mut reader = on.into();
    if let Some(program) = program::list(reader.again(), 0, 1).await?.first() {
        return Ok(program.currency);
    }
    Ok(order::first_currency(reader).await?.unwrap_or(Currency::RUB))
}

type Others = BTreeMap<Currency, (i64, i64, i64)>;

fn other_currencies(others: Others) -> Vec<OtherCurrency> {
    others
        .into_iter()
        .map(|(currency, (orders, revenue, cost))| OtherCurrency {
            currency,
            orders,
            revenue: Money::new(revenue, currency),
            ad_cost: Money::new(cost, currency),
        })
        .collect()
}

fn check(question: &Question) -> Result<()> {
    if question.from > question.to {
        return Err(Error::field("/to", "lies before from"));
    }
    if (question.to - question.from).num_days() > 3_700 {
        return Err(Error::field("/to", "is more than ten years after from"));
    }
    Ok(())
}

/// The ROI of channels (or what else is grouped by), by analytic credit.
pub async fn channels(service: &Tributary, question: Question) -> Result<Report> {
    check(&question)?;
    let db = &service.db;
    let currency = match question.currency {
        Some(currency) => currency,
        None => default_currency(db).await?,
    };
    let (from, to, by) = (question.from, question.to, question.group_by.clone());
    let mut rows: HashMap<Vec<Option<String>>, Sums> = HashMap::new();
    let mut visitors: HashSet<(Vec<Option<String>>, String)> = HashSet::new();
    let mut all_visitors: HashSet<String> = HashSet::new();
    for total in report::touch_totals(db, from, to).await? {
        let origin = Origin {
            day: total.day,
            channel: total.channel,
            source: total.source.as_deref(),
            medium: total.medium.as_deref(),
            campaign: total.campaign.as_deref(),
            partner: total.partner_id,
        };
        let keys = origin.keys(&by);
        let row = rows.entry(keys.clone()).or_default();
        row.clicks += total.counted;
        row.clicks_not_counted += total.not_counted;
        if total.counted > 0 {
            all_visitors.insert(total.visitor.clone());
            if visitors.insert((keys, total.visitor)) {
                row.visitors += 1;
            }
        }
    }
    let mut others = Others::new();
    let mut exchange = Exchange::of(db, &question, currency).await?;
    for cost in cost::between(db, from, to).await? {
        let Some(brought) = exchange.bring([cost.amount_minor], cost.currency, cost.day)? else {
            others.entry(cost.currency).or_default().2 += cost.amount_minor;
            continue;
        };
        let origin = Origin {
            day: cost.day,
            channel: cost.channel,
            source: Some(&cost.source),
            medium: Some(&cost.medium),
            campaign: Some(&cost.campaign),
            partner: None,
        };
        let keys = origin.keys(&by);
        let [ad_cost_minor] = brought.minors;
        if let Some(([original], currency, conversion)) = &brought.from {
            exchange.note(&keys, (*currency, conversion), |from, to| {
                from.ad_cost_minor += original;
                to.ad_cost_minor += ad_cost_minor;
            });
        }
        rows.entry(keys).or_default().ad_cost_minor += ad_cost_minor;
    }
    let shares = shares_of(db, from, to).await?;
    let journeys = Journeys::load(service, from, to, question.credit).await?;
    let fits = match question.model.needs_a_fit() {
        true => fits_of(service, from, to, question.credit.window).await?,
        false => Fits::default(),
    };
    for order in report::orders(db, from, to).await? {
        let Some(amounts) = amounts_of(&mut exchange, &order)? else {
            let other = others.entry(order.currency).or_default();
            (other.0, other.1) = (other.0 + 1, other.1 + order.total_minor);
            continue;
        };
        add_order(&mut rows, (&journeys, &fits), (&order, &amounts, &shares), &question, &mut exchange)?;
    }
    let mut totals = Sums { visitors: all_visitors.len() as i64, ..Sums::default() };
    for row in rows.values() {
        add(&mut totals, row);
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by(|a, b| b.1.net_revenue_minor.cmp(&a.1.net_revenue_minor).then_with(|| a.0.cmp(&b.0)));
    let converted = exchange.done()?;
    Ok(Report { question, currency, rows, totals, other_currencies: other_currencies(others), converted })
}

/// An order's total and net amount in the currency of the report; `None`: it is in another.
fn amounts_of(exchange: &mut Exchange, order: &ReportOrder) -> Result<Option<InReport<2>>> {
    exchange.bring([order.total_minor, order.total_minor - order.refunded_minor], order.currency, order.day)
}

fn add(to: &mut Sums, row: &Sums) {
    to.clicks += row.clicks;
    to.clicks_not_counted += row.clicks_not_counted;
    to.orders_millionths += row.orders_millionths;
    to.new_customers_millionths += row.new_customers_millionths;
    to.revenue_minor += row.revenue_minor;
    to.net_revenue_minor += row.net_revenue_minor;
    to.ad_cost_minor += row.ad_cost_minor;
    to.commission_minor += row.commission_minor;
}

/// What of an order is owed to one partner.
struct OwedPart<'a> {
    partner: Option<PartnerId>,
    touch: Option<&'a str>,
    touches: u64,
    commission_minor: i64,
}

/// The orders that several partners share.
type Shares = HashMap<OrderId, Vec<SharedOrder>>;

async fn shares_of(db: &Db, from: NaiveDate, to: NaiveDate) -> Result<Shares> {
    let mut shares = Shares::new();
    for share in decision::shares_between(db, from, to).await? {
        shares.entry(share.order_id).or_default().push(share);
    }
    Ok(shares)
}

fn owed_parts<'a>(order: &'a ReportOrder, shares: &'a Shares) -> impl Iterator<Item = OwedPart<'a>> {
    let shared = shares.get(&order.id).map_or(&[][..], Vec::as_slice);
    let whole = shared.is_empty().then_some(OwedPart {
        partner: order.partner_id,
        touch: order.won_touch.as_deref(),
        touches: 1,
        commission_minor: order.commission_minor,
    });
    let part = |share: &'a SharedOrder| OwedPart {
        partner: Some(share.partner_id),
        touch: Some(&share.touch),
        touches: share.touches.unsigned_abs(),
        commission_minor: share.commission_minor,
    };
    whole.into_iter().chain(shared.iter().map(part))
}

fn add_order(
    rows: &mut HashMap<Vec<Option<String>>, Sums>,
    (journeys, fits): (&Journeys, &Fits),
    (order, amounts, shares): (&ReportOrder, &InReport<2>, &Shares),
    question: &Question,
    exchange: &mut Exchange,
) -> Result<()> {
    let by = &question.group_by;
    let journey = journeys.of(order);
    let steps = &journey.steps;
    let origin_of = |step: &Step| {
        Origin {
            day: order.day,
            channel: step.channel,
            source: step.source.as_deref(),
            medium: step.medium.as_deref(),
            campaign: step.campaign.as_deref(),
            partner: step.partner,
        }
        .keys(by)
    };
    let unobserved =
        Origin { day: order.day, channel: Channel::Direct, source: None, medium: None, campaign: None, partner: None };
    let (keys, weights) = if steps.is_empty() {
        (vec![unobserved.keys(by)], vec![1])
    } else {
        (steps.iter().map(origin_of).collect(), journey.weights(question.model, fits, question.credit)?)
    };
    let orders = split_minor(1_000_000, &weights);
    let [revenue, net] = amounts.minors.map(|minor| split_minor(minor, &weights));
    let originals = amounts.from.as_ref().map(|(minors, ..)| minors.map(|minor| split_minor(minor, &weights)));
    for (index, keys) in keys.into_iter().enumerate() {
        if weights[index] == 0 {
            continue;
        }
        if let (Some([total, left]), Some((_, currency, conversion))) = (&originals, &amounts.from) {
            exchange.note(&keys, (*currency, conversion), |from, to| {
                from.revenue_minor += total[index];
                from.net_revenue_minor += left[index];
                to.revenue_minor += revenue[index];
                to.net_revenue_minor += net[index];
            });
        }
        let row = rows.entry(keys).or_default();
        row.orders_millionths += orders[index];
        row.new_customers_millionths += if order.is_new { orders[index] } else { 0 };
        row.revenue_minor += revenue[index];
        row.net_revenue_minor += net[index];
    }
    // Commission is a cost of what won the payable credit, whatever the model says.
    for part in owed_parts(order, shares).filter(|part| part.commission_minor != 0) {
        let won = steps.iter().find(|s| Some(s.touch.as_str()) == part.touch);
        let keys = Origin {
            channel: won.map_or(Channel::Affiliate, |step| step.channel),
            source: won.and_then(|step| step.source.as_deref()),
            medium: won.and_then(|step| step.medium.as_deref()),
            campaign: won.and_then(|step| step.campaign.as_deref()),
            // A code may have gone to another partner since.
            partner: part.partner,
            ..unobserved
        }
        .keys(by);
        let commission_minor = commission_of(exchange, &keys, order, &part)?;
        rows.entry(keys).or_default().commission_minor += commission_minor;
    }
    Ok(())
}

/// A partner's commission in the currency of the report, by the rate of the order's day; noted, if it was converted.
fn commission_of(exchange: &mut Exchange, keys: &[Option<String>], order: &ReportOrder, part: &OwedPart<'_>) -> Result<i64> {
    let Some(brought) = exchange.bring([part.commission_minor], order.currency, order.day)? else { return Ok(0) };
    let [commission_minor] = brought.minors;
    if let Some(([original], currency, conversion)) = &brought.from {
        exchange.note(keys, (*currency, conversion), |from, to| {
            from.commission_minor += original;
            to.commission_minor += commission_minor;
        });
    }
    Ok(commission_minor)
}

/// What each partner brought, by payable credit: the orders that are owed to them.
pub async fn partners(service: &Tributary, mut question: Question) -> Result<Report> {
    check(&question)?;
    question.group_by = vec![Dimension::Partner];
    let db = &service.db;
    let currency = match question.currency {
        Some(currency) => currency,
        None => default_currency(db).await?,
    };
    let mut rows: BTreeMap<PartnerId, Sums> = BTreeMap::new();
    let mut visitors: HashSet<(PartnerId, String)> = HashSet::new();
    let mut all_visitors: HashSet<String> = HashSet::new();
    for total in report::touch_totals(db, question.from, question.to).await? {
        let Some(partner) = total.partner_id else { continue };
        let row = rows.entry(partner).or_default();
        row.clicks += total.counted;
        row.clicks_not_counted += total.not_counted;
        if total.counted > 0 {
            all_visitors.insert(total.visitor.clone());
            if visitors.insert((partner, total.visitor)) {
                row.visitors += 1;
            }
        }
    }
    let mut others = Others::new();
    let mut exchange = Exchange::of(db, &question, currency).await?;
    let shares = shares_of(db, question.from, question.to).await?;
    for order in report::orders(db, question.from, question.to).await? {
        if order.partner_id.is_none() {
            continue;
        }
        let Some(amounts) = amounts_of(&mut exchange, &order)? else {
            let other = others.entry(order.currency).or_default();
            (other.0, other.1) = (other.0 + 1, other.1 + order.total_minor);
            continue;
        };
        let parts: Vec<OwedPart<'_>> = owed_parts(&order, &shares).collect();
        let touches: Vec<u64> = parts.iter().map(|part| part.touches).collect();
        let orders = split_minor(1_000_000, &touches);
        let [revenue, net] = amounts.minors.map(|minor| split_minor(minor, &touches));
        let originals = amounts.from.as_ref().map(|(minors, ..)| minors.map(|minor| split_minor(minor, &touches)));
        for (index, part) in parts.iter().enumerate() {
            let Some(partner) = part.partner else { continue };
            let keys = [Some(partner.to_string())];
            if let (Some([total, left]), Some((_, currency, conversion))) = (&originals, &amounts.from) {
                exchange.note(&keys, (*currency, conversion), |from, to| {
                    from.revenue_minor += total[index];
                    from.net_revenue_minor += left[index];
                    to.revenue_minor += revenue[index];
                    to.net_revenue_minor += net[index];
                });
            }
            let commission_minor = commission_of(&mut exchange, &keys, &order, part)?;
            let row = rows.entry(partner).or_default();
            row.orders_millionths += orders[index];
            row.new_customers_millionths += if order.is_new { orders[index] } else { 0 };
            row.revenue_minor += revenue[index];
            row.net_revenue_minor += net[index];
            row.commission_minor += commission_minor;
        }
    }
    let mut totals = Sums { visitors: all_visitors.len() as i64, ..Sums::default() };
    for row in rows.values() {
        add(&mut totals, row);
    }
    let mut rows: Vec<_> = rows.into_iter().map(|(id, sums)| (vec![Some(id.to_string())], sums)).collect();
    rows.sort_by(|a, b| b.1.net_revenue_minor.cmp(&a.1.net_revenue_minor).then_with(|| a.0.cmp(&b.0)));
    let converted = exchange.done()?;
    Ok(Report { question, currency, rows, totals, other_currencies: other_currencies(others), converted })
}

/// The names of partners by their ids as text, for reports that show them.
pub async fn partner_names<'a>(on: impl Into<Reader<'a>>) -> Result<HashMap<String, String>> {
    let all = partner::list(on, 0, i64::MAX).await?;
    Ok(all.into_iter().map(|p| (p.id.to_string(), p.name)).collect())
}
