//! Commission rules: a change is a new version, from now on.

use super::commission_terms::{BaseInput, CapInput, RecurringInput, TiersInput, apply_terms};
use super::rule_overlap::refuse_contradiction;
use super::{find_partner, find_program};
use crate::domain::commission::{Base, CustomerCondition, Limits, PaidOn, Rule, RuleKind, Terms};
use crate::domain::id::{ProgramId, RuleId};
use crate::domain::program::Program;
use crate::service::input::{DecimalInput, Problems, maybe_null};
use crate::service::{Context, Error, Result};
use crate::store::partner::Partner;
use crate::store::{Tx, audit, partner, program, rule};

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
    /// `order` (default), `lead`, or `click` (verified ones).
    pub on: Option<String>,
    /// The name or stage of the leads that are paid for; none: all, once each.
    pub lead: Option<String>,
    /// `ordinary` (default), `bonus` (paid beside the ordinary one), `second_tier` (to the partner who recruited the one who
    /// is owed the order, of what that one earns by it).
    pub kind: Option<String>,
    pub percent: Option<DecimalInput>,
    /// Per order, or per click.
    pub fixed: Option<DecimalInput>,
    pub tiers: Option<TiersInput>,
    pub base: Option<BaseInput>,
    /// The least and the most for one order.
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<DecimalInput>)]
    pub minimum: Option<Option<DecimalInput>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<DecimalInput>)]
    pub maximum: Option<Option<DecimalInput>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<CapInput>)]
    pub cap: Option<Option<CapInput>>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<RecurringInput>)]
    pub recurring: Option<Option<RecurringInput>>,
    /// `published` (default) or `draft`, which pays nothing and may be changed freely.
    pub state: Option<String>,
    pub priority: Option<i64>,
    /// Since ever, if left out.
    pub starts_at: Option<String>,
    #[serde(default, deserialize_with = "maybe_null")]
    #[schema(value_type = Option<String>)]
    pub ends_at: Option<Option<String>>,
}

/// The rule that an input says; nothing is stored, and it has no id yet.
pub async fn check_rule(tx: &mut Tx, input: &RuleInput) -> Result<Rule> {
    let mut p = Problems::default();
    let program = find_program(tx, &mut p, &input.program).await?;
    let draft = Rule {
        id: RuleId(0),
        version: 1,
        program: program.as_ref().map_or(ProgramId(0), |p| p.id),
        kind: RuleKind::Ordinary,
        on: PaidOn::Order,
        lead: None,
        partner: None,
        group: None,
        product: None,
        category: None,
        customer: CustomerCondition::Any,
        terms: Terms::Fixed(0),
        base: Base::default(),
        limits: Limits::default(),
        cap: None,
        recurring: None,
        priority: 0,
        starts_at: chrono::DateTime::UNIX_EPOCH,
        ends_at: None,
        published: true,
        cap_left_minor: None,
    };
    if input.percent.is_none() && input.fixed.is_none() && input.tiers.is_none() {
        p.add("/percent", "is required, or fixed or tiers");
    }
    apply_rule(tx, p, draft, program.as_ref(), input).await
}

/// Makes a rule.
pub async fn make_rule(tx: &mut Tx, context: &Context, input: &RuleInput) -> Result<Rule> {
    let mut rule = check_rule(tx, input).await?;
    refuse_contradiction(tx, context, &rule, None).await?;
    rule.id = rule::insert(tx, rule.program, context.at()).await?;
    rule::insert_version(tx, &rule, context.at()).await?;
    audit_rule(tx, context, None, &rule).await?;
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
    if before.published && !after.published {
        return Err(Error::field("/state", "a published rule cannot become a draft; give it an end"));
    }
    let known = before.published.then_some(&before);
    let same_terms = Rule { ends_at: before.ends_at, ..after.clone() } == before;
    if !before.published {
        // Nothing was paid by a draft.
        refuse_contradiction(tx, context, &after, known).await?;
        rule::replace_draft(tx, &after, context.at()).await?;
    } else if same_terms {
        if after.ends_at.is_some_and(|end| end < context.now && before.ends_at.is_none_or(|old| end < old)) {
            return Err(Error::field("/ends_at", "is in the past"));
        }
        refuse_contradiction(tx, context, &after, known).await?;
        rule::end_version(tx, id, before.version, after.ends_at.map(Into::into)).await?;
    } else {
        if input.starts_at.is_some() && after.starts_at < context.now {
            return Err(Error::field("/starts_at", "is in the past"));
        }
        after.starts_at = if input.starts_at.is_some() { after.starts_at } else { context.now.max(before.starts_at) };
        if after.ends_at.is_some_and(|end| end <= after.starts_at) {
            return Err(Error::field("/ends_at", "must be after the change begins"));
        }
        refuse_contradiction(tx, context, &after, known).await?;
        after.version = before.version + 1;
        let until = before.ends_at.map_or(after.starts_at, |end| end.min(after.starts_at));
        rule::end_version(tx, id, before.version, Some(until.into())).await?;
        rule::insert_version(tx, &after, context.at()).await?;
    }
    audit_rule(tx, context, Some(&before), &after).await?;
    Ok(after)
}

async fn apply_rule(tx: &mut Tx, mut p: Problems, draft: Rule, program: Option<&Program>, input: &RuleInput) -> Result<Rule> {
    let mut rule = draft;
    if input.partner.is_some() {
        rule.partner = find_partner(tx, &mut p, &input.partner).await?.map(|found| found.id);
    }
    let partner = match rule.partner {
        Some(id) => partner::by_id(&mut *tx, id).await?,
        None => None,
    };
    rule.on = p.word("/on", &input.on).unwrap_or(rule.on);
    rule.lead = p.line("/lead", &input.lead, 200).or(rule.lead);
    rule.kind = p.word("/kind", &input.kind).unwrap_or(rule.kind);
    rule.published = match input.state.as_deref() {
        None => rule.published,
        Some("published") => true,
        Some("draft") => false,
        Some(_) => {
            p.add("/state", "must be published or draft");
            rule.published
        }
    };
    rule.group = p.line("/group", &input.group, 100).or(rule.group);
    rule.product = p.line("/product", &input.product, 200).or(rule.product);
    rule.category = p.line("/category", &input.category, 200).or(rule.category);
    rule.customer = p.word("/customer", &input.customer).unwrap_or(rule.customer);
    rule.priority = p.number("/priority", input.priority, -1_000_000, 1_000_000).unwrap_or(rule.priority);
    apply_terms(&mut p, &mut rule, program.map(|p| p.currency), input);
    check_kind(&mut p, &rule);
    check_dimensions(&mut p, &rule, partner.as_ref());
    check_limits(&mut p, &rule, input);
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

/// A rule that could hold for nobody.
fn check_dimensions(p: &mut Problems, rule: &Rule, partner: Option<&Partner>) {
    if let (Some(partner), Some(group)) = (partner, &rule.group)
        && partner.group_name.as_ref() != Some(group)
    {
        p.add("/group", format!("contradicts partner: {} is not of this group", partner.id));
    }
}

/// A sum that its own limits would always change.
fn check_limits(p: &mut Problems, rule: &Rule, input: &RuleInput) {
    let Terms::Fixed(minor) = rule.terms else { return };
    let given = |limit: &Option<Option<DecimalInput>>| limit.is_some() || input.fixed.is_some();
    if rule.limits.least_minor.is_some_and(|least| minor < least) && given(&input.minimum) {
        p.add("/minimum", "is more than fixed, which would never be paid");
    }
    if rule.limits.most_minor.is_some_and(|most| minor > most) && given(&input.maximum) {
        p.add("/maximum", "is less than fixed, which would never be paid");
    }
}

/// What cannot be said together.
fn check_kind(p: &mut Problems, rule: &Rule) {
    let of_lines = rule.product.is_some() || rule.category.is_some();
    match rule.on {
        PaidOn::Order => {}
        PaidOn::Lead | PaidOn::Click => {
            if !matches!(rule.terms, Terms::Fixed(_)) {
                p.add("/fixed", "is required: leads and clicks have no amount to take a part of");
            }
            let of_customer = rule.on == PaidOn::Click && rule.customer != CustomerCondition::Any;
            if of_lines || of_customer || rule.recurring.is_some() {
                p.add("/on", "leads and clicks have no product or category and do not recur, clicks have no customer");
            }
            if rule.kind != RuleKind::Ordinary {
                p.add("/kind", "must be ordinary for leads and clicks");
            }
        }
    }
    if rule.lead.is_some() && rule.on != PaidOn::Lead {
        p.add("/lead", "stands with on: lead only");
    }
    if rule.kind == RuleKind::SecondTier {
        if !matches!(rule.terms, Terms::Percent(_)) {
            p.add("/percent", "is required: the second tier is a part of what the first earns");
        }
        if of_lines {
            p.add("/kind", "the second tier is of the whole order: no product or category");
        }
    }
    if matches!(rule.terms, Terms::Tiers(_)) && rule.cap.is_some() {
        p.add("/cap", "cannot stand beside tiers");
    }
}

async fn audit_rule(tx: &mut Tx, context: &Context, before: Option<&Rule>, rule: &Rule) -> Result<()> {
    let detail = serde_json::json!({ "before": before, "after": rule });
    audit::record(tx, &context.actor, "commission_rule.save", &rule.id.to_string(), &detail, context.at()).await?;
    Ok(())
}
