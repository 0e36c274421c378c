//! The words of a trace: why, what became of it, and by what the winner is owed.

/// Why a touch or code was kept, dropped or won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    LatestClickInWindow,
    PromoCode,
    FirstClick,
    /// The first partner keeps the customer.
    Lifetime,
    /// Shared by all who brought the customer.
    Split,
    OutsideWindow,
    AfterOrder,
    Bot,
    Prefetch,
    Duplicate,
    Burst,
    NoPartner,
    PartnerSuspended,
    OwnPurchase,
    PromoUnknown,
    PromoExpired,
    PromoExhausted,
    PromoOutranksClick,
    ClickOutranksPromo,
    LaterClick,
    EarlierClick,
    ReturningCustomer,
    ExcludedCategory,
    /// As much, or as many orders, as the program pays for.
    CapReached,
    OtherCurrency,
}

impl Reason {
    pub fn name(self) -> &'static str {
        match self {
            Reason::LatestClickInWindow => "latest_click_in_window",
            Reason::PromoCode => "promo_code",
            Reason::FirstClick => "first_click",
            Reason::Lifetime => "lifetime",
            Reason::Split => "split",
            Reason::OutsideWindow => "outside_window",
            Reason::AfterOrder => "after_order",
            Reason::Bot => "bot",
            Reason::Prefetch => "prefetch",
            Reason::Duplicate => "duplicate",
            Reason::Burst => "burst",
            Reason::NoPartner => "no_partner",
            Reason::PartnerSuspended => "partner_suspended",
            Reason::OwnPurchase => "own_purchase",
            Reason::PromoUnknown => "promo_unknown",
            Reason::PromoExpired => "promo_expired",
            Reason::PromoExhausted => "promo_exhausted",
            Reason::PromoOutranksClick => "promo_outranks_click",
            Reason::ClickOutranksPromo => "click_outranks_promo",
            Reason::LaterClick => "later_click",
            Reason::EarlierClick => "earlier_click",
            Reason::ReturningCustomer => "returning_customer",
            Reason::ExcludedCategory => "excluded_category",
            Reason::CapReached => "cap_reached",
            Reason::OtherCurrency => "other_currency",
        }
    }
}

/// What became of a touch or code. `Kept` could have won and did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Kept,
    Dropped,
    Won,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Kept => "kept",
            Verdict::Dropped => "dropped",
            Verdict::Won => "won",
        }
    }
}

/// By what the winner is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    PromoCode,
    Click,
    Lifetime,
    None,
}

impl Via {
    pub fn name(self) -> &'static str {
        match self {
            Via::PromoCode => "promo_code",
            Via::Click => "click",
            Via::Lifetime => "lifetime",
            Via::None => "none",
        }
    }
}
