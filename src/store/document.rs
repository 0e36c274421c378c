//! Statements and acts that were issued. The database refuses to change or delete them.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::document::{DocumentKind, DocumentLanguage, DocumentNumber, Sums};
use crate::domain::id::{DocumentId, PartnerId};
use crate::domain::money::Currency;
use crate::{exec, read, run};
use chrono::NaiveDate;
use sqlx::types::Json;

/// A document as stored, without its pages.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Document {
    pub id: DocumentId,
    pub kind: DocumentKind,
    pub year: i64,
    pub number: i64,
    pub period: String,
    pub day: NaiveDate,
    pub partner_id: PartnerId,
    pub payee_name: String,
    pub currency: Currency,
    pub amount_minor: i64,
    pub sums: Json<Sums>,
    pub issued_at: At,
    pub issued_by: String,
}

impl Document {
    pub fn full_number(&self) -> DocumentNumber {
        DocumentNumber { kind: self.kind, year: i32::try_from(self.year).unwrap_or_default(), number: self.number }
    }
}

const SELECT: &str = "SELECT id, kind, year, number, period, day, partner_id, payee_name, currency, amount_minor, sums, issued_at, \
     issued_by FROM documents";

/// The number after the last of a kind and year. Writers take turns, so nobody else gets it.
pub async fn next_number(tx: &mut Tx, kind: DocumentKind, year: i32) -> Result<i64> {
    let last: i64 = run!(tx, |c| {
        sqlx::query_scalar("SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) FROM documents WHERE kind = $1 AND year = $2")
            .bind(kind)
            .bind(i64::from(year))
            .fetch_one(c)
            .await
    })?;
    Ok(last + 1)
}

/// Stores a document; its `id` is ignored and given anew.
pub async fn insert(tx: &mut Tx, document: &Document) -> Result<DocumentId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO documents (kind, year, number, period, day, partner_id, payee_name, currency, amount_minor, sums, \
                 issued_at, issued_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
            )
            .bind(document.kind)
            .bind(document.year)
            .bind(document.number)
            .bind(&document.period)
            .bind(document.day)
            .bind(document.partner_id)
            .bind(&document.payee_name)
            .bind(document.currency)
            .bind(document.amount_minor)
            .bind(document.sums)
            .bind(document.issued_at)
            .bind(&document.issued_by)
            .fetch_one(c)
            .await
        }),
        "document",
    )
}

/// A page of a document, without its bytes.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Page {
    pub document_id: DocumentId,
    pub language: DocumentLanguage,
    pub sha256: String,
    pub bytes: i64,
}

/// Stores a page; `body` is it compressed.
pub async fn insert_page(tx: &mut Tx, page: &Page, body: &[u8]) -> Result<()> {
    exec!(tx, {
        sqlx::query("INSERT INTO document_texts (document_id, language, sha256, bytes, body) VALUES ($1, $2, $3, $4, $5)")
            .bind(page.document_id)
            .bind(page.language)
            .bind(&page.sha256)
            .bind(page.bytes)
            .bind(body)
    })?;
    Ok(())
}

pub async fn pages<'a>(on: impl Into<Reader<'a>>, id: DocumentId) -> Result<Vec<Page>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT document_id, language, sha256, bytes FROM document_texts WHERE document_id = $1 ORDER BY language")
            .bind(id)
            .fetch_all(c)
            .await
    })?)
}

/// A page's hash and its compressed bytes.
pub async fn body<'a>(
    on: impl Into<Reader<'a>>,
    id: DocumentId,
    language: DocumentLanguage,
) -> Result<Option<(String, Vec<u8>)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT sha256, body FROM document_texts WHERE document_id = $1 AND language = $2")
            .bind(id)
            .bind(language)
            .fetch_optional(c)
            .await
    })?)
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: DocumentId) -> Result<Option<Document>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Which documents are wanted of a list; nothing given is all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub period: Option<String>,
    pub partner: Option<PartnerId>,
    pub kind: Option<DocumentKind>,
}

/// Oldest first, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, filter: &Filter, after: i64, limit: i64) -> Result<Vec<Document>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE id > $1 AND ($2 = '' OR period = $2) AND ($3 = 0 OR partner_id = $3) AND ($4 = '' OR kind = $4) \
         ORDER BY id LIMIT $5"
    ));
    Ok(read!(on.into(), |c| {
        sqlx::query_as(sql)
            .bind(after)
            .bind(filter.period.as_deref().unwrap_or(""))
            .bind(filter.partner.map_or(0, |p| p.0))
            .bind(filter.kind.map_or("", DocumentKind::name))
            .bind(limit)
            .fetch_all(c)
            .await
    })?)
}

/// Kinds and years whose numbers do not run from 1 to their count.
pub async fn gaps<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(String, i64, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT kind, year, COUNT(*), MAX(number) FROM documents GROUP BY kind, year \
             HAVING COUNT(*) <> MAX(number) OR MIN(number) <> 1 ORDER BY kind, year",
        )
        .fetch_all(c)
        .await
    })?)
}
