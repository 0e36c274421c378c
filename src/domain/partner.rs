//! Who is paid.

use super::requisites::RequisiteError;

/// What kind of partner it is; decides the channel of what they bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerKind {
    Affiliate,
    Referrer,
    Reseller,
    Offline,
}

/// Where the partnership stands. Only an approved partner earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerStatus {
    Applied,
    Approved,
    Suspended,
}

/// How a partner is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutMethod {
    Manual,
    BankRu,
    Sepa,
    Swift,
    Paypal,
    Wise,
}

impl PayoutMethod {
    pub const ALL: [PayoutMethod; 6] = [
        PayoutMethod::Manual,
        PayoutMethod::BankRu,
        PayoutMethod::Sepa,
        PayoutMethod::Swift,
        PayoutMethod::Paypal,
        PayoutMethod::Wise,
    ];

    pub fn name(self) -> &'static str {
        match self {
            PayoutMethod::Manual => "manual",
            PayoutMethod::BankRu => "bank_ru",
            PayoutMethod::Sepa => "sepa",
            PayoutMethod::Swift => "swift",
            PayoutMethod::Paypal => "paypal",
            PayoutMethod::Wise => "wise",
        }
    }
}

impl std::str::FromStr for PayoutMethod {
    type Err = RequisiteError;
    fn from_str(text: &str) -> Result<PayoutMethod, RequisiteError> {
        let text = text.trim();
        PayoutMethod::ALL.into_iter().find(|m| m.name().eq_ignore_ascii_case(text)).ok_or(RequisiteError::NotAMethod)
    }
}
