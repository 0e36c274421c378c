//! What an order owes its partner: the rules in force, applied to the order as it stands now.
//!
//! [`assess`] looks only at the order's final state, never at how it came about. So amendments, refunds and cancels
//! in any order and number end at the same sum; the ledger gets the difference to what was posted before. What depends on
//! other orders too (tiers by a month's volume) is a commission of its own, by [`volume_owed`].

mod assess;
mod overlap;
mod owed;
mod rule;
mod terms;
#[cfg(test)]
mod tests;

pub use assess::{OrderState, Portion, RefundedLine, TooLarge, assess, second_tier, volume_owed};
pub use overlap::{Because, Overlap};
pub use owed::{ClicksOwed, Explanation, LeadOwed, Limit, Owed, SecondTierOwed, VersionVolume, VolumeOwed};
pub use rule::{CustomerCondition, Deal, PaidOn, Rule, RuleKind, WhyNot};
pub use terms::{Base, Cap, CapPer, Limits, Recurring, Step, StepTerms, Terms, TierMode, Tiers, Volume, VolumeBy, WrongTiers};

/// What a commission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionKind {
    Order,
    /// Of what a recruited partner earns by an order.
    SecondTier,
    /// What tiers add to a month.
    Volume,
    /// The verified clicks of a day.
    Clicks,
    Lead,
}

impl CommissionKind {
    pub fn name(self) -> &'static str {
        match self {
            CommissionKind::Order => "order",
            CommissionKind::SecondTier => "second_tier",
            CommissionKind::Volume => "volume",
            CommissionKind::Clicks => "clicks",
            CommissionKind::Lead => "lead",
        }
    }
}

/// Where a commission stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommissionState {
    /// In hold, or waiting for a person to approve it.
    Pending,
    /// The hold is over; waits for a payout run.
    Approved,
    /// In a payout run.
    Payable,
    Paid,
    /// Owes nothing any more.
    Reversed,
    /// Declined by a person.
    Rejected,
}
