//! What another policy, window or rate card would have paid, beside what was decided. It reads and never writes: each
//! approved order is decided again by [`decide`] and reckoned by [`assess`], on the basis stored with its decision.

mod rate_card;

pub use rate_card::read_rate_card;

use super::claimants::Claimants;
use super::decide::{add_claimants, in_force, promo_claims};
use super::{Error, Result, Tributary};
use crate::domain::channel::Channel;
use crate::domain::commission::{OrderState, Rule, assess};
use crate::domain::id::{OrderId, PartnerId};
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::domain::payable::{Basis, Decision, OrderFacts, TouchClaim, decide};
use crate::domain::program::CreditPolicy;
use crate::domain::touch::touch_id;
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::touch::ClaimOfPerson;
use crate::store::{Db, Reader, commission, decision, order, rule, touch};
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap};

const PAGE: i64 = 1_000;

/// What is asked. Days are those on which orders were placed, both included.
#[derive(Debug, Clone, Default)]
pub struct Question {
    pub from: Option<NaiveDate>,
    pub to: Option<NaiveDate>,
    pub policy: Option<CreditPolicy>,
    /// Of every program.
    pub click_window_days: Option<i64>,
    pub view_window_days: Option<i64>,
    /// In place of all commission rules.
    pub rate_card: Option<Vec<Rule>>,
}

/// Orders and what they owe, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub orders: i64,
    pub commission_minor: i64,
}

impl Sums {
    fn add(&mut self, commission_minor: i64) {
        self.orders += 1;
        self.commission_minor += commission_minor;
    }
}

/// What was decided, and what would have been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Beside {
    pub decided: Sums,
    pub what_if: Sums,
}

impl Beside {
    /// In minor units; more would have been paid where it is above zero.
    pub fn difference_minor(&self) -> i64 {
        self.what_if.commission_minor - self.decided.commission_minor
    }
}

/// By whom is paid, and by the channel of the touch or code that wins; none: nobody is owed.
#[derive(Debug, Clone, Default)]
pub struct WhatIf {
    pub orders: u64,
    /// Orders that another partner, or none, would be owed.
    pub other_partner: u64,
    pub partners: BTreeMap<(Currency, Option<PartnerId>), Beside>,
    pub channels: BTreeMap<(Currency, Option<Channel>), Beside>,
    pub totals: BTreeMap<Currency, Beside>,
}

/// Answers; `progress` is told how many orders were looked at.
pub async fn ask(service: &Tributary, question: &Question, mut progress: impl FnMut(u64)) -> Result<WhatIf> {
    let db = &service.db;
    let mut asker = Asker { db, question, claimants: Claimants::default(), rules: rule::all_versions(db).await? };
    let mut answer = WhatIf::default();
    let mut after = 0;
    loop {
        let orders = order::approved(db, question.from, question.to, after, PAGE).await?;
        let (Some(first), Some(last)) = (orders.first().map(|o| o.id), orders.last().map(|o| o.id)) else {
            return Ok(answer);
        };
        after = last.0;
        let mut decisions: HashMap<OrderId, StoredDecision> =
            decision::between(db, first, last).await?.into_iter().map(|d| (d.order_id, d)).collect();
        let commissions: HashMap<OrderId, i64> = commission::sums(db, first, last).await?.into_iter().collect();
        let mut persons: Vec<_> = orders.iter().map(|o| o.person).collect();
        persons.sort_unstable();
        persons.dedup();
        let mut touches: HashMap<_, Vec<ClaimOfPerson>> = HashMap::new();
        for claim in touch::claims_of_persons(db, &persons).await? {
            touches.entry(claim.person_id).or_default().push(claim);
        }
        for order in &orders {
            let Some(decided) = decisions.remove(&order.id) else { continue };
            let touches = touches.get(&order.person).map_or(&[][..], Vec::as_slice);
            asker.look_at(order, &decided, commissions.get(&order.id).copied().unwrap_or(0), touches, &mut answer).await?;
        }
        progress(answer.orders);
    }
}

struct Asker<'a> {
    db: &'a Db,
    question: &'a Question,
    claimants: Claimants,
    rules: Vec<Rule>,
}

impl Asker<'_> {
    async fn look_at(
        &mut self,
        order: &Order,
        decided: &StoredDecision,
        paid_minor: i64,
        touches: &[ClaimOfPerson],
        answer: &mut WhatIf,
    ) -> Result<()> {
        let claims: Vec<TouchClaim> = touches.iter().map(|t| t.claim.clone()).collect();
        let mut basis = self.basis(order, decided, &claims).await?;
        basis.change_terms(|terms| {
            terms.credit_policy = self.question.policy.unwrap_or(terms.credit_policy);
            terms.click_window_days = self.question.click_window_days.unwrap_or(terms.click_window_days);
            terms.view_window_days = self.question.view_window_days.unwrap_or(terms.view_window_days);
        });
        let again = decide(&basis, &claims);
        let owed_minor = self.owed(order, decided, &basis, &again).await?;
        let partner = again.winner.as_ref().map(|w| w.partner);
        let channel = self.channel(again.winner.as_ref().map(|w| w.touch.as_str()), partner, touches).await?;
        let channel_decided = self.channel(decided.touch.as_deref(), decided.partner_id, touches).await?;
        let currency = order.amounts.currency;
        answer.orders += 1;
        answer.other_partner += u64::from(partner != decided.partner_id);
        answer.partners.entry((currency, decided.partner_id)).or_default().decided.add(paid_minor);
        answer.partners.entry((currency, partner)).or_default().what_if.add(owed_minor);
        answer.channels.entry((currency, channel_decided)).or_default().decided.add(paid_minor);
        answer.channels.entry((currency, channel)).or_default().what_if.add(owed_minor);
        let total = answer.totals.entry(currency).or_default();
        total.decided.add(paid_minor);
        total.what_if.add(owed_minor);
        Ok(())
    }

    /// What was decided on; for decisions without it, gathered as well as it still can be.
    async fn basis(&mut self, order: &Order, decided: &StoredDecision, claims: &[TouchClaim]) -> Result<Basis> {
        let mut reader = Reader::from(self.db);
        let mut basis = match &decided.basis {
            Some(stored) => stored.0.clone(),
            None => {
                let placed_at = order.placed_at.into();
                let returning = order::person_ordered_before(reader.again(), order.person, order.id, placed_at).await?;
                let customer = if returning { CustomerKind::Returning } else { CustomerKind::New };
                Basis {
                    order: OrderFacts { placed_at: order.placed_at, currency: order.amounts.currency, customer },
                    fallback: CreditPolicy::PromoThenLastClick,
                    claimants: Vec::new(),
                    promo_codes: promo_claims(&mut reader, &mut self.claimants, order).await?,
                }
            }
        };
        add_claimants(&mut reader, &mut self.claimants, order, &mut basis, claims).await?;
        Ok(basis)
    }

    /// By the rate card; else by the rules frozen with the decision where the same partner wins, else by those in force.
    async fn owed(&mut self, order: &Order, decided: &StoredDecision, basis: &Basis, again: &Decision) -> Result<i64> {
        let Some(winner) = &again.winner else { return Ok(0) };
        let as_decided = decided.partner_id == Some(winner.partner) && decided.program_id == Some(winner.program);
        let rules = if as_decided && self.question.rate_card.is_none() {
            decided.rules.0.clone()
        } else {
            let all = self.question.rate_card.as_ref().unwrap_or(&self.rules);
            let group = self.claimants.group(&mut Reader::from(self.db), winner.partner).await?;
            let mut rules = in_force(all, winner.partner, group.as_deref(), &basis.order);
            rules.retain(|rule| rule.program == winner.program);
            rules
        };
        let state = OrderState { status: order.status, amounts: &order.amounts };
        let owed = assess(state, &rules).map_err(|e| Error::conflict(format!("order {}: {e}", order.external_id)))?;
        Ok(owed.iter().map(|o| o.owed_minor).sum())
    }

    async fn channel(
        &mut self,
        won: Option<&str>,
        partner: Option<PartnerId>,
        touches: &[ClaimOfPerson],
    ) -> Result<Option<Channel>> {
        let (Some(won), Some(partner)) = (won, partner) else { return Ok(None) };
        if let Some(found) = touches.iter().find(|t| t.claim.touch == won) {
            return Ok(Some(found.channel));
        }
        if !won.starts_with("promo:")
            && let Some(found) = touch::by_id(self.db, touch_id(won)).await?
        {
            return Ok(Some(found.channel));
        }
        Ok(self.claimants.kind(&mut Reader::from(self.db), partner).await?.map(Channel::from))
    }
}
