//! Programs.

use super::promo_code::DiscountInput;
use super::referral::{self, RewardInput};
use crate::domain::id::ProgramId;
use crate::domain::money::Currency;
use crate::domain::program::{CreditPolicy, Program};
use crate::domain::text::{Host, web_address};
use crate::service::input::{DecimalInput, Problems, maybe_null};
use crate::service::{Context, Error, Result};
use crate::store::{Tx, audit, program, settings};
use std::collections::BTreeMap;

/// A program as it is sent; what is left out keeps its value or takes the default.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramInput {
    pub name: Option<String>,
    pub currency: Option<String>,
    pub destination_hosts: Option<Vec<String>>,
    /// Default 30.
    pub click_window_days: Option<i64>,
    /// Default 0: impressions are not paid on.
    pub view_window_days: Option<i64>,
    /// Default 14.
    pub hold_days: Option<i64>,
    /// Default `promo_then_last_click`.
    pub credit_policy: Option<String>,
    /// Under `lifetime`: for how many days, and how many orders, the first partner keeps the customer; none: no end.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<i64>)]
    pub lifetime_days: Option<Option<i64>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<i64>)]
    pub lifetime_orders: Option<Option<i64>>,
    pub min_payout: Option<DecimalInput>,
    /// Lines of these are not paid for.
    pub excluded_categories: Option<Vec<String>>,
    /// `automatic` (default), or `manual`: a person approves each commission.
    pub approval: Option<String>,
    /// Holds, in days, of groups of partners that are not the program's.
    pub group_hold_days: Option<BTreeMap<String, i64>>,
    pub new_customers_only: Option<bool>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub fallback_url: Option<Option<String>>,
    /// Partners' links need an `erid`, the token of the Russian advertising register. Default false.
    pub ad_marking_required: Option<bool>,
    /// Hosts that lead here, on which the program's links stand without `/r/`; each of one program only.
    pub link_domains: Option<Vec<String>>,
    /// `affiliate` (default) or `referral`; cannot be changed.
    pub kind: Option<String>,
    /// Of a referral program: what the referrer is paid for each order of a friend.
    pub reward: Option<RewardInput>,
    /// Of a referral program: what a referrer's code takes off for the friend.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<DiscountInput>)]
    pub friend_discount: Option<Option<DiscountInput>>,
    /// Of a referral program: where referrers' links lead; default: the first of the destination hosts.
    pub referral_url: Option<String>,
}

/// Makes a program, or changes `known`.
pub async fn save_program(tx: &mut Tx, context: &Context, known: Option<ProgramId>, input: &ProgramInput) -> Result<Program> {
    let before = match known {
        Some(id) => Some(program::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let name = p.line("/name", &input.name, 200).or_else(|| old.map(|o| o.name.clone()));
    if name.is_none() && p.0.is_empty() {
        p.add("/name", "is required");
    }
    let currency: Option<Currency> = p.parse("/currency", &input.currency).or(old.map(|o| o.currency));
    if currency.is_none() && input.currency.is_none() {
        p.add("/currency", "is required");
    }
    if let (Some(old), Some(new)) = (old, currency)
        && old.currency != new
    {
        p.add("/currency", "cannot be changed");
    }
    let hosts = match &input.destination_hosts {
        Some(given) => read_hosts(&mut p, "/destination_hosts", given),
        None => old.map(|o| o.destination_hosts.clone()).unwrap_or_default(),
    };
    let link_domains = match &input.link_domains {
        Some(given) => read_hosts(&mut p, "/link_domains", given),
        None => old.map(|o| o.link_domains.clone()).unwrap_or_default(),
    };
    let policy = p.take("/credit_policy", read_policy(&input.credit_policy)).flatten();
    let days = |p: &mut Problems, pointer, given, default| p.number(pointer, given, 0, 3_650).unwrap_or(default);
    let limit = |p: &mut Problems, pointer, given: Option<Option<i64>>, most, old: Option<i64>| match given {
        None => old,
        Some(None) => None,
        Some(given) => p.number(pointer, given, 1, most),
    };
    let terms = old.and_then(|o| o.referral.as_ref());
    let referral = referral::check(&mut p, input, terms, old.is_none(), currency, &hosts);
    let saved = Program {
        id: known.unwrap_or(ProgramId(0)),
        name: name.unwrap_or_default(),
        currency: currency.unwrap_or(Currency::RUB),
        destination_hosts: hosts,
        click_window_days: days(&mut p, "/click_window_days", input.click_window_days, old.map_or(30, |o| o.click_window_days)),
        view_window_days: days(&mut p, "/view_window_days", input.view_window_days, old.map_or(0, |o| o.view_window_days)),
        hold_days: days(&mut p, "/hold_days", input.hold_days, old.map_or(14, |o| o.hold_days)),
        credit_policy: policy.unwrap_or(old.map_or(CreditPolicy::PromoThenLastClick, |o| o.credit_policy)),
        lifetime_days: limit(&mut p, "/lifetime_days", input.lifetime_days, 36_500, old.and_then(|o| o.lifetime_days)),
        lifetime_orders: limit(&mut p, "/lifetime_orders", input.lifetime_orders, 1_000_000, old.and_then(|o| o.lifetime_orders)),
        excluded_categories: read_categories(&mut p, &input.excluded_categories, old),
        manual_approval: read_approval(&mut p, &input.approval, old),
        group_hold_days: read_holds(&mut p, &input.group_hold_days, old),
        min_payout_minor: p.amount("/min_payout", &input.min_payout, currency).unwrap_or(old.map_or(0, |o| o.min_payout_minor)),
        new_customers_only: input.new_customers_only.unwrap_or(old.is_some_and(|o| o.new_customers_only)),
        fallback_url: match &input.fallback_url {
            None => old.and_then(|o| o.fallback_url.clone()),
            Some(None) => None,
            Some(Some(url)) => p.take("/fallback_url", web_address(url)).map(String::from),
        },
        ad_marking_required: input.ad_marking_required.unwrap_or(old.is_some_and(|o| o.ad_marking_required)),
        referral: terms.cloned(),
        link_domains,
    };
    if saved.credit_policy == CreditPolicy::Lifetime && saved.new_customers_only {
        p.add("/new_customers_only", "contradicts the policy lifetime, which pays for returning customers");
    }
    p.done()?;
    for other in program::all(&mut *tx).await?.iter().filter(|other| Some(other.id) != known) {
        if let Some(taken) = saved.link_domains.iter().find(|domain| other.link_domains.contains(domain)) {
            return Err(Error::conflict(format!("the domain '{taken}' belongs to {}", other.id)));
        }
    }
    let id = match known {
        Some(id) => {
            program::update(tx, &saved).await?;
            id
        }
        None => program::insert(tx, &saved, context.at()).await?,
    };
    let mut saved = Program { id, ..saved };
    if let Some(draft) = referral {
        saved.referral = Some(referral::save(tx, context, id, input, draft, terms).await?);
        program::update(tx, &saved).await?;
    }
    settings::terms_changed(tx).await?;
    let detail = serde_json::json!({ "before": before.map(|b| format!("{b:?}")), "after": format!("{saved:?}") });
    audit::record(tx, &context.actor, "program.save", &id.to_string(), &detail, context.at()).await?;
    Ok(saved)
}

fn read_categories(p: &mut Problems, given: &Option<Vec<String>>, old: Option<&Program>) -> Vec<String> {
    let Some(given) = given else { return old.map(|o| o.excluded_categories.clone()).unwrap_or_default() };
    let read = given.iter().enumerate().filter_map(|(index, category)| {
        let pointer = format!("/excluded_categories/{index}");
        let read = p.line(&pointer, &Some(category.clone()), 200);
        p.required(&pointer, read)
    });
    read.collect()
}

fn read_approval(p: &mut Problems, given: &Option<String>, old: Option<&Program>) -> bool {
    match given.as_deref() {
        None => old.is_some_and(|o| o.manual_approval),
        Some("manual") => true,
        Some("automatic") => false,
        Some(_) => {
            p.add("/approval", "must be automatic or manual");
            false
        }
    }
}

fn read_holds(p: &mut Problems, given: &Option<BTreeMap<String, i64>>, old: Option<&Program>) -> BTreeMap<String, i64> {
    let Some(given) = given else { return old.map(|o| o.group_hold_days.clone()).unwrap_or_default() };
    for (group, days) in given {
        p.number(&format!("/group_hold_days/{group}"), Some(*days), 0, 3_650);
    }
    given.clone()
}

/// Host names, each once, in the order given.
fn read_hosts(p: &mut Problems, pointer: &str, given: &[String]) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for (index, host) in given.iter().enumerate() {
        if let Some(host) = p.take(&format!("{pointer}/{index}"), host.trim().parse::<Host>())
            && !hosts.iter().any(|known| known == host.as_str())
        {
            hosts.push(host.as_str().to_owned());
        }
    }
    hosts
}

fn read_policy(text: &Option<String>) -> std::result::Result<Option<CreditPolicy>, String> {
    let Some(text) = text.as_deref().filter(|t| !t.is_empty()) else { return Ok(None) };
    let known = CreditPolicy::ALL.into_iter().find(|p| p.name() == text);
    let names = CreditPolicy::ALL.map(CreditPolicy::name).join(", ");
    known.map(Some).ok_or_else(|| format!("must be one of {names}"))
}
