//! A commission rule: for whom and what it holds, and which of several wins.

use super::terms::{Base, Cap, Limits, Recurring, Terms};
use crate::domain::id::{PartnerId, ProgramId, RuleId};
use crate::domain::order::{CustomerKind, OrderItem};
use chrono::{DateTime, Months, Utc};

/// For which customers a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerCondition {
    Any,
    New,
    Returning,
}

impl CustomerCondition {
    fn holds(self, kind: CustomerKind) -> bool {
        match self {
            CustomerCondition::Any => true,
            CustomerCondition::New => kind == CustomerKind::New,
            CustomerCondition::Returning => kind == CustomerKind::Returning,
        }
    }
}

/// What a rule pays for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidOn {
    #[default]
    Order,
    Lead,
    Click,
}

/// Beside what a rule stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// One of these wins each line.
    #[default]
    Ordinary,
    /// One of these wins each line too, and is paid beside the ordinary one.
    Bonus,
    /// To the partner who recruited the one who is owed the order: of what that one earns by it.
    SecondTier,
}

/// One version of a commission rule; it holds for orders placed from `starts_at` until before `ends_at`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rule {
    pub id: RuleId,
    pub version: i64,
    pub program: ProgramId,
    #[serde(default)]
    pub kind: RuleKind,
    #[serde(default)]
    pub on: PaidOn,
    /// The lead's name; none: any. Only with [`PaidOn::Lead`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<String>,
    pub partner: Option<PartnerId>,
    pub group: Option<String>,
    pub product: Option<String>,
    pub category: Option<String>,
    pub customer: CustomerCondition,
    pub terms: Terms,
    #[serde(default, skip_serializing_if = "Base::is_default")]
    pub base: Base,
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring: Option<Recurring>,
    pub priority: i64,
    pub starts_at: DateTime<Utc>,
    pub ends_at: Option<DateTime<Utc>>,
    /// A draft pays nothing.
    #[serde(default = "published")]
    pub published: bool,
    /// In a rule frozen with a decision: what the cap left for the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_left_minor: Option<i64>,
}

fn published() -> bool {
    true
}

/// What a rule looks at before it looks at an order's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deal<'a> {
    pub partner: PartnerId,
    /// The partner's group.
    pub group: Option<&'a str>,
    pub customer: CustomerKind,
    pub placed_at: DateTime<Utc>,
    pub on: PaidOn,
    /// The customer's earlier orders that are owed to a partner of the program, and when the first was placed.
    pub earlier_orders: i64,
    pub first_at: Option<DateTime<Utc>>,
}

/// Why a rule does not hold for an order, or for a line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    Draft,
    NotStarted,
    Ended,
    OtherPartner,
    OtherGroup,
    OtherCustomer,
    /// The customer's repeat orders are paid for no longer.
    RecurringOver,
    OtherProduct,
    OtherCategory,
    /// It pays for something else: orders, leads or clicks.
    PaidOnOther,
    /// Another matches in more dimensions.
    FewerDimensions,
    /// Another stands nearer: the partner before the group, the product before the category.
    LessNear,
    LowerPriority,
    /// Another is older.
    Younger,
}

impl Rule {
    /// The first reason for which the rule cannot matter to an order, its lines left out.
    pub fn why_not(&self, deal: &Deal<'_>) -> Option<WhyNot> {
        let recurs = |recurring: Recurring| {
            let within = |months: u32| {
                let end = deal.first_at.and_then(|first| first.checked_add_months(Months::new(months)));
                end.is_none_or(|end| deal.placed_at < end)
            };
            recurring.months.is_none_or(within) && recurring.orders.is_none_or(|most| deal.earlier_orders < most)
        };
        let against = [
            (!self.published, WhyNot::Draft),
            (deal.placed_at < self.starts_at, WhyNot::NotStarted),
            (self.ends_at.is_some_and(|end| deal.placed_at >= end), WhyNot::Ended),
            (self.partner.is_some_and(|p| p != deal.partner), WhyNot::OtherPartner),
            (self.group.as_deref().is_some_and(|g| Some(g) != deal.group), WhyNot::OtherGroup),
            (!self.customer.holds(deal.customer), WhyNot::OtherCustomer),
            (!self.recurring.is_none_or(recurs), WhyNot::RecurringOver),
            (self.on != deal.on, WhyNot::PaidOnOther),
        ];
        against.into_iter().find(|(holds, _)| *holds).map(|(_, why)| why)
    }

    /// Whether the rule can matter to an order, before looking at its lines.
    pub fn concerns(&self, deal: &Deal<'_>) -> bool {
        self.why_not(deal).is_none()
    }

    /// Why the rule is not for a line; a line that is none has no product and no category.
    pub fn why_not_line(&self, item: Option<&OrderItem>) -> Option<WhyNot> {
        let same = |wanted: &Option<String>, has: Option<&String>| match wanted {
            None => true,
            Some(wanted) => has.is_some_and(|has| has.to_lowercase() == wanted.to_lowercase()),
        };
        if !same(&self.product, item.and_then(|i| i.sku.as_ref())) {
            return Some(WhyNot::OtherProduct);
        }
        (!same(&self.category, item.and_then(|i| i.category.as_ref()))).then_some(WhyNot::OtherCategory)
    }

    fn dimensions(&self) -> usize {
        let (partner, product) =
            (self.partner.is_some() || self.group.is_some(), self.product.is_some() || self.category.is_some());
        [partner, product, self.customer != CustomerCondition::Any].into_iter().filter(|d| *d).count()
    }

    fn nearness(&self) -> [bool; 5] {
        let customer = self.customer != CustomerCondition::Any;
        [self.partner.is_some(), self.group.is_some(), self.product.is_some(), self.category.is_some(), customer]
    }

    /// The greatest wins: dimensions matched, partner before group, product before category, customer, priority, age.
    pub fn rank(&self) -> (usize, [bool; 5], i64, std::cmp::Reverse<RuleId>) {
        (self.dimensions(), self.nearness(), self.priority, std::cmp::Reverse(self.id))
    }

    /// In what another rule, which won, stands before this one.
    pub fn lost_to(&self, winner: &Rule) -> WhyNot {
        let (own, other) = (self.rank(), winner.rank());
        match (own.0 < other.0, own.1 < other.1, own.2 < other.2) {
            (true, ..) => WhyNot::FewerDimensions,
            (_, true, _) => WhyNot::LessNear,
            (_, _, true) => WhyNot::LowerPriority,
            _ => WhyNot::Younger,
        }
    }
}
