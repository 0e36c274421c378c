//! What a decision is made on. [`Basis`] is all of it but the touches, and is stored with the decision, so that anybody
//! can decide again and see that it comes out the same.

use super::KeptCustomer;
use crate::domain::id::{PartnerId, ProgramId, PromoCodeId};
use crate::domain::money::Currency;
use crate::domain::order::CustomerKind;
use crate::domain::partner::PartnerStatus;
use crate::domain::program::{CreditPolicy, Program};
use crate::domain::touch::{Mark, TouchKind};
use chrono::{DateTime, Utc};

/// What of a program's terms the decision looks at, as they stood.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProgramTerms {
    pub program: ProgramId,
    pub currency: Currency,
    pub click_window_days: i64,
    /// 0: impressions are never paid on.
    pub view_window_days: i64,
    pub credit_policy: CreditPolicy,
    pub new_customers_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_days: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_orders: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_categories: Vec<String>,
}

impl From<&Program> for ProgramTerms {
    fn from(program: &Program) -> ProgramTerms {
        ProgramTerms {
            program: program.id,
            currency: program.currency,
            click_window_days: program.click_window_days,
            view_window_days: program.view_window_days,
            credit_policy: program.credit_policy,
            new_customers_only: program.new_customers_only,
            lifetime_days: program.lifetime_days,
            lifetime_orders: program.lifetime_orders,
            excluded_categories: program.excluded_categories.clone(),
        }
    }
}

/// The partner behind a touch or code, as they stood when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Claimant {
    pub partner: PartnerId,
    pub status: PartnerStatus,
    /// The buyer's e-mail address is the partner's own.
    pub buyer_is_partner: bool,
    /// Every line of the order is of a category that the program does not pay for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_excluded: bool,
    /// Every rule that would pay has its cap used up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cap_reached: bool,
    pub terms: ProgramTerms,
}

/// A touch of the person, as far as paying on it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchClaim {
    pub touch: String,
    pub at: DateTime<Utc>,
    pub kind: TouchKind,
    pub mark: Option<Mark>,
    pub mark_reason: Option<String>,
    /// Whom it speaks for, and in which program.
    pub speaks_for: Option<(PartnerId, ProgramId)>,
}

/// How a promo code on the order was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromoStanding {
    Unknown,
    NotStarted,
    Expired,
    Exhausted,
    Valid,
}

/// A promo code on the order, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PromoClaim {
    pub code: String,
    pub promo_code: Option<PromoCodeId>,
    pub standing: PromoStanding,
    pub claimant: Option<Claimant>,
}

/// What of the order the decision looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderFacts {
    pub placed_at: DateTime<Utc>,
    /// None: of a lead, which has no amount.
    pub currency: Option<Currency>,
    pub customer: CustomerKind,
}

/// What a decision is made on, the touches left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Basis {
    pub order: OrderFacts,
    /// The policy where nobody could be paid.
    pub fallback: CreditPolicy,
    /// Everybody whom a touch speaks for, each with each program once.
    pub claimants: Vec<Claimant>,
    pub promo_codes: Vec<PromoClaim>,
    /// Who keeps the customer, or did last: one for each program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<KeptCustomer>,
}

impl Basis {
    /// Whom a touch speaks for, as they stood then.
    pub fn claimant(&self, claim: &TouchClaim) -> Option<&Claimant> {
        let (partner, program) = claim.speaks_for?;
        self.claimants.iter().find(|c| c.partner == partner && c.terms.program == program)
    }

    /// The terms of a program, as they stood then.
    pub fn terms(&self, program: ProgramId) -> Option<&ProgramTerms> {
        self.all_claimants().map(|c| &c.terms).find(|terms| terms.program == program)
    }

    fn all_claimants(&self) -> impl Iterator<Item = &Claimant> {
        let codes = self.promo_codes.iter().filter_map(|code| code.claimant.as_ref());
        self.claimants.iter().chain(codes).chain(self.kept.iter().map(|kept| &kept.claimant))
    }

    /// All who could be owed the order.
    pub fn claimants_mut(&mut self) -> impl Iterator<Item = &mut Claimant> {
        let codes = self.promo_codes.iter_mut().filter_map(|code| code.claimant.as_mut());
        let kept = self.kept.iter_mut().map(|kept| &mut kept.claimant);
        self.claimants.iter_mut().chain(codes).chain(kept)
    }

    /// Changes the terms of all programs, to ask what would have been.
    pub fn change_terms(&mut self, change: impl Fn(&mut ProgramTerms)) {
        self.claimants_mut().for_each(|claimant| change(&mut claimant.terms));
    }
}
