//! One walk over all orders on which something was decided, page by page as they are stored: what was decided comes out
//! again, and what is owed is what is stored.

use super::super::{Result, Tributary, settle};
use super::{Finding, decisions};
use crate::domain::id::{OrderId, PartnerId, RuleId};
use crate::store::commission::CommissionAmount;
use crate::store::decision::StoredDecision;
use crate::store::order::Order;
use crate::store::refund::Refund;
use crate::store::{Db, commission, decision, order, refund};
use std::collections::{BTreeMap, HashMap};

const PAGE: i64 = 500;

/// That payable decisions come out as they are stored, and that commissions are what orders owe.
pub(super) async fn follow_what_they_are_stored_with(service: &Tributary) -> Result<[Finding; 2]> {
    let db = &service.db;
    let mut owed = Finding::of("every commission is what the order's state owes");
    let mut decided = Finding::of("every payable decision comes out again as it is stored");
    let known = decisions::Known::read(db).await?;
    let mut after = 0;
    loop {
        let ids = decision::orders_decided(db, after, PAGE).await?;
        let Some(last) = ids.last() else { return Ok([owed, decided]) };
        after = last.0;
        let page = read_page(db, &ids, &mut decided).await?;
        decisions::check_page(db, &page, &known, &mut decided).await?;
        check_owed(db, &page, &mut owed).await?;
    }
}

/// The decisions on orders; one that cannot be read must not hide the others.
async fn read_page(db: &Db, ids: &[OrderId], finding: &mut Finding) -> Result<Vec<StoredDecision>> {
    let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(Vec::new()) };
    if let Ok(page) = decision::between(db, *first, *last).await {
        return Ok(page);
    }
    let mut page = Vec::new();
    for id in ids {
        match decision::must_be(db, *id).await {
            Ok(one) => page.push(one),
            Err(error) => {
                finding.checked += 1;
                finding.broken.push(said_of(db, *id, &error.to_string()).await);
            }
        }
    }
    Ok(page)
}

/// `what`, said of an order by the number that people know.
pub(super) async fn said_of(db: &Db, id: OrderId, what: &str) -> String {
    let name = order::by_id(db, id).await.map_or_else(|_| id.to_string(), |order| order.external_id);
    format!("order {name}: {what}")
}

/// What each order owes by its present state and the rules frozen with its decision, against what is stored.
async fn check_owed(db: &Db, page: &[StoredDecision], finding: &mut Finding) -> Result<()> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
    let (first, last) = (first.order_id, last.order_id);
    let orders: HashMap<OrderId, Order> =
        order::between(db, first, last).await?.into_iter().map(|order| (order.id, order)).collect();
    let mut commissions: HashMap<OrderId, Vec<CommissionAmount>> = HashMap::new();
    for (order, amount) in commission::amounts_of_orders(db, first, last).await? {
        commissions.entry(order).or_default().push(amount);
    }
    let mut refunds: HashMap<OrderId, Vec<Refund>> = HashMap::new();
    for (order, refund) in refund::between(db, first, last).await? {
        refunds.entry(order).or_default().push(refund);
    }
    for decided in page {
        let id = decided.order_id;
        let Some(order) = orders.get(&id) else {
            finding.broken.push(format!("{id} is decided on, and is not there"));
            continue;
        };
        let commissions = commissions.get(&id).map_or(&[][..], Vec::as_slice);
        let refunds = refunds.get(&id).map_or(&[][..], Vec::as_slice);
        finding.checked += 1;
        finding.broken.extend(
            wrongly_owed(order, decided, commissions, refunds).map(|what| format!("order {}: {what}", order.external_id)),
        );
    }
    Ok(())
}

fn wrongly_owed(order: &Order, decided: &StoredDecision, commissions: &[CommissionAmount], refunds: &[Refund]) -> Option<String> {
    type Owed = BTreeMap<(PartnerId, RuleId), i64>;
    let of = |c: &CommissionAmount| (c.partner_id, c.rule_id);
    let stored: Owed = commissions.iter().filter(|c| c.amount_minor != 0).map(|c| (of(c), c.amount_minor)).collect();
    let declined = |partner, rule| commissions.iter().any(|c| of(c) == (partner, rule) && c.is_declined);
    let due = match settle::due(order, decided, &settle::refunded_lines(refunds), declined) {
        Ok(due) => due,
        Err(error) => return Some(error.to_string()),
    };
    let due = due.iter().filter(|due| due.explanation.owed_minor() != 0);
    let owed: Owed = due.map(|due| ((due.partner, due.explanation.rule()), due.explanation.owed_minor())).collect();
    (stored != owed).then(|| format!("stored {stored:?}, owed {owed:?}"))
}
