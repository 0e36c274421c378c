//! PostgreSQL keeps touches in a partition a month of UTC. SQLite keeps them in one table.

use super::{Dialect, Result, Tx};
use crate::{exec, run};
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use std::collections::BTreeSet;

fn month_of(at: DateTime<Utc>) -> NaiveDate {
    at.date_naive().with_day(1).unwrap_or(at.date_naive())
}

/// The key of the advisory lock of whoever makes partitions.
const MAKER_LOCK: i64 = 0x7472_6970;

async fn is_there(tx: &mut Tx, partition: &str) -> Result<bool> {
    Ok(run!(tx, |c| { sqlx::query_scalar("SELECT TO_REGCLASS($1) IS NOT NULL").bind(partition).fetch_one(c).await })?)
}

/// Makes the partitions that touches of these instants need and that are not there.
pub async fn ensure(tx: &mut Tx, instants: impl Iterator<Item = DateTime<Utc>>) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let months: BTreeSet<NaiveDate> = instants.map(month_of).collect();
    for month in months {
        let name = format!("touches_{}", month.format("%Y_%m"));
        if is_there(tx, &name).await? {
            continue;
        }
        // Two who make the same one at once would not both find it there, whatever IF NOT EXISTS says.
        exec!(tx, sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MAKER_LOCK))?;
        if !is_there(tx, &name).await? {
            let end = month + Months::new(1);
            let sql = format!(
                "CREATE TABLE IF NOT EXISTS {name} PARTITION OF touches FOR VALUES FROM ('{month} 00:00:00+00') TO ('{end} 00:00:00+00')"
            );
            exec!(tx, sqlx::query(sqlx::AssertSqlSafe(sql.clone())))?;
        }
    }
    Ok(())
}

/// Makes the partitions of this month and the two after it.
pub async fn ensure_ahead(tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
    ensure(tx, (0..3).filter_map(|months| now.checked_add_months(Months::new(months)))).await
}
