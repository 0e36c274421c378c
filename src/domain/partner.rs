//! Who is paid.

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
