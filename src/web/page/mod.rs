//! What all pages share: language, account, banner, headers.

pub mod chart;
pub mod form;
mod format;
pub mod formula;
pub mod trace;
pub mod words;

pub use format::NONE;

use super::App;
use super::language::{Filling, Language};
use super::who::SignedIn;
use crate::store::settings;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;

/// Nothing but our own style sheet, pictures and forms; no script at all.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// What is around every page.
pub struct Frame {
    pub lang: Language,
    pub user: Option<SignedIn>,
    /// The store holds the bundled sample.
    pub demo: bool,
    /// Where the language form comes back to: path and query of this page.
    pub back: String,
}

impl Frame {
    /// The frame of a page that is asked for.
    pub async fn of(app: &App, request: &HttpRequest, user: Option<SignedIn>) -> Frame {
        let back = request.uri().path_and_query().map_or("/", |p| p.as_str());
        Frame::with_way_back(app, request, user, back).await
    }

    /// The frame of an answer to a form, which stands for the page at `back`.
    pub async fn with_way_back(app: &App, request: &HttpRequest, user: Option<SignedIn>, back: &str) -> Frame {
        // A store that cannot say is asked again by whatever the page shows.
        let demo = settings::get(&app.service.db, "demo").await.is_ok_and(|found| found.is_some());
        let lang = user.as_ref().map_or_else(|| Language::of_request(request), |user| user.language);
        Frame { lang, user, demo, back: back.to_owned() }
    }

    pub fn t(&self, key: &str) -> String {
        self.lang.text(key)
    }

    /// A text with a number in it, in the plural form of the number.
    pub fn count(&self, key: &str, count: i64) -> String {
        self.lang.with(key, &[("count", count.into()), ("shown", self.lang.whole(count).into())])
    }

    pub fn say<'a>(&self, key: &str, filling: impl AsRef<[Filling<'a>]>) -> String {
        self.lang.with(key, filling.as_ref())
    }

    pub fn languages(&self) -> [Language; 2] {
        Language::ALL
    }

    /// Empty for somebody who has not signed in.
    pub fn csrf(&self) -> &str {
        self.user.as_ref().map_or("", |user| user.csrf_token.as_str())
    }

    pub fn style_sheet(&self) -> &'static str {
        super::assets::style_sheet()
    }

    pub fn role(&self) -> String {
        self.user.as_ref().map(|user| self.t(words::role(user.role))).unwrap_or_default()
    }
}

/// A page as it is answered, with the headers every page has.
pub fn answer(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => with_headers(status, html),
        Err(error) => {
            tracing::error!(%error, "a page cannot be drawn");
            with_headers(StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here; it has been logged.".to_owned())
        }
    }
}

/// A page that stays as it was when it was drawn, known by its hash.
pub fn frozen(sha256: &str, html: Vec<u8>) -> HttpResponse {
    headers(StatusCode::OK).insert_header((header::ETAG, format!("\"{sha256}\""))).body(html)
}

fn with_headers(status: StatusCode, html: String) -> HttpResponse {
    headers(status).body(html)
}

fn headers(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept-Language, Cookie"));
    answer
}

/// On to another page, after a form or because this one is elsewhere.
pub fn see_other(path: &str) -> HttpResponse {
    let path = header::HeaderValue::from_str(path).unwrap_or_else(|_| header::HeaderValue::from_static("/"));
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).insert_header((header::CACHE_CONTROL, "no-store")).finish()
}

/// `path`, if it leads to a page here and nowhere else; else the home page.
pub fn same_site(path: &str) -> &str {
    let stays = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2_000
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if stays { path } else { "/" }
}

/// A text as one segment of a path.
pub fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_here() {
        assert_eq!(same_site("/admin?from=2026-11-01&to=2026-11-22"), "/admin?from=2026-11-01&to=2026-11-22");
        for elsewhere in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x",
            "admin",
        ] {
            assert_eq!(same_site(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(segment("A/1 ?"), "A%2F1%20%3F");
    }
}
