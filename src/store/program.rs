//! Programs: terms offered to partners.

use super::{At, Error, Reader, Result, Tx};
use crate::domain::id::ProgramId;
use crate::domain::money::Currency;
use crate::domain::program::{CreditPolicy, Program};
use crate::domain::referral::ReferralTerms;
use crate::{exec, read, run};
use sqlx::types::Json;
use std::collections::BTreeMap;

#[derive(sqlx::FromRow)]
struct Row {
    id: ProgramId,
    name: String,
    currency: Currency,
    destination_hosts: Json<Vec<String>>,
    click_window_days: i64,
    view_window_days: i64,
    hold_days: i64,
    credit_policy: CreditPolicy,
    min_payout_minor: i64,
    new_customers_only: bool,
    fallback_url: Option<String>,
    link_domains: Json<Vec<String>>,
    lifetime_days: Option<i64>,
    lifetime_orders: Option<i64>,
    excluded_categories: Json<Vec<String>>,
    manual_approval: bool,
    group_hold_days: Json<BTreeMap<String, i64>>,
    ad_marking_required: bool,
    referral: Option<Json<ReferralTerms>>,
}

impl From<Row> for Program {
    fn from(row: Row) -> Program {
        Program {
            id: row.id,
            name: row.name,
            currency: row.currency,
            destination_hosts: row.destination_hosts.0,
            click_window_days: row.click_window_days,
            view_window_days: row.view_window_days,
            hold_days: row.hold_days,
            credit_policy: row.credit_policy,
            min_payout_minor: row.min_payout_minor,
            new_customers_only: row.new_customers_only,
            fallback_url: row.fallback_url,
            link_domains: row.link_domains.0,
            lifetime_days: row.lifetime_days,
            lifetime_orders: row.lifetime_orders,
            excluded_categories: row.excluded_categories.0,
            manual_approval: row.manual_approval,
            group_hold_days: row.group_hold_days.0,
            ad_marking_required: row.ad_marking_required,
            referral: row.referral.map(|terms| terms.0),
        }
    }
}

const SELECT: &str = "SELECT id, name, currency, destination_hosts, click_window_days, view_window_days, hold_days, \
     credit_policy, min_payout_minor, new_customers_only, fallback_url, link_domains, lifetime_days, lifetime_orders, \
     excluded_categories, manual_approval, group_hold_days, ad_marking_required, referral FROM programs";

/// Stores a program; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, program: &Program, now: At) -> Result<ProgramId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO programs (name, currency, destination_hosts, click_window_days, view_window_days, hold_days, \
             credit_policy, min_payout_minor, new_customers_only, fallback_url, created_at, link_domains, \
             lifetime_days, lifetime_orders, excluded_categories, manual_approval, group_hold_days, ad_marking_required, referral) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) RETURNING id",
        )
        .bind(&program.name)
        .bind(program.currency)
        .bind(Json(&program.destination_hosts))
        .bind(program.click_window_days)
        .bind(program.view_window_days)
        .bind(program.hold_days)
        .bind(program.credit_policy)
        .bind(program.min_payout_minor)
        .bind(program.new_customers_only)
        .bind(&program.fallback_url)
        .bind(now)
        .bind(Json(&program.link_domains))
        .bind(program.lifetime_days)
        .bind(program.lifetime_orders)
        .bind(Json(&program.excluded_categories))
        .bind(program.manual_approval)
        .bind(Json(&program.group_hold_days))
        .bind(program.ad_marking_required)
        .bind(program.referral.as_ref().map(Json))
        .fetch_one(c)
        .await
    })?)
}

pub async fn update(tx: &mut Tx, program: &Program) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE programs SET name = $2, destination_hosts = $3, click_window_days = $4, view_window_days = $5, \
             hold_days = $6, credit_policy = $7, min_payout_minor = $8, new_customers_only = $9, fallback_url = $10, \
             link_domains = $11, lifetime_days = $12, lifetime_orders = $13, excluded_categories = $14, manual_approval = $15, \
             group_hold_days = $16, ad_marking_required = $17, referral = $18 WHERE id = $1",
        )
        .bind(program.id)
        .bind(&program.name)
        .bind(Json(&program.destination_hosts))
        .bind(program.click_window_days)
        .bind(program.view_window_days)
        .bind(program.hold_days)
        .bind(program.credit_policy)
        .bind(program.min_payout_minor)
        .bind(program.new_customers_only)
        .bind(&program.fallback_url)
        .bind(Json(&program.link_domains))
        .bind(program.lifetime_days)
        .bind(program.lifetime_orders)
        .bind(Json(&program.excluded_categories))
        .bind(program.manual_approval)
        .bind(Json(&program.group_hold_days))
        .bind(program.ad_marking_required)
        .bind(program.referral.as_ref().map(Json))
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: ProgramId) -> Result<Option<Program>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?;
    Ok(row.map(Program::from))
}

pub async fn by_name<'a>(on: impl Into<Reader<'a>>, name: &str) -> Result<Option<Program>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE name = $1 ORDER BY id LIMIT 1"));
    let row: Option<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(name).fetch_optional(c).await)?;
    Ok(row.map(Program::from))
}

/// All programs, oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Program>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"));
    let rows: Vec<Row> = read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?;
    Ok(rows.into_iter().map(Program::from).collect())
}

/// All of them: there are few.
pub async fn all<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<Program>> {
    list(on, 0, i64::MAX).await
}

impl Error {
    /// A row that must be there by a foreign key was not.
    pub(crate) fn missing(what: &str) -> Error {
        Error::Unreadable(format!("{what} is gone"))
    }
}
