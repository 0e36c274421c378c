//! Settings of the store itself, and the catalog's version that tells every node when links changed.

use super::{Reader, Result, Tx};
use crate::{exec, read};

pub async fn get<'a>(on: impl Into<Reader<'a>>, key: &str) -> Result<Option<String>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_scalar("SELECT value FROM settings WHERE key = $1").bind(key).fetch_optional(c).await
    })?)
}

/// Sets a value that may be there already.
pub async fn set(tx: &mut Tx, key: &str, value: &str) -> Result<()> {
    exec!(tx, {
        sqlx::query("INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(key)
            .bind(value)
    })?;
    Ok(())
}

/// Sets a value unless it is there already, and answers the one that holds.
pub async fn set_once(tx: &mut Tx, key: &str, value: &str) -> Result<String> {
    exec!(tx, {
        sqlx::query("INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING").bind(key).bind(value)
    })?;
    Ok(get(tx, key).await?.unwrap_or_else(|| value.to_owned()))
}

pub async fn remove(tx: &mut Tx, key: &str) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM settings WHERE key = $1").bind(key))?;
    Ok(())
}

/// Counts up and answers the catalog's version: links, programs, partners or promo codes have changed.
pub async fn catalog_changed(tx: &mut Tx) -> Result<i64> {
    let version = catalog_version(&mut *tx).await? + 1;
    set(tx, "catalog_version", &version.to_string()).await?;
    Ok(version)
}

/// [`catalog_changed`] by what many links hang on: a program, or a partner's kind.
pub async fn terms_changed(tx: &mut Tx) -> Result<()> {
    let version = catalog_changed(tx).await?;
    set(tx, "terms_version", &version.to_string()).await
}

pub async fn catalog_version<'a>(on: impl Into<Reader<'a>>) -> Result<i64> {
    Ok(get(on, "catalog_version").await?.and_then(|v| v.parse().ok()).unwrap_or(0))
}

/// The catalog's version as of the last [`terms_changed`].
pub async fn terms_version<'a>(on: impl Into<Reader<'a>>) -> Result<i64> {
    Ok(get(on, "terms_version").await?.and_then(|v| v.parse().ok()).unwrap_or(0))
}
