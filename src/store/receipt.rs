//! Receipts of the self-employed.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::document::{GivenReceipt, ReceiptState};
use crate::domain::id::{PartnerId, PayoutRunId, ReceiptId};
use crate::domain::money::Currency;
use crate::{exec, read};
use chrono::NaiveDate;

/// A receipt as stored: of one payment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Receipt {
    pub id: ReceiptId,
    pub payout_run_id: PayoutRunId,
    pub partner_id: PartnerId,
    pub currency: Currency,
    /// What was paid.
    pub amount_minor: i64,
    pub state: ReceiptState,
    pub paid_on: NaiveDate,
    pub due_on: NaiveDate,
    pub number: Option<String>,
    pub link: Option<String>,
    /// The receipt's own day.
    pub issued_on: Option<NaiveDate>,
    pub received_at: Option<At>,
    pub received_by: Option<String>,
    pub annulled_at: Option<At>,
    pub annulled_because: Option<String>,
    pub reminders: i64,
    pub reminded_at: Option<At>,
}

const SELECT: &str = "SELECT id, payout_run_id, partner_id, currency, amount_minor, state, paid_on, due_on, number, link, issued_on, \
     received_at, received_by, annulled_at, annulled_because, reminders, reminded_at FROM receipts";

/// A payment whose receipt is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub run: PayoutRunId,
    pub partner: PartnerId,
    pub currency: Currency,
    pub amount_minor: i64,
    pub paid_on: NaiveDate,
    pub due_on: NaiveDate,
}

/// Asks for a receipt, unless it is asked for already.
pub async fn ask(tx: &mut Tx, wanted: Wanted, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO receipts (payout_run_id, partner_id, currency, amount_minor, state, paid_on, due_on, asked_at, reminders) \
             VALUES ($1, $2, $3, $4, 'asked', $5, $6, $7, 0) ON CONFLICT (payout_run_id, partner_id) DO NOTHING",
        )
        .bind(wanted.run)
        .bind(wanted.partner)
        .bind(wanted.currency)
        .bind(wanted.amount_minor)
        .bind(wanted.paid_on)
        .bind(wanted.due_on)
        .bind(now)
    })?;
    Ok(())
}

/// The payment came back: nothing is asked for any more.
pub async fn ask_no_more(tx: &mut Tx, run: PayoutRunId, partner: PartnerId) -> Result<()> {
    exec!(tx, {
        sqlx::query("DELETE FROM receipts WHERE payout_run_id = $1 AND partner_id = $2 AND state <> 'received'")
            .bind(run)
            .bind(partner)
    })?;
    Ok(())
}

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: ReceiptId) -> Result<Option<Receipt>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} WHERE id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// Which receipts are wanted of a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    pub partner: Option<PartnerId>,
    /// Those that are there, or those that are missing.
    pub missing: Option<bool>,
}

/// By id, after `after`.
pub async fn list<'a>(on: impl Into<Reader<'a>>, filter: Filter, after: i64, limit: i64) -> Result<Vec<Receipt>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} WHERE id > $1 AND ($2 = 0 OR partner_id = $2) AND ($3 = 0 OR ($3 = 1 AND state <> 'received') \
         OR ($3 = 2 AND state = 'received')) ORDER BY id LIMIT $4"
    ));
    let missing: i64 = match filter.missing {
        None => 0,
        Some(true) => 1,
        Some(false) => 2,
    };
    Ok(read!(on.into(), |c| {
        sqlx::query_as(sql).bind(after).bind(filter.partner.map_or(0, |p| p.0)).bind(missing).bind(limit).fetch_all(c).await
    })?)
}

/// A receipt has come. Errors: the partner has given this number for another payment.
pub async fn receive(tx: &mut Tx, id: ReceiptId, given: &GivenReceipt, by: &str, now: At) -> Result<()> {
    taken(
        exec!(tx, {
            sqlx::query(
                "UPDATE receipts SET state = 'received', number = $2, link = $3, issued_on = $4, received_at = $5, received_by = $6, \
                 annulled_at = NULL, annulled_because = NULL WHERE id = $1",
            )
            .bind(id)
            .bind(&given.number)
            .bind(&given.link)
            .bind(given.date)
            .bind(now)
            .bind(by)
        }),
        "number",
    )?;
    Ok(())
}

pub async fn annul(tx: &mut Tx, id: ReceiptId, because: &str, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE receipts SET state = 'annulled', annulled_at = $2, annulled_because = $3 WHERE id = $1")
            .bind(id)
            .bind(now)
            .bind(because)
    })?;
    Ok(())
}

pub async fn remind(tx: &mut Tx, id: ReceiptId, now: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("UPDATE receipts SET reminders = reminders + 1, reminded_at = $2 WHERE id = $1").bind(id).bind(now)
    })?;
    Ok(())
}

/// How many receipts are missing, and how many of them were due before a day.
pub async fn missing<'a>(on: impl Into<Reader<'a>>, today: NaiveDate) -> Result<(i64, i64)> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT COUNT(*), COUNT(*) FILTER (WHERE due_on < $1) FROM receipts WHERE state <> 'received'")
            .bind(today)
            .fetch_one(c)
            .await
    })?)
}
