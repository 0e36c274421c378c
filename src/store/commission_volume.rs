//! What lies under rules with tiers or a cap, by partner and month of the orders: kept as orders are settled, so that
//! neither has to be summed up anew for each order.

use super::{Reader, Result, Tx};
use crate::domain::commission::Volume;
use crate::domain::id::{PartnerId, RuleId};
use crate::{exec, read};

/// A change of what lies under one version of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeChange {
    pub rule: RuleId,
    pub version: i64,
    pub partner: PartnerId,
    /// `2026-10`.
    pub period: String,
    pub volume: Volume,
    pub owed_minor: i64,
}

/// Adds a change; its figures may be negative.
pub async fn add(tx: &mut Tx, change: &VolumeChange) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO commission_volumes (rule_id, partner_id, period, version, base_minor, orders, owed_minor) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (rule_id, partner_id, period, version) DO UPDATE SET \
             base_minor = commission_volumes.base_minor + excluded.base_minor, orders = commission_volumes.orders + excluded.orders, \
             owed_minor = commission_volumes.owed_minor + excluded.owed_minor",
        )
        .bind(change.rule)
        .bind(change.partner)
        .bind(&change.period)
        .bind(change.version)
        .bind(change.volume.base_minor)
        .bind(change.volume.orders)
        .bind(change.owed_minor)
    })?;
    Ok(())
}

/// A partner's month under a rule: version, volume, what its orders earned at once.
pub async fn of_month<'a>(
    on: impl Into<Reader<'a>>,
    rule: RuleId,
    partner: PartnerId,
    period: &str,
) -> Result<Vec<(i64, Volume, i64)>> {
    let rows: Vec<(i64, i64, i64, i64)> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT version, base_minor, orders, owed_minor FROM commission_volumes \
             WHERE rule_id = $1 AND partner_id = $2 AND period = $3 ORDER BY version",
        )
        .bind(rule)
        .bind(partner)
        .bind(period)
        .fetch_all(c)
        .await
    })?;
    Ok(rows.into_iter().map(|(version, base_minor, orders, owed)| (version, Volume { base_minor, orders }, owed)).collect())
}

/// What a rule has paid: to all, or to one partner; ever, or in one month.
pub async fn spent<'a>(on: impl Into<Reader<'a>>, rule: RuleId, partner: Option<PartnerId>, period: Option<&str>) -> Result<i64> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar(
            "SELECT CAST(COALESCE(SUM(owed_minor), 0) AS BIGINT) FROM commission_volumes \
             WHERE rule_id = $1 AND ($2 = 0 OR partner_id = $2) AND ($3 = '' OR period = $3)",
        )
        .bind(rule)
        .bind(partner.map_or(0, |p| p.0))
        .bind(period.unwrap_or(""))
        .fetch_one(c)
        .await
    })?)
}

/// A month whose kept volume is not what its commissions say.
pub async fn differences<'a>(on: impl Into<Reader<'a>>) -> Result<Vec<(RuleId, PartnerId, String, i64, i64)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT v.rule_id, v.partner_id, v.period, CAST(SUM(v.owed_minor) AS BIGINT), CAST((SELECT COALESCE(SUM(m.amount_minor), 0) \
             FROM commissions m WHERE m.rule_id = v.rule_id AND m.partner_id = v.partner_id AND m.period = v.period \
             AND m.kind <> 'volume') AS BIGINT) FROM commission_volumes v GROUP BY v.rule_id, v.partner_id, v.period \
             HAVING SUM(v.owed_minor) <> (SELECT COALESCE(SUM(m.amount_minor), 0) FROM commissions m \
             WHERE m.rule_id = v.rule_id AND m.partner_id = v.partner_id AND m.period = v.period AND m.kind <> 'volume') \
             ORDER BY v.rule_id, v.partner_id, v.period",
        )
        .fetch_all(c)
        .await
    })?)
}
