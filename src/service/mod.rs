//! What the business does: one public function per act, inside the caller's transaction.

pub mod access;
pub mod ad_marking;
pub mod arrival;
pub mod backup;
pub mod bank_statement;
pub mod catalog;
mod claimants;
pub mod cohorts;
pub mod credit;
pub mod decide;
pub mod demo;
pub mod doctor;
pub mod documents;
pub mod enrich;
pub mod exchange_rate;
pub mod export;
pub mod geoip;
pub mod import;
pub mod input;
pub mod lead;
pub mod ledger;
pub mod linkbook;
pub mod miss;
pub mod mover;
pub mod order;
pub mod paths;
pub mod payer;
pub mod payout;
pub mod payout_file;
pub mod persons_proof;
pub mod price_watch;
pub mod referrer;
mod refusal;
pub mod replay;
pub mod report;
pub mod rollup;
pub mod rule_test;
mod rules_in_force;
pub mod settle;
pub mod spool;
pub mod statement;
pub mod stitch;
pub mod terms;
pub mod what_if;
pub mod worker;

pub use refusal::Refusal;

use crate::clock::Clock;
use crate::domain::exchange_rate::NoRate;
use crate::domain::id::RuleId;
use crate::domain::person::HashKey;
use crate::store::{self, At, Db, Tx, settings};
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;
use terms::{Terms, TermsCache};

/// A field of the input that was refused; `pointer` is a JSON pointer into the body.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct FieldError {
    pub pointer: String,
    pub detail: String,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no {what}")]
    NotFound { what: String },
    #[error("{detail}")]
    Refused { refusal: Refusal, detail: String },
    #[error("{}", .0.iter().map(|e| format!("{}: {}", e.pointer, e.detail)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// Two rules of commission would say different things of the same.
    #[error(
        "{rule} holds for the same at the same time with the same priority; give one of them another priority, or an end before the other starts"
    )]
    Contradiction { rule: RuleId },
    /// What was to be converted has no rate.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NoRate(Vec<NoRate>),
    /// What visitors did last is safe, but not in the store yet.
    #[error("the last clicks cannot be stored yet: {0}")]
    NotMoved(String),
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        match error {
            store::Error::Taken { what } => Error::conflict(format!("this {what} is taken")),
            other => Error::Store(other),
        }
    }
}

impl Error {
    /// One refused field.
    pub fn field(pointer: &str, detail: impl std::fmt::Display) -> Error {
        Error::Invalid(vec![FieldError { pointer: pointer.to_owned(), detail: detail.to_string() }])
    }

    pub fn not_found(what: impl std::fmt::Display) -> Error {
        Error::NotFound { what: what.to_string() }
    }

    pub fn conflict(detail: impl std::fmt::Display) -> Error {
        Error::refused(Refusal::Conflict, detail)
    }

    pub fn refused(refusal: Refusal, detail: impl std::fmt::Display) -> Error {
        Error::Refused { refusal, detail: detail.to_string() }
    }
}

/// What every act answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Who acts, when, and in whose time zone.
#[derive(Clone)]
pub struct Context {
    pub now: DateTime<Utc>,
    pub actor: String,
    pub zone: chrono_tz::Tz,
    pub hash_key: HashKey,
    terms: Arc<TermsCache>,
}

impl Context {
    pub fn at(&self) -> At {
        self.now.into()
    }

    pub fn today(&self) -> NaiveDate {
        self.day(self.now)
    }

    pub fn day(&self, at: DateTime<Utc>) -> NaiveDate {
        crate::domain::time::day_in(self.zone, at)
    }

    /// The terms that orders are decided by, as a transaction sees them.
    pub async fn terms(&self, tx: &mut Tx) -> Result<Terms> {
        self.terms.of(tx).await
    }

    /// When the day after begins.
    pub fn end_of_day(&self, day: NaiveDate) -> DateTime<Utc> {
        crate::domain::time::start_of_day(self.zone, day.succ_opt().unwrap_or(day))
    }
}

/// The open service: the store and what all acts share.
#[derive(Clone)]
pub struct Tributary {
    pub db: Db,
    pub clock: Clock,
    pub zone: chrono_tz::Tz,
    hash_key: Arc<HashKey>,
    terms: Arc<TermsCache>,
}

impl Tributary {
    /// Opens the store. The time zone is that of the store; `zone` is for a store that has none yet.
    pub async fn open(database_url: &str, zone: Option<chrono_tz::Tz>, clock: Clock) -> Result<Tributary> {
        let db = Db::open(database_url).await?;
        let mut tx = db.begin().await?;
        let stored = settings::get(&mut tx, "time_zone").await?;
        let zone = match (stored.as_deref().map(str::parse::<chrono_tz::Tz>), zone) {
            (Some(Ok(stored)), Some(wanted)) if stored != wanted => {
                let detail = format!("the store's days are those of {stored}; a change of time zone needs a new store");
                return Err(Error::conflict(detail));
            }
            (Some(Ok(stored)), _) => stored,
            (Some(Err(_)), _) => return Err(store::Error::Unreadable("time_zone".to_owned()).into()),
            (None, wanted) => wanted.unwrap_or(chrono_tz::Europe::Moscow),
        };
        let hash_key = match settings::get(&mut tx, "hash_key").await? {
            Some(text) => {
                let bytes = hex::decode(&text).ok().and_then(|b| b.try_into().ok());
                HashKey(bytes.ok_or_else(|| store::Error::Unreadable("hash_key".to_owned()))?)
            }
            None => {
                let key: [u8; 32] = rand::random();
                settings::set(&mut tx, "hash_key", &hex::encode(key)).await?;
                HashKey(key)
            }
        };
        if stored.is_none() {
            settings::set(&mut tx, "time_zone", zone.name()).await?;
        }
        let terms: Arc<TermsCache> = Arc::default();
        let (actor, key) = ("migration".to_owned(), hash_key.clone());
        let context = Context { now: clock.now(), actor, zone, hash_key: key, terms: terms.clone() };
        stitch::start_guard(&mut tx, &context).await?;
        tx.commit().await?;
        ledger::chain::complete(&db).await?;
        Ok(Tributary { db, clock, zone, hash_key: Arc::new(hash_key), terms })
    }

    /// The same service, for one who reads all there is.
    pub fn with_room_to_read(&self) -> Tributary {
        Tributary { db: self.db.with_room_to_read(), ..self.clone() }
    }

    /// The same service over connections of its own, for a thread with a runtime of its own.
    pub fn with_own_connections(&self) -> Tributary {
        Tributary { db: self.db.with_own_connections(), ..self.clone() }
    }

    /// The context of an act by `actor`, now.
    pub fn context(&self, actor: &str) -> Context {
        Context {
            now: self.clock.now(),
            actor: actor.to_owned(),
            zone: self.zone,
            hash_key: (*self.hash_key).clone(),
            terms: self.terms.clone(),
        }
    }
}
