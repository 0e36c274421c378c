//! The whole store as lines of JSON, the same for both databases: a backup of one can be restored into the other.
//!
//! Values are written as SQLite keeps them: instants in microseconds, truth as 0 and 1, UUIDs as hex.

use super::{Dialect, Error, Result, Tx, partition};
use crate::{exec, run};
use chrono::DateTime;
use serde_json::Value;

/// All tables, each after those it refers to.
pub const TABLES: [&str; 57] = [
    "settings",
    "programs",
    "partners",
    "partner_statuses",
    "creatives",
    "links",
    "link_targets",
    "link_aliases",
    "promo_codes",
    "referrers",
    "price_lists",
    "price_list_items",
    "price_list_partners",
    "seen_prices",
    "notices",
    "commission_rules",
    "commission_rule_versions",
    "users",
    "sessions",
    "api_keys",
    "idempotency_keys",
    "texts",
    "origins",
    "touches",
    "touch_days",
    "missed_hits",
    "rejected_hits",
    "events",
    "persons",
    "identifiers",
    "evidence",
    "evidence_ties",
    "person_merges",
    "orders",
    "leads",
    "order_promo_codes",
    "refunds",
    "payable_decisions",
    "payable_shares",
    "periods",
    "payout_runs",
    "payout_run_lines",
    "payout_exports",
    "documents",
    "document_texts",
    "receipts",
    "commissions",
    "commission_volumes",
    "audit_log",
    "journals",
    "ledger_entries",
    "ledger_sums",
    "costs",
    "exchange_rates",
    "misses",
    "credit_fits",
    "credit_months",
];

/// What each store makes for itself.
const DERIVED: &str = "'_sqlx_migrations', 'terms_revision', 'cost_months', 'credit_days', 'credit_sums', 'touch_sums', 'visitor_sketches', 'stale_days'";

/// Name and type of a table's columns, by name.
pub async fn columns(tx: &mut Tx, table: &str) -> Result<Vec<(String, String)>> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT name, LOWER(type) FROM pragma_table_info($1) ORDER BY name",
        Dialect::Postgres => {
            "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = $1 ORDER BY CAST(column_name AS TEXT) COLLATE \"C\""
        }
    };
    Ok(run!(tx, |c| sqlx::query_as(sql).bind(table).fetch_all(c).await)?)
}

/// The tables that are really there, but for what each store counts for itself.
pub async fn tables(tx: &mut Tx) -> Result<Vec<String>> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => {
            format!(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ({DERIVED}) ORDER BY name"
            )
        }
        Dialect::Postgres => {
            format!(
                "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = CAST(current_schema() AS REGNAMESPACE) \
             AND relkind IN ('r', 'p') AND NOT relispartition AND relname NOT IN ({DERIVED}) \
             ORDER BY CAST(relname AS TEXT) COLLATE \"C\""
            )
        }
    };
    Ok(run!(tx, |c| sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone())).fetch_all(c).await)?)
}

/// A page of a table's rows, each a JSON array in the order of [`columns`].
pub async fn rows(tx: &mut Tx, table: &str, offset: i64, limit: i64) -> Result<Vec<String>> {
    let columns = columns(tx, table).await?;
    let dialect = tx.dialect();
    let written = |(name, kind): &(String, String)| match (dialect, kind.as_str()) {
        (Dialect::Sqlite, "blob") => format!("CASE WHEN {name} IS NOT NULL THEN LOWER(HEX({name})) END"),
        (Dialect::Sqlite, _) => name.clone(),
        (Dialect::Postgres, "timestamp with time zone") => format!("CAST(ROUND(EXTRACT(EPOCH FROM {name}) * 1000000) AS BIGINT)"),
        (Dialect::Postgres, "boolean") => format!("CAST({name} AS INT)"),
        (Dialect::Postgres, "bytea") => format!("ENCODE({name}, 'hex')"),
        (Dialect::Postgres, "uuid") => format!("REPLACE(CAST({name} AS TEXT), '-', '')"),
        (Dialect::Postgres, "date" | "jsonb") => format!("CAST({name} AS TEXT)"),
        (Dialect::Postgres, _) => name.clone(),
    };
    let list = columns.iter().map(written).collect::<Vec<_>>().join(", ");
    let key = key_of(table);
    let array = match dialect {
        Dialect::Sqlite => format!("json_array({list})"),
        Dialect::Postgres => format!("CAST(json_build_array({list}) AS TEXT)"),
    };
    let sql = sqlx::AssertSqlSafe(format!("SELECT {array} FROM {table} ORDER BY {key} LIMIT $1 OFFSET $2"));
    Ok(run!(tx, |c| sqlx::query_scalar(sql).bind(limit).bind(offset).fetch_all(c).await)?)
}

/// Whether the database itself counts the table's ids up.
fn has_counted_ids(table: &str) -> bool {
    key_of(table) == "id" && !matches!(table, "touches" | "events" | "missed_hits")
}

fn key_of(table: &str) -> &'static str {
    match table {
        "settings" => "key",
        "link_aliases" => "code_key",
        "price_list_items" => "price_list_id, sku",
        "price_list_partners" => "partner_id",
        "partner_statuses" => "partner_id, since",
        "commission_rule_versions" => "rule_id, version",
        "sessions" => "token_hash",
        "idempotency_keys" => "api_key_id, idempotency_key",
        "evidence_ties" => "identifier_id, customer_id, evidence_id",
        "order_promo_codes" => "order_id, promo_code_id",
        "refunds" => "order_id, refund_id",
        "payable_decisions" => "order_id",
        "commission_volumes" => "rule_id, partner_id, period, version",
        "payable_shares" => "order_id, position",
        "ledger_sums" => "partner_id, last_entry, currency, account, period",
        "periods" | "credit_fits" => "period",
        "credit_months" => "period, model, currency, channel",
        "payout_run_lines" => "payout_run_id, partner_id",
        "touch_days" => "day, kind, channel, origin_id, link_id, partner_id, country, device",
        "payout_exports" => "payout_run_id, format",
        "document_texts" => "document_id, language",
        _ => "id",
    }
}

/// Puts rows, as [`rows`] wrote them, into a table.
pub async fn put(tx: &mut Tx, table: &str, names: &[String], rows: &[Value]) -> Result<()> {
    let known = columns(tx, table).await?;
    let dialect = tx.dialect();
    let mut list = Vec::new();
    let mut values = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let kind = known.iter().find(|(n, _)| n == name).map(|(_, kind)| kind.as_str());
        let kind = kind.ok_or_else(|| Error::Unreadable(format!("the backup's column {table}.{name} is not known here")))?;
        list.push(name.as_str());
        values.push(match (dialect, kind) {
            (Dialect::Sqlite, "blob") => format!("unhex(json_extract(r.value, '$[{index}]'))"),
            (Dialect::Sqlite, _) => format!("json_extract(r.value, '$[{index}]')"),
            (Dialect::Postgres, "timestamp with time zone") => {
                format!("TIMESTAMPTZ 'epoch' + CAST(r.value->>{index} AS BIGINT) * INTERVAL '1 microsecond'")
            }
            (Dialect::Postgres, "boolean") => format!("CAST(r.value->>{index} AS BIGINT) <> 0"),
            (Dialect::Postgres, "bytea") => format!("DECODE(r.value->>{index}, 'hex')"),
            (Dialect::Postgres, kind) => format!("CAST(r.value->>{index} AS {kind})"),
        });
    }
    let (list, values) = (list.join(", "), values.join(", "));
    let sql = match dialect {
        Dialect::Sqlite => format!("INSERT INTO {table} ({list}) SELECT {values} FROM json_each($1) r"),
        Dialect::Postgres => {
            let system = if has_counted_ids(table) { "OVERRIDING SYSTEM VALUE" } else { "" };
            format!("INSERT INTO {table} ({list}) {system} SELECT {values} FROM jsonb_array_elements(CAST($1 AS JSONB)) r")
        }
    };
    if table == "touches" {
        let at = names.iter().position(|name| name == "at");
        let instants = rows.iter().filter_map(|row| DateTime::from_timestamp_micros(row.get(at?)?.as_i64()?));
        partition::ensure(tx, instants).await?;
    }
    let text = serde_json::to_string(rows).map_err(|e| Error::Unreadable(e.to_string()))?;
    exec!(tx, sqlx::query(sqlx::AssertSqlSafe(sql.clone())).bind(text.clone()))?;
    Ok(())
}

/// How many rows a table has.
pub async fn count(tx: &mut Tx, table: &str) -> Result<i64> {
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    Ok(run!(tx, |c| sqlx::query_scalar(sql).fetch_one(c).await)?)
}

/// Before a restore: what opening the store wrote goes. After one: new ids follow the restored ones.
pub async fn clear_settings(tx: &mut Tx) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM settings"))?;
    Ok(())
}

/// PostgreSQL counts ids by itself; SQLite goes by the largest.
pub async fn continue_ids(tx: &mut Tx, table: &str) -> Result<()> {
    if tx.dialect() == Dialect::Postgres && has_counted_ids(table) {
        let sql = format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), GREATEST((SELECT MAX(id) FROM {table}), 1))");
        let _: Option<i64> = run!(tx, |c| sqlx::query_scalar(sqlx::AssertSqlSafe(sql.clone())).fetch_one(c).await)?;
    }
    Ok(())
}
