//! Advertising costs.

use super::channel_rules;
use crate::domain::channel::{Channel, ChannelRule, Evidence, classify};
use crate::domain::id::CostId;
use crate::domain::landing::Landing;
use crate::domain::money::Currency;
use crate::service::Result;
use crate::service::input::{DecimalInput, Problems};
use crate::store::cost::Cost;
use crate::store::{Tx, cost};

/// A cost as it is sent: one day, source, medium and campaign.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CostInput {
    pub date: Option<String>,
    pub source: Option<String>,
    pub medium: Option<String>,
    pub campaign: Option<String>,
    pub amount: Option<DecimalInput>,
    pub currency: Option<String>,
    pub impressions: Option<i64>,
    pub clicks: Option<i64>,
}

/// Stores a cost in the place of the one of the same day and keys. `at` is the pointer of the object in the body.
pub async fn replace_cost(tx: &mut Tx, at: &str, input: &CostInput) -> Result<Cost> {
    let mut p = Problems::default();
    let field = |name: &str| format!("{at}/{name}");
    let day = match &input.date {
        None => p.required(&field("date"), None),
        Some(text) => {
            p.take(&field("date"), text.trim().parse::<chrono::NaiveDate>().map_err(|_| "must be a day like 2026-11-22"))
        }
    };
    let currency: Option<Currency> = match &input.currency {
        None => p.required(&field("currency"), None),
        text => p.parse(&field("currency"), text),
    };
    if input.amount.is_none() {
        p.add(&field("amount"), "is required");
    }
    let amount = p.amount(&field("amount"), &input.amount, currency);
    let grouped = |p: &mut Problems, name: &str, text: &Option<String>| {
        p.line(&field(name), text, 500).map(|t| t.to_lowercase()).unwrap_or_default()
    };
    let source = grouped(&mut p, "source", &input.source);
    let medium = grouped(&mut p, "medium", &input.medium);
    let campaign = grouped(&mut p, "campaign", &input.campaign);
    let impressions = p.number(&field("impressions"), input.impressions, 0, i64::MAX).unwrap_or(0);
    let clicks = p.number(&field("clicks"), input.clicks, 0, i64::MAX).unwrap_or(0);
    let all = day.zip(currency).zip(amount);
    let ((day, currency), amount_minor) = p.all(all)?;
    let channel = cost_channel(&channel_rules(&mut *tx).await?, [&source, &medium, &campaign]);
    let cost = Cost { id: CostId(0), day, source, medium, campaign, channel, amount_minor, currency, impressions, clicks };
    let id = cost::replace(tx, &cost).await?;
    Ok(Cost { id, ..cost })
}

/// The channel that money went to, by source, medium and campaign; empty texts stand for none.
pub fn cost_channel(rules: &[ChannelRule], utm: [&str; 3]) -> Channel {
    let mut landing = Landing::default();
    for (name, value) in ["source", "medium", "campaign"].into_iter().zip(utm) {
        if !value.is_empty() {
            landing.utm.add(name, value);
        }
    }
    classify(Evidence { rules, partner_kind: None, landing: &landing, referrer: None, own_hosts: &[] }).channel
}
