//! Who asks, and what is theirs: extractors that a handler names in its signature.

use super::App;
use super::error::Problem;
use super::language::Language;
use crate::domain::id::{KeyId, PartnerId, UserId};
use crate::service::access::{self, Role, Scope};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use std::future::Future;
use std::pin::Pin;

/// The name of the session's cookie.
pub const SESSION_COOKIE: &str = "trb_session";

/// An API key that was shown to be good.
#[derive(Debug, Clone)]
pub struct ApiKey {
    pub id: KeyId,
    pub name: String,
    pub scope: Scope,
}

impl ApiKey {
    pub fn actor(&self) -> String {
        format!("key {} ({})", self.id, self.name)
    }

    /// Refuses a key whose scope is too small.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        if self.scope >= scope {
            return Ok(());
        }
        let detail = format!("this needs a key with scope {}, this one has {}", scope.name(), self.scope.name());
        Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail))
    }
}

fn app(request: &HttpRequest) -> Result<Data<App>, Problem> {
    let app = request.app_data::<Data<App>>().cloned();
    app.ok_or_else(|| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the service is not configured"))
}

impl FromRequest for ApiKey {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<ApiKey, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let refused = || Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "send a key: Authorization: Bearer trb_…");
            let header = request.headers().get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()).ok_or_else(refused)?;
            let (kind, token) = header.split_once(' ').ok_or_else(refused)?;
            if !kind.eq_ignore_ascii_case("bearer") {
                return Err(refused());
            }
            let app = app(&request)?;
            let found = app.keys.key(&app.service.db, token.trim()).await?;
            let (id, name, scope) = found.ok_or_else(refused)?;
            Ok(ApiKey { id, name, scope })
        })
    }
}

/// Somebody who has signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub id: UserId,
    pub email: String,
    pub role: Role,
    pub partner: Option<PartnerId>,
    pub csrf_token: String,
    pub language: Language,
}

impl SignedIn {
    /// Whether a form was made for this session.
    pub fn check_csrf(&self, token: &str) -> Result<(), PageError> {
        use subtle::ConstantTimeEq;
        let fits = bool::from(self.csrf_token.as_bytes().ct_eq(token.as_bytes()));
        if fits { Ok(()) } else { Err(PageError::Forbidden) }
    }

    async fn of(request: &HttpRequest) -> Result<Option<SignedIn>, PageError> {
        let Some(cookie) = request.cookie(SESSION_COOKIE) else { return Ok(None) };
        let app = app(request)?;
        let context = app.service.context("session");
        let found = access::session(&app.service.db, &context, cookie.value()).await.map_err(Problem::from)?;
        Ok(found.and_then(|(user, csrf_token)| {
            let language = user.language.as_deref().and_then(Language::of_code).unwrap_or_else(|| Language::of_request(request));
            let role = user.role.parse().ok()?;
            Some(SignedIn { id: user.id, email: user.email, role, partner: user.partner_id, csrf_token, language })
        }))
    }
}

/// Anybody, signed in or not.
pub struct Visitor(pub Option<SignedIn>);

impl FromRequest for Visitor {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Visitor, PageError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Ok(Visitor(SignedIn::of(&request).await?)) })
    }
}

/// Somebody of the merchant's: any role but partner.
pub struct Staff(pub SignedIn);

impl FromRequest for Staff {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Staff, PageError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match SignedIn::of(&request).await? {
                None => Err(PageError::SignIn),
                Some(user) if user.role == Role::Partner => Err(PageError::Forbidden),
                Some(user) => Ok(Staff(user)),
            }
        })
    }
}

impl Staff {
    /// Refuses roles that may not change how touches are enriched.
    pub fn may_set_rules(&self) -> Result<(), PageError> {
        if self.0.role.may_set_rules() { Ok(()) } else { Err(PageError::Forbidden) }
    }

    /// Refuses roles that may not set what partners earn.
    pub fn may_set_terms(&self) -> Result<(), PageError> {
        if self.0.role.may_set_terms() { Ok(()) } else { Err(PageError::Forbidden) }
    }

    /// Refuses roles that may not move money.
    pub fn may_pay(&self) -> Result<(), PageError> {
        if self.0.role.may_pay() { Ok(()) } else { Err(PageError::Forbidden) }
    }
}

/// A partner, in their own cabinet.
pub struct PartnerUser {
    pub user: SignedIn,
    pub partner: PartnerId,
}

impl FromRequest for PartnerUser {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<PartnerUser, PageError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            match SignedIn::of(&request).await? {
                None => Err(PageError::SignIn),
                Some(user) => match (user.role, user.partner) {
                    (Role::Partner, Some(partner)) => Ok(PartnerUser { user, partner }),
                    _ => Err(PageError::Forbidden),
                },
            }
        })
    }
}

/// Why a page was not shown; answered as a page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("sign in first")]
    SignIn,
    #[error("this is not yours to see")]
    Forbidden,
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl From<crate::service::Error> for PageError {
    fn from(error: crate::service::Error) -> PageError {
        PageError::Problem(error.into())
    }
}

impl From<crate::store::Error> for PageError {
    fn from(error: crate::store::Error) -> PageError {
        PageError::Problem(error.into())
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            PageError::SignIn => StatusCode::SEE_OTHER,
            PageError::Forbidden => StatusCode::FORBIDDEN,
            PageError::Problem(problem) => problem.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            PageError::SignIn => HttpResponse::SeeOther().insert_header((header::LOCATION, "/signin")).finish(),
            other => super::signin::error_page(other.status_code(), &other.to_string()),
        }
    }
}
