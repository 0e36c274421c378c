//! The journeys of single orders, with everything that reports and pages show of their steps.

use super::fits::{Fits, fits_of};
use super::sums::lead_before;
use crate::domain::attribution::{
    CreditTouch, HalfLife, Journey, Model, Window, credit_weights, split_among_conversions, touches_in_window,
};
use crate::domain::channel::Channel;
use crate::domain::id::{LinkId, OrderId, PartnerId, PersonId, PromoCodeId};
use crate::domain::link_target::{Country, Device};
use crate::domain::time::Period;
use crate::domain::touch::{Touch, TouchKind, label};
use crate::service::{Error, Result, Tributary};
use crate::store::order::Order;
use crate::store::report::{OrderPromo, ReportOrder, StepTouch};
use crate::store::{journey, report};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::{HashMap, HashSet};

/// How credit is reckoned, beside the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreditOptions {
    pub window: Window,
    pub half_life: HalfLife,
    /// A touch that counts for several orders counts for each of them by that much less (`split=conversion`).
    pub split_among_conversions: bool,
}

/// A touch on the way to an order, as credit sees it.
#[derive(Debug, Clone)]
pub struct Step {
    /// A touch's id, or `promo:CODE`.
    pub touch: String,
    pub at: DateTime<Utc>,
    pub kind: TouchKind,
    pub channel: Channel,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub origin_id: Option<i64>,
    pub link: Option<LinkId>,
    pub partner: Option<PartnerId>,
    pub promo_code: Option<PromoCodeId>,
    pub country: Option<Country>,
    pub device: Option<Device>,
}

impl Step {
    fn credit_touch(&self) -> CreditTouch {
        CreditTouch { at: self.at, kind: self.kind, channel: self.channel, mark: None }
    }
}

/// How an order came about.
#[derive(Debug, Clone)]
pub struct OrderJourney {
    /// The steps that count, in order of time; a partner's code on the order is the last.
    pub steps: Vec<Step>,
    lead_at: Option<DateTime<Utc>>,
    /// Of each step: for how many of the person's orders it counts.
    serves: Vec<u32>,
    period: Period,
}

struct Facts<'a> {
    day: NaiveDate,
    placed_at: DateTime<Utc>,
    touches: &'a [StepTouch],
    promos: &'a [OrderPromo],
    leads: &'a [DateTime<Utc>],
    orders_of_person: &'a [DateTime<Utc>],
}

impl OrderJourney {
    fn of(facts: Facts<'_>, window: Window) -> OrderJourney {
        let placed_at = facts.placed_at;
        let mut seen = HashSet::new();
        let mut steps: Vec<Step> = facts
            .touches
            .iter()
            .filter(|t| {
                let touch = CreditTouch { at: t.at.into(), kind: t.kind, channel: t.channel, mark: None };
                touches_in_window(&touch, placed_at, window) && seen.insert(t.id)
            })
            .map(|t| Step {
                touch: label(t.id, t.external_id.as_deref()),
                at: t.at.into(),
                kind: t.kind,
                channel: t.channel,
                source: t.source.clone(),
                medium: t.medium.clone(),
                campaign: t.campaign.clone(),
                origin_id: t.origin_id,
                link: t.link_id,
                partner: t.partner_id,
                promo_code: None,
                country: t.country,
                device: t.device,
            })
            .collect();
        steps.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.touch.cmp(&b.touch)));
        let serves = |step: &Step| {
            let touch = step.credit_touch();
            facts.orders_of_person.iter().filter(|at| touches_in_window(&touch, **at, window)).count().max(1) as u32
        };
        let mut serves: Vec<u32> = steps.iter().map(serves).collect();
        serves.resize(steps.len() + facts.promos.len(), 1);
        steps.extend(facts.promos.iter().map(|p| Step {
            touch: format!("promo:{}", p.code),
            at: placed_at,
            kind: TouchKind::Promo,
            channel: p.kind.into(),
            source: None,
            medium: None,
            campaign: None,
            origin_id: None,
            link: None,
            partner: Some(p.partner_id),
            promo_code: Some(p.promo_code_id),
            country: None,
            device: None,
        }));
        let lead_at = lead_before(facts.leads, placed_at, window);
        OrderJourney { steps, lead_at, serves, period: Period::of(facts.day) }
    }

    /// One whole-number weight for each step, by a model. An error if the model's fit is not to be had.
    pub fn weights(&self, model: Model, fits: &Fits, options: CreditOptions) -> Result<Vec<u64>> {
        let touches: Vec<CreditTouch> = self.steps.iter().map(Step::credit_touch).collect();
        let basis = fits.basis(self.period, options.half_life);
        let weights = credit_weights(model, Journey { touches: &touches, lead_at: self.lead_at }, &basis).ok_or_else(|| {
            Error::field("/model", format!("{model} cannot be fitted for {}: more than 20 channels occur in it", self.period))
        })?;
        Ok(if options.split_among_conversions { split_among_conversions(&weights, &self.serves) } else { weights })
    }
}

/// The journeys of the approved orders of a span of days.
pub struct Journeys {
    touches: HashMap<OrderId, Vec<StepTouch>>,
    promos: HashMap<OrderId, Vec<OrderPromo>>,
    leads: HashMap<PersonId, Vec<DateTime<Utc>>>,
    orders: HashMap<PersonId, Vec<DateTime<Utc>>>,
    window: Window,
}

impl Journeys {
    pub async fn load(service: &Tributary, from: NaiveDate, to: NaiveDate, options: CreditOptions) -> Result<Journeys> {
        let db = &service.db;
        let mut touches: HashMap<OrderId, Vec<StepTouch>> = HashMap::new();
        for found in report::order_touches(db, from, to).await? {
            touches.entry(found.order_id).or_default().push(found.touch);
        }
        let mut promos: HashMap<OrderId, Vec<OrderPromo>> = HashMap::new();
        for promo in report::order_promos(db, from, to).await? {
            promos.entry(promo.order_id).or_default().push(promo);
        }
        let orders = match options.split_among_conversions {
            true => journey::orders_of_buyers(db, from, to).await?,
            false => HashMap::new(),
        };
        Ok(Journeys { touches, promos, leads: journey::leads(db).await?, orders, window: options.window })
    }

    pub fn of(&self, order: &ReportOrder) -> OrderJourney {
        fn list<'a, K: std::hash::Hash + Eq, V>(of: &'a HashMap<K, Vec<V>>, key: &K) -> &'a [V] {
            of.get(key).map_or(&[][..], Vec::as_slice)
        }
        let facts = Facts {
            day: order.day,
            placed_at: order.placed_at.into(),
            touches: list(&self.touches, &order.id),
            promos: list(&self.promos, &order.id),
            leads: list(&self.leads, &order.person_id),
            orders_of_person: list(&self.orders, &order.person_id),
        };
        OrderJourney::of(facts, self.window)
    }
}

/// The journey to a lead, which has no code, and no lead before it that counts.
pub fn journey_to_lead(day: NaiveDate, at: DateTime<Utc>, touches: &[StepTouch], window: Window) -> OrderJourney {
    OrderJourney::of(Facts { day, placed_at: at, touches, promos: &[], leads: &[], orders_of_person: &[] }, window)
}

/// The journey of one order, whatever its status, and what the models that need a fit build on. `touches` are those of
/// its person.
pub async fn of_order(service: &Tributary, order: &Order, touches: &[Touch]) -> Result<(OrderJourney, Fits)> {
    let db = &service.db;
    let counted: Vec<StepTouch> = touches
        .iter()
        .filter(|t| t.mark.is_none())
        .map(|t| StepTouch {
            id: t.id,
            external_id: t.external_id.clone(),
            at: t.at.into(),
            kind: t.kind,
            channel: t.channel,
            source: t.source.clone(),
            medium: t.medium.clone(),
            campaign: t.campaign.clone(),
            // Whoever looks at one order reads the origin itself.
            origin_id: None,
            link_id: t.link_id,
            partner_id: t.partner_id,
            country: t.country,
            device: t.device,
        })
        .collect();
    let (promos, leads) = (report::promos_of_order(db, order.id).await?, journey::leads_of_person(db, order.person).await?);
    let facts = Facts {
        day: order.day,
        placed_at: order.placed_at,
        touches: &counted,
        promos: &promos,
        leads: &leads,
        orders_of_person: &[],
    };
    let fits = fits_of(service, order.day, order.day, Window::default()).await?;
    Ok((OrderJourney::of(facts, Window::default()), fits))
}
