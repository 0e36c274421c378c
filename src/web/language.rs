//! Russian and English: which one a page is in, and its texts (`text/{ru,en}/*.ftl`).

use actix_web::HttpRequest;
use actix_web::http::header;
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, langid};
use std::borrow::Cow;
use std::collections::HashMap;

/// The cookie that keeps the choice of somebody who has not signed in.
pub const LANGUAGE_COOKIE: &str = "trb_lang";

fluent_templates::static_loader! {
    static TEXTS = {
        locales: "./src/web/text",
        fallback_language: "en",
        // Marks around what is put in would end up in copied text.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const RU: LanguageIdentifier = langid!("ru");
const EN: LanguageIdentifier = langid!("en");

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Ru,
    En,
}

/// What a text is filled with: a number chooses the plural form, a text is put in as it stands.
pub type Filling<'a> = (&'static str, FluentValue<'a>);

impl Language {
    pub const ALL: [Language; 2] = [Language::En, Language::Ru];

    pub fn of_code(code: &str) -> Option<Language> {
        match code {
            "ru" => Some(Language::Ru),
            "en" => Some(Language::En),
            _ => None,
        }
    }

    /// As in the attribute `lang`.
    pub fn code(self) -> &'static str {
        match self {
            Language::Ru => "ru",
            Language::En => "en",
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Language::Ru => "Русский",
            Language::En => "English",
        }
    }

    /// What was chosen before, else by `Accept-Language`; English if that names neither.
    pub fn of_request(request: &HttpRequest) -> Language {
        let chosen = request.cookie(LANGUAGE_COOKIE).and_then(|cookie| Language::of_code(cookie.value()));
        chosen.unwrap_or_else(|| {
            let header = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok());
            Language::of_accept_language(header.unwrap_or_default())
        })
    }

    /// RFC 9110 12.5.4: the greatest `q` wins, then what is named first.
    fn of_accept_language(header: &str) -> Language {
        let mut best: Option<(f32, Language)> = None;
        for part in header.split(',') {
            let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
            let primary = range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let Some(language) = Language::of_code(&primary) else { continue };
            let quality = parameters.split(';').find_map(|p| p.trim().strip_prefix("q="));
            let quality = quality.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0));
            if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, language));
            }
        }
        best.map_or(Language::En, |(_, language)| language)
    }

    /// The text of a key; a key without a text shows itself.
    pub fn text(self, key: &str) -> String {
        self.look_up(key, None)
    }

    /// The text of a key, filled.
    pub fn with(self, key: &str, filling: &[Filling<'_>]) -> String {
        let filling = filling.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect();
        self.look_up(key, Some(&filling))
    }

    fn look_up(self, key: &str, filling: Option<&HashMap<Cow<'static, str>, FluentValue<'_>>>) -> String {
        let language = match self {
            Language::Ru => RU,
            Language::En => EN,
        };
        TEXTS.lookup_single_language(&language, key, filling).unwrap_or_else(|_| key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn files(folder: &str, ending: &str) -> String {
        fn read(folder: &Path, ending: &str, into: &mut String) {
            let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
            entries.sort();
            for path in entries {
                if path.is_dir() {
                    read(&path, ending, into);
                } else if path.extension().is_some_and(|e| e == ending) {
                    into.push_str(&std::fs::read_to_string(&path).unwrap());
                    into.push('\n');
                }
            }
        }
        let mut all = String::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web").join(folder), ending, &mut all);
        all
    }

    fn found(pattern: &str, text: &str) -> BTreeSet<String> {
        Regex::new(pattern).unwrap().captures_iter(text).map(|c| c[1].to_owned()).collect()
    }

    fn keys(language: &str) -> BTreeSet<String> {
        found(r"(?m)^([a-z][a-z0-9_-]*) *=", &files(&format!("text/{language}"), "ftl"))
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let (ru, en) = (keys("ru"), keys("en"));
        assert_eq!(ru.difference(&en).collect::<Vec<_>>(), Vec::<&String>::new(), "only in Russian");
        assert_eq!(en.difference(&ru).collect::<Vec<_>>(), Vec::<&String>::new(), "only in English");
    }

    #[test]
    fn both_languages_fill_the_same_places() {
        let places = |language: &str| {
            let all = files(&format!("text/{language}"), "ftl");
            let starts = Regex::new(r"(?m)^[a-z][a-z0-9_-]* *=").unwrap();
            let begins: Vec<usize> = starts.find_iter(&all).map(|m| m.start()).chain([all.len()]).collect();
            let texts = begins.windows(2).map(|w| &all[w[0]..w[1]]);
            texts.map(|t| (t.split(['=', ' ']).next().unwrap().to_owned(), found(r"\$([a-z]+)", t))).collect::<BTreeSet<_>>()
        };
        assert_eq!(
            places("ru").symmetric_difference(&places("en")).collect::<Vec<_>>(),
            Vec::<&(String, BTreeSet<String>)>::new()
        );
    }

    #[test]
    fn every_text_that_is_asked_for_is_there_and_every_text_is_asked_for() {
        let known = keys("en");
        let code = files(".", "rs");
        let mut used = found(
            r#"\b(?:frame|lang|language|en|ru)\s*\.(?:t|text|with|count|say)\(\s*"([a-z][a-z0-9_-]*)""#,
            &(files("templates", "html") + &code + &files("../cli", "rs")),
        );
        // Other texts in code that begin as keys do are keys.
        let beginnings: BTreeSet<&str> = known.iter().filter_map(|key| key.split_once('-')).map(|(first, _)| first).collect();
        let texts = found(r#""([a-z][a-z0-9_]*-[a-z0-9_-]+)""#, &code);
        used.extend(texts.into_iter().filter(|text| text.split('-').next().is_some_and(|first| beginnings.contains(first))));
        assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "asked for, not there");
        assert_eq!(known.difference(&used).collect::<Vec<_>>(), Vec::<&String>::new(), "there, not asked for");
    }

    #[test]
    fn russian_has_three_plural_forms() {
        let partners =
            |language: Language, n: i64| language.with("count-partners", &[("count", n.into()), ("shown", n.to_string().into())]);
        let russian = [1, 3, 5, 11, 21].map(|n| partners(Language::Ru, n));
        assert_eq!(russian, ["1 партнёр", "3 партнёра", "5 партнёров", "11 партнёров", "21 партнёр"].map(str::to_owned));
        assert_eq!([1, 2].map(|n| partners(Language::En, n)), ["1 partner", "2 partners"].map(str::to_owned));
    }

    #[test]
    fn the_language_is_the_one_wanted_most() {
        for (header, wanted) in [
            ("", Language::En),
            ("de, fr;q=0.8", Language::En),
            ("ru-RU,ru;q=0.9,en-US;q=0.8", Language::Ru),
            ("en;q=0.5, ru;q=0.7", Language::Ru),
            ("en-GB, ru", Language::En),
            ("ru;q=0, en;q=0.1", Language::En),
            ("ru;q=x", Language::En),
        ] {
            assert_eq!(Language::of_accept_language(header), wanted, "{header}");
        }
    }
}
