//! Gathers what the payable decision looks at, lets the domain decide, and stores the answer once.

use super::claimants::Claimants;
use super::rules_in_force::{MOST_PRIOR_ORDERS, mark_caps, rules_in_force};
use super::terms::Terms;
use super::{Context, Result};
use crate::domain::commission::{PaidOn, Rule, RuleKind};
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::order::CustomerKind;
use crate::domain::payable::{
    Basis, Decision, KeptCustomer, OrderFacts, PriorOrder, PromoClaim, PromoStanding, TouchClaim, Via, decide, last_kept,
};
use crate::domain::program::CreditPolicy;
use crate::domain::promo::{PromoLimits, PromoValidity, promo_key};
use crate::domain::touch::Touch;
use crate::store::decision::{StoredDecision, StoredShare};
use crate::store::order::Order;
use crate::store::promo::PromoCode;
use crate::store::{Reader, Tx, decision, order, promo, touch};
use sqlx::types::Json;

/// Who would be owed the order as it stands, and what that is said on.
pub async fn consider<'a>(on: impl Into<Reader<'a>>, order: &Order) -> Result<(Decision, Basis)> {
    consider_with(&mut on.into(), &mut Claimants::default(), order, PaidOn::Order).await
}

/// As [`consider`]; a lead is an order of nothing, in any currency.
pub(super) async fn consider_with(
    reader: &mut Reader<'_>,
    claimants: &mut Claimants,
    order: &Order,
    on: PaidOn,
) -> Result<(Decision, Basis)> {
    let touches: Vec<TouchClaim> = touch::of_person(reader.again(), order.person).await?.iter().map(claim).collect();
    let returning = order::person_ordered_before(reader.again(), order.person, order.id, order.placed_at.into()).await?;
    consider_by(reader, claimants, order, on, (&touches, returning)).await
}

/// As [`consider_with`], by the touches of the order's person, and whether they ordered before.
async fn consider_by(
    reader: &mut Reader<'_>,
    claimants: &mut Claimants,
    order: &Order,
    on: PaidOn,
    (touches, returning): (&[TouchClaim], bool),
) -> Result<(Decision, Basis)> {
    let customer = if returning { CustomerKind::Returning } else { CustomerKind::New };
    let mut basis = Basis {
        order: OrderFacts {
            placed_at: order.placed_at,
            currency: (on == PaidOn::Order).then_some(order.amounts.currency),
            customer,
        },
        fallback: CreditPolicy::PromoThenLastClick,
        claimants: Vec::new(),
        promo_codes: promo_claims(reader, claimants, order).await?,
        kept: if returning { kept_customers(reader, claimants, order).await? } else { Vec::new() },
    };
    add_claimants(reader, claimants, order, &mut basis, touches).await?;
    mark_caps(reader, claimants, order, on, &mut basis).await?;
    Ok((decide(&basis, touches), basis))
}

fn claim(touch: &Touch) -> TouchClaim {
    TouchClaim {
        touch: touch.label(),
        at: touch.at,
        kind: touch.kind,
        mark: touch.mark,
        mark_reason: touch.mark_reason.clone(),
        speaks_for: touch.partner_id.zip(touch.program_id),
    }
}

/// Adds to a basis whom its touches speak for and who is not in it yet.
pub(super) async fn add_claimants(
    reader: &mut Reader<'_>,
    claimants: &mut Claimants,
    order: &Order,
    basis: &mut Basis,
    touches: &[TouchClaim],
) -> Result<()> {
    let mut asked = std::collections::HashSet::new();
    for touch in touches {
        let Some((partner, program)) = touch.speaks_for else { continue };
        if asked.insert((partner, program))
            && basis.claimant(touch).is_none()
            && let Some(claimant) = claimants.of_order(reader, order, partner, program).await?
        {
            basis.claimants.push(claimant);
        }
    }
    Ok(())
}

/// Who keeps the customer of an order, or did last, in each program.
async fn kept_customers(reader: &mut Reader<'_>, claimants: &mut Claimants, order: &Order) -> Result<Vec<KeptCustomer>> {
    let prior = decision::prior_orders(reader.again(), order.person, order.id, order.placed_at.into(), MOST_PRIOR_ORDERS).await?;
    kept_after(reader, claimants, order, &prior).await
}

/// As [`kept_customers`], after `prior` orders in order of time.
pub(super) async fn kept_after(
    reader: &mut Reader<'_>,
    claimants: &mut Claimants,
    order: &Order,
    prior: &[PriorOrder],
) -> Result<Vec<KeptCustomer>> {
    let mut programs: Vec<ProgramId> = prior.iter().map(|order| order.program).collect();
    programs.sort_unstable();
    programs.dedup();
    let mut kept = Vec::new();
    for program in programs {
        let Some(terms) = claimants.terms(reader, program).await? else { continue };
        let Some((first, orders)) = last_kept(prior, &terms) else { continue };
        if let Some(claimant) = claimants.of_order(reader, order, first.partner, program).await? {
            kept.push(KeptCustomer { order: first.external_id.clone(), since: first.placed_at, orders, claimant });
        }
    }
    Ok(kept)
}

/// The codes on an order, each as it stands.
pub(super) async fn promo_claims(reader: &mut Reader<'_>, claimants: &mut Claimants, order: &Order) -> Result<Vec<PromoClaim>> {
    let mut claims = Vec::new();
    for code in &order.promo_codes {
        let claim = match promo::by_key(reader.again(), &promo_key(code)).await? {
            None => PromoClaim { code: code.clone(), promo_code: None, standing: PromoStanding::Unknown, claimant: None },
            Some(found) => {
                let used = promo::uses(reader.again(), found.id, Some(order.id)).await?;
                let standing = match limits(&found).validity(order.placed_at, used) {
                    PromoValidity::Valid => PromoStanding::Valid,
                    PromoValidity::NotStarted => PromoStanding::NotStarted,
                    PromoValidity::Expired => PromoStanding::Expired,
                    PromoValidity::Exhausted => PromoStanding::Exhausted,
                };
                let claimant = match found.partner_id {
                    Some(partner) => claimants.of_order(reader, order, partner, found.program_id).await?,
                    None => None,
                };
                PromoClaim { code: found.code, promo_code: Some(found.id), standing, claimant }
            }
        };
        claims.push(claim);
    }
    Ok(claims)
}

/// The limits of a stored code.
pub fn limits(promo: &PromoCode) -> PromoLimits {
    PromoLimits { starts_at: promo.starts_at.map(Into::into), ends_at: promo.ends_at.map(Into::into), max_uses: promo.max_uses }
}

/// Decides on an approved order that was not decided on before.
pub async fn decide_now(tx: &mut Tx, context: &Context, terms: &Terms, order: &Order) -> Result<StoredDecision> {
    let mut claimants = Claimants::of(terms.clone());
    let considered = consider_with(&mut Reader::from(&mut *tx), &mut claimants, order, PaidOn::Order).await?;
    let stored = to_store(tx, context, &mut claimants, order, considered).await?;
    decision::insert(tx, &stored).await?;
    Ok(stored)
}

/// The decision on a new order, not yet stored, by the touches of its person, and whether they ordered before.
pub(super) async fn decide_by(
    tx: &mut Tx,
    context: &Context,
    claimants: &mut Claimants,
    order: &Order,
    said: (&[TouchClaim], bool),
) -> Result<StoredDecision> {
    let considered = consider_by(&mut Reader::from(&mut *tx), claimants, order, PaidOn::Order, said).await?;
    to_store(tx, context, claimants, order, considered).await
}

/// A decision with what is frozen along with it.
async fn to_store(
    tx: &mut Tx,
    context: &Context,
    claimants: &mut Claimants,
    order: &Order,
    (decided, basis): (Decision, Basis),
) -> Result<StoredDecision> {
    let customer = basis.order.customer;
    let (mut rules, mut recruiter) = (Vec::new(), None);
    if let Some(winner) = &decided.winner {
        (rules, recruiter) = frozen(tx, claimants, order, customer, (winner.partner, winner.program)).await?;
    }
    let mut shares = Vec::with_capacity(decided.shares.len());
    for share in decided.shares {
        let (rules, recruiter_id) = frozen(tx, claimants, order, customer, (share.partner, share.program)).await?;
        shares.push(StoredShare {
            order_id: order.id,
            partner_id: share.partner,
            program_id: share.program,
            via: share.via,
            touch: share.touch,
            promo_code_id: share.promo_code,
            touches: i64::try_from(share.touches).unwrap_or(i64::MAX),
            rules: Json(rules),
            recruiter_id,
        });
    }
    Ok(StoredDecision {
        order_id: order.id,
        decided_at: context.at(),
        policy: decided.policy,
        partner_id: decided.winner.as_ref().map(|w| w.partner),
        program_id: decided.winner.as_ref().map(|w| w.program),
        via: decided.winner.as_ref().map_or(Via::None, |w| w.via),
        reason: decided.reason,
        touch: decided.winner.as_ref().map(|w| w.touch.clone()),
        promo_code_id: decided.winner.as_ref().and_then(|w| w.promo_code),
        recruiter_id: recruiter,
        trace: Json(decided.trace),
        other_policies: Json(decided.other_policies),
        rules: Json(rules),
        basis: Some(Json(basis)),
        loser: decided.loser,
        shares,
    })
}

/// The rules in force for a partner, and who has the second tier where one of them pays it.
async fn frozen(
    tx: &mut Tx,
    claimants: &mut Claimants,
    order: &Order,
    customer: CustomerKind,
    (partner, program): (PartnerId, ProgramId),
) -> Result<(Vec<Rule>, Option<PartnerId>)> {
    let mut reader = Reader::from(tx);
    let rules = rules_in_force(&mut reader, claimants, order, (PaidOn::Order, customer), (partner, program)).await?;
    let recruiter = match rules.iter().any(|rule| rule.kind == RuleKind::SecondTier) {
        true => claimants.recruiter(&mut reader, partner, order.placed_at.into()).await?,
        false => None,
    };
    Ok((rules, recruiter))
}
