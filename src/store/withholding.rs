//! What persons keep back of partners' balances: journals of kind `withheld`, each with the one that takes it back.

use super::{At, Reader, Result};
use crate::domain::id::*;
use crate::domain::money::Currency;
use crate::read;
use chrono::NaiveDate;

/// Something kept back; its id is that of its journal.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Withholding {
    pub id: JournalId,
    pub at: At,
    pub day: NaiveDate,
    pub partner_id: PartnerId,
    pub currency: Currency,
    pub amount_minor: i64,
    pub reason: String,
    pub order_id: Option<OrderId>,
    pub order_external_id: Option<String>,
    pub actor: Option<String>,
    pub released_at: Option<At>,
    pub released_day: Option<NaiveDate>,
    pub released_by: Option<String>,
    pub released_because: Option<String>,
}

const SELECT: &str = "SELECT j.id, j.at, j.day, e.partner_id, e.currency, e.amount_minor, COALESCE(j.note, '') AS reason, j.order_id, \
     o.external_id AS order_external_id, j.actor, r.at AS released_at, r.day AS released_day, r.actor AS released_by, \
     r.note AS released_because FROM ledger_entries e JOIN journals j ON j.id = e.journal_id LEFT JOIN orders o ON o.id = j.order_id \
     LEFT JOIN journals r ON r.takes_back = j.id WHERE j.kind = 'withheld' AND e.account = 'withheld'";

pub async fn by_id<'a>(on: impl Into<Reader<'a>>, id: JournalId) -> Result<Option<Withholding>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} AND e.journal_id = $1"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(id).fetch_optional(c).await)?)
}

/// All that was ever kept back of a partner, oldest first.
pub async fn of_partner<'a>(on: impl Into<Reader<'a>>, partner: PartnerId) -> Result<Vec<Withholding>> {
    let sql = sqlx::AssertSqlSafe(format!("{SELECT} AND e.partner_id = $1 ORDER BY j.id"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(partner).fetch_all(c).await)?)
}

/// What was kept back of a partner at the end of a day, oldest first.
pub async fn open_at<'a>(on: impl Into<Reader<'a>>, partner: PartnerId, day: NaiveDate) -> Result<Vec<Withholding>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{SELECT} AND e.partner_id = $1 AND e.day <= $2 AND (r.day IS NULL OR r.day > $2) ORDER BY j.id"
    ));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(partner).bind(day).fetch_all(c).await)?)
}
