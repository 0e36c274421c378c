//! What the merchant sets up: programs, partners, links, promo codes, commission rules, costs.

use super::input::{DecimalInput, Problems, maybe_null};
use super::{Context, Error, Result};
use crate::domain::channel::{Evidence, classify};
use crate::domain::commission::{CustomerCondition, Rule, Terms};
use crate::domain::id::*;
use crate::domain::landing::Landing;
use crate::domain::money::Currency;
use crate::domain::partner::{PartnerKind, PartnerStatus, PayoutMethod};
use crate::domain::program::{CreditPolicy, Program};
use crate::domain::promo::promo_key;
use crate::domain::text::{self, Email, Host, LinkCode, host_allowed, host_of, web_address};
use crate::store::cost::Cost;
use crate::store::link::Link;
use crate::store::partner::Partner;
use crate::store::promo::PromoCode;
use crate::store::{Tx, audit, cost, link, partner, program, promo, rule, settings};
use sqlx::types::Json;
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
    pub min_payout: Option<DecimalInput>,
    pub new_customers_only: Option<bool>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub fallback_url: Option<Option<String>>,
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
    let mut hosts = old.map(|o| o.destination_hosts.clone()).unwrap_or_default();
    if let Some(given) = &input.destination_hosts {
        hosts = Vec::new();
        for (index, host) in given.iter().enumerate() {
            if let Some(host) = p.take(&format!("/destination_hosts/{index}"), host.trim().parse::<Host>()) {
                hosts.push(host.as_str().to_owned());
            }
        }
    }
    let policy = p.take("/credit_policy", read_policy(&input.credit_policy)).flatten();
    let days = |p: &mut Problems, pointer, given, default| p.number(pointer, given, 0, 3_650).unwrap_or(default);
    let saved = Program {
        id: known.unwrap_or(ProgramId(0)),
        name: name.unwrap_or_default(),
        currency: currency.unwrap_or(Currency::RUB),
        destination_hosts: hosts,
        click_window_days: days(&mut p, "/click_window_days", input.click_window_days, old.map_or(30, |o| o.click_window_days)),
        view_window_days: days(&mut p, "/view_window_days", input.view_window_days, old.map_or(0, |o| o.view_window_days)),
        hold_days: days(&mut p, "/hold_days", input.hold_days, old.map_or(14, |o| o.hold_days)),
        credit_policy: policy.unwrap_or(old.map_or(CreditPolicy::PromoThenLastClick, |o| o.credit_policy)),
        min_payout_minor: p.amount("/min_payout", &input.min_payout, currency).unwrap_or(old.map_or(0, |o| o.min_payout_minor)),
        new_customers_only: input.new_customers_only.unwrap_or(old.is_some_and(|o| o.new_customers_only)),
        fallback_url: match &input.fallback_url {
            None => old.and_then(|o| o.fallback_url.clone()),
            Some(None) => None,
            Some(Some(url)) => p.take("/fallback_url", web_address(url)).map(String::from),
        },
    };
    p.done()?;
    let id = match known {
        Some(id) => {
            program::update(tx, &saved).await?;
            id
        }
        None => program::insert(tx, &saved, context.at()).await?,
    };
    settings::catalog_changed(tx).await?;
    let saved = Program { id, ..saved };
    let detail = serde_json::json!({ "before": before.map(|b| format!("{b:?}")), "after": format!("{saved:?}") });
    audit::record(tx, &context.actor, "program.save", &id.to_string(), &detail, context.at()).await?;
    Ok(saved)
}

fn read_policy(text: &Option<String>) -> std::result::Result<Option<CreditPolicy>, String> {
    let Some(text) = text.as_deref().filter(|t| !t.is_empty()) else { return Ok(None) };
    let known = CreditPolicy::ALL.into_iter().find(|p| p.name() == text);
    let names = CreditPolicy::ALL.map(CreditPolicy::name).join(", ");
    known.map(Some).ok_or_else(|| format!("must be one of {names}"))
}

/// A partner as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PartnerInput {
    pub name: Option<String>,
    pub email: Option<String>,
    /// The id the partner has elsewhere; files may refer to it.
    pub external_id: Option<String>,
    /// `affiliate` (default), `referrer`, `reseller`, `offline`.
    pub kind: Option<String>,
    /// `applied`, `approved` (default), `suspended`.
    pub status: Option<String>,
    pub group: Option<String>,
    /// `{"method": "manual", …requisites}`.
    #[schema(value_type = Option<Object>)]
    pub payout: Option<BTreeMap<String, serde_json::Value>>,
}

/// Makes a partner, or changes `known`.
pub async fn save_partner(tx: &mut Tx, context: &Context, known: Option<PartnerId>, input: &PartnerInput) -> Result<Partner> {
    let before = match known {
        Some(id) => Some(partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let name = p.line("/name", &input.name, 200).or_else(|| old.map(|o| o.name.clone()));
    if name.is_none() && p.0.is_empty() {
        p.add("/name", "is required");
    }
    let email: Option<Email> = p.parse("/email", &input.email);
    let email = email.map(|e| e.as_str().to_owned()).or_else(|| old.and_then(|o| o.email.clone()));
    let saved = Partner {
        id: known.unwrap_or(PartnerId(0)),
        external_id: p.line("/external_id", &input.external_id, 200).or_else(|| old.and_then(|o| o.external_id.clone())),
        name: name.unwrap_or_default(),
        email_hash: email.as_deref().and_then(|e| context.hash_key.email(e)),
        email,
        kind: p.word("/kind", &input.kind).unwrap_or(old.map_or(PartnerKind::Affiliate, |o| o.kind)),
        status: p.word("/status", &input.status).unwrap_or(old.map_or(PartnerStatus::Approved, |o| o.status)),
        group_name: p.line("/group", &input.group, 100).or_else(|| old.and_then(|o| o.group_name.clone())),
        payout: Json(check_payout(&mut p, input.payout.as_ref(), old.map(|o| &o.payout.0))),
        created_at: old.map_or(context.at(), |o| o.created_at),
    };
    p.done()?;
    let id = match old {
        Some(old) => {
            partner::update(tx, &saved).await?;
            if old.status != saved.status {
                partner::set_status_since(tx, old.id, saved.status, context.at()).await?;
            }
            old.id
        }
        None => partner::insert(tx, &saved).await?,
    };
    settings::catalog_changed(tx).await?;
    let saved = Partner { id, ..saved };
    let brief = |p: &Partner| serde_json::json!({ "name": p.name, "email": p.email, "status": p.status, "group": p.group_name, "payout": p.payout.0 });
    let detail = serde_json::json!({ "before": old.map(brief), "after": brief(&saved) });
    audit::record(tx, &context.actor, "partner.save", &id.to_string(), &detail, context.at()).await?;
    Ok(saved)
}

fn check_payout(
    p: &mut Problems,
    given: Option<&BTreeMap<String, serde_json::Value>>,
    old: Option<&serde_json::Value>,
) -> serde_json::Value {
    let Some(given) = given else {
        return old.cloned().unwrap_or_else(|| serde_json::json!({ "method": "manual" }));
    };
    let method = given.get("method").and_then(|m| m.as_str()).map(str::to_owned);
    if p.required("/payout/method", method.clone()).is_some() {
        p.word::<PayoutMethod>("/payout/method", &method);
    }
    for (name, value) in given {
        match value.as_str() {
            Some(text) if text.chars().count() <= 500 && !text.chars().any(char::is_control) => {}
            _ => p.add(&format!("/payout/{name}"), "must be a text of one line"),
        }
    }
    serde_json::json!(given)
}

/// A link as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkInput {
    /// Id or name; may be left out where there is one program.
    pub program: Option<String>,
    /// Id, external id or e-mail address.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub partner: Option<Option<String>>,
    /// Made up if left out.
    pub code: Option<String>,
    pub url: Option<String>,
    pub utm: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub expires_at: Option<Option<String>>,
    pub paused: Option<bool>,
}

/// Makes a link, or changes `known` (not its code and program).
pub async fn save_link(tx: &mut Tx, context: &Context, known: Option<LinkId>, input: &LinkInput) -> Result<Link> {
    let before = match known {
        Some(id) => Some(link::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let program = match old {
        Some(old) => Some(program::by_id(&mut *tx, old.program_id).await?.ok_or_else(|| Error::not_found(old.program_id))?),
        None => find_program(tx, &mut p, &input.program).await?,
    };
    let partner = match &input.partner {
        None => old.and_then(|o| o.partner_id),
        Some(reference) => find_partner(tx, &mut p, reference).await?.map(|found| found.id),
    };
    let code = match (old, &input.code) {
        (Some(old), Some(code)) if *code != old.code => {
            p.add("/code", "cannot be changed");
            None
        }
        (Some(old), _) => p.take("/code", old.code.parse::<LinkCode>()),
        (None, Some(code)) if !code.trim().is_empty() => p.take("/code", code.trim().parse::<LinkCode>()),
        (None, _) => p.take("/code", random_code().parse::<LinkCode>()),
    };
    let url = match &input.url {
        Some(url) => {
            let hosts = program.as_ref().map(|p| p.destination_hosts.clone()).unwrap_or_default();
            p.take("/url", check_destination(url, &hosts))
        }
        None => old.map(|o| o.url.clone()),
    };
    if url.is_none() && input.url.is_none() {
        p.add("/url", "is required");
    }
    let utm = if input.utm.is_some() { p.utm("/utm", &input.utm) } else { old.map(|o| o.utm.0.clone()).unwrap_or_default() };
    let expires_at = match &input.expires_at {
        None => old.and_then(|o| o.expires_at),
        Some(text) => p.instant("/expires_at", text).map(Into::into),
    };
    let all = program.zip(code).zip(url);
    let ((program, code), url) = p.all(all)?;
    let saved = Link {
        id: known.unwrap_or(LinkId(0)),
        code: code.as_str().to_owned(),
        program_id: program.id,
        partner_id: partner,
        url,
        utm: Json(utm),
        expires_at,
        paused: input.paused.unwrap_or(old.is_some_and(|o| o.paused)),
        created_at: old.map_or(context.at(), |o| o.created_at),
    };
    let id = match known {
        Some(id) => {
            link::update(tx, &saved).await?;
            id
        }
        None => {
            if link::by_code_key(&mut *tx, &code.key()).await?.is_some() {
                return Err(Error::conflict(format!("the code '{}' is taken", code.as_str())));
            }
            link::insert(tx, &saved, &code.key()).await?
        }
    };
    settings::catalog_changed(tx).await?;
    Ok(Link { id, ..saved })
}

/// A destination may hold macros like `{sub1}`, but not in its host. Kept as written.
fn check_destination(url: &str, hosts: &[String]) -> std::result::Result<String, String> {
    let parsed = web_address(url).map_err(|e| e.to_string())?;
    if parsed.host_str().is_some_and(|h| h.contains(['{', '}']))
        || url.split("//").nth(1).is_some_and(|rest| rest.split(['/', '?', '#']).next().unwrap_or("").contains('{'))
    {
        return Err("must not have a macro in its host".to_owned());
    }
    let host = host_of(&parsed);
    if !hosts.is_empty() && !host_allowed(&host, hosts) {
        return Err(format!("{host} is not among the program's destination hosts"));
    }
    Ok(url.trim().to_owned())
}

/// Eight characters that are hard to mistake for one another.
fn random_code() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    (0..8).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}

/// A promo code as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoCodeInput {
    pub code: Option<String>,
    pub program: Option<String>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub partner: Option<Option<String>>,
    pub discount: Option<DiscountInput>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub starts_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<i64>)]
    pub max_uses: Option<Option<i64>>,
}

/// One of the two.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscountInput {
    pub percent: Option<DecimalInput>,
    pub amount: Option<DecimalInput>,
    pub currency: Option<String>,
}

/// Makes a promo code, or changes `known` (not its code and program).
pub async fn save_promo_code(
    tx: &mut Tx,
    context: &Context,
    known: Option<PromoCodeId>,
    input: &PromoCodeInput,
) -> Result<PromoCode> {
    let before = match known {
        Some(id) => Some(promo::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?),
        None => None,
    };
    let old = before.as_ref();
    let mut p = Problems::default();
    let program = match old {
        Some(old) => program::by_id(&mut *tx, old.program_id).await?,
        None => find_program(tx, &mut p, &input.program).await?,
    };
    let code = match (old, &input.code) {
        (Some(old), Some(code)) if promo_key(code) != promo_key(&old.code) => {
            p.add("/code", "cannot be changed");
            None
        }
        (Some(old), _) => Some(old.code.clone()),
        (None, Some(code)) => p.take("/code", text::line(code, 100)),
        (None, None) => p.required("/code", None),
    };
    let partner = match &input.partner {
        None => old.and_then(|o| o.partner_id),
        Some(reference) => find_partner(tx, &mut p, reference).await?.map(|found| found.id),
    };
    let currency = program.as_ref().map(|p| p.currency);
    let (discount_ppm, discount_minor) = match &input.discount {
        None => (old.and_then(|o| o.discount_ppm), old.and_then(|o| o.discount_minor)),
        Some(discount) => {
            if discount.percent.is_some() && discount.amount.is_some() {
                p.add("/discount", "has both percent and amount");
            }
            if discount.currency.as_deref().is_some_and(|c| Some(c) != currency.map(Currency::code)) {
                p.add("/discount/currency", "differs from the program's");
            }
            let percent = p.percent("/discount/percent", &discount.percent).map(|r| r.ppm());
            (percent, p.amount("/discount/amount", &discount.amount, currency))
        }
    };
    let instant = |p: &mut Problems, pointer: &str, given: &Option<Option<String>>, old| match given {
        None => old,
        Some(text) => p.instant(pointer, text).map(Into::into),
    };
    let starts_at = instant(&mut p, "/starts_at", &input.starts_at, old.and_then(|o| o.starts_at));
    let ends_at = instant(&mut p, "/ends_at", &input.ends_at, old.and_then(|o| o.ends_at));
    if starts_at.zip(ends_at).is_some_and(|(start, end)| end <= start) {
        p.add("/ends_at", "must be after starts_at");
    }
    let max_uses = match input.max_uses {
        None => old.and_then(|o| o.max_uses),
        Some(given) => p.number("/max_uses", given, 0, i64::MAX),
    };
    let all = program.zip(code);
    let (program, code) = p.all(all)?;
    let saved = PromoCode {
        id: known.unwrap_or(PromoCodeId(0)),
        code,
        program_id: program.id,
        partner_id: partner,
        discount_ppm,
        discount_minor,
        starts_at,
        ends_at,
        max_uses,
        created_at: old.map_or(context.at(), |o| o.created_at),
    };
    let id = match known {
        Some(id) => {
            promo::update(tx, &saved).await?;
            id
        }
        None => {
            let key = promo_key(&saved.code);
            if promo::by_key(&mut *tx, &key).await?.is_some() {
                return Err(Error::conflict(format!("the code '{}' is taken", saved.code)));
            }
            promo::insert(tx, &saved, &key).await?
        }
    };
    settings::catalog_changed(tx).await?;
    Ok(PromoCode { id, ..saved })
}

/// A commission rule as it is sent.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleInput {
    pub program: Option<String>,
    pub partner: Option<String>,
    pub group: Option<String>,
    /// A SKU.
    pub product: Option<String>,
    pub category: Option<String>,
    /// `any` (default), `new`, `returning`.
    pub customer: Option<String>,
    /// `order`.
    pub on: Option<String>,
    pub percent: Option<DecimalInput>,
    pub fixed: Option<DecimalInput>,
    pub priority: Option<i64>,
    /// Since ever, if left out.
    pub starts_at: Option<String>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Option<String>>,
}

/// Makes a rule.
pub async fn make_rule(tx: &mut Tx, context: &Context, input: &RuleInput) -> Result<Rule> {
    let mut p = Problems::default();
    let program = find_program(tx, &mut p, &input.program).await?;
    let draft = Rule {
        id: RuleId(0),
        version: 1,
        program: program.as_ref().map_or(ProgramId(0), |p| p.id),
        partner: None,
        group: None,
        product: None,
        category: None,
        customer: CustomerCondition::Any,
        terms: Terms::Fixed(0),
        priority: 0,
        starts_at: chrono::DateTime::UNIX_EPOCH,
        ends_at: None,
    };
    if input.percent.is_none() && input.fixed.is_none() {
        p.add("/percent", "is required, or fixed");
    }
    let mut rule = apply_rule(tx, p, draft, program.as_ref(), input).await?;
    rule.id = rule::insert(tx, rule.program, context.at()).await?;
    rule::insert_version(tx, &rule, context.at()).await?;
    audit_rule(tx, context, &rule).await?;
    Ok(rule)
}

/// Changes a rule from now on: orders placed before keep the version that was in force.
pub async fn change_rule(tx: &mut Tx, context: &Context, id: RuleId, input: &RuleInput) -> Result<Rule> {
    let before = rule::newest(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let mut p = Problems::default();
    if input.program.is_some() {
        p.add("/program", "cannot be changed");
    }
    let program = program::by_id(&mut *tx, before.program).await?;
    let mut after = apply_rule(tx, p, before.clone(), program.as_ref(), input).await?;
    if after == before {
        return Ok(before);
    }
    let same_terms = Rule { ends_at: before.ends_at, ..after.clone() } == before;
    if same_terms {
        if after.ends_at.is_some_and(|end| end < context.now && before.ends_at.is_none_or(|old| end < old)) {
            return Err(Error::field("/ends_at", "is in the past"));
        }
        rule::end_version(tx, id, before.version, after.ends_at.map(Into::into)).await?;
    } else {
        if input.starts_at.is_some() && after.starts_at < context.now {
            return Err(Error::field("/starts_at", "is in the past"));
        }
        after.starts_at = if input.starts_at.is_some() { after.starts_at } else { context.now.max(before.starts_at) };
        if after.ends_at.is_some_and(|end| end <= after.starts_at) {
            return Err(Error::field("/ends_at", "must be after the change begins"));
        }
        after.version = before.version + 1;
        let until = before.ends_at.map_or(after.starts_at, |end| end.min(after.starts_at));
        rule::end_version(tx, id, before.version, Some(until.into())).await?;
        rule::insert_version(tx, &after, context.at()).await?;
    }
    audit_rule(tx, context, &after).await?;
    Ok(after)
}

async fn apply_rule(tx: &mut Tx, mut p: Problems, draft: Rule, program: Option<&Program>, input: &RuleInput) -> Result<Rule> {
    let mut rule = draft;
    if input.partner.is_some() {
        rule.partner = find_partner(tx, &mut p, &input.partner).await?.map(|found| found.id);
    }
    if let Some(on) = &input.on
        && on != "order"
    {
        p.add("/on", "only 'order' is paid on");
    }
    rule.group = p.line("/group", &input.group, 100).or(rule.group);
    rule.product = p.line("/product", &input.product, 200).or(rule.product);
    rule.category = p.line("/category", &input.category, 200).or(rule.category);
    rule.customer = p.word("/customer", &input.customer).unwrap_or(rule.customer);
    rule.priority = p.number("/priority", input.priority, -1_000_000, 1_000_000).unwrap_or(rule.priority);
    match (&input.percent, &input.fixed) {
        (Some(_), Some(_)) => p.add("/fixed", "stands beside percent: one of the two"),
        (Some(_), None) => rule.terms = p.percent("/percent", &input.percent).map_or(rule.terms, Terms::Percent),
        (None, Some(_)) => {
            rule.terms = p.amount("/fixed", &input.fixed, program.map(|p| p.currency)).map_or(rule.terms, Terms::Fixed);
        }
        (None, None) => {}
    }
    rule.starts_at = p.instant("/starts_at", &input.starts_at).unwrap_or(rule.starts_at);
    if let Some(ends_at) = &input.ends_at {
        rule.ends_at = p.instant("/ends_at", ends_at);
    }
    if rule.ends_at.is_some_and(|end| end <= rule.starts_at) {
        p.add("/ends_at", "must be after starts_at");
    }
    p.done()?;
    Ok(rule)
}

async fn audit_rule(tx: &mut Tx, context: &Context, rule: &Rule) -> Result<()> {
    let detail = serde_json::json!({ "after": rule });
    audit::record(tx, &context.actor, "commission_rule.save", &rule.id.to_string(), &detail, context.at()).await?;
    Ok(())
}

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
    let mut landing = Landing::default();
    for (name, value) in [("source", &source), ("medium", &medium), ("campaign", &campaign)] {
        if !value.is_empty() {
            landing.utm.insert(name.to_owned(), value.clone());
        }
    }
    let channel = classify(Evidence { partner_kind: None, landing: &landing, referrer: None, own_hosts: &[] }).channel;
    let cost = Cost { id: CostId(0), day, source, medium, campaign, channel, amount_minor, currency, impressions, clicks };
    let id = cost::replace(tx, &cost).await?;
    Ok(Cost { id, ..cost })
}

/// The program that a text names: its id or name; the only one, if there is no text.
pub async fn find_program(tx: &mut Tx, p: &mut Problems, reference: &Option<String>) -> Result<Option<Program>> {
    let Some(reference) = reference.as_deref().map(str::trim).filter(|r| !r.is_empty()) else {
        let mut all = program::list(&mut *tx, 0, 2).await?;
        if all.len() == 1 {
            return Ok(all.pop());
        }
        p.add("/program", "is required");
        return Ok(None);
    };
    let found = match reference.parse::<ProgramId>() {
        Ok(id) => program::by_id(&mut *tx, id).await?,
        Err(_) => program::by_name(&mut *tx, reference).await?,
    };
    if found.is_none() {
        p.add("/program", format!("there is no program '{reference}'"));
    }
    Ok(found)
}

/// The partner that a text names: id, external id or e-mail address. No text: none.
pub async fn find_partner(tx: &mut Tx, p: &mut Problems, reference: &Option<String>) -> Result<Option<Partner>> {
    let Some(reference) = reference.as_deref().map(str::trim).filter(|r| !r.is_empty()) else { return Ok(None) };
    let found = match reference.parse::<PartnerId>() {
        Ok(id) => partner::by_id(&mut *tx, id).await?,
        Err(_) => partner::by_reference(&mut *tx, reference).await?,
    };
    if found.is_none() {
        p.add("/partner", format!("there is no partner '{reference}'"));
    }
    Ok(found)
}
