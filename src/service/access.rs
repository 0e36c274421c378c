//! Who may come in: passwords, sessions, API keys.

use super::{Context, Error, Result};
use crate::domain::id::{KeyId, PartnerId, UserId};
use crate::domain::text::Email;
use crate::store::account::User;
use crate::store::{Reader, Tx, account, audit, partner};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a session lasts.
const SESSION_DAYS: i64 = 30;

/// What somebody who signs in may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Marketer,
    Accountant,
    Viewer,
    Partner,
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Role, String> {
        serde_json::from_value(serde_json::Value::String(text.to_owned()))
            .map_err(|_| format!("'{text}' is not a role: owner, marketer, accountant, viewer, partner"))
    }
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Marketer => "marketer",
            Role::Accountant => "accountant",
            Role::Viewer => "viewer",
            Role::Partner => "partner",
        }
    }

    /// May change channel rules.
    pub fn may_set_rules(self) -> bool {
        matches!(self, Role::Owner | Role::Marketer)
    }

    /// May set what partners earn: commission rules.
    pub fn may_set_terms(self) -> bool {
        matches!(self, Role::Owner | Role::Accountant)
    }

    /// May close months, build, approve and pay runs.
    pub fn may_pay(self) -> bool {
        matches!(self, Role::Owner | Role::Accountant)
    }
}

/// What an API key may do; each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    Read,
    Write,
    Admin,
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Scope, String> {
        match text {
            "read" => Ok(Scope::Read),
            "write" => Ok(Scope::Write),
            "admin" => Ok(Scope::Admin),
            _ => Err(format!("'{text}' is not a scope: read, write, admin")),
        }
    }
}

impl Scope {
    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
        }
    }
}

fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// 32 random bytes as text.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn check_password(password: &str) -> Result<()> {
    if password.chars().count() < 10 {
        return Err(Error::field("/password", "must have at least 10 characters"));
    }
    if password.len() > 1_000 {
        return Err(Error::field("/password", "is too long"));
    }
    Ok(())
}

fn hash_password(password: &str) -> Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|h| h.to_string()).map_err(|e| Error::field("/password", e))
}

/// Makes a user. A partner's user needs the partner.
pub async fn add_user(
    tx: &mut Tx,
    context: &Context,
    email: &str,
    role: Role,
    partner: Option<PartnerId>,
    password: &str,
) -> Result<UserId> {
    let email: Email = email.parse().map_err(|e| Error::field("/email", e))?;
    check_password(password)?;
    match (role, partner) {
        (Role::Partner, None) => return Err(Error::field("/partner", "is required for this role")),
        (Role::Partner, Some(id)) => {
            partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
        }
        (_, Some(_)) => return Err(Error::field("/partner", "is for the role partner only")),
        (_, None) => {}
    }
    let hash = hash_password(password)?;
    let id = account::insert_user(tx, email.as_str(), &hash, role.name(), partner, context.at()).await?;
    let detail = serde_json::json!({ "email": email.as_str(), "role": role, "partner": partner });
    audit::record(tx, &context.actor, "user.add", &id.to_string(), &detail, context.at()).await?;
    Ok(id)
}

/// Sets a new password and ends the user's sessions.
pub async fn set_password(tx: &mut Tx, context: &Context, email: &str, password: &str) -> Result<()> {
    check_password(password)?;
    let email: Email = email.parse().map_err(|e| Error::field("/email", e))?;
    let user = account::user_by_email(&mut *tx, email.as_str()).await?;
    let user = user.ok_or_else(|| Error::not_found(format!("user '{}'", email.as_str())))?;
    account::set_password(tx, user.id, &hash_password(password)?).await?;
    audit::record(tx, &context.actor, "user.passwd", &user.id.to_string(), &serde_json::json!({}), context.at()).await?;
    Ok(())
}

/// The user, if the password is theirs. Takes a while, on purpose; call it where blocking is allowed.
pub fn password_fits(user: Option<&User>, password: &str) -> bool {
    // Without a user, the same work is done, so that the time taken does not tell who has an account.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$ol1NpuzgkVz4nlUmNwO1y3wHCQ2I1XfW8Rs4hmNPcTI";
    let stored = user.map_or(NOBODY, |u| u.password_hash.as_str());
    let fits = PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    fits && user.is_some()
}

/// Starts a session; answers the token for the cookie. Only its hash is stored.
pub async fn start_session(tx: &mut Tx, context: &Context, user: UserId) -> Result<String> {
    let token = random_token();
    let expires_at = context.now + TimeDelta::days(SESSION_DAYS);
    account::insert_session(tx, &sha256(&token), user, &random_token(), expires_at.into()).await?;
    Ok(token)
}

/// The user of a session token and the session's CSRF token.
pub async fn session<'a>(on: impl Into<Reader<'a>>, context: &Context, token: &str) -> Result<Option<(User, String)>> {
    Ok(account::session(on, &sha256(token), context.at()).await?)
}

pub async fn end_session(tx: &mut Tx, token: &str) -> Result<()> {
    Ok(account::end_session(tx, &sha256(token)).await?)
}

/// Makes an API key; it is answered once, only its hash is stored.
pub async fn add_key(tx: &mut Tx, context: &Context, name: &str, scope: Scope) -> Result<String> {
    let name = crate::domain::text::line(name, 100).map_err(|e| Error::field("/name", e))?;
    let key = format!("trb_{}", random_token());
    let id = account::insert_key(tx, &name, scope.name(), &sha256(&key), context.at()).await?;
    let detail = serde_json::json!({ "name": name, "scope": scope.name() });
    audit::record(tx, &context.actor, "key.add", &id.to_string(), &detail, context.at()).await?;
    Ok(key)
}

/// Id, name and scope of a key.
pub type Key = (KeyId, String, Scope);

/// How long a key that was shown to be good is taken for good without a look: a shop that sends orders sends one key.
const KEY_HOLDS: Duration = Duration::from_secs(1);
/// Keys that are remembered at most.
const MOST_KEYS: usize = 1_000;

/// Keys that were shown to be good a moment ago, by their hash.
#[derive(Debug, Default)]
pub struct KnownKeys(Mutex<HashMap<String, (Instant, Key)>>);

impl KnownKeys {
    /// What a key is, as it stands or stood a second ago.
    pub async fn key<'a>(&self, on: impl Into<Reader<'a>>, key: &str) -> Result<Option<Key>> {
        if !key.starts_with("trb_") {
            return Ok(None);
        }
        let hash = sha256(key);
        let remembered = self.lock().get(&hash).filter(|(at, _)| at.elapsed() < KEY_HOLDS).map(|(_, key)| key.clone());
        if remembered.is_some() {
            return Ok(remembered);
        }
        let found = account::key_by_hash(on, &hash).await?;
        let found: Option<Key> = found.and_then(|(id, name, scope)| scope.parse().ok().map(|scope| (id, name, scope)));
        let mut known = self.lock();
        if known.len() >= MOST_KEYS {
            known.clear();
        }
        match &found {
            Some(found) => known.insert(hash, (Instant::now(), found.clone())),
            None => known.remove(&hash),
        };
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, Key)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
