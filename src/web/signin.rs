//! Coming in, going out, choosing a language; and the page that says what went wrong.

use super::App;
use super::language::{LANGUAGE_COOKIE, Language};
use super::page::form::Fields;
use super::page::{Frame, answer, same_site, see_other};
use super::who::{PageError, SESSION_COOKIE, SignedIn, Visitor};
use crate::domain::text::Email;
use crate::service::access::{self, Role};
use crate::store::account;
use actix_web::cookie::time::Duration as CookieAge;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// As long as the session itself.
const SESSION_COOKIE_DAYS: i64 = 30;
const LANGUAGE_COOKIE_DAYS: i64 = 365;

#[derive(Template)]
#[template(path = "signin.html")]
struct SignInPage {
    frame: Frame,
    email: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    status: u16,
    detail: &'a str,
    style_sheet: &'a str,
    title_en: String,
    title_ru: String,
    home_en: String,
    home_ru: String,
}

fn home_of(user: &SignedIn) -> &'static str {
    if user.role == Role::Partner { "/cabinet" } else { "/admin" }
}

/// `GET /`: to where somebody belongs.
pub async fn root(visitor: Visitor) -> HttpResponse {
    see_other(visitor.0.as_ref().map_or("/signin", home_of))
}

/// `GET /signin`.
pub async fn page(app: Data<App>, request: HttpRequest, visitor: Visitor) -> HttpResponse {
    if let Some(user) = &visitor.0 {
        return see_other(home_of(user));
    }
    let frame = Frame::of(&app, &request, None).await;
    answer(StatusCode::OK, &SignInPage { frame, email: String::new(), problem: None })
}

/// `POST /signin`: whoever may not come in learns nothing about why.
pub async fn sign_in(app: Data<App>, request: HttpRequest, fields: Fields) -> Result<HttpResponse, PageError> {
    let typed = fields.get("email").to_owned();
    let client = app.edge.client(&request).map(|ip| ip.to_string()).unwrap_or_default();
    let tries: String = format!("{client} {}", typed.to_lowercase()).chars().take(300).collect();
    if !FAILED_TRIES.count(&tries, Instant::now()) {
        return Ok(refused(&app, &request, StatusCode::TOO_MANY_REQUESTS, typed, "signin-too-many").await);
    }
    let user = match typed.parse::<Email>() {
        Ok(email) => account::user_by_email(&app.service.db, email.as_str()).await?,
        Err(_) => None,
    };
    let password = fields.exact("password").to_owned();
    let known = user.clone();
    let fits = web::block(move || access::password_fits(known.as_ref(), &password)).await.unwrap_or(false);
    let (Some(user), true) = (user, fits) else {
        return Ok(refused(&app, &request, StatusCode::UNAUTHORIZED, typed, "signin-wrong").await);
    };
    FAILED_TRIES.take_back(&tries);
    let context = app.service.context(&user.email);
    let mut tx = app.service.db.begin().await?;
    let token = access::start_session(&mut tx, &context, user.id).await?;
    tx.commit().await?;
    let mut answer = see_other(if user.role == Role::Partner.name() { "/cabinet" } else { "/admin" });
    set_cookie(&mut answer, cookie(&app, SESSION_COOKIE, token, SESSION_COOKIE_DAYS));
    Ok(answer)
}

async fn refused(app: &App, request: &HttpRequest, status: StatusCode, email: String, problem: &str) -> HttpResponse {
    let frame = Frame::with_way_back(app, request, None, "/signin").await;
    let problem = Some(frame.t(problem));
    let mut page = answer(status, &SignInPage { frame, email, problem });
    if status == StatusCode::TOO_MANY_REQUESTS {
        page.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
    }
    page
}

/// `POST /signout`.
pub async fn sign_out(app: Data<App>, request: HttpRequest, visitor: Visitor, fields: Fields) -> Result<HttpResponse, PageError> {
    if let (Some(user), Some(session)) = (&visitor.0, request.cookie(SESSION_COOKIE)) {
        user.check_csrf(fields.get("csrf"))?;
        let mut tx = app.service.db.begin().await?;
        access::end_session(&mut tx, session.value()).await?;
        tx.commit().await?;
    }
    let mut answer = see_other("/signin");
    set_cookie(&mut answer, cookie(&app, SESSION_COOKIE, String::new(), 0));
    Ok(answer)
}

/// `POST /language`: kept with the account, or in a cookie for somebody who has not signed in.
pub async fn choose_language(app: Data<App>, visitor: Visitor, fields: Fields) -> Result<HttpResponse, PageError> {
    let mut answer = see_other(same_site(fields.get("back")));
    let Some(language) = Language::of_code(fields.get("lang")) else { return Ok(answer) };
    if let Some(user) = &visitor.0 {
        user.check_csrf(fields.get("csrf"))?;
        let mut tx = app.service.db.begin().await?;
        account::set_language(&mut tx, user.id, language.code()).await?;
        tx.commit().await?;
    }
    set_cookie(&mut answer, cookie(&app, LANGUAGE_COOKIE, language.code().to_owned(), LANGUAGE_COOKIE_DAYS));
    Ok(answer)
}

/// A page for what cannot be shown, in both languages: whoever asked may not be known.
pub fn error_page(status: StatusCode, detail: &str) -> HttpResponse {
    let title = match status.as_u16() {
        403 => "error-403",
        404 => "error-404",
        400..500 => "error-4xx",
        _ => "error-5xx",
    };
    let [en, ru] = [Language::En, Language::Ru];
    // Without what the page says already: the status, its name, its title.
    let named = format!("{} {}: ", status.as_u16(), status.canonical_reason().unwrap_or_default());
    let detail = detail.strip_prefix(&named).unwrap_or(detail);
    let page = ErrorPage {
        status: status.as_u16(),
        detail: if detail.eq_ignore_ascii_case(&en.text(title)) { "" } else { detail },
        style_sheet: super::assets::style_sheet(),
        title_en: en.text(title),
        title_ru: ru.text(title),
        home_en: en.text("error-home"),
        home_ru: ru.text("error-home"),
    };
    answer(status, &page)
}

/// What has no route and is no program's either.
pub async fn nowhere() -> HttpResponse {
    error_page(StatusCode::NOT_FOUND, "")
}

fn cookie(app: &App, name: &'static str, value: String, days: i64) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.public_url.starts_with("https:"))
        .max_age(CookieAge::days(days))
        .finish()
}

fn set_cookie(answer: &mut HttpResponse, cookie: Cookie<'static>) {
    // Ours hold only what headers may hold.
    let _ = answer.add_cookie(&cookie);
}

static FAILED_TRIES: LazyLock<FailedTries> = LazyLock::new(FailedTries::default);

/// Who has tried wrong passwords lately. Only failures count: somebody who comes in ten times a minute is no thief.
/// A try is counted before the password is looked at, so that many at once are no way around.
#[derive(Default)]
struct FailedTries(Mutex<HashMap<String, (Instant, u32)>>);

impl FailedTries {
    const MOST: u32 = 10;
    const WITHIN: Duration = Duration::from_secs(60);
    const REMEMBERED: usize = 10_000;

    /// Counts a try; `false` if there were too many.
    fn count(&self, who: &str, now: Instant) -> bool {
        let mut known = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if known.len() >= Self::REMEMBERED {
            known.retain(|_, (since, _)| now - *since < Self::WITHIN);
        }
        let entry = known.entry(who.to_owned()).or_insert((now, 0));
        if now - entry.0 >= Self::WITHIN {
            *entry = (now, 0);
        }
        let allowed = entry.1 < Self::MOST;
        entry.1 += u32::from(allowed);
        allowed
    }

    /// The try that was counted did not fail.
    fn take_back(&self, who: &str) {
        let mut known = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some((_, tries)) = known.get_mut(who) {
            *tries = tries.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_wrong_try_within_a_minute_is_one_too_many() {
        let tries = FailedTries::default();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..10 {
            assert!(tries.count("a", start));
        }
        assert!(!tries.count("a", after(59)));
        assert!(tries.count("b", start));
        assert!(tries.count("a", after(60)));
    }

    #[test]
    fn whoever_comes_in_is_not_counted() {
        let tries = FailedTries::default();
        let start = Instant::now();
        for _ in 0..30 {
            assert!(tries.count("a", start));
            tries.take_back("a");
        }
    }
}
