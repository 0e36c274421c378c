//! What a decision says: the winner, the loser, and one line for every touch and code.

use super::{Reason, Verdict, Via};
use crate::domain::id::{PartnerId, ProgramId, PromoCodeId};
use crate::domain::program::CreditPolicy;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraceItem {
    /// A touch's id, `promo:CODE`, or `lifetime:ORDER` with the order that won the customer.
    pub touch: String,
    pub at: DateTime<Utc>,
    pub partner: Option<PartnerId>,
    pub verdict: Verdict,
    pub reason: Reason,
    pub detail: String,
    /// The number of the reason: days of the window, and seconds it was missed by or kept within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_days: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
}

/// What a line of a trace is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    Touch(&'a str),
    PromoCode(&'a str),
    /// The order that won the customer.
    Lifetime(&'a str),
}

impl<'a> Subject<'a> {
    /// Of the name that a trace gives it.
    pub fn named(name: &'a str) -> Subject<'a> {
        if let Some(code) = name.strip_prefix("promo:") {
            return Subject::PromoCode(code);
        }
        name.strip_prefix("lifetime:").map_or(Subject::Touch(name), Subject::Lifetime)
    }
}

/// Who won.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub via: Via,
    pub reason: Reason,
    pub touch: String,
    pub promo_code: Option<PromoCodeId>,
}

/// A partner's part of an order that several share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub partner: PartnerId,
    pub program: ProgramId,
    pub via: Via,
    /// The latest that speaks for the partner.
    pub touch: String,
    pub promo_code: Option<PromoCodeId>,
    /// Of all touches and codes that share, those of the partner.
    pub touches: u64,
}

/// The decision with its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub policy: CreditPolicy,
    /// Of several who share, the one with the largest share.
    pub winner: Option<Winner>,
    /// All who share, the partner of the earliest touch first; empty where one alone is owed the order.
    pub shares: Vec<Share>,
    /// The winner's reason; without one, that of the nearest loser.
    pub reason: Reason,
    /// Who would have been owed it, had the winner's partner not been there: the touch or code.
    pub loser: Option<String>,
    pub trace: Vec<TraceItem>,
    /// What each policy would have said.
    pub other_policies: BTreeMap<String, Option<PartnerId>>,
}
