//! The totals behind the advertising register's figures. Days are inclusive.

use super::{At, Reader, Result};
use crate::domain::id::{CreativeId, LinkId, PartnerId, ProgramId};
use crate::domain::money::Currency;
use crate::read;
use chrono::NaiveDate;
use sqlx::QueryBuilder;
use sqlx::types::Json;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A link that advertises: it has a creative or an `erid`, or is a partner's where the program requires marking.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct AdLink {
    pub id: LinkId,
    pub program_id: ProgramId,
    pub partner_id: Option<PartnerId>,
    pub creative_id: Option<CreativeId>,
    /// The token that its clicks carry.
    pub erid: Option<String>,
    pub utm: Json<BTreeMap<String, String>>,
}

pub async fn links<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<AdLink>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT l.id, l.program_id, l.partner_id, l.creative_id, COALESCE(l.erid, r.erid) AS erid, l.utm FROM links l \
             JOIN programs p ON p.id = l.program_id LEFT JOIN creatives r ON r.id = l.creative_id \
             WHERE l.creative_id IS NOT NULL OR l.erid IS NOT NULL OR (p.ad_marking_required AND l.partner_id IS NOT NULL) \
             ORDER BY l.id",
        )
        .fetch_all(c)
        .await
    })?)
}

/// Impressions and clicks that count, by link.
pub async fn touches<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<(LinkId, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT link_id, CAST(COALESCE(SUM(counted) FILTER (WHERE kind = 'impression'), 0) AS BIGINT), \
             CAST(COALESCE(SUM(counted) FILTER (WHERE kind = 'click'), 0) AS BIGINT) FROM touch_days \
             WHERE day >= $1 AND day <= $2 AND link_id <> 0 AND counted > 0 GROUP BY link_id ORDER BY link_id",
        )
        .bind(from)
        .bind(to)
        .fetch_all(c)
        .await
    })?)
}

/// Money of the orders that one touch or code won for a partner.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct WonMoney {
    /// As in a decision: a touch's label, or `promo:CODE`.
    pub touch: Option<String>,
    pub partner_id: PartnerId,
    pub program_id: ProgramId,
    pub currency: Currency,
    pub amount_minor: i64,
}

const WON: &str = "SELECT COALESCE(s.touch, d.touch) AS touch, m.partner_id, m.program_id, e.currency, \
     CAST(-SUM(e.amount_minor) AS BIGINT) AS amount_minor FROM ledger_entries e JOIN journals j ON j.id = e.journal_id \
     JOIN commissions m ON m.id = j.commission_id JOIN payable_decisions d ON d.order_id = m.order_id \
     LEFT JOIN payable_shares s ON s.order_id = m.order_id AND s.partner_id = m.partner_id AND s.program_id = m.program_id";
const WON_BY: &str = "GROUP BY COALESCE(s.touch, d.touch), m.partner_id, m.program_id, e.currency";

/// What commissions cost by entries of these days: earned less what was taken back.
pub async fn commission<'a>(on: impl Into<Reader<'a>>, from: NaiveDate, to: NaiveDate) -> Result<Vec<WonMoney>> {
    let sql = sqlx::AssertSqlSafe(format!("{WON} WHERE e.account = 'expense' AND e.day >= $1 AND e.day <= $2 {WON_BY}"));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(from).bind(to).fetch_all(c).await)?)
}

/// The commissions of the payments that were made from `from` up to `until`, each as it stood when its run was built: by
/// the journals before the run's first.
pub async fn paid<'a>(on: impl Into<Reader<'a>>, from: At, until: At) -> Result<Vec<WonMoney>> {
    let sql = sqlx::AssertSqlSafe(format!(
        "{WON} JOIN payout_run_lines l ON l.payout_run_id = m.payout_run_id AND l.partner_id = m.partner_id \
         JOIN (SELECT payout_run_id, MIN(id) AS first_id FROM journals WHERE payout_run_id IS NOT NULL GROUP BY payout_run_id) f \
         ON f.payout_run_id = l.payout_run_id \
         WHERE e.account = 'expense' AND l.state = 'paid' AND l.settled_at >= $1 AND l.settled_at < $2 AND j.id < f.first_id {WON_BY}"
    ));
    Ok(read!(on.into(), |c| sqlx::query_as(sql).bind(from).bind(until).fetch_all(c).await)?)
}

/// The links that touches came through; touches that are gone or came through none are left out.
pub async fn links_of_touches<'a>(on: impl Into<Reader<'a>>, touches: &[Uuid]) -> Result<HashMap<Uuid, LinkId>> {
    let mut reader = on.into();
    let mut found = HashMap::new();
    for chunk in touches.chunks(500) {
        let rows: Vec<(Uuid, LinkId)> = read!(reader.again(), |c| {
            let mut query = QueryBuilder::new("SELECT id, link_id FROM touches WHERE link_id IS NOT NULL AND id IN (");
            let mut list = query.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            query.push(")");
            query.build_query_as().fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}
