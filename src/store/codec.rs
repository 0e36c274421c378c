//! How domain values become columns: instants, ids, and texts with few values.

use super::rows::Cell;
use super::{Dialect, Error};
use crate::domain::ad_marking::CreativeKind;
use crate::domain::channel::Channel;
use crate::domain::commission::{CommissionKind, CommissionState, CustomerCondition, PaidOn, RuleKind};
use crate::domain::document::{DocumentKind, DocumentLanguage, ReceiptState, Standing};
use crate::domain::exchange_rate::RateSource;
use crate::domain::id::*;
use crate::domain::ledger::{AccountKind, JournalKind};
use crate::domain::link_target::{Country, Device};
use crate::domain::money::Currency;
use crate::domain::order::{OrderStatus, ReversalReason};
use crate::domain::partner::{PartnerKind, PartnerStatus};
use crate::domain::payable::{Reason, Via};
use crate::domain::payout_run::{LineState, RunState};
use crate::domain::person::IdentifierKind;
use crate::domain::program::CreditPolicy;
use crate::domain::touch::{Mark, TouchKind};
use chrono::{DateTime, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Postgres, Sqlite, Type};

/// An instant: microseconds in SQLite, `TIMESTAMPTZ` in PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct At(pub DateTime<Utc>);

impl From<DateTime<Utc>> for At {
    fn from(at: DateTime<Utc>) -> At {
        At(crate::domain::time::whole_micros(at))
    }
}

impl From<At> for DateTime<Utc> {
    fn from(at: At) -> DateTime<Utc> {
        at.0
    }
}

impl Type<Sqlite> for At {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
    fn compatible(ty: &<Sqlite as Database>::TypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(ty)
    }
}

impl<'q> Encode<'q, Sqlite> for At {
    fn encode_by_ref(&self, buffer: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.0.timestamp_micros(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for At {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Sqlite>>::decode(value)?;
        DateTime::from_timestamp_micros(micros).map(At).ok_or_else(|| format!("{micros} is no instant").into())
    }
}

impl Type<Postgres> for At {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }
    fn compatible(ty: &<Postgres as Database>::TypeInfo) -> bool {
        <DateTime<Utc> as Type<Postgres>>::compatible(ty)
    }
}

impl<'q> Encode<'q, Postgres> for At {
    fn encode_by_ref(&self, buffer: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for At {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <DateTime<Utc> as Decode<Postgres>>::decode(value).map(At)
    }
}

macro_rules! column {
    ($driver:ty, $name:ty, $as:ty, |$value:ident| $encode:expr, |$raw:ident| $decode:expr) => {
        impl Type<$driver> for $name {
            fn type_info() -> <$driver as Database>::TypeInfo {
                <$as as Type<$driver>>::type_info()
            }
            fn compatible(ty: &<$driver as Database>::TypeInfo) -> bool {
                <$as as Type<$driver>>::compatible(ty)
            }
        }
        impl<'q> Encode<'q, $driver> for $name {
            fn encode_by_ref(&self, buffer: &mut <$driver as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let $value = self;
                let encoded: $as = $encode;
                Encode::<$driver>::encode(encoded, buffer)
            }
        }
        impl<'r> Decode<'r, $driver> for $name {
            fn decode(value: <$driver as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let $raw = <$as as Decode<$driver>>::decode(value)?;
                $decode
            }
        }
    };
}

macro_rules! id_columns {
    ($($name:ident),* $(,)?) => {$(
        column!(Sqlite, $name, i64, |id| id.0, |raw| Ok($name(raw)));
        column!(Postgres, $name, i64, |id| id.0, |raw| Ok($name(raw)));
        impl Cell for $name {
            fn cell(&self, _: Dialect) -> Result<serde_json::Value, Error> {
                Ok(self.0.into())
            }
        }
    )*};
}

/// The rows of a JSON array of arrays in `$1`, each as `v.value`: many values in one text of SQL, however many they are.
/// A field of a row is `v.value->>0` in either dialect.
pub(super) fn json_rows(dialect: Dialect) -> String {
    json_rows_of(dialect, 1)
}

/// As [`json_rows`], of another parameter.
pub(super) fn json_rows_of(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::Sqlite => format!("json_each(${number}) v"),
        Dialect::Postgres => format!("jsonb_array_elements(CAST(${number} AS JSONB)) v(value)"),
    }
}

/// Looks up the rows of a table (`orders o`) that fit each row of [`json_rows`], one by one: neither database shall read the
/// whole table for a few of them, nor take the rows for so many that it would.
pub(super) fn json_look_up(dialect: Dialect, table: &str, condition: &str) -> String {
    let rows = json_rows(dialect);
    match dialect {
        Dialect::Sqlite => format!("{rows} CROSS JOIN {table} WHERE {condition}"),
        Dialect::Postgres => {
            let alias = table.rsplit(' ').next().unwrap_or(table);
            format!("{rows} CROSS JOIN LATERAL (SELECT * FROM {table} WHERE {condition} OFFSET 0) {alias}")
        }
    }
}

/// Rows as [`json_rows`] reads them.
pub(super) fn json_text<R: serde::Serialize>(rows: impl Iterator<Item = R>) -> Result<String, Error> {
    serde_json::to_string(&rows.collect::<Vec<R>>()).map_err(|error| Error::Unreadable(error.to_string()))
}

/// The text of a value whose serde form is a string.
pub(crate) fn text_of(value: &impl serde::Serialize) -> Result<String, BoxDynError> {
    match serde_json::to_value(value)? {
        serde_json::Value::String(text) => Ok(text),
        other => Err(format!("{other} is no text").into()),
    }
}

/// Back from [`text_of`].
pub(crate) fn value_of<T: serde::de::DeserializeOwned>(text: String) -> Result<T, BoxDynError> {
    use serde::de::IntoDeserializer;
    let text: serde::de::value::StringDeserializer<serde::de::value::Error> = text.into_deserializer();
    Ok(T::deserialize(text)?)
}

macro_rules! text_columns {
    ($($name:ident),* $(,)?) => {$(
        column!(Sqlite, $name, String, |value| text_of(value)?, |raw| value_of(raw));
        column!(Postgres, $name, String, |value| text_of(value)?, |raw| value_of(raw));
        impl Cell for $name {
            fn cell(&self, _: Dialect) -> Result<serde_json::Value, Error> {
                serde_json::to_value(self).map_err(|error| Error::Unreadable(error.to_string()))
            }
        }
    )*};
}

id_columns!(
    ProgramId,
    PartnerId,
    LinkId,
    TargetId,
    PromoCodeId,
    RuleId,
    LeadId,
    OrderId,
    CommissionId,
    JournalId,
    PayoutRunId,
    PersonId,
    MergeId,
    UserId,
    KeyId,
    CreativeId,
    ReferrerId,
    NoticeId,
    MissId,
    EntryId,
    CostId,
    DocumentId,
    ReceiptId,
);

text_columns!(
    Channel,
    Country,
    Device,
    CommissionKind,
    CommissionState,
    CustomerCondition,
    PaidOn,
    RuleKind,
    AccountKind,
    JournalKind,
    RunState,
    LineState,
    Currency,
    OrderStatus,
    ReversalReason,
    PartnerKind,
    PartnerStatus,
    Reason,
    Via,
    RateSource,
    IdentifierKind,
    CreditPolicy,
    CreativeKind,
    Mark,
    TouchKind,
    DocumentKind,
    DocumentLanguage,
    ReceiptState,
    Standing,
);
