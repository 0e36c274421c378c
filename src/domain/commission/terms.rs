//! What a rule pays: the rate or sum, on what, within what limits.

use crate::domain::money::{RatePpm, divide_half_even};

/// What a rule pays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Terms {
    /// Of the commissionable amount.
    Percent(RatePpm),
    /// Minor units per order, lead or click, in the program's currency.
    Fixed(i64),
    /// By the month's volume.
    Tiers(Tiers),
}

/// By what the month's volume is counted: minor units of commissionable amount, or orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeBy {
    Revenue,
    Orders,
}

/// Whether a step's rate holds for what lies in the step, or for the whole month once it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierMode {
    Marginal,
    WholeMonth,
}

/// A rate, or a sum for each order, from a volume on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepTerms {
    Percent(RatePpm),
    Fixed(i64),
}

/// One step of the volume, up to where the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Step {
    pub from: i64,
    pub terms: StepTerms,
}

/// Steps of a month's volume. The first begins at nothing, each further one higher than the one before, and all pay
/// alike: in percent of revenue, or so much for each order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tiers {
    pub by: VolumeBy,
    pub mode: TierMode,
    pub steps: Vec<Step>,
}

/// What is wrong with tiers; the number is that of the step, from zero.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongTiers {
    #[error("has no step")]
    Empty,
    #[error("leaves a gap: the first step must begin at 0")]
    Gap,
    #[error("must begin higher than the step before")]
    NotRising(usize),
    #[error("must pay as the first step does: all in percent, or all so much an order")]
    Mixed(usize),
    #[error(
        "must be marginal or whole_month in percent of revenue, or so much an order by orders; percent by orders only as whole_month"
    )]
    NoSuchKind,
}

impl Tiers {
    /// Checks the steps.
    pub fn new(by: VolumeBy, mode: TierMode, steps: Vec<Step>) -> Result<Tiers, WrongTiers> {
        let first = steps.first().ok_or(WrongTiers::Empty)?;
        if first.from != 0 {
            return Err(WrongTiers::Gap);
        }
        if let Some(at) = steps.windows(2).position(|pair| pair[1].from <= pair[0].from) {
            return Err(WrongTiers::NotRising(at + 1));
        }
        let in_percent = |step: &Step| matches!(step.terms, StepTerms::Percent(_));
        if let Some(at) = steps.iter().position(|step| in_percent(step) != in_percent(first)) {
            return Err(WrongTiers::Mixed(at));
        }
        match (by, mode, in_percent(first)) {
            (VolumeBy::Revenue, _, true) | (VolumeBy::Orders, _, false) | (VolumeBy::Orders, TierMode::WholeMonth, true) => {
                Ok(Tiers { by, mode, steps })
            }
            _ => Err(WrongTiers::NoSuchKind),
        }
    }

    /// What the first step pays: what each order earns at once.
    pub fn first(&self) -> StepTerms {
        self.steps.first().map_or(StepTerms::Fixed(0), |step| step.terms)
    }

    /// The step that a volume reaches.
    pub fn reached(&self, volume: i64) -> StepTerms {
        self.steps.iter().rev().find(|step| step.from <= volume).map_or_else(|| self.first(), |step| step.terms)
    }

    /// What a part of a month's volume is owed: the part after `before`, of `whole` in all. `None` if it is too large.
    pub fn owed(&self, before: Volume, part: Volume, whole: Volume) -> Option<i64> {
        let count = |volume: Volume| match self.by {
            VolumeBy::Revenue => volume.base_minor,
            VolumeBy::Orders => volume.orders,
        };
        let paid_on = |volume: Volume, terms: StepTerms| match terms {
            StepTerms::Percent(rate) => i128::from(rate.ppm()).checked_mul(i128::from(volume.base_minor)),
            StepTerms::Fixed(minor) => i128::from(minor).checked_mul(1_000_000)?.checked_mul(i128::from(volume.orders)),
        };
        let millionths = match self.mode {
            TierMode::WholeMonth => paid_on(part, self.reached(count(whole)))?,
            TierMode::Marginal => {
                let (from, to) = (count(before), count(before) + count(part));
                let mut sum: i128 = 0;
                for (index, step) in self.steps.iter().enumerate() {
                    let end = self.steps.get(index + 1).map_or(i64::MAX, |next| next.from);
                    let inside = (to.min(end) - from.max(step.from)).max(0);
                    let inside = Volume { base_minor: inside, orders: inside };
                    sum = sum.checked_add(paid_on(inside, step.terms)?)?;
                }
                sum
            }
        };
        divide_half_even(millionths, 1_000_000)
    }
}

/// What of a partner's month lies under a rule, refunds taken off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Volume {
    pub base_minor: i64,
    pub orders: i64,
}

/// What is taken off an order's total before a rate is applied. The total has the discount off already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Base {
    pub less_tax: bool,
    pub less_shipping: bool,
    pub less_discount: bool,
}

impl Default for Base {
    fn default() -> Base {
        Base { less_tax: true, less_shipping: true, less_discount: true }
    }
}

impl Base {
    pub(super) fn is_default(&self) -> bool {
        *self == Base::default()
    }
}

/// The least and the most that a rule pays for one order, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most_minor: Option<i64>,
}

impl Limits {
    pub(super) fn is_none(&self) -> bool {
        *self == Limits::default()
    }
}

/// Over what time a cap counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapPer {
    /// The month in which the order was placed.
    Month,
    Total,
}

/// The most that a rule pays for all orders together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cap {
    pub minor: i64,
    pub per: CapPer,
    /// Each partner has the cap for themselves.
    pub each_partner: bool,
}

/// For how long a rule pays for a customer's repeat orders; both none: for life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Recurring {
    /// Months since the customer's first order that was owed to a partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Orders of the customer that are owed to a partner, the first included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orders: Option<i64>,
}
