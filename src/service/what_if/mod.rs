//! What another policy, window or rate card would have paid, beside what was decided. It reads and never writes: each
//! approved order is decided again by [`decide`] and reckoned by [`assess`], on the basis stored with its decision.

mod rate_card;

pub use rate_card::read_rate_card;

use super::claimants::Claimants;
use super::decide::{add_claimants, kept_after, promo_claims};
use super::rules_in_force::{MOST_PRIOR_ORDERS, deal, in_force};
use super::{Error, Result, Tributary};
use crate::domain::channel::Channel;
use crate::domain::commission::{OrderState, Portion, Rule, assess};
use crate::domain::id::{OrderId, PartnerId, PersonId, ProgramId};
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::domain::payable::{Basis, Decision, KeptCustomer, OrderFacts, PriorOrder, Subject, TouchClaim, decide};
use crate::domain::program::CreditPolicy;
use crate::domain::time::day_in;
use crate::domain::touch::touch_id;
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::touch::ClaimOfPerson;
use crate::store::{Db, Reader, commission, decision, order, program, rule, touch};
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

/// Orders and what they owe, in minor units; an order that several share counts for each.
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
    let keeps_customers = match question.policy {
        Some(policy) => policy == CreditPolicy::Lifetime,
        None => program::all(db).await?.iter().any(|p| p.credit_policy == CreditPolicy::Lifetime),
    };
    let rules = rule::all_versions(db).await?;
    let mut asker = Asker {
        db,
        zone: service.zone,
        question,
        keeps_customers,
        prior: HashMap::new(),
        claimants: Claimants::default(),
        rules,
    };
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
        let commissions: HashMap<(OrderId, PartnerId), i64> = commission::sums(db, first, last)
            .await?
            .into_iter()
            .map(|(order, partner, minor)| ((order, partner), minor))
            .collect();
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
            let paid = |partner| commissions.get(&(order.id, partner)).copied().unwrap_or(0);
            asker.look_at(order, &decided, paid, touches, &mut answer).await?;
        }
        progress(answer.orders);
    }
}

struct Asker<'a> {
    db: &'a Db,
    zone: chrono_tz::Tz,
    question: &'a Question,
    /// Whether who keeps a customer matters; then `prior` has, by customer, whom earlier orders would have been owed to.
    keeps_customers: bool,
    prior: HashMap<PersonId, Vec<PriorOrder>>,
    claimants: Claimants,
    rules: Vec<Rule>,
}

/// Whom an order, or a part of it, is owed to, by which touch or code, and how much.
struct Part<'a> {
    partner: Option<PartnerId>,
    touch: Option<&'a str>,
    minor: i64,
}

impl Asker<'_> {
    async fn look_at(
        &mut self,
        order: &Order,
        decided: &StoredDecision,
        paid: impl Fn(PartnerId) -> i64,
        touches: &[ClaimOfPerson],
        answer: &mut WhatIf,
    ) -> Result<()> {
        let claims: Vec<TouchClaim> = touches.iter().map(|t| t.claim.clone()).collect();
        let mut basis = self.basis(order, decided, &claims).await?;
        if self.keeps_customers {
            basis.kept = self.kept(order).await?;
        }
        basis.change_terms(|terms| {
            terms.credit_policy = self.question.policy.unwrap_or(terms.credit_policy);
            terms.click_window_days = self.question.click_window_days.unwrap_or(terms.click_window_days);
            terms.view_window_days = self.question.view_window_days.unwrap_or(terms.view_window_days);
        });
        let again = decide(&basis, &claims);
        if let Some(winner) = again.winner.as_ref().filter(|_| self.keeps_customers) {
            let (external_id, placed_at) = (order.external_id.clone(), order.placed_at);
            let kept = PriorOrder { external_id, placed_at, partner: winner.partner, program: winner.program };
            self.prior.entry(order.person).or_default().push(kept);
        }
        let would_be = self.owed(order, decided, &basis, &again).await?;
        let was: Vec<Part<'_>> = match decided.shares.as_slice() {
            [] => vec![Part {
                partner: decided.partner_id,
                touch: decided.touch.as_deref(),
                minor: decided.partner_id.map_or(0, paid),
            }],
            shares => shares
                .iter()
                .map(|s| Part { partner: Some(s.partner_id), touch: Some(&s.touch), minor: paid(s.partner_id) })
                .collect(),
        };
        let currency = order.amounts.currency;
        answer.orders += 1;
        let partners = |parts: &[Part<'_>]| parts.iter().map(|part| part.partner).collect::<Vec<_>>();
        answer.other_partner += u64::from(partners(&was) != partners(&would_be));
        for part in &was {
            let channel = self.channel(part.touch, part.partner, touches).await?;
            answer.partners.entry((currency, part.partner)).or_default().decided.add(part.minor);
            answer.channels.entry((currency, channel)).or_default().decided.add(part.minor);
        }
        for part in &would_be {
            let channel = self.channel(part.touch, part.partner, touches).await?;
            answer.partners.entry((currency, part.partner)).or_default().what_if.add(part.minor);
            answer.channels.entry((currency, channel)).or_default().what_if.add(part.minor);
        }
        let total = answer.totals.entry(currency).or_default();
        total.decided.add(was.iter().map(|part| part.minor).sum());
        total.what_if.add(would_be.iter().map(|part| part.minor).sum());
        Ok(())
    }

    /// Who would keep the customer: by what was asked for since the first day that is looked at, before it by what was decided.
    async fn kept(&mut self, order: &Order) -> Result<Vec<KeptCustomer>> {
        let mut reader = Reader::from(self.db);
        if let Some(from) = self.question.from
            && !self.prior.contains_key(&order.person)
        {
            let at = order.placed_at.into();
            let mut prior = decision::prior_orders(reader.again(), order.person, order.id, at, MOST_PRIOR_ORDERS).await?;
            prior.retain(|prior| day_in(self.zone, prior.placed_at) < from);
            self.prior.insert(order.person, prior);
        }
        let known = self.prior.get(&order.person).map_or(&[][..], Vec::as_slice);
        let mut prior: Vec<PriorOrder> = known.iter().filter(|prior| prior.placed_at <= order.placed_at).cloned().collect();
        prior.sort_by_key(|prior| prior.placed_at);
        kept_after(&mut reader, &mut self.claimants, order, &prior).await
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
                    order: OrderFacts { placed_at: order.placed_at, currency: Some(order.amounts.currency), customer },
                    fallback: CreditPolicy::PromoThenLastClick,
                    claimants: Vec::new(),
                    promo_codes: promo_claims(&mut reader, &mut self.claimants, order).await?,
                    kept: Vec::new(),
                }
            }
        };
        add_claimants(&mut reader, &mut self.claimants, order, &mut basis, claims).await?;
        Ok(basis)
    }

    /// By the rate card; else by the rules frozen with the decision for the same partner, else by those in force.
    async fn owed<'d>(
        &mut self,
        order: &Order,
        decided: &StoredDecision,
        basis: &Basis,
        again: &'d Decision,
    ) -> Result<Vec<Part<'d>>> {
        let touches: Vec<u64> = again.shares.iter().map(|share| share.touches).collect();
        let owing: Vec<(PartnerId, ProgramId, &str, Portion<'_>)> = match (&again.winner, again.shares.as_slice()) {
            (None, _) => return Ok(vec![Part { partner: None, touch: None, minor: 0 }]),
            (Some(winner), []) => vec![(winner.partner, winner.program, &winner.touch, Portion::WHOLE)],
            (Some(_), shares) => shares
                .iter()
                .zip(Portion::all(&touches))
                .map(|(s, portion)| (s.partner, s.program, s.touch.as_str(), portion))
                .collect(),
        };
        let (touches_decided, mut parts) = (decided.touches_shared(), Vec::with_capacity(owing.len()));
        for (partner, program, touch, portion) in owing {
            let frozen = decided.owing(&touches_decided).into_iter().find(|o| (o.partner, o.program) == (partner, program));
            let rules = match frozen.filter(|_| self.question.rate_card.is_none()) {
                Some(frozen) => frozen.rules.to_vec(),
                None => {
                    let group = self.claimants.group(&mut Reader::from(self.db), partner).await?;
                    let all = self.question.rate_card.as_ref().unwrap_or(&self.rules);
                    let prior = self.prior_orders(order, basis, all).await?;
                    let deal = deal(order.placed_at, basis.order.customer, &prior, (partner, program), group.as_deref());
                    let mut rules = in_force(all, &deal);
                    rules.retain(|rule| rule.program == program);
                    rules
                }
            };
            let excluded = basis.terms(program).map_or(&[][..], |terms| &terms.excluded_categories);
            let state = OrderState { portion, excluded_categories: excluded, ..OrderState::new(order.status, &order.amounts) };
            let owed = assess(state, &rules).map_err(|e| Error::conflict(format!("order {}: {e}", order.external_id)))?;
            parts.push(Part { partner: Some(partner), touch: Some(touch), minor: owed.iter().map(|o| o.owed_minor).sum() });
        }
        Ok(parts)
    }

    /// The customer's earlier orders, where a rule looks at them.
    async fn prior_orders(&self, order: &Order, basis: &Basis, rules: &[Rule]) -> Result<Vec<PriorOrder>> {
        if basis.order.customer == CustomerKind::New || !rules.iter().any(|rule| rule.recurring.is_some()) {
            return Ok(Vec::new());
        }
        let at = order.placed_at.into();
        Ok(decision::prior_orders(self.db, order.person, order.id, at, MOST_PRIOR_ORDERS).await?)
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
        if let Subject::Touch(name) = Subject::named(won)
            && let Some(found) = touch::by_id(self.db, touch_id(name)).await?
        {
            return Ok(Some(found.channel));
        }
        Ok(self.claimants.kind(&mut Reader::from(self.db), partner).await?.map(Channel::from))
    }
}
