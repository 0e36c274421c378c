//! Terms offered to partners.

use super::id::ProgramId;
use super::money::Currency;
use super::referral::ReferralTerms;
use std::collections::BTreeMap;

/// Which partner an order is owed to, where several could claim it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditPolicy {
    /// A valid promo code wins; else the latest click in the window.
    PromoThenLastClick,
    /// The latest click in the window wins; else a valid promo code.
    LastClickThenPromo,
    /// Whatever came last; a promo code counts at the moment of the order.
    LastTouch,
    /// The earliest click in the window; else a valid promo code.
    FirstClick,
    /// Equal parts for every click and code.
    SplitLinear,
    /// The first partner keeps the customer, for as long as the program says; before that, as `FirstClick`.
    Lifetime,
}

impl CreditPolicy {
    pub const ALL: [CreditPolicy; 6] = [
        Self::PromoThenLastClick,
        Self::LastClickThenPromo,
        Self::LastTouch,
        Self::FirstClick,
        Self::SplitLinear,
        Self::Lifetime,
    ];

    /// The policy of this name.
    pub fn named(name: &str) -> Option<CreditPolicy> {
        CreditPolicy::ALL.into_iter().find(|policy| policy.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::PromoThenLastClick => "promo_then_last_click",
            Self::LastClickThenPromo => "last_click_then_promo",
            Self::LastTouch => "last_touch",
            Self::FirstClick => "first_click",
            Self::SplitLinear => "split_linear",
            Self::Lifetime => "lifetime",
        }
    }
}

/// A program's terms as attribution and payouts read them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub id: ProgramId,
    pub name: String,
    pub currency: Currency,
    pub destination_hosts: Vec<String>,
    pub click_window_days: i64,
    /// 0: impressions are never paid on.
    pub view_window_days: i64,
    pub hold_days: i64,
    pub credit_policy: CreditPolicy,
    /// How long, and for how many orders, the first partner keeps the customer under `lifetime`; none: no end.
    pub lifetime_days: Option<i64>,
    pub lifetime_orders: Option<i64>,
    /// Lines of these are not paid for.
    pub excluded_categories: Vec<String>,
    /// A person approves each commission, once its hold is over.
    pub manual_approval: bool,
    /// Holds of groups of partners that are not the program's.
    pub group_hold_days: BTreeMap<String, i64>,
    pub min_payout_minor: i64,
    pub new_customers_only: bool,
    /// Where unknown, paused and expired links lead.
    pub fallback_url: Option<String>,
    /// Partners' links need an `erid`.
    pub ad_marking_required: bool,
    /// The terms of a program of kind `referral`.
    pub referral: Option<ReferralTerms>,
    /// Hosts on which its links stand without `/r/`; short addresses are written with the first.
    pub link_domains: Vec<String>,
}

impl Program {
    /// How long a commission of a partner in a group waits.
    pub fn hold_days_of(&self, group: Option<&str>) -> i64 {
        group.and_then(|group| self.group_hold_days.get(group)).copied().unwrap_or(self.hold_days)
    }
}
