//! What an order is once it has been checked.

use super::commission::Base;
use super::money::{Currency, Money};
use super::person::Who;
use chrono::{DateTime, Utc};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    Pending,
    Approved,
    Cancelled,
}

/// Why money went back to a buyer, where that is worth a word of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReversalReason {
    /// The bank took it back, whatever the shop wanted.
    Chargeback,
}

impl ReversalReason {
    /// As journals note it.
    pub fn word(self) -> &'static str {
        match self {
            ReversalReason::Chargeback => "chargeback",
        }
    }
}

/// Whether the buyer had ordered before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerKind {
    New,
    Returning,
}

/// One line of an order; `amount` is the line's total.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderItem {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub category: Option<String>,
    pub quantity: i64,
    pub amount_minor: i64,
}

impl OrderItem {
    /// Whether the line is of one of these categories, in any case of letters.
    pub fn is_of_any(&self, categories: &[String]) -> bool {
        let own = self.category.as_ref().map(|category| category.to_lowercase());
        own.is_some_and(|own| categories.iter().any(|category| category.to_lowercase() == own))
    }
}

/// The amounts of an order, all in its currency and none negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderAmounts {
    pub currency: Currency,
    /// What the buyer pays: discount taken off, tax and shipping in it.
    pub total_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub discount_minor: i64,
    pub refunded_minor: i64,
    pub items: Vec<OrderItem>,
}

impl OrderAmounts {
    /// The total less what `base` takes off, never below zero: what commission is reckoned on before refunds.
    pub fn commissionable_under(&self, base: Base) -> i64 {
        let off = |holds: bool, minor: i64| if holds { minor } else { 0 };
        let less = off(base.less_tax, self.tax_minor) + off(base.less_shipping, self.shipping_minor);
        (self.total_minor + off(!base.less_discount, self.discount_minor) - less).max(0)
    }

    /// Total less refunds: what credit is shared out of.
    pub fn net(&self) -> Money {
        Money::new(self.total_minor - self.refunded_minor, self.currency)
    }
}

/// An order as it came in, checked.
#[derive(Debug, Clone)]
pub struct NewOrder {
    pub external_id: String,
    pub status: OrderStatus,
    /// Of a cancelled order.
    pub reason: Option<ReversalReason>,
    pub placed_at: DateTime<Utc>,
    /// `refunded_minor` is zero here: refunds arrive on their own.
    pub amounts: OrderAmounts,
    pub who: Who,
    pub promo_codes: Vec<String>,
    pub utm: serde_json::Value,
    pub referrer: Option<String>,
    pub metadata: serde_json::Value,
}
