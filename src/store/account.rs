//! Who may come in: users, their sessions, API keys, and what was answered to an idempotency key.

use super::{At, Reader, Result, Tx, taken};
use crate::domain::id::{KeyId, PartnerId, UserId};
use crate::{exec, read, run};

/// A user as stored. `role`: `owner`, `marketer`, `accountant`, `viewer`, `partner`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct User {
    pub id: UserId,
    pub email: String,
    pub password_hash: String,
    pub role: String,
    pub partner_id: Option<PartnerId>,
    pub language: Option<String>,
}

pub async fn insert_user(
    tx: &mut Tx,
    email: &str,
    password_hash: &str,
    role: &str,
    partner: Option<PartnerId>,
    now: At,
) -> Result<UserId> {
    taken(
        run!(tx, |c| {
            sqlx::query_scalar(
                "INSERT INTO users (email, password_hash, role, partner_id, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            )
            .bind(email)
            .bind(password_hash)
            .bind(role)
            .bind(partner)
            .bind(now)
            .fetch_one(c)
            .await
        }),
        "email",
    )
}

pub async fn user_by_email<'a>(on: impl Into<Reader<'a>>, email: &str) -> Result<Option<User>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT id, email, password_hash, role, partner_id, language FROM users WHERE email = $1")
            .bind(email)
            .fetch_optional(c)
            .await
    })?)
}

/// Sets a new password and ends all sessions of the user.
pub async fn set_password(tx: &mut Tx, user: UserId, password_hash: &str) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE users SET password_hash = $2 WHERE id = $1").bind(user).bind(password_hash))?;
    exec!(tx, sqlx::query("DELETE FROM sessions WHERE user_id = $1").bind(user))?;
    Ok(())
}

pub async fn set_language(tx: &mut Tx, user: UserId, language: &str) -> Result<()> {
    exec!(tx, sqlx::query("UPDATE users SET language = $2 WHERE id = $1").bind(user).bind(language))?;
    Ok(())
}

pub async fn insert_session(tx: &mut Tx, token_hash: &str, user: UserId, csrf_token: &str, expires_at: At) -> Result<()> {
    exec!(tx, {
        sqlx::query("INSERT INTO sessions (token_hash, user_id, csrf_token, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(token_hash)
            .bind(user)
            .bind(csrf_token)
            .bind(expires_at)
    })?;
    Ok(())
}

/// The user of a session that has not expired, and its CSRF token.
pub async fn session<'a>(on: impl Into<Reader<'a>>, token_hash: &str, now: At) -> Result<Option<(User, String)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        user: User,
        csrf_token: String,
    }
    let row: Option<Row> = read!(on.into(), |c| {
        sqlx::query_as(
            "SELECT u.id, u.email, u.password_hash, u.role, u.partner_id, u.language, s.csrf_token \
             FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > $2",
        )
        .bind(token_hash)
        .bind(now)
        .fetch_optional(c)
        .await
    })?;
    Ok(row.map(|r| (r.user, r.csrf_token)))
}

pub async fn end_session(tx: &mut Tx, token_hash: &str) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM sessions WHERE token_hash = $1").bind(token_hash))?;
    Ok(())
}

pub async fn insert_key(tx: &mut Tx, name: &str, scope: &str, key_hash: &str, now: At) -> Result<KeyId> {
    Ok(run!(tx, |c| {
        sqlx::query_scalar("INSERT INTO api_keys (name, scope, key_hash, created_at) VALUES ($1, $2, $3, $4) RETURNING id")
            .bind(name)
            .bind(scope)
            .bind(key_hash)
            .bind(now)
            .fetch_one(c)
            .await
    })?)
}

/// Id, name and scope of a key.
pub async fn key_by_hash<'a>(on: impl Into<Reader<'a>>, key_hash: &str) -> Result<Option<(KeyId, String, String)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT id, name, scope FROM api_keys WHERE key_hash = $1").bind(key_hash).fetch_optional(c).await
    })?)
}

/// What was answered to an idempotency key: hash of the request, status, body.
pub async fn answered<'a>(on: impl Into<Reader<'a>>, key: KeyId, idempotency_key: &str) -> Result<Option<(String, i64, String)>> {
    Ok(read!(on.into(), |c| {
        sqlx::query_as("SELECT request_hash, status, body FROM idempotency_keys WHERE api_key_id = $1 AND idempotency_key = $2")
            .bind(key)
            .bind(idempotency_key)
            .fetch_optional(c)
            .await
    })?)
}

pub async fn remember_answer(
    tx: &mut Tx,
    key: KeyId,
    idempotency_key: &str,
    request_hash: &str,
    status: i64,
    body: &str,
    now: At,
) -> Result<()> {
    exec!(tx, {
        sqlx::query(
            "INSERT INTO idempotency_keys (api_key_id, idempotency_key, request_hash, status, body, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(key)
        .bind(idempotency_key)
        .bind(request_hash)
        .bind(status)
        .bind(body)
        .bind(now)
    })?;
    Ok(())
}

/// Forgets expired sessions and answers older than `before`.
pub async fn forget(tx: &mut Tx, now: At, before: At) -> Result<()> {
    exec!(tx, sqlx::query("DELETE FROM sessions WHERE expires_at <= $1").bind(now))?;
    exec!(tx, sqlx::query("DELETE FROM idempotency_keys WHERE created_at < $1").bind(before))?;
    Ok(())
}
