//! Commission rules: an id for the rule, a row for each version of its terms.

use super::{At, Error, Reader, Result, Tx};
use crate::domain::commission::{Base, Cap, CustomerCondition, Limits, PaidOn, Recurring, Rule, RuleKind, Terms, Tiers};
use crate::domain::id::{PartnerId, ProgramId, RuleId};
use crate::domain::money::RatePpm;
use crate::{exec, read, run};
use sqlx::types::Json;

#[derive(sqlx::FromRow)]
struct Row {
    rule_id: RuleId,
    version: i64,
    program_id: ProgramId,
    kind: RuleKind,
    paid_on: PaidOn,
    lead_name: Option<String>,
    partner_id: Option<PartnerId>,
    group_name: Option<String>,
    product: Option<String>,
    category: Option<String>,
    customer: CustomerCondition,
    rate_ppm: Option<i64>,
    fixed_minor: Option<i64>,
    tiers: Option<Json<Tiers>>,
    base: Option<Json<Base>>,
    least_minor: Option<i64>,
    most_minor: Option<i64>,
    cap: Option<Json<Cap>>,
    recurring: Option<Json<Recurring>>,
    priority: i64,
    starts_at: At,
    ends_at: Option<At>,
    published: bool,
}

impl TryFrom<Row> for Rule {
    type Error = Error;
    fn try_from(row: Row) -> Result<Rule> {
        let terms = match (row.rate_ppm.and_then(RatePpm::from_ppm), row.fixed_minor, row.tiers) {
            (Some(rate), None, None) => Terms::Percent(rate),
            (None, Some(minor), None) => Terms::Fixed(minor),
            (None, None, Some(tiers)) => Terms::Tiers(tiers.0),
            _ => return Err(Error::Unreadable(format!("the terms of {}", row.rule_id))),
        };
        Ok(Rule {
            id: row.rule_id,
            version: row.version,
            program: row.program_id,
            kind: row.kind,
            on: row.paid_on,
            lead: row.lead_name,
            partner: row.partner_id,
            group: row.group_name,
            product: row.product,
            category: row.category,
            customer: row.customer,
            terms,
            base: row.base.map(|base| base.0).unwrap_or_default(),
            limits: Limits { least_minor: row.least_minor, most_minor: row.most_minor },
            cap: row.cap.map(|cap| cap.0),
            recurring: row.recurring.map(|recurring| recurring.0),
            priority: row.priority,
            starts_at: row.starts_at.into(),
            ends_at: row.ends_at.map(Into::into),
            published: row.published,
            cap_left_minor: None,
        })
    }
}

const SELECT: &str = "SELECT v.rule_id, v.version, r.program_id, v.kind, v.paid_on, v.lead_name, v.partner_id, v.group_name, v.product, \
     v.category, v.customer, v.rate_ppm, v.fixed_minor, v.tiers, v.base, v.least_minor, v.most_minor, v.cap, v.recurring, v.priority, \
     v.starts_at, v.ends_at, v.published FROM commission_rule_versions v JOIN commission_rules r ON r.id = v.rule_id";

fn rules(rows: Vec<Row>) -> Result<Vec<Rule>> {
    rows.into_iter().map(Rule::try_from).collect()
}

/// A new rule, for its first version.
pub async fn insert(tx: &mut Tx, program: ProgramId, now: At) -> Result<RuleId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar("INSERT INTO commission_rules (program_id, created_at) VALUES ($1, $2) RETURNING id")
            .bind(program)
            .bind(now)
            .fetch_one(c)
            .await
    })?)
}

/// Adds the version that `rule` says.
pub async fn insert_version(tx: &mut Tx, rule: &Rule, now: At) -> Result<()> {
    let (rate_ppm, fixed_minor, tiers) = match &rule.terms {
        Terms::Percent(rate) => (Some(rate.ppm()), None, None),
        Terms::Fixed(minor) => (None, Some(*minor), None),
        Terms::Tiers(tiers) => (None, None, Some(Json(tiers))),
    };
    let base = (rule.base != Base::default()).then_some(Json(rule.base));
    exec!(tx, {
        sqlx::query(
            "INSERT INTO commission_rule_versions (rule_id, version, partner_id, group_name, product, category, customer, \
             rate_ppm, fixed_minor, priority, starts_at, ends_at, created_at, kind, paid_on, lead_name, tiers, base, least_minor, \
             most_minor, cap, recurring, published) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)",
        )
        .bind(rule.id)
        .bind(rule.version)
        .bind(rule.partner)
        .bind(&rule.group)
        .bind(&rule.product)
        .bind(&rule.category)
        .bind(rule.customer)
        .bind(rate_ppm)
        .bind(fixed_minor)
        .bind(rule.priority)
        .bind(At::from(rule.starts_at))
        .bind(rule.ends_at.map(At::from))
        .bind(now)
        .bind(rule.kind)
        .bind(rule.on)
        .bind(&rule.lead)
        .bind(tiers)
        .bind(base)
        .bind(rule.limits.least_minor)
        .bind(rule.limits.most_minor)
        .bind(rule.cap.map(Json))
        .bind(rule.recurring.map(Json))
        .bind(rule.published)
    })?;
    Ok(())
}

/// Puts a draft's terms in place of those it had: nothing was paid by them.
pub async fn replace_draft(tx: &mut Tx, rule: &Rule, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("DELETE FROM commission_rule_versions WHERE rule_id = $1 AND version = $2").bind(rule.id).bind(rule.version)
    })?;
    insert_version(tx, rule, now).await
}

/// Ends a version at an instant.
pub async fn end_version(tx: &mut Tx, rule: RuleId, version: i64, ends_at: Option<At>) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE commission_rule_versions SET ends_at = $3 WHERE rule_id = $1 AND version = $2")
            .bind(rule)
            .bind(version)
            .bind(ends_at)
    })?;
    Ok(())
}

/// The newest version of a rule.
pub async fn newest<'a>(on: impl Into<Reader<'a>>, id: RuleId) -> Result<Option<Rule>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE v.rule_id = $1 ORDER BY v.version DESC LIMIT 1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    row.map(Rule::try_from).transpose()
}

/// One version of a rule.
pub async fn version<'a>(on: impl Into<Reader<'a>>, id: RuleId, version: i64) -> Result<Option<Rule>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE v.rule_id = $1 AND v.version = $2"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(id).bind(version).fetch_optional(c).await)?;
    row.map(Rule::try_from).transpose()
}

/// Every version of every rule of a program.
pub async fn of_program<'a>(on: impl Into<Reader<'a>>, program: ProgramId) -> Result<Vec<Rule>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE r.program_id = $1 ORDER BY v.rule_id, v.version"));
    rules(read!(on.into(), |c| sqlx::query_as(sql).bind(program).fetch_all(c).await)?)
}

/// Every version of every rule.
pub async fn all_versions<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<Rule>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} ORDER BY v.rule_id, v.version"));
    rules(read!(on.into(), |c| sqlx::query_as(sql).fetch_all(c).await)?)
}

/// The newest version of each rule after `after`, oldest first.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Rule>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE v.rule_id > $1 AND v.version = (SELECT MAX(w.version) FROM commission_rule_versions w WHERE w.rule_id = v.rule_id) \
         ORDER BY v.rule_id LIMIT $2"
    ));
    rules(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}
