//! Every payable decision is made again, from the basis stored with it and the touches its trace lists, and must come
//! out as it is stored. Touches that came later are not read: they were no part of it.

use super::super::Result;
use super::Finding;
use super::orders::said_of;
use crate::domain::commission::Rule;
use crate::domain::id::RuleId;
use crate::domain::payable::{Decision, Share, Subject, TouchClaim, TraceItem, Via, decide, marked};
use crate::domain::touch::{Mark, touch_id};
use crate::service::replay::REPLAYED_AT;
use crate::store::decision::{StoredDecision, StoredShare};
use crate::store::{At, Db, rule, settings, touch};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use uuid::Uuid;

/// The touches that a trace lists; codes on the order and who keeps the customer are in the basis.
fn listed(trace: &[TraceItem]) -> impl Iterator<Item = (Uuid, &TraceItem)> {
    trace.iter().filter_map(|item| match Subject::named(&item.touch) {
        Subject::Touch(name) => Some((touch_id(name), item)),
        Subject::PromoCode(_) | Subject::Lifetime(_) => None,
    })
}

/// What the decisions of a page are held against.
pub(super) struct Known {
    rules: HashMap<(RuleId, i64), Rule>,
    replayed_at: Option<DateTime<Utc>>,
}

impl Known {
    pub(super) async fn read(db: &Db) -> Result<Known> {
        let replayed_at = settings::get(db, REPLAYED_AT).await?.and_then(|text| text.parse().ok());
        let rules = rule::all_versions(db).await?.into_iter().map(|rule| ((rule.id, rule.version), rule)).collect();
        Ok(Known { rules, replayed_at })
    }
}

pub(super) async fn check_page(db: &Db, page: &[StoredDecision], known: &Known, finding: &mut Finding) -> Result<()> {
    let items = || page.iter().filter(|d| d.basis.is_some()).flat_map(|d| listed(&d.trace.0));
    let ids: Vec<Uuid> = items().map(|(id, _)| id).collect();
    let ends: Option<(DateTime<Utc>, DateTime<Utc>)> =
        items().map(|(_, item)| item.at).min().zip(items().map(|(_, item)| item.at).max());
    let claims: HashMap<Uuid, TouchClaim> = match ends {
        None => HashMap::new(),
        Some((earliest, latest)) => touch::claims(db, &ids, At::from(earliest), At::from(latest)).await?.into_iter().collect(),
    };
    for stored in page {
        let Some(basis) = &stored.basis else {
            finding.skipped += 1;
            continue;
        };
        let mut touches = Vec::new();
        let mut gone = None;
        for (id, item) in listed(&stored.trace.0) {
            match claims.get(&id) {
                // What is marked today is known better than it was then; the decision stays as it was.
                Some(claim) if known.replayed_at.is_some_and(|at| stored.decided_at.0 <= at) => {
                    let (mark, mark_reason) = mark_of(item);
                    touches.push(TouchClaim { mark, mark_reason, ..claim.clone() });
                }
                Some(claim) => touches.push(claim.clone()),
                None => gone = Some(format!("the touch {} is gone, or has another time", item.touch)),
            }
        }
        let wrong = gone.or_else(|| difference(stored, &decide(basis, &touches))).or_else(|| changed_rule(stored, &known.rules));
        finding.checked += 1;
        if let Some(what) = wrong {
            finding.broken.push(said_of(db, stored.order_id, &what).await);
        }
    }
    Ok(())
}

/// The mark that a touch had when the trace was written.
fn mark_of(item: &TraceItem) -> (Option<Mark>, Option<String>) {
    let marks = [Mark::Bot, Mark::Prefetch, Mark::Head, Mark::Duplicate, Mark::Burst];
    let said = |mark: &Mark| {
        let detail = item.detail.strip_prefix("a machine: ").unwrap_or(&item.detail);
        let claim = (Some(*mark), Some(detail.to_owned()));
        (marked(*mark, detail) == (item.reason, item.detail.clone())).then_some(claim)
    };
    marks.iter().find_map(said).unwrap_or_default()
}

/// The first thing in which a stored decision is not what comes out.
fn difference(stored: &StoredDecision, again: &Decision) -> Option<String> {
    if stored.trace.0.len() != again.trace.len() {
        return Some(format!("the trace has {} lines, not {}", stored.trace.0.len(), again.trace.len()));
    }
    if let Some((was, is)) = stored.trace.0.iter().zip(&again.trace).find(|(was, is)| was != is) {
        let said = |item: &TraceItem| format!("{} ({}, {})", item.reason.name(), item.verdict.name(), item.detail);
        return Some(format!("{} is stored as {}, and comes out as {}", was.touch, said(was), said(is)));
    }
    let winner = again.winner.as_ref();
    let name = |partner: Option<crate::domain::id::PartnerId>| partner.map_or("nobody".to_owned(), |p| p.to_string());
    if stored.partner_id != winner.map(|w| w.partner) {
        return Some(format!("stored is {}, owed is {}", name(stored.partner_id), name(winner.map(|w| w.partner))));
    }
    let others = stored.other_policies.0.iter().find(|(policy, partner)| again.other_policies.get(*policy) != Some(*partner));
    if let Some((policy, partner)) = others {
        return Some(format!("under {policy} stored is {}, and another comes out", name(*partner)));
    }
    let same = [
        ("program", stored.program_id == winner.map(|w| w.program)),
        ("via", stored.via == winner.map_or(Via::None, |w| w.via)),
        ("reason", stored.reason == again.reason),
        ("policy", stored.policy == again.policy),
        ("touch", stored.touch.as_deref() == winner.map(|w| w.touch.as_str())),
        ("promo code", stored.promo_code_id == winner.and_then(|w| w.promo_code)),
        ("loser", stored.loser == again.loser),
        ("split", stored.shares.iter().map(share_of).eq(again.shares.iter().cloned())),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(what, _)| format!("the stored {what} is not what comes out"))
}

fn share_of(stored: &StoredShare) -> Share {
    Share {
        partner: stored.partner_id,
        program: stored.program_id,
        via: stored.via,
        touch: stored.touch.clone(),
        promo_code: stored.promo_code_id,
        touches: stored.touches.unsigned_abs(),
    }
}

/// A rule frozen with the decision that is not the version it names. When a version ends may be settled later.
fn changed_rule(stored: &StoredDecision, rules: &HashMap<(RuleId, i64), Rule>) -> Option<String> {
    let known = |rule: &Rule| {
        let version = rules.get(&(rule.id, rule.version));
        let bare = |rule: &Rule| Rule { ends_at: None, cap_left_minor: None, ..rule.clone() };
        version.is_some_and(|version| bare(version) == bare(rule))
    };
    let shared = stored.shares.iter().flat_map(|share| &share.rules.0);
    let changed = stored.rules.0.iter().chain(shared).find(|rule| !known(rule))?;
    Some(format!("{} version {} is not what was frozen", changed.id, changed.version))
}
