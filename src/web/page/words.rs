//! Which text stands for which value. Every enum is matched in full, so a new value asks for its words here.

use crate::domain::attribution::Model;
use crate::domain::channel::{Channel, Comparison, RuleField};
use crate::domain::commission::{CommissionKind, CommissionState, CustomerCondition, RuleKind, WhyNot};
use crate::domain::document::{DocumentKind, ReceiptState, Standing};
use crate::domain::ledger::{AccountKind, JournalKind};
use crate::domain::order::{OrderStatus, ReversalReason};
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::payable::{Reason, Verdict, Via};
use crate::domain::payout_file::FileFormat;
use crate::domain::payout_run::{LineState, RunState};
use crate::domain::program::CreditPolicy;
use crate::domain::touch::TouchKind;
use crate::service::Refusal;
use crate::service::access::Role;
use crate::service::bank_statement::Outcome;
use crate::service::report::Dimension;
use crate::web::language::Language;

pub fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Affiliate => "channel-affiliate",
        Channel::ReferralProgram => "channel-referral_program",
        Channel::Offline => "channel-offline",
        Channel::PaidSearch => "channel-paid_search",
        Channel::PaidSocial => "channel-paid_social",
        Channel::PaidShopping => "channel-paid_shopping",
        Channel::PaidVideo => "channel-paid_video",
        Channel::PaidOther => "channel-paid_other",
        Channel::Display => "channel-display",
        Channel::CrossNetwork => "channel-cross_network",
        Channel::Email => "channel-email",
        Channel::Sms => "channel-sms",
        Channel::Push => "channel-push",
        Channel::Audio => "channel-audio",
        Channel::OrganicSearch => "channel-organic_search",
        Channel::OrganicSocial => "channel-organic_social",
        Channel::OrganicVideo => "channel-organic_video",
        Channel::OrganicShopping => "channel-organic_shopping",
        Channel::Messenger => "channel-messenger",
        Channel::AiAssistant => "channel-ai_assistant",
        Channel::Referral => "channel-referral",
        Channel::Direct => "channel-direct",
        Channel::Unassigned => "channel-unassigned",
    }
}

pub fn rule_field(field: RuleField) -> &'static str {
    match field {
        RuleField::Source => "condition-source",
        RuleField::Medium => "condition-medium",
        RuleField::Campaign => "condition-campaign",
        RuleField::Content => "condition-content",
        RuleField::Term => "condition-term",
        RuleField::ReferrerHost => "condition-referrer_host",
        RuleField::LandingHost => "condition-landing_host",
        RuleField::LandingPath => "condition-landing_path",
        RuleField::ClickId => "condition-click_id",
    }
}

pub fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equals => "condition-equals",
        Comparison::Contains => "condition-contains",
        Comparison::StartsWith => "condition-starts_with",
        Comparison::EndsWith => "condition-ends_with",
        Comparison::Like => "condition-like",
        Comparison::Present => "condition-present",
        Comparison::Absent => "condition-absent",
    }
}

/// A rule of the built-in table by its name: its name, when it holds, and what it gives.
pub fn builtin_rule(name: &str) -> [&'static str; 3] {
    match name {
        "merchant's rule" => ["builtin-own", "builtin-own-when", "builtin-own-gives"],
        "partner" => ["builtin-partner", "builtin-partner-when", "builtin-partner-gives"],
        "utm_medium=affiliate" => ["builtin-medium", "builtin-medium-when", "builtin-medium-gives"],
        "affiliate click id" => ["builtin-network", "builtin-network-when", "builtin-network-gives"],
        "ad click id" => ["builtin-ad", "builtin-ad-when", "builtin-ad-gives"],
        "GA4's rules" => ["builtin-ga4", "builtin-ga4-when", "builtin-ga4-gives"],
        "our extension" => ["builtin-extension", "builtin-extension-when", "builtin-extension-gives"],
        "GA4 paid other" => ["builtin-paid", "builtin-paid-when", "builtin-paid-gives"],
        "OpenStat mark" => ["builtin-openstat", "builtin-openstat-when", "builtin-openstat-gives"],
        "UTM that matches nothing" => ["builtin-unassigned", "builtin-unassigned-when", "builtin-unassigned-gives"],
        "own host" => ["builtin-within", "builtin-within-when", "builtin-within-gives"],
        "payment provider" => ["builtin-payment", "builtin-payment-when", "builtin-payment-gives"],
        "referrer list" => ["builtin-list", "builtin-list-when", "builtin-list-gives"],
        "referrer's name" => ["builtin-host", "builtin-host-when", "builtin-host-gives"],
        "any other referrer" => ["builtin-referrer", "builtin-referrer-when", "builtin-referrer-gives"],
        "unpaid click id" => ["builtin-unpaid", "builtin-unpaid-when", "builtin-unpaid-gives"],
        _ => ["builtin-nothing", "builtin-nothing-when", "builtin-nothing-gives"],
    }
}

pub fn model(model: Model) -> &'static str {
    match model {
        Model::LastClick => "model-last_click",
        Model::LastNonDirect => "model-last_non_direct",
        Model::FirstClick => "model-first_click",
        Model::Linear => "model-linear",
        Model::TimeDecay => "model-time_decay",
        Model::PositionBased => "model-position_based",
        Model::WShaped => "model-w_shaped",
        Model::Custom(_) => "model-custom",
        Model::Markov => "model-markov",
        Model::Shapley => "model-shapley",
        Model::ShapleyRate => "model-shapley_rate",
    }
}

pub fn dimension(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Channel => "by-channel",
        Dimension::Source => "by-source",
        Dimension::Medium => "by-medium",
        Dimension::Campaign => "by-campaign",
        Dimension::Content => "by-content",
        Dimension::Term => "by-term",
        Dimension::Partner => "by-partner",
        Dimension::Link => "by-link",
        Dimension::PromoCode => "by-promo_code",
        Dimension::Country => "by-country",
        Dimension::Device => "by-device",
        Dimension::Customer => "by-customer",
        Dimension::Day => "by-day",
        Dimension::Week => "by-week",
        Dimension::Month => "by-month",
    }
}

/// A device by its name.
pub fn device(name: &str) -> &'static str {
    match name {
        "mobile" => "device-mobile",
        "tablet" => "device-tablet",
        _ => "device-desktop",
    }
}

/// Who ordered, by the name of what they are.
pub fn customer(name: &str) -> &'static str {
    match name {
        "new" => "customer-new",
        _ => "customer-returning",
    }
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::Owner => "role-owner",
        Role::Marketer => "role-marketer",
        Role::Accountant => "role-accountant",
        Role::Viewer => "role-viewer",
        Role::Partner => "role-partner",
    }
}

pub fn partner_kind(kind: PartnerKind) -> &'static str {
    match kind {
        PartnerKind::Affiliate => "kind-affiliate",
        PartnerKind::Referrer => "kind-referrer",
        PartnerKind::Reseller => "kind-reseller",
        PartnerKind::Offline => "kind-offline",
    }
}

/// Words for a status that is worth saying: an approved partner is the rule.
pub fn partner_status(status: PartnerStatus) -> Option<&'static str> {
    match status {
        PartnerStatus::Approved => None,
        PartnerStatus::Applied => Some("partner-applied"),
        PartnerStatus::Suspended => Some("partner-suspended"),
    }
}

pub fn order_status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => "order-pending",
        OrderStatus::Approved => "order-approved",
        OrderStatus::Cancelled => "order-cancelled",
    }
}

pub fn touch_kind(kind: TouchKind) -> &'static str {
    match kind {
        TouchKind::Click => "touch-click",
        TouchKind::Visit => "touch-visit",
        TouchKind::Impression => "touch-impression",
        TouchKind::Promo => "touch-promo",
        TouchKind::Call => "touch-call",
    }
}

pub fn commission_state(state: CommissionState) -> &'static str {
    match state {
        CommissionState::Pending => "state-pending",
        CommissionState::Approved => "state-approved",
        CommissionState::Payable => "state-payable",
        CommissionState::Paid => "state-paid",
        CommissionState::Reversed => "state-reversed",
        CommissionState::Rejected => "state-rejected",
    }
}

pub fn journal(kind: JournalKind) -> &'static str {
    match kind {
        JournalKind::Earned => "journal-earned",
        JournalKind::Reversed => "journal-reversed",
        JournalKind::Released => "journal-released",
        JournalKind::Adjusted => "journal-adjusted",
        JournalKind::Withheld => "journal-withheld",
        JournalKind::WithholdingReleased => "journal-withholding_released",
        JournalKind::WrittenOff => "journal-written_off",
        JournalKind::PutInRun => "journal-put_in_run",
        JournalKind::TakenOutOfRun => "journal-taken_out_of_run",
        JournalKind::Paid => "journal-paid",
        JournalKind::Returned => "journal-returned",
        JournalKind::TaxWithheld => "journal-tax_withheld",
    }
}

pub fn account(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Held => "account-held",
        AccountKind::Available => "account-available",
        AccountKind::InPayment => "account-in_payment",
        AccountKind::Withheld => "account-withheld",
        AccountKind::WrittenOff => "account-written_off",
        AccountKind::Expense => "account-expense",
        AccountKind::Cash => "account-cash",
        AccountKind::Tax => "account-tax",
    }
}

/// `adjust`, `withhold`, `write_off`.
pub fn act_by_hand(act: &str) -> &'static str {
    match act {
        "withhold" => "by_hand-withhold",
        "write_off" => "by_hand-write_off",
        _ => "by_hand-adjust",
    }
}

/// A journal's note: as somebody wrote it, but for the word that stands for a chargeback.
pub fn note(lang: Language, note: &str) -> String {
    match note.strip_prefix(ReversalReason::Chargeback.word()) {
        Some(rest) if is_chargeback(note) => format!("{}{rest}", lang.text("note-chargeback")),
        _ => note.to_owned(),
    }
}

pub fn is_chargeback(note: &str) -> bool {
    note.strip_prefix(ReversalReason::Chargeback.word()).is_some_and(|rest| rest.is_empty() || rest.starts_with(", of "))
}

pub fn policy(policy: CreditPolicy) -> &'static str {
    match policy {
        CreditPolicy::PromoThenLastClick => "policy-promo_then_last_click",
        CreditPolicy::LastClickThenPromo => "policy-last_click_then_promo",
        CreditPolicy::LastTouch => "policy-last_touch",
        CreditPolicy::FirstClick => "policy-first_click",
        CreditPolicy::SplitLinear => "policy-split_linear",
        CreditPolicy::Lifetime => "policy-lifetime",
    }
}

pub fn via(via: Via) -> &'static str {
    match via {
        Via::PromoCode => "via-promo_code",
        Via::Click => "via-click",
        Via::Lifetime => "via-lifetime",
        Via::None => "via-none",
    }
}

pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Kept => "verdict-kept",
        Verdict::Dropped => "verdict-dropped",
        Verdict::Won => "verdict-won",
    }
}

pub fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::LatestClickInWindow => "reason-latest_click_in_window",
        Reason::PromoCode => "reason-promo_code",
        Reason::FirstClick => "reason-first_click",
        Reason::Lifetime => "reason-lifetime",
        Reason::Split => "reason-split",
        Reason::OutsideWindow => "reason-outside_window",
        Reason::AfterOrder => "reason-after_order",
        Reason::Bot => "reason-bot",
        Reason::Prefetch => "reason-prefetch",
        Reason::Duplicate => "reason-duplicate",
        Reason::Burst => "reason-burst",
        Reason::NoPartner => "reason-no_partner",
        Reason::PartnerSuspended => "reason-partner_suspended",
        Reason::OwnPurchase => "reason-own_purchase",
        Reason::PromoUnknown => "reason-promo_unknown",
        Reason::PromoExpired => "reason-promo_expired",
        Reason::PromoExhausted => "reason-promo_exhausted",
        Reason::PromoOutranksClick => "reason-promo_outranks_click",
        Reason::ClickOutranksPromo => "reason-click_outranks_promo",
        Reason::LaterClick => "reason-later_click",
        Reason::EarlierClick => "reason-earlier_click",
        Reason::ReturningCustomer => "reason-returning_customer",
        Reason::ExcludedCategory => "reason-excluded_category",
        Reason::CapReached => "reason-cap_reached",
        Reason::OtherCurrency => "reason-other_currency",
    }
}

/// Why an order is owed to the partner who reads it.
pub fn why_yours(won_by: Reason) -> &'static str {
    match won_by {
        Reason::LatestClickInWindow => "why-latest_click_in_window",
        Reason::PromoCode => "why-promo_code",
        Reason::FirstClick => "why-first_click",
        Reason::Lifetime => "why-lifetime",
        Reason::Split => "why-split",
        other => reason(other),
    }
}

/// What a commission is for.
pub fn commission_kind(kind: CommissionKind) -> &'static str {
    match kind {
        CommissionKind::Order => "commission-order",
        CommissionKind::SecondTier => "commission-second_tier",
        CommissionKind::Volume => "commission-volume",
        CommissionKind::Clicks => "commission-clicks",
        CommissionKind::Lead => "commission-lead",
    }
}

/// Beside what a commission rule stands.
pub fn rule_kind(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Ordinary => "terms-ordinary",
        RuleKind::Bonus => "terms-bonus",
        RuleKind::SecondTier => "terms-second-tier",
    }
}

pub fn customer_condition(condition: CustomerCondition) -> &'static str {
    match condition {
        CustomerCondition::Any => "terms-customer-any",
        CustomerCondition::New => "terms-customer-new",
        CustomerCondition::Returning => "terms-customer-returning",
    }
}

/// Why a commission rule does not pay.
pub fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::Draft => "whynot-draft",
        WhyNot::NotStarted => "whynot-not_started",
        WhyNot::Ended => "whynot-ended",
        WhyNot::OtherPartner => "whynot-other_partner",
        WhyNot::OtherGroup => "whynot-other_group",
        WhyNot::OtherCustomer => "whynot-other_customer",
        WhyNot::RecurringOver => "whynot-recurring_over",
        WhyNot::OtherProduct => "whynot-other_product",
        WhyNot::OtherCategory => "whynot-other_category",
        WhyNot::PaidOnOther => "whynot-paid_on_other",
        WhyNot::FewerDimensions => "whynot-fewer_dimensions",
        WhyNot::LessNear => "whynot-less_near",
        WhyNot::LowerPriority => "whynot-lower_priority",
        WhyNot::Younger => "whynot-younger",
    }
}

/// Who a payee is before tax law.
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Company => "standing-company",
        Standing::SoleTrader => "standing-sole_trader",
        Standing::SelfEmployed => "standing-self_employed",
        Standing::Individual => "standing-individual",
        Standing::Foreign => "standing-foreign",
    }
}

pub fn receipt_state(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Asked => "receipt-asked",
        ReceiptState::Received => "receipt-received",
        ReceiptState::Annulled => "receipt-annulled",
    }
}

pub fn document_kind(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Statement => "paper-statement",
        DocumentKind::Act => "paper-act",
    }
}

pub fn run_state(state: RunState) -> &'static str {
    match state {
        RunState::Built => "run-built",
        RunState::Approved => "run-approved",
        RunState::PartlyPaid => "run-partly_paid",
        RunState::Paid => "run-paid",
        RunState::Cancelled => "run-cancelled",
    }
}

/// Where a line of a run stands, and why.
pub fn line_state(state: LineState, reason: Option<&str>, amount_minor: i64) -> &'static str {
    match state {
        LineState::Due => "line-due",
        LineState::Paid => "line-paid",
        LineState::Failed => "line-failed",
        LineState::Cancelled => "line-cancelled",
        LineState::Blocked if reason.is_some_and(|reason| reason.starts_with("requisites:")) => "line-blocked_requisites",
        LineState::Blocked if reason.is_some_and(|reason| reason.starts_with("npd:")) => "line-blocked_npd",
        LineState::Blocked if reason.is_some_and(|reason| reason.starts_with("tax:")) => "line-blocked_tax",
        LineState::Blocked => "line-blocked",
        LineState::Carried if amount_minor < 0 => "line-below_zero",
        LineState::Carried => "line-below_minimum",
    }
}

/// Why an act of the accountant's month was refused.
pub fn refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Conflict => "refused-conflict",
        Refusal::MonthNotOver => "problem-close",
        Refusal::MonthNotClosed => "problem-build-open",
        Refusal::MonthInFuture => "problem-build",
        Refusal::RunExists => "problem-build-known",
        Refusal::NothingDue => "problem-build-nothing",
        Refusal::CurrencyRequired => "problem-build-currency",
        Refusal::NotApproved => "problem-paid",
        Refusal::SamePerson => "refused-same_person",
        Refusal::AlreadyPaid => "refused-already_paid",
        Refusal::RunCancelled => "refused-cancelled",
        Refusal::LineFailed => "refused-line_failed",
        Refusal::NoSuchLine => "refused-no_such_line",
        Refusal::NothingInFile => "problem-export",
        Refusal::OtherAccount => "refused-other_account",
        Refusal::OtherMonth => "refused-other_month",
        Refusal::StatementUnreadable => "refused-statement",
    }
}

/// What an entry of a bank statement says of a run.
pub fn statement_verdict(verdict: crate::domain::bank_statement::Verdict) -> &'static str {
    use crate::domain::bank_statement::Verdict;
    match verdict {
        Verdict::Paid(_) => "bank-paid",
        Verdict::AmountDiffers { .. } => "bank-amount_differs",
        Verdict::PaidAgain(_) => "bank-paid_again",
        Verdict::Returned(_) => "bank-returned",
        Verdict::Unknown => "bank-unknown",
    }
}

/// What an entry of a bank statement would do.
pub fn statement_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::MarkedPaid => "outcome-marked_paid",
        Outcome::MarkedFailed => "outcome-marked_failed",
        Outcome::Known => "outcome-known",
        Outcome::Left => "outcome-left",
        Outcome::Foreign => "outcome-foreign",
    }
}

pub fn miss(kind: &str) -> &'static str {
    match kind {
        "promo_code" => "miss-promo_code",
        "link" => "miss-link",
        "refund" => "miss-refund",
        _ => "miss-other",
    }
}

/// How a partner is paid, by the name in the requisites.
pub fn payout_method(method: &str) -> &'static str {
    match method {
        "bank_ru" => "pay-bank_ru",
        "sepa" => "pay-sepa",
        "swift" => "pay-swift",
        "paypal" => "pay-paypal",
        "wise" => "pay-wise",
        _ => "pay-manual",
    }
}

/// The button that downloads a payout file.
pub fn payout_file(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Csv(_) => "act-export",
        FileFormat::Xlsx => "file-xlsx",
        FileFormat::ClientBank => "file-1c",
        FileFormat::Pain001(_) => "file-pain001",
        FileFormat::Paypal { .. } => "file-paypal",
        FileFormat::Wise { .. } => "file-wise",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::documentation;

    #[test]
    fn the_built_in_table_says_in_english_what_its_rules_say() {
        for rule in documentation::table() {
            let [name, when, _] = builtin_rule(rule.name).map(|key| Language::En.text(key));
            assert_eq!((name.as_str(), when), (rule.name, rule.when.replace(['`', '*'], "")));
        }
    }
}
