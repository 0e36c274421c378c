//! Many new orders in one transaction, by as few statements as if they were one. What an order owes must not hang on
//! another of them: orders that could are left for [`super::record`], each for itself.

use super::{Recorded, identifiers_with, takes_currency};
use crate::domain::id::{CommissionId, OrderId, PersonId};
use crate::domain::order::{NewOrder, OrderStatus};
use crate::domain::touch::touch_id;
use crate::service::claimants::Claimants;
use crate::service::settle::{self, Decided};
use crate::service::stitch::{self, Addition, Adds, Evidence};
use crate::service::terms::Terms;
use crate::service::{Context, Result, arrival, decide};
use crate::store::commission::Commission;
use crate::store::decision::StoredDecision;
use crate::store::order::{Arriving, Order};
use crate::store::rows::{Rows, next_ids};
use crate::store::{Reader, Tx, decision, order, touch};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A checked order, and who sent it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub order: NewOrder,
    pub actor: String,
}

/// An order that can go together with others.
struct Plain<'a> {
    place: usize,
    sent: &'a Sent,
    addition: Addition,
}

/// Records orders; answers each as recorded, or `None` for what has to be recorded for itself, of which nothing is stored:
/// what is known, cancelled or pending, has promo codes, names a click that is still on its way, or concerns the same
/// person as another before it. Those may be recorded after all others. `machine_now` is the machine's time, as click ids have it.
///
/// Errors: of any order, so that all should be recorded each for itself; the transaction must not be committed then.
pub async fn record_together(
    tx: &mut Tx,
    context: &Context,
    machine_now: DateTime<Utc>,
    sent: &[Sent],
) -> Result<Vec<Option<Recorded>>> {
    let mut answers: Vec<Option<Recorded>> = sent.iter().map(|_| None).collect();
    let terms = context.terms(tx).await?;
    // What a cap leaves for an order hangs on the orders before it.
    if terms.have_caps(&mut Reader::from(&mut *tx)).await? {
        return Ok(answers);
    }
    let plain = plain(tx, &terms, machine_now, sent).await?;
    if plain.is_empty() {
        return Ok(answers);
    }
    let named: Vec<(i64, _)> =
        (0..).zip(&plain).flat_map(|(place, p)| p.addition.identifiers().map(move |identifier| (place, identifier))).collect();
    let mut touches = touch::claims_of_identifiers(&mut *tx, &named).await?;

    // What there is, is older than any of them; they have their own ids, and new persons, once all is decided.
    let person_of = |p: &Plain<'_>| match &p.addition.adds {
        Adds::ToNobody => PersonId::NOT_STORED,
        Adds::To(person, _) => *person,
    };
    let mut arriving: Vec<Arriving<'_>> = plain
        .iter()
        .map(|p| {
            let new = &p.sent.order;
            Arriving { id: OrderId::NOT_STORED, new, day: context.day(new.placed_at), person: person_of(p) }
        })
        .collect();
    let contexts: Vec<Context> = plain.iter().map(|p| Context { actor: p.sent.actor.clone(), ..context.clone() }).collect();
    let mut claimants = Claimants::of(terms.clone());
    let mut decisions: Vec<StoredDecision> = Vec::with_capacity(plain.len());
    let mut owed: Vec<Vec<Commission>> = Vec::with_capacity(plain.len());
    for (((place, p), arriving), context) in (0..).zip(&plain).zip(&arriving).zip(&contexts) {
        let order = arriving.stored(context.at());
        let returning = p.addition.adds != Adds::ToNobody
            && order::person_ordered_before(&mut *tx, order.person, order.id, order.placed_at.into()).await?;
        let touches = touches.remove(&place).unwrap_or_default();
        let decision = decide::decide_by(tx, context, &mut claimants, &order, (&touches, returning)).await?;
        owed.push(settle::newly_owed(tx, &terms, Decided { context, order: &order, decision: &decision }).await?);
        decisions.push(decision);
    }

    let new_persons = plain.iter().filter(|p| p.addition.adds == Adds::ToNobody).count();
    let identifiers = plain.iter().map(|p| p.addition.count_new()).sum();
    let commissions = owed.iter().map(Vec::len).sum();
    let wanted = [
        ("persons", new_persons),
        ("evidence", plain.len()),
        ("identifiers", identifiers),
        ("orders", plain.len()),
        ("commissions", commissions),
        ("journals", commissions),
    ];
    let [mut persons, evidence_ids, identifier_ids, mut order_ids, mut commission_ids, journal_ids] =
        next_ids(tx, wanted).await?;
    for ((arriving, decision), owed) in arriving.iter_mut().zip(&mut decisions).zip(&mut owed) {
        arriving.id = order_ids.next().map_or(OrderId::NOT_STORED, OrderId);
        if arriving.person == PersonId::NOT_STORED {
            arriving.person = persons.next().map_or(PersonId::NOT_STORED, PersonId);
        }
        decision.set_order(arriving.id);
        for commission in owed {
            commission.id = commission_ids.next().map_or(CommissionId(0), CommissionId);
            commission.order_id = Some(arriving.id);
        }
    }
    let orders: Vec<Order> = arriving.iter().map(|arriving| arriving.stored(context.at())).collect();

    let mut rows = Rows::new(tx.dialect());
    let additions: Vec<(&Addition, PersonId, i64)> =
        plain.iter().zip(&orders).zip(evidence_ids).map(|((p, order), evidence)| (&p.addition, order.person, evidence)).collect();
    stitch::add(&mut rows, &additions, identifier_ids, context.at())?;
    order::add(&mut rows, &arriving, context.at())?;
    decision::add(&mut rows, decisions.iter())?;
    let decided: Vec<(Decided<'_>, &[Commission])> = contexts
        .iter()
        .zip(&orders)
        .zip(&decisions)
        .zip(&owed)
        .map(|(((context, order), decision), owed)| (Decided { context, order, decision }, owed.as_slice()))
        .collect();
    settle::add_owed(tx, &mut rows, &terms, &decided, journal_ids).await?;
    rows.store(tx).await?;
    settle::settle_volumes(tx, &terms, &decided).await?;
    drop(decided);
    for (((p, order), decision), commissions) in plain.iter().zip(orders).zip(decisions).zip(owed) {
        answers[p.place] = Some(Recorded { order, is_new: true, decided: Some(decision), commissions });
    }
    Ok(answers)
}

/// The orders that can go together.
async fn plain<'a>(tx: &mut Tx, terms: &Terms, machine_now: DateTime<Utc>, sent: &'a [Sent]) -> Result<Vec<Plain<'a>>> {
    let external_ids: Vec<&str> = sent.iter().map(|s| s.order.external_id.as_str()).collect();
    let clicks: Vec<Uuid> = sent.iter().filter_map(|s| s.order.who.click_id.as_deref()).map(touch_id).collect();
    let (mut known, visitors) = order::known_and_clicked(&mut *tx, &external_ids, &clicks).await?;
    let mut evidence: Vec<Evidence> = Vec::with_capacity(sent.len());
    for Sent { order, .. } in sent {
        let click = order.who.click_id.as_deref();
        let has_arrived = |click: &str| visitors.contains_key(&touch_id(click)) || !arrival::is_young(click, machine_now);
        let plain = known.insert(order.external_id.clone())
            && order.status == OrderStatus::Approved
            && order.promo_codes.is_empty()
            && click.is_none_or(has_arrived)
            && takes_currency(tx, terms, order.amounts.currency).await?;
        let clicked_by = click.and_then(|click| visitors.get(&touch_id(click)).cloned().flatten());
        let identifiers = identifiers_with(&order.who, clicked_by);
        evidence.push(Evidence { source: format!("order {}", order.external_id), identifiers, for_itself: !plain });
    }
    let additions = stitch::additions(tx, evidence).await?;
    let plain = sent.iter().zip(additions).enumerate();
    let plain = plain.filter_map(|(place, (sent, addition))| addition.map(|addition| Plain { place, sent, addition }));
    Ok(plain.collect())
}
