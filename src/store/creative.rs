//! Creatives: what partners show, with the token and the contract of the advertising register.

use super::{At, Reader, Result, Tx};
use crate::domain::ad_marking::CreativeKind;
use crate::domain::id::{CreativeId, PartnerId, ProgramId};
use crate::{exec, read, run};
use chrono::NaiveDate;

/// A creative as stored. Advertiser and contract are there with all they need or not at all.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct Creative {
    pub id: CreativeId,
    pub program_id: ProgramId,
    pub name: String,
    pub kind: CreativeKind,
    pub erid: Option<String>,
    pub advertiser_name: Option<String>,
    pub advertiser_inn: Option<String>,
    pub contract_number: Option<String>,
    pub contract_date: Option<NaiveDate>,
    pub url: Option<String>,
    pub html: Option<String>,
    pub text: Option<String>,
    pub created_at: At,
}

const SELECT: &str = "SELECT id, program_id, name, kind, erid, advertiser_name, advertiser_inn, contract_number, contract_date, url, \
     html, text, created_at FROM creatives";

/// Stores a creative; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, creative: &Creative) -> Result<CreativeId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO creatives (program_id, name, kind, erid, advertiser_name, advertiser_inn, contract_number, contract_date, \
             url, html, text, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        )
        .bind(creative.program_id)
        .bind(&creative.name)
        .bind(creative.kind)
        .bind(&creative.erid)
        .bind(&creative.advertiser_name)
        .bind(&creative.advertiser_inn)
        .bind(&creative.contract_number)
        .bind(creative.contract_date)
        .bind(&creative.url)
        .bind(&creative.html)
        .bind(&creative.text)
        .bind(creative.created_at)
        .fetch_one(c)
        .await
    })?)
}

pub async fn update(tx: &mut Tx, creative: &Creative) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "UPDATE creatives SET name = $2, kind = $3, erid = $4, advertiser_name = $5, advertiser_inn = $6, contract_number = $7, \
             contract_date = $8, url = $9, html = $10, text = $11 WHERE id = $1",
        )
        .bind(creative.id)
        .bind(&creative.name)
        .bind(creative.kind)
        .bind(&creative.erid)
        .bind(&creative.advertiser_name)
        .bind(&creative.advertiser_inn)
        .bind(&creative.contract_number)
        .bind(creative.contract_date)
        .bind(&creative.url)
        .bind(&creative.html)
        .bind(&creative.text)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: CreativeId) -> Result<Option<Creative>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<Creative>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}

/// The creatives of the programs that a partner has a link or a code in, oldest first.
pub async fn of_partner<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Vec<Creative>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE program_id IN (SELECT program_id FROM links WHERE partner_id = $1 \
         UNION SELECT program_id FROM promo_codes WHERE partner_id = $1) ORDER BY id"
    ));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(partner).fetch_all(c).await)?)
}
