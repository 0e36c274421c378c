//! Draws the pages of statements and acts, and answers them as they were issued. A page is frozen when it is issued, so
//! it says nothing of who reads it, and its style sheet is asked for by a name that stays.

use super::language::Language;
use super::page::{frozen, words};
use crate::domain::document::{self, Content, DocumentKind, DocumentLanguage, Party, Standing};
use crate::domain::ledger::JournalKind;
use crate::domain::money::Money;
use crate::service::documents;
use crate::store::Db;
use crate::web::error::Problem;
use actix_web::HttpResponse;
use askama::Template;

/// A line under a party's name: `ИНН 7707083893`.
struct PartyView {
    name: String,
    lines: Vec<String>,
    signatory: String,
}

struct Head {
    lang: Language,
    number: String,
    month: String,
    day: String,
    merchant: PartyView,
    payee: PartyView,
    basis: String,
}

#[derive(Template)]
#[template(path = "document/act.html")]
struct ActPage {
    head: Head,
    rows: Vec<(String, String)>,
    total: String,
    in_words: String,
    tax: Option<String>,
}

#[derive(Template)]
#[template(path = "document/statement.html")]
struct StatementPage {
    head: Head,
    sums: Vec<(String, String)>,
    closing: String,
    parts: Vec<(String, String)>,
    verdict: String,
    lines: Vec<[String; 4]>,
}

/// [`documents::Draw`]: a document's page.
pub fn draw(content: &Content, language: DocumentLanguage) -> Result<String, String> {
    let lang = match language {
        DocumentLanguage::Ru => Language::Ru,
        DocumentLanguage::En => Language::En,
    };
    match content.number.kind {
        DocumentKind::Act => act(content, lang).render(),
        DocumentKind::Statement => statement(content, lang).render(),
    }
    .map_err(|e| e.to_string())
}

/// How a document's page is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFormat {
    Html,
    Pdf,
}

/// Whether this build writes PDF.
pub const HAS_PDF: bool = cfg!(feature = "pdf");

/// The format by its name; HTML without one.
pub fn format_of(name: &str) -> Result<PageFormat, Problem> {
    match name {
        "" | "html" => Ok(PageFormat::Html),
        "pdf" if HAS_PDF => Ok(PageFormat::Pdf),
        "pdf" => Err(no_pdf()),
        _ => Err(Problem::field("/format", "must be html or pdf")),
    }
}

/// The page of a document as it was issued.
pub async fn issued_page(
    db: &Db,
    id: crate::domain::id::DocumentId,
    language: DocumentLanguage,
    format: PageFormat,
) -> Result<HttpResponse, Problem> {
    let (sha256, bytes) = documents::page(db, id, language).await?;
    match format {
        PageFormat::Html => Ok(frozen(&sha256, bytes)),
        PageFormat::Pdf => pdf(bytes, id).await,
    }
}

#[cfg(feature = "pdf")]
async fn pdf(page: Vec<u8>, id: crate::domain::id::DocumentId) -> Result<HttpResponse, Problem> {
    let drawn = tokio::task::spawn_blocking(move || super::pdf::of_page(&String::from_utf8_lossy(&page)));
    let drawn = drawn.await.map_err(|e| Problem::field("/format", e))?.map_err(|e| Problem::field("/format", e))?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header(("content-disposition", format!("inline; filename=\"{id}.pdf\"")))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("cache-control", "no-store"))
        .body(drawn))
}

#[cfg(not(feature = "pdf"))]
async fn pdf(_page: Vec<u8>, _id: crate::domain::id::DocumentId) -> Result<HttpResponse, Problem> {
    Err(no_pdf())
}

fn no_pdf() -> Problem {
    Problem::field("/format", "this build writes no PDF: print the page, or build with the feature pdf")
}

/// The language of a document's page by its code; without one, that of who reads it.
pub fn language_of(code: &str, reader: Language) -> Result<DocumentLanguage, Problem> {
    match code {
        "" => Ok(match reader {
            Language::Ru => DocumentLanguage::Ru,
            Language::En => DocumentLanguage::En,
        }),
        "ru" => Ok(DocumentLanguage::Ru),
        "en" => Ok(DocumentLanguage::En),
        _ => Err(Problem::field("/lang", "must be ru or en")),
    }
}

/// An amount in words.
fn in_words(lang: Language, money: Money) -> String {
    match lang {
        Language::Ru => document::russian(money),
        Language::En => document::english(money),
    }
}

fn head(content: &Content, lang: Language) -> Head {
    Head {
        lang,
        number: content.number.to_string(),
        month: lang.month(content.period),
        day: lang.day(content.day),
        merchant: party(&content.merchant, lang),
        payee: party(&content.payee, lang),
        basis: match &content.contract {
            None => lang.text("document-basis-terms"),
            Some((number, None)) => lang.with("document-basis-contract", &[("number", number.clone().into())]),
            Some((number, Some(day))) => {
                lang.with("document-basis-contract-of", &[("number", number.clone().into()), ("day", lang.day(*day).into())])
            }
        },
    }
}

fn party(of: &Party, lang: Language) -> PartyView {
    let named = [
        ("document-inn", &of.inn),
        ("document-kpp", &of.kpp),
        (if of.standing == Some(Standing::SoleTrader) { "document-ogrnip" } else { "document-ogrn" }, &of.ogrn),
        ("document-address", &of.address),
        ("document-account", &of.account),
        ("document-bank", &of.bank),
    ];
    let standing = of.standing.map(|standing| lang.text(words::standing(standing)));
    let lines = named.into_iter().filter_map(|(key, value)| Some(format!("{} {}", lang.text(key), value.as_ref()?)));
    PartyView {
        name: of.name.clone(),
        lines: standing.into_iter().chain(lines).collect(),
        signatory: of.signatory.clone().unwrap_or_else(|| of.name.clone()),
    }
}

fn act(content: &Content, lang: Language) -> ActPage {
    let money = |minor| Money::new(minor, content.currency);
    let orders = |kind| {
        let count = content.orders(kind);
        lang.with("count-orders", &[("count", count.into()), ("shown", lang.whole(count).into())])
    };
    let sums = &content.sums;
    let rows = [
        (("document-service", "document-service-bare"), JournalKind::Earned, sums.earned_minor),
        (("document-reversed", "document-reversed-bare"), JournalKind::Reversed, -sums.reversed_minor),
        (("document-adjusted", "document-adjusted-bare"), JournalKind::Adjusted, sums.adjusted_minor),
    ];
    let rows = rows.into_iter().filter(|(_, kind, minor)| *minor != 0 || *kind == JournalKind::Earned);
    let total = money(sums.services_minor());
    ActPage {
        rows: rows
            .map(|(key, kind, minor)| {
                let month = ("month", lang.month(content.period).into());
                let words = match content.orders(kind) {
                    0 => lang.with(key.1, &[month]),
                    _ => lang.with(key.0, &[month, ("orders", orders(kind).into())]),
                };
                (words, lang.money(money(minor)))
            })
            .collect(),
        total: lang.money(total),
        in_words: in_words(lang, total),
        tax: content.payee.standing.map(|standing| {
            lang.text(match standing {
                Standing::SelfEmployed => "document-tax-self_employed",
                Standing::Individual => "document-tax-individual",
                Standing::Company | Standing::SoleTrader => "document-tax-company",
                Standing::Foreign => "document-tax-foreign",
            })
        }),
        head: head(content, lang),
    }
}

fn statement(content: &Content, lang: Language) -> StatementPage {
    let money = |minor| lang.money(Money::new(minor, content.currency));
    let sums = &content.sums;
    let mut rows = vec![
        (lang.text("statement-opening"), money(sums.opening_minor)),
        (lang.text("statement-earned"), money(sums.earned_minor)),
        (lang.text("statement-reversed"), money(-sums.reversed_minor)),
        (lang.text("statement-adjusted"), money(sums.adjusted_minor)),
        (lang.text("statement-paid"), money(-sums.paid_minor)),
    ];
    if sums.tax_minor != 0 {
        rows.push((lang.text("document-paid-tax"), money(sums.tax_minor)));
    }
    let closing = Money::new(sums.closing_minor, content.currency);
    let owed = Money::new(closing.minor().abs(), content.currency);
    let verdict = match closing.minor() {
        0 => "document-nobody-owes",
        1.. => "document-merchant-owes",
        _ => "document-payee-owes",
    };
    let filling =
        [("day", lang.day(content.day).into()), ("amount", lang.money(owed).into()), ("words", in_words(lang, owed).into())];
    StatementPage {
        sums: rows,
        closing: lang.money(closing),
        parts: [
            ("document-held", sums.held_minor),
            ("document-available", sums.available_minor),
            ("document-in-payment", sums.in_payment_minor),
        ]
        .into_iter()
        .filter(|(_, minor)| *minor != 0)
        .map(|(key, minor)| (lang.text(key), money(minor)))
        .collect(),
        verdict: lang.with(verdict, &filling),
        lines: content
            .lines
            .iter()
            .map(|line| {
                let of = line.of.clone().unwrap_or_default();
                [lang.day(line.day), lang.text(words::journal(line.kind)), of, money(line.amount_minor)]
            })
            .collect(),
        head: head(content, lang),
    }
}
