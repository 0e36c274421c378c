//! Wholesale price lists: versions under a name, their items, and which reseller has which.

use super::{At, Reader, Result, Tx};
use crate::domain::id::PartnerId;
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::QueryBuilder;

/// A version of a list as stored: in force from its day until the next one's.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PriceList {
    pub id: i64,
    pub name: String,
    pub valid_from: NaiveDate,
    pub currency: Currency,
    pub created_at: At,
}

/// What is agreed on for a SKU, in minor units of the list's currency.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct PriceListItem {
    pub sku: String,
    pub wholesale_minor: Option<i64>,
    pub recommended_minor: Option<i64>,
    pub minimum_minor: Option<i64>,
}

const SELECT: &str = "SELECT id, name, valid_from, currency, created_at FROM price_lists";

/// Stores a version, or finds the one of the same day; answers its id.
pub async fn put(tx: &mut Tx, list: &PriceList) -> Result<i64> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar(
            "INSERT INTO price_lists (name, valid_from, currency, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (name, valid_from) DO UPDATE SET created_at = excluded.created_at RETURNING id",
        )
        .bind(&list.name)
        .bind(list.valid_from)
        .bind(list.currency)
        .bind(list.created_at)
        .fetch_one(c)
        .await
    })?)
}

/// Makes a version's items those given.
pub async fn put_items(tx: &mut Tx, list: i64, items: &[PriceListItem]) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM price_list_items WHERE price_list_id = $1").bind(list))?;
    for chunk in items.chunks(500) {
        run!(tx, |c| {
            let mut query = QueryBuilder::new(
                "INSERT INTO price_list_items (price_list_id, sku, wholesale_minor, recommended_minor, minimum_minor) ",
            );
            query.push_values(chunk, |mut row, item| {
                row.push_bind(list)
                    .push_bind(&item.sku)
                    .push_bind(item.wholesale_minor)
                    .push_bind(item.recommended_minor)
                    .push_bind(item.minimum_minor);
            });
            query.build().execute(c).await.map(|_| ())
        })?;
    }
    Ok(())
}

/// A version's items by SKU.
pub async fn items<'a>(on: impl Into<Reader<'a>>, list: i64) -> Result<Vec<PriceListItem>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT sku, wholesale_minor, recommended_minor, minimum_minor FROM price_list_items WHERE price_list_id = $1 ORDER BY sku",
        )
        .bind(list)
        .fetch_all(c)
        .await
    })?)
}

/// All versions, the oldest stored first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, after: i64, limit: i64) -> Result<Vec<PriceList>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id > $1 ORDER BY id LIMIT $2"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(after).bind(limit).fetch_all(c).await)?)
}

/// The versions of a name, the latest day first.
pub async fn versions<'a>(on: impl Into<Reader<'a>>, name: &str) -> Result<Vec<PriceList>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE name = $1 ORDER BY valid_from DESC"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(name).fetch_all(c).await)?)
}

/// Which list a partner has.
pub async fn name_of<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Option<String>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT name FROM price_list_partners WHERE partner_id = $1").bind(partner).fetch_optional(c).await
    })?)
}

/// The partners that have a list.
pub async fn partners<'a>(on: impl Into<Reader<'a>>, name: &str) -> Result<Vec<PartnerId>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT partner_id FROM price_list_partners WHERE name = $1 ORDER BY partner_id")
            .bind(name)
            .fetch_all(c)
            .await
    })?)
}

pub async fn assign(tx: &mut Tx, partner: PartnerId, name: &str) -> Result<()> {
    exec!(tx, sqlx::query("INSERT INTO price_list_partners (partner_id, name) VALUES ($1, $2)").bind(partner).bind(name))?;
    Ok(())
}

pub async fn unassign(tx: &mut Tx, partner: PartnerId) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM price_list_partners WHERE partner_id = $1").bind(partner))?;
    Ok(())
}

/// The least price agreed on for a SKU on a day, by the version in force then.
pub async fn minimum<'a>(on: impl Into<Reader<'a>>, name: &str, sku: &str, day: NaiveDate) -> Result<Option<i64>> {
    let found: Option<Option<i64>> = read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT i.minimum_minor FROM price_list_items i JOIN price_lists v ON v.id = i.price_list_id \
             WHERE v.name = $1 AND i.sku = $2 \
             AND v.valid_from = (SELECT MAX(w.valid_from) FROM price_lists w WHERE w.name = $1 AND w.valid_from <= $3)",
        )
        .bind(name)
        .bind(sku)
        .bind(day)
        .fetch_optional(c)
        .await
    })?;
    Ok(found.flatten())
}
