//! The one map from errors to answers: `application/problem+json` (RFC 9457) for programs.

use crate::service::{self, FieldError};
use crate::store;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};

/// So many missing rates are named; the rest follow once these are there.
const MOST_MISSING_RATES: usize = 50;

/// A problem as it is sent.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `about:tributary/…`: the kind of problem.
    pub r#type: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    pub errors: Vec<FieldError>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.title, self.detail)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    pub fn new(status: StatusCode, kind: &str, detail: impl std::fmt::Display) -> Problem {
        Problem {
            r#type: format!("about:tributary/{kind}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.to_string(),
            errors: Vec::new(),
        }
    }

    pub fn malformed(detail: impl std::fmt::Display) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub fn invalid(errors: Vec<FieldError>) -> Problem {
        let detail = errors.iter().map(|e| format!("{} {}", e.pointer, e.detail)).collect::<Vec<_>>().join("; ");
        Problem { errors, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail) }
    }

    pub fn field(pointer: &str, detail: impl std::fmt::Display) -> Problem {
        Problem::invalid(vec![FieldError { pointer: pointer.to_owned(), detail: detail.to_string() }])
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Problem {
        match error {
            service::Error::NotFound { .. } => Problem::new(StatusCode::NOT_FOUND, "not-found", error),
            service::Error::Refused { refusal, detail } => match refusal.pointer() {
                None => Problem::new(StatusCode::CONFLICT, refusal.name(), detail),
                Some(pointer) => {
                    let errors = vec![FieldError { pointer: pointer.to_owned(), detail: detail.clone() }];
                    Problem { errors, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.name(), detail) }
                }
            },
            service::Error::Invalid(errors) => Problem::invalid(errors),
            service::Error::Contradiction { .. } => Problem::new(StatusCode::CONFLICT, "contradicting-rule", error),
            service::Error::NoRate(missing) => {
                let errors = missing.iter().map(|none| FieldError { pointer: "/currency".to_owned(), detail: none.to_string() });
                Problem {
                    r#type: "about:tributary/no-exchange-rate".to_owned(),
                    ..Problem::invalid(errors.take(MOST_MISSING_RATES).collect())
                }
            }
            service::Error::NotMoved(_) => {
                tracing::error!(%error, "a request failed");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-unreachable", "the store does not answer; try again")
            }
            service::Error::Store(error) => error.into(),
        }
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        match &error {
            store::Error::Taken { .. } => Problem::new(StatusCode::CONFLICT, "conflict", error),
            store::Error::DiskFull => {
                tracing::error!(%error, "a request failed");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "disk-full", "the disk is full; nothing was stored")
            }
            _ if error.is_busy() => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-busy", "the store is busy with an import; try again")
            }
            store::Error::Sqlx(sqlx) if unreachable(sqlx) => {
                tracing::error!(%error, "a request failed");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store-unreachable", "the store does not answer; try again")
            }
            _ => {
                tracing::error!(?error, "a request failed");
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "something went wrong here; it has been logged")
            }
        }
    }
}

fn unreachable(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed)
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        answer.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json")));
        if self.status == 401 {
            answer.insert_header((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if self.status == 429 || self.status == 503 {
            answer.insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        answer.body(serde_json::to_string(self).unwrap_or_default())
    }
}
