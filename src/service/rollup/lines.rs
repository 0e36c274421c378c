//! The credit of a span of days by origin, reckoned from orders, leads and touches themselves: what roll-ups keep, what a
//! report reckons of days that are out of date, and what `doctor` compares with.

use crate::domain::attribution::Model;
use crate::domain::channel::Channel;
use crate::domain::exchange_rate::Conversion;
use crate::domain::id::OrderId;
use crate::domain::money::{Currency, split_minor};
use crate::domain::order::CustomerKind;
use crate::service::credit::{CreditOptions, Fits, Journeys, OrderJourney, Step, journey_to_lead};
use crate::service::{Result, Tributary};
use crate::store::credit_day::{CreditDay, CreditDays, CreditSums, PAYABLE};
use crate::store::decision::{self, SharedOrder};
use crate::store::report::{self, ReportCommission, ReportOrder, StepTouch};
use chrono::NaiveDate;
use std::collections::HashMap;
use std::hash::Hash;

/// Amounts in the currency that sums are made in, and what they were converted from.
pub struct Brought {
    pub minors: [i64; 3],
    pub currency: Currency,
    pub from: Option<([i64; 3], Currency, Conversion)>,
}

/// How amounts come into the currency that sums are made in.
pub trait Brings {
    fn bring(&mut self, minors: [i64; 3], currency: Currency, day: NaiveDate) -> Result<Brought>;
    /// Hears what of a line was converted.
    fn note(&mut self, key: &CreditDay, original: &CreditSums, converted: &CreditSums, from: Currency, conversion: &Conversion);
}

/// Every amount keeps its own currency.
pub struct AsTheyAre;

impl Brings for AsTheyAre {
    fn bring(&mut self, minors: [i64; 3], currency: Currency, _: NaiveDate) -> Result<Brought> {
        Ok(Brought { minors, currency, from: None })
    }
    fn note(&mut self, _: &CreditDay, _: &CreditSums, _: &CreditSums, _: Currency, _: &Conversion) {}
}

/// What is reckoned, and by what.
pub struct Sharing<'a> {
    /// As rows name them.
    pub models: &'a [(&'static str, Model)],
    pub fits: &'a Fits,
    pub options: CreditOptions,
}

fn by_key<K: Hash + Eq, T, V>(found: Vec<T>, split: impl Fn(T) -> (K, V)) -> HashMap<K, Vec<V>> {
    let mut grouped: HashMap<K, Vec<V>> = HashMap::new();
    for one in found {
        let (key, value) = split(one);
        grouped.entry(key).or_default().push(value);
    }
    grouped
}

/// An amount squared, in whole major units.
fn square(minor: i64, currency: Currency) -> i64 {
    let unit = 100_i128.pow(currency.decimals());
    i64::try_from(i128::from(minor) * i128::from(minor) / unit).unwrap_or(i64::MAX)
}

struct Lines<'a, E> {
    lines: CreditDays,
    exchange: &'a mut E,
}

/// What a line is of, apart from where its touch came from.
#[derive(Clone, Copy)]
struct Line {
    model: &'static str,
    day: NaiveDate,
    currency: Option<Currency>,
    customer: Option<CustomerKind>,
}

impl Line {
    fn at(self, step: Option<&Step>, otherwise: Channel) -> CreditDay {
        CreditDay {
            model: self.model,
            day: self.day,
            currency: self.currency,
            channel: step.map_or(otherwise, |step| step.channel),
            origin_id: step.and_then(|step| step.origin_id).unwrap_or(0),
            link_id: step.and_then(|step| step.link).map_or(0, |id| id.0),
            partner_id: step.and_then(|step| step.partner).map_or(0, |id| id.0),
            promo_code_id: step.and_then(|step| step.promo_code).map_or(0, |id| id.0),
            country: step.and_then(|step| step.country),
            device: step.and_then(|step| step.device),
            customer: self.customer,
        }
    }
}

impl<E: Brings> Lines<'_, E> {
    /// Shares an order's amounts among `keys` by weights, and notes what of it was converted.
    fn share(&mut self, brought: &Brought, keys: &[CreditDay], weights: &[u64]) {
        let orders = split_minor(1_000_000, weights);
        let [revenue, net, discount] = brought.minors.map(|minor| split_minor(minor, weights));
        let originals = brought.from.as_ref().map(|(minors, ..)| minors.map(|minor| split_minor(minor, weights)));
        for (index, key) in keys.iter().enumerate().filter(|(index, _)| weights[*index] > 0) {
            let sums = CreditSums {
                orders_millionths: orders[index],
                revenue_minor: revenue[index],
                net_revenue_minor: net[index],
                discount_minor: discount[index],
                net_revenue_squares: square(net[index], brought.currency),
                ..CreditSums::default()
            };
            if let (Some([total, left, let_off]), Some((_, currency, conversion))) = (&originals, &brought.from) {
                let original = CreditSums {
                    revenue_minor: total[index],
                    net_revenue_minor: left[index],
                    discount_minor: let_off[index],
                    ..CreditSums::default()
                };
                self.exchange.note(key, &original, &sums, *currency, conversion);
            }
            *self.lines.entry(key.clone()).or_default() += sums;
        }
    }

    fn order(
        &mut self,
        order: &ReportOrder,
        journey: &OrderJourney,
        shared: &[SharedOrder],
        sharing: &Sharing<'_>,
    ) -> Result<()> {
        let brought = self.exchange.bring(
            [order.total_minor, order.total_minor - order.refunded_minor, order.discount_minor],
            order.currency,
            order.day,
        )?;
        let customer = Some(if order.is_new { CustomerKind::New } else { CustomerKind::Returning });
        let line = |model| Line { model, day: order.day, currency: Some(brought.currency), customer };
        for (name, model) in sharing.models {
            if journey.steps.is_empty() {
                // Nothing was seen: direct.
                self.share(&brought, &[line(name).at(None, Channel::Direct)], &[1]);
                continue;
            }
            let weights = journey.weights(*model, sharing.fits, sharing.options)?;
            let keys: Vec<CreditDay> = journey.steps.iter().map(|step| line(name).at(Some(step), Channel::Direct)).collect();
            self.share(&brought, &keys, &weights);
        }
        let parts: Vec<(i64, Option<&str>, u64)> = match (shared, order.partner_id) {
            ([], None) => return Ok(()),
            ([], Some(partner)) => vec![(partner.0, order.won_touch.as_deref(), 1)],
            (shared, _) => {
                shared.iter().map(|part| (part.partner_id.0, Some(part.touch.as_str()), part.touches.unsigned_abs())).collect()
            }
        };
        let keys: Vec<CreditDay> = parts
            .iter()
            // A code may have gone to another partner since.
            .map(|(partner, touch, _)| CreditDay {
                partner_id: *partner,
                ..line(PAYABLE).at(step_of(journey, *touch), Channel::Affiliate)
            })
            .collect();
        let weights: Vec<u64> = parts.iter().map(|(.., touches)| *touches).collect();
        self.share(&brought, &keys, &weights);
        Ok(())
    }

    /// Commission is a cost of what won the payable credit, whatever a model says.
    fn commission(
        &mut self,
        found: &ReportCommission,
        journey: Option<&OrderJourney>,
        customer: Option<CustomerKind>,
    ) -> Result<()> {
        let brought = self.exchange.bring([found.amount_minor, 0, 0], found.currency, found.day)?;
        let line = Line { model: PAYABLE, day: found.day, currency: Some(brought.currency), customer };
        let step = journey.and_then(|journey| step_of(journey, found.touch.as_deref()));
        let key = CreditDay { partner_id: found.partner_id.0, ..line.at(step, found.kind.into()) };
        let sums = |commission_minor| CreditSums { commission_minor, ..CreditSums::default() };
        if let Some(([original, ..], currency, conversion)) = &brought.from {
            self.exchange.note(&key, &sums(*original), &sums(brought.minors[0]), *currency, conversion);
        }
        *self.lines.entry(key).or_default() += sums(brought.minors[0]);
        Ok(())
    }

    fn lead(&mut self, day: NaiveDate, journey: &OrderJourney, sharing: &Sharing<'_>) -> Result<()> {
        for (name, model) in sharing.models {
            let line = Line { model: name, day, currency: None, customer: None };
            if journey.steps.is_empty() {
                self.lines.entry(line.at(None, Channel::Direct)).or_default().leads_millionths += 1_000_000;
                continue;
            }
            let weights = journey.weights(*model, sharing.fits, sharing.options)?;
            for (step, part) in journey.steps.iter().zip(split_minor(1_000_000, &weights)).filter(|(_, part)| *part > 0) {
                self.lines.entry(line.at(Some(step), Channel::Direct)).or_default().leads_millionths += part;
            }
        }
        Ok(())
    }
}

fn step_of<'a>(journey: &'a OrderJourney, touch: Option<&str>) -> Option<&'a Step> {
    journey.steps.iter().find(|step| Some(step.touch.as_str()) == touch)
}

/// Reckons the lines of a span of days, ends included.
pub async fn credit_lines<E: Brings>(
    service: &Tributary,
    (from, to): (NaiveDate, NaiveDate),
    sharing: &Sharing<'_>,
    exchange: &mut E,
) -> Result<CreditDays> {
    let db = &service.db;
    let mut lines = Lines { lines: CreditDays::new(), exchange };
    let journeys = Journeys::load(service, from, to, sharing.options).await?;
    let shares = by_key(decision::shares_between(db, from, to).await?, |share| (share.order_id, share));
    let commissions = report::commissions(db, from, to).await?;
    let mut of_orders: HashMap<OrderId, Vec<&ReportCommission>> = HashMap::new();
    for found in &commissions {
        if let Some(order) = found.order_id {
            of_orders.entry(order).or_default().push(found);
        }
    }
    for order in report::orders(db, from, to).await? {
        let journey = journeys.of(&order);
        lines.order(&order, &journey, shares.get(&order.id).map_or(&[][..], Vec::as_slice), sharing)?;
        let customer = Some(if order.is_new { CustomerKind::New } else { CustomerKind::Returning });
        for found in of_orders.remove(&order.id).unwrap_or_default() {
            lines.commission(found, Some(&journey), customer)?;
        }
    }
    // Of an order that does not stand any more, nothing is owed; if something is, it is still a cost.
    for found in of_orders.into_values().flatten() {
        lines.commission(found, None, None)?;
    }
    let window = sharing.options.window;
    let lead_touches: HashMap<_, Vec<StepTouch>> = by_key(report::lead_touches(db, from, to).await?, |t| (t.lead_id, t.touch));
    let mut of_leads = HashMap::new();
    for lead in report::leads(db, from, to).await? {
        let touches = lead_touches.get(&lead.id).map_or(&[][..], Vec::as_slice);
        let journey = journey_to_lead(lead.day, lead.at.into(), touches, window);
        lines.lead(lead.day, &journey, sharing)?;
        if let Some(partner) = lead.partner_id {
            let line = Line { model: PAYABLE, day: lead.day, currency: None, customer: None };
            let step = step_of(&journey, lead.won_touch.as_deref());
            let key = CreditDay { partner_id: partner.0, ..line.at(step, Channel::Affiliate) };
            lines.lines.entry(key).or_default().leads_millionths += 1_000_000;
        }
        of_leads.insert(lead.id, journey);
    }
    let browser_touches: HashMap<_, Vec<StepTouch>> =
        by_key(report::browser_lead_touches(db, from, to).await?, |t| (t.event_id, t.touch));
    for lead in report::browser_leads(db, from, to).await? {
        let touches = browser_touches.get(&lead.id).map_or(&[][..], Vec::as_slice);
        lines.lead(lead.day, &journey_to_lead(lead.day, lead.at.into(), touches, window), sharing)?;
    }
    for found in commissions.iter().filter(|found| found.order_id.is_none()) {
        lines.commission(found, found.lead_id.and_then(|lead| of_leads.get(&lead)), None)?;
    }
    Ok(lines.lines)
}
