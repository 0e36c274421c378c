//! Gathers what the payable decision looks at, lets the domain decide, and stores the answer once.

use super::{Context, Error, Result};
use crate::domain::commission::Rule;
use crate::domain::id::{PartnerId, ProgramId};
use crate::domain::order::CustomerKind;
use crate::domain::payable::{Claimant, Decision, OrderFacts, PromoClaim, PromoStanding, TouchClaim, Via, decide};
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::program::CreditPolicy;
use crate::domain::promo::{PromoLimits, PromoValidity, promo_key};
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::promo::PromoCode;
use crate::store::{At, Reader, Tx, decision, order, partner, person, program, promo, rule, touch};
use sqlx::types::Json;

/// Who would be owed the order as it stands.
pub async fn consider<'a>(on: impl Into<Reader<'a>>, order: &Order) -> Result<(Decision, CustomerKind)> {
    let mut reader = on.into();
    let returning = order::person_ordered_before(reader.again(), order.person, order.id, order.placed_at.into()).await?;
    let customer = if returning { CustomerKind::Returning } else { CustomerKind::New };
    let mut touches = Vec::new();
    for touch in touch::of_person(reader.again(), order.person).await? {
        let claimant = match (touch.partner_id, touch.program_id) {
            (Some(partner), Some(program)) => claimant(&mut reader, order, partner, program).await?,
            _ => None,
        };
        touches.push(TouchClaim {
            touch: touch.label(),
            at: touch.at,
            kind: touch.kind,
            mark: touch.mark,
            mark_reason: touch.mark_reason.clone(),
            claimant,
        });
    }
    let mut promos = Vec::new();
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
                    Some(partner) => claimant(&mut reader, order, partner, found.program_id).await?,
                    None => None,
                };
                PromoClaim { code: found.code, promo_code: Some(found.id), standing, claimant }
            }
        };
        promos.push(claim);
    }
    let facts = OrderFacts { placed_at: order.placed_at, currency: order.amounts.currency, customer };
    Ok((decide(facts, &touches, &promos, CreditPolicy::PromoThenLastClick), customer))
}

/// The limits of a stored code.
pub fn limits(promo: &PromoCode) -> PromoLimits {
    PromoLimits { starts_at: promo.starts_at.map(Into::into), ends_at: promo.ends_at.map(Into::into), max_uses: promo.max_uses }
}

async fn claimant(reader: &mut Reader<'_>, order: &Order, partner: PartnerId, program: ProgramId) -> Result<Option<Claimant>> {
    let (Some(found), Some(program)) =
        (partner::by_id(reader.again(), partner).await?, program::by_id(reader.again(), program).await?)
    else {
        return Ok(None);
    };
    let status = partner::status_at(reader.again(), partner, At::from(order.placed_at)).await?.unwrap_or(found.status);
    let buyer_is_partner = match &found.email_hash {
        None => false,
        Some(hash) if order.email_hash.as_ref() == Some(hash) => true,
        Some(hash) => {
            let partners_own = Identifier::new(IdentifierKind::Email, hash.clone());
            person::of_identifier(reader.again(), &partners_own).await? == Some(order.person)
        }
    };
    Ok(Some(Claimant { partner, status, buyer_is_partner, program }))
}

/// Decides on an approved order, unless that was done before.
pub async fn decide_once(tx: &mut Tx, context: &Context, order: &Order) -> Result<()> {
    if decision::of_order(&mut *tx, order.id).await?.is_some() {
        return Ok(());
    }
    let (decided, customer) = consider(&mut *tx, order).await?;
    let rules = match &decided.winner {
        None => Vec::new(),
        Some(winner) => {
            let found = partner::by_id(&mut *tx, winner.partner).await?.ok_or_else(|| Error::not_found(winner.partner))?;
            let all = rule::of_program(&mut *tx, winner.program).await?;
            in_force(all, winner.partner, found.group_name.as_deref(), customer, order)
        }
    };
    let stored = StoredDecision {
        order_id: order.id,
        decided_at: context.at(),
        policy: decided.policy,
        partner_id: decided.winner.as_ref().map(|w| w.partner),
        program_id: decided.winner.as_ref().map(|w| w.program),
        via: decided.winner.as_ref().map_or(Via::None, |w| w.via),
        reason: decided.reason,
        touch: decided.winner.as_ref().map(|w| w.touch.clone()),
        promo_code_id: decided.winner.as_ref().and_then(|w| w.promo_code),
        trace: Json(decided.trace),
        other_policies: Json(decided.other_policies),
        rules: Json(rules),
    };
    decision::insert(tx, &stored).await?;
    Ok(())
}

fn in_force(rules: Vec<Rule>, partner: PartnerId, group: Option<&str>, customer: CustomerKind, order: &Order) -> Vec<Rule> {
    rules.into_iter().filter(|r| r.concerns(partner, group, customer, order.placed_at)).collect()
}
