//! PostgreSQL keeps touches in a partition a month of UTC. SQLite keeps them in one table.

use super::{Dialect, Result, Tx};
use crate::{exec, run};
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use std::collections::BTreeSet;

fn month_of(at: DateTime<Utc>) -> NaiveDate {
    at.date_naive().with_day(1).unwrap_or(at.date_naive())
}

/// Makes the partitions that touches of these instants need and that are not there.
pub async fn ensure(tx: &mut Tx, instants: impl Iterator<Item = DateTime<Utc>>) -> Result<()> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let months: BTreeSet<NaiveDate> = instants.map(month_of).collect();
    for month in months {
        let name = format!("touches_{}", month.format("%Y_%m"));
        let there: bool =
            run!(tx, |c| { sqlx::query_scalar("SELECT TO_REGCLASS($1) IS NOT NULL").bind(&name).fetch_one(c).await })?;
        if !there {
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
