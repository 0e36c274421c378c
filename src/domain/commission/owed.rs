//! What is owed, with everything the formula used, so that it can be read and reckoned again.

use super::CommissionKind;
use super::rule::RuleKind;
use super::terms::{Base, Limits, StepTerms, Terms, Tiers, Volume};
use crate::domain::id::{PartnerId, RuleId};
use crate::domain::money::{Currency, Money, RatePpm};
use crate::domain::order::OrderStatus;
use chrono::NaiveDate;

/// What an order owes under one rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Owed {
    pub rule: RuleId,
    pub rule_version: i64,
    #[serde(default, skip_serializing_if = "is_ordinary")]
    pub kind: RuleKind,
    pub terms: Terms,
    pub currency: Currency,
    pub status: OrderStatus,
    /// A person declined the commission.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    pub total_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub discount_minor: i64,
    pub refunded_minor: i64,
    /// Of the refunds, what was taken back line by line.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunded_by_line_minor: i64,
    /// What is taken off the total.
    #[serde(default, skip_serializing_if = "Base::is_default")]
    pub base: Base,
    /// The total less what is taken off.
    pub commissionable_minor: i64,
    /// The part of it whose lines fall under this rule; of the partner's portion, where several share the order.
    pub base_minor: i64,
    /// The same, less what was taken back of these lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_left_minor: Option<i64>,
    /// The partner's touches and codes, and those of all who share the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portion: Option<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// What the rule's cap left for the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_left_minor: Option<i64>,
    /// What would be owed without refunds.
    pub full_minor: i64,
    /// What is owed now.
    pub owed_minor: i64,
}

fn is_ordinary(kind: &RuleKind) -> bool {
    *kind == RuleKind::Ordinary
}

fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl Owed {
    /// What of the month's volume the order is.
    pub fn volume(&self) -> Volume {
        if self.owed_minor == 0 && (self.status != OrderStatus::Approved || self.declined) {
            return Volume::default();
        }
        let proportional = self.total_minor - self.refunded_by_line_minor;
        let left = self.total_minor - self.refunded_minor;
        let base = self.base_left_minor.unwrap_or(self.base_minor);
        let kept = if proportional == 0 {
            if self.total_minor == 0 { Some(base) } else { Some(0) }
        } else {
            crate::domain::money::divide_half_even(i128::from(base) * i128::from(left), i128::from(proportional))
        };
        let base_minor = kept.unwrap_or(0);
        let counts = left > 0 || self.total_minor == 0;
        Volume { base_minor, orders: i64::from(counts) }
    }

    /// The terms by which the order itself earns: the first step, where there are tiers.
    pub fn rate(&self) -> StepTerms {
        match &self.terms {
            Terms::Percent(rate) => StepTerms::Percent(*rate),
            Terms::Fixed(minor) => StepTerms::Fixed(*minor),
            Terms::Tiers(tiers) => tiers.first(),
        }
    }

    /// The formula with its numbers, for people: `12.5 % × 100.00 = 12.50 RUB`.
    pub fn formula(&self) -> String {
        let money = |minor| Money::new(minor, self.currency).decimal();
        if self.declined {
            return format!("declined: 0 {}", self.currency);
        }
        if self.status != OrderStatus::Approved {
            let state = if self.status == OrderStatus::Cancelled { "cancelled" } else { "not approved" };
            return format!("the order is {state}: 0 {}", self.currency);
        }
        let mut text = match self.rate() {
            StepTerms::Fixed(minor) if self.portion.is_some() => {
                format!("{} of {} per order", money(self.full_minor), money(minor))
            }
            StepTerms::Fixed(minor) => format!("{} per order", money(minor)),
            StepTerms::Percent(rate) => format!("{} % × {}", rate.percent(), self.base_text(&money)),
        };
        if let Some((own, all)) = self.portion {
            text += &format!(" ({own}/{all} of the order)");
        }
        if let Some(limit) = self.limit() {
            text += &match limit {
                Limit::Least(minor) => format!(", at least {}", money(minor)),
                Limit::Most(minor) => format!(", at most {}", money(minor)),
                Limit::Cap(minor) => format!(", {} left of the cap", money(minor)),
            };
        }
        let proportional = self.total_minor - self.refunded_by_line_minor;
        if self.refunded_minor != self.refunded_by_line_minor {
            let left = money(self.total_minor - self.refunded_minor);
            text += &format!(" × {left} / {} left after refunds", money(proportional));
        }
        format!("{text} = {} {}", money(self.owed_minor), self.currency)
    }

    fn base_text(&self, money: &impl Fn(i64) -> String) -> String {
        let mut base = money(self.total_minor);
        let off = [
            (self.base.less_tax, " − ", self.tax_minor, " tax"),
            (self.base.less_shipping, " − ", self.shipping_minor, " shipping"),
            (!self.base.less_discount, " + ", self.discount_minor, " discount"),
        ];
        let off: Vec<String> = off
            .into_iter()
            .filter(|(holds, _, minor, _)| *holds && *minor != 0)
            .map(|(_, sign, minor, what)| format!("{sign}{}{what}", money(minor)))
            .collect();
        if !off.is_empty() {
            base = format!("({base}{})", off.concat());
        }
        if self.base_minor != self.commissionable_minor {
            base = format!("{} of {base}", money(self.base_minor));
        }
        match self.base_left_minor {
            Some(left) if left != self.base_minor => format!("{} left of {base} after lines came back", money(left)),
            _ => base,
        }
    }

    /// The limit that decided the amount, if one did.
    pub fn limit(&self) -> Option<Limit> {
        match (self.limits, self.cap_left_minor) {
            (_, Some(left)) if self.full_minor == left => Some(Limit::Cap(left)),
            (Limits { least_minor: Some(least), .. }, _) if self.full_minor == least => Some(Limit::Least(least)),
            (Limits { most_minor: Some(most), .. }, _) if self.full_minor == most => Some(Limit::Most(most)),
            _ => None,
        }
    }
}

/// What bounded an amount, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Least(i64),
    Most(i64),
    Cap(i64),
}

/// What the partner who recruited another is owed of what that one earns by an order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SecondTierOwed {
    pub rule: RuleId,
    pub rule_version: i64,
    pub currency: Currency,
    pub second_tier_of: PartnerId,
    pub rate: RatePpm,
    pub earned_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_left_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    pub owed_minor: i64,
}

/// What a version's part of a month's volume is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VersionVolume {
    pub version: i64,
    pub tiers: Tiers,
    pub volume: Volume,
    pub owed_minor: i64,
}

/// What tiers add to what the orders of a month earned at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VolumeOwed {
    pub rule: RuleId,
    pub rule_version: i64,
    pub currency: Currency,
    /// `2026-10`.
    pub month: String,
    pub versions: Vec<VersionVolume>,
    pub earned_at_once_minor: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    pub owed_minor: i64,
}

/// What the verified clicks of a day are owed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClicksOwed {
    pub rule: RuleId,
    pub rule_version: i64,
    pub currency: Currency,
    pub day: NaiveDate,
    pub clicks: i64,
    pub a_click_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_left_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    pub owed_minor: i64,
}

/// What a lead owes under one rule.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeadOwed {
    pub rule: RuleId,
    pub rule_version: i64,
    pub currency: Currency,
    /// The stage or name by which the rule pays.
    pub lead: String,
    pub a_lead_minor: i64,
    pub status: OrderStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_left_minor: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    pub owed_minor: i64,
}

impl LeadOwed {
    pub fn formula(&self) -> String {
        let money = |minor| Money::new(minor, self.currency).decimal();
        if self.declined {
            return format!("declined: 0 {}", self.currency);
        }
        if self.status != OrderStatus::Approved {
            let state = if self.status == OrderStatus::Cancelled { "cancelled" } else { "not approved" };
            return format!("the lead is {state}: 0 {}", self.currency);
        }
        let cap =
            self.cap_left_minor.filter(|left| *left == self.owed_minor).map(|left| format!(", {} left of the cap", money(left)));
        let (a_lead, owed) = (money(self.a_lead_minor), money(self.owed_minor));
        format!("{a_lead} for '{}'{} = {owed} {}", self.lead, cap.unwrap_or_default(), self.currency)
    }
}

/// Why a commission is as much as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
pub enum Explanation {
    Order(Owed),
    SecondTier(SecondTierOwed),
    Volume(VolumeOwed),
    Clicks(ClicksOwed),
    Lead(LeadOwed),
}

impl Explanation {
    pub fn kind(&self) -> CommissionKind {
        match self {
            Explanation::Order(_) => CommissionKind::Order,
            Explanation::SecondTier(_) => CommissionKind::SecondTier,
            Explanation::Volume(_) => CommissionKind::Volume,
            Explanation::Clicks(_) => CommissionKind::Clicks,
            Explanation::Lead(_) => CommissionKind::Lead,
        }
    }

    pub fn rule(&self) -> RuleId {
        match self {
            Explanation::Order(o) => o.rule,
            Explanation::SecondTier(o) => o.rule,
            Explanation::Volume(o) => o.rule,
            Explanation::Clicks(o) => o.rule,
            Explanation::Lead(o) => o.rule,
        }
    }

    pub fn rule_version(&self) -> i64 {
        match self {
            Explanation::Order(o) => o.rule_version,
            Explanation::SecondTier(o) => o.rule_version,
            Explanation::Volume(o) => o.rule_version,
            Explanation::Clicks(o) => o.rule_version,
            Explanation::Lead(o) => o.rule_version,
        }
    }

    pub fn owed_minor(&self) -> i64 {
        match self {
            Explanation::Order(o) => o.owed_minor,
            Explanation::SecondTier(o) => o.owed_minor,
            Explanation::Volume(o) => o.owed_minor,
            Explanation::Clicks(o) => o.owed_minor,
            Explanation::Lead(o) => o.owed_minor,
        }
    }

    /// The same, declined by a person: nothing is owed.
    #[must_use]
    pub fn declined(mut self) -> Explanation {
        let (declined, owed) = match &mut self {
            Explanation::Order(o) => (&mut o.declined, &mut o.owed_minor),
            Explanation::SecondTier(o) => (&mut o.declined, &mut o.owed_minor),
            Explanation::Volume(o) => (&mut o.declined, &mut o.owed_minor),
            Explanation::Clicks(o) => (&mut o.declined, &mut o.owed_minor),
            Explanation::Lead(o) => (&mut o.declined, &mut o.owed_minor),
        };
        (*declined, *owed) = (true, 0);
        self
    }

    /// The formula with its numbers.
    pub fn formula(&self) -> String {
        match self {
            Explanation::Order(o) => o.formula(),
            Explanation::SecondTier(o) => o.formula(),
            Explanation::Volume(o) => o.formula(),
            Explanation::Clicks(o) => o.formula(),
            Explanation::Lead(o) => o.formula(),
        }
    }
}

impl SecondTierOwed {
    pub fn formula(&self) -> String {
        let money = |minor| Money::new(minor, self.currency).decimal();
        if self.declined {
            return format!("declined: 0 {}", self.currency);
        }
        let (earned, owed) = (money(self.earned_minor), money(self.owed_minor));
        format!("{} % × {earned} that {} earns = {owed} {}", self.rate.percent(), self.second_tier_of, self.currency)
    }
}

impl VolumeOwed {
    pub fn formula(&self) -> String {
        let money = |minor| Money::new(minor, self.currency).decimal();
        if self.declined {
            return format!("declined: 0 {}", self.currency);
        }
        let parts = self.versions.iter().map(|v| {
            format!("{} for {} of {} in {} orders", money(v.owed_minor), self.month, money(v.volume.base_minor), v.volume.orders)
        });
        let parts = parts.collect::<Vec<_>>().join(" + ");
        let (at_once, owed) = (money(self.earned_at_once_minor), money(self.owed_minor));
        format!("{parts} − {at_once} earned at once = {owed} {}", self.currency)
    }
}

impl ClicksOwed {
    pub fn formula(&self) -> String {
        let money = |minor| Money::new(minor, self.currency).decimal();
        if self.declined {
            return format!("declined: 0 {}", self.currency);
        }
        let cap =
            self.cap_left_minor.filter(|left| *left == self.owed_minor).map(|left| format!(", {} left of the cap", money(left)));
        let (a_click, owed) = (money(self.a_click_minor), money(self.owed_minor));
        format!("{} × {a_click} a verified click{} = {owed} {}", self.clicks, cap.unwrap_or_default(), self.currency)
    }
}
