//! What a decision says: the winner, the loser, and one line for every touch and code.

use super::{Reason, Verdict, Via};
use crate::domain::id::{PartnerId, ProgramId, PromoCodeId};
use crate::domain::program::CreditPolicy;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// One line of the trace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TraceItem {
    /// A touch's id, or `promo:CODE`.
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

/// The decision with its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub policy: CreditPolicy,
    pub winner: Option<Winner>,
    /// The winner's reason; without one, that of the nearest loser.
    pub reason: Reason,
    /// Who would have been owed it, had the winner's partner not been there: the touch or code.
    pub loser: Option<String>,
    pub trace: Vec<TraceItem>,
    /// What each policy would have said.
    pub other_policies: BTreeMap<String, Option<PartnerId>>,
}
