//! A lead arrives: once by its external id, decided like an order of nothing, paid by the rules for leads.

use super::claimants::Claimants;
use super::decide::consider_with;
use super::input::Problems;
use super::order::{CustomerInput, identifiers};
use super::rules_in_force::rules_in_force;
use super::{Context, Error, Result, settle, stitch};
use crate::domain::commission::PaidOn;
use crate::domain::id::OrderId;
use crate::domain::lead::NewLead;
use crate::domain::money::Currency;
use crate::domain::order::{OrderAmounts, OrderStatus};
use crate::domain::payable::Via;
use crate::domain::touch::touch_id;
use crate::store::event::{self, Event};
use crate::store::lead::{self, Lead, LeadDecision};
use crate::store::order::Order;
use crate::store::{Reader, Tx, person, touch};

/// A lead as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadInput {
    pub external_id: Option<String>,
    /// What it is: `signup`, `call request`. This or `stage` is required.
    pub name: Option<String>,
    /// Where it stands in the CRM; each stage is kept with its time.
    pub stage: Option<String>,
    /// `pending`, `approved` (default) or `cancelled`.
    pub status: Option<String>,
    /// Now, if left out.
    pub at: Option<String>,
    pub customer: Option<CustomerInput>,
    pub click_id: Option<String>,
    pub visitor_id: Option<String>,
}

impl LeadInput {
    /// Checks every field; e-mail and phone become hashes.
    pub fn check(&self, context: &Context) -> Result<NewLead> {
        let mut p = Problems::default();
        let external_id = p.line("/external_id", &self.external_id, 200);
        let external_id = if p.0.is_empty() { p.required("/external_id", external_id) } else { external_id };
        let (name, stage) = (p.line("/name", &self.name, 200), p.line("/stage", &self.stage, 200));
        if name.is_none() && stage.is_none() && p.0.is_empty() {
            p.add("/name", "is required, or stage");
        }
        let status = p.word("/status", &self.status).unwrap_or(OrderStatus::Approved);
        let at = match &self.at {
            None => Some(context.now),
            text => p.past_instant("/at", text, context.now),
        };
        let customer = self.customer.clone().unwrap_or_default();
        let who = customer.who(&mut p, context, &self.visitor_id, &self.click_id);
        let checked =
            NewLead { external_id: external_id.unwrap_or_default(), name, stage, status, at: at.unwrap_or_default(), who };
        p.done()?;
        Ok(checked)
    }
}

/// A lead as it now stands, and whether it is new.
#[derive(Debug, Clone)]
pub struct RecordedLead {
    pub lead: Lead,
    pub is_new: bool,
}

/// Records a lead by its external id: a new one, or a further stage or another status of a known one.
pub async fn record_lead(tx: &mut Tx, context: &Context, new: &NewLead) -> Result<RecordedLead> {
    let known = lead::by_external_id(&mut *tx, &new.external_id).await?;
    let found = identifiers(tx, &new.who).await?;
    let because = format!("lead {}", new.external_id);
    let person = match (stitch::join(tx, context, &found, &because).await?, &known) {
        (Some(person), _) => person,
        (None, None) => person::insert(tx, context.at()).await?,
        (None, Some(known)) => known.person_id,
    };
    let id = match &known {
        None => lead::insert(tx, new, context.day(new.at), person, context.at()).await?,
        Some(known) => {
            let mut stages = known.stages.0.clone();
            for reached in new.reached() {
                if !stages.iter().any(|stage| stage.stage == reached.stage) {
                    stages.push(reached);
                }
            }
            lead::update(tx, known.id, new.status, &stages, person, context.at()).await?;
            known.id
        }
    };
    keep_events(tx, context, new).await?;
    let mut stored = lead::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    if stored.status == OrderStatus::Approved && stored.decision.is_none() {
        let decision = decide(tx, context, &stored).await?;
        lead::set_decision(tx, id, &decision).await?;
        stored = lead::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    }
    let fact_day = if known.is_none() { stored.day } else { context.today() };
    settle::settle_lead(tx, context, &stored, settle::Fact::on(fact_day)).await?;
    Ok(RecordedLead { lead: stored, is_new: known.is_none() })
}

/// Each name and stage is an event too, once: models and funnels read those.
async fn keep_events(tx: &mut Tx, context: &Context, new: &NewLead) -> Result<()> {
    let visitor_id = match (&new.who.visitor_id, &new.who.click_id) {
        (Some(visitor), _) => Some(visitor.clone()),
        (None, Some(click_id)) => touch::by_id(&mut *tx, touch_id(click_id)).await?.and_then(|touch| touch.visitor_id),
        (None, None) => None,
    };
    for reached in new.reached() {
        let event = Event {
            id: touch_id(&format!("lead {} {}", new.external_id, reached.stage)),
            at: reached.at.into(),
            day: context.day(reached.at),
            kind: "lead".to_owned(),
            name: Some(reached.stage),
            visitor_id: visitor_id.clone(),
            customer_id: new.who.customer_id.clone(),
            click_id: new.who.click_id.clone(),
            url: None,
            body: serde_json::json!({ "lead": new.external_id }),
        };
        event::insert(tx, &event).await?;
    }
    Ok(())
}

/// Whom a lead is owed to, by the policy of the program. Where it would be split, the partner with the largest part has it.
async fn decide(tx: &mut Tx, context: &Context, found: &Lead) -> Result<LeadDecision> {
    let mut claimants = Claimants::default();
    let as_order = as_order(found);
    let mut reader = Reader::from(&mut *tx);
    let (decided, basis) = consider_with(&mut reader, &mut claimants, &as_order, PaidOn::Lead).await?;
    let rules = match &decided.winner {
        None => Vec::new(),
        Some(winner) => {
            let on = (PaidOn::Lead, basis.order.customer);
            rules_in_force(&mut reader, &mut claimants, &as_order, on, (winner.partner, winner.program)).await?
        }
    };
    let winner = decided.winner;
    Ok(LeadDecision {
        decided_at: context.now,
        policy: decided.policy,
        owed_to: winner.as_ref().map(|w| (w.partner, w.program)),
        via: winner.as_ref().map_or(Via::None, |w| w.via),
        reason: decided.reason,
        touch: winner.map(|w| w.touch),
        trace: decided.trace,
        basis,
        rules,
    })
}

/// What attribution looks at of a lead.
fn as_order(lead: &Lead) -> Order {
    Order {
        id: OrderId(0),
        external_id: lead.external_id.clone(),
        status: lead.status,
        placed_at: lead.at.0,
        day: lead.day,
        amounts: OrderAmounts {
            currency: Currency::RUB,
            total_minor: 0,
            tax_minor: 0,
            shipping_minor: 0,
            discount_minor: 0,
            refunded_minor: 0,
            items: Vec::new(),
        },
        customer_id: lead.customer_id.clone(),
        email_hash: lead.email_hash.clone(),
        promo_codes: Vec::new(),
        person: lead.person_id,
        created_at: lead.created_at.0,
        updated_at: lead.updated_at.0,
    }
}
