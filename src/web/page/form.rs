//! Forms that pages send: read whole, refused if another site sent them.

use crate::web::App;
use crate::web::error::Problem;
use crate::web::who::PageError;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, web};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;

/// The fields of a form; of a name that comes twice, the last.
#[derive(Default)]
pub struct Fields(HashMap<String, String>);

impl Fields {
    /// The query of a page: its filters live in the URL.
    pub fn of_query(request: &HttpRequest) -> Fields {
        Fields(url::form_urlencoded::parse(request.query_string().as_bytes()).into_owned().collect())
    }

    /// A field without the white space around it; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.exact(name).trim()
    }

    /// A field as it was typed: passwords.
    pub fn exact(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub fn is_ticked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl FromRequest for Fields {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Fields, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = Bytes::from_request(request, payload);
        let ours = is_ours(request);
        Box::pin(async move {
            if !ours {
                return Err(PageError::Forbidden);
            }
            let body = body.await.map_err(Problem::malformed)?;
            Ok(Fields(url::form_urlencoded::parse(&body).into_owned().collect()))
        })
    }
}

/// Whether the form was on a page of this site, as far as the browser says. Programs say nothing, and have no
/// cookies that could be misused.
fn is_ours(request: &HttpRequest) -> bool {
    let header = |name: &str| request.headers().get(name).and_then(|h| h.to_str().ok());
    match header("sec-fetch-site") {
        Some("same-origin" | "none") => return true,
        Some(_) => return false,
        None => {}
    }
    let Some(origin) = header(header::ORIGIN.as_str()) else { return true };
    let host = origin.split_once("://").map(|(_, host)| host);
    let public = request.app_data::<web::Data<App>>().is_some_and(|app| app.public_url.eq_ignore_ascii_case(origin));
    public || host.is_some_and(|host| header(header::HOST.as_str()).is_some_and(|h| h.eq_ignore_ascii_case(host)))
}
