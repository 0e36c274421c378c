//! Issuing: once for a partner, month, currency and kind; from then on the same bytes. Only of closed months, which do not
//! change.

use crate::domain::document::{Content, ContentLine, DocumentKind, DocumentLanguage, DocumentNumber, Party, Standing, Sums};
use crate::domain::id::{DocumentId, PartnerId};
use crate::domain::payout_file::Payer;
use crate::domain::requisites::{Account, Payout};
use crate::domain::time::Period;
use crate::service::payer::payer;
use crate::service::statement::{self, Statement};
use crate::service::{Context, Error, Result, Tributary, settle};
use crate::store::document::{Document, Filter, Page};
use crate::store::partner::Partner;
use crate::store::{self, Reader, Tx, audit, document, ledger, partner, tax};
use chrono::Datelike;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use std::io::{Read, Write};

/// Draws a document's page in a language. Pages are drawn by the web's templates; this room does not know them.
pub type Draw = fn(&Content, DocumentLanguage) -> std::result::Result<String, String>;

/// Partners whose documents are issued in one transaction, so that others get their turn.
const PARTNERS_AT_ONCE: usize = 50;

/// Why a partner has no document of a kind for a month.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NotIssued {
    pub partner: PartnerId,
    pub kind: DocumentKind,
    pub reason: &'static str,
}

/// Documents of a month, and which there are none of.
#[derive(Debug, Clone, Default)]
pub struct Issued {
    pub documents: Vec<Document>,
    pub not_issued: Vec<NotIssued>,
}

/// Issues what a partner has no document of yet, in every currency of the month; what is issued stays as it is.
///
/// Errors: the month is not closed, there is no such partner, the payer has no name.
pub async fn issue(tx: &mut Tx, context: &Context, period: Period, id: PartnerId, draw: Draw) -> Result<Issued> {
    let merchant = may_issue(tx, period).await?;
    issue_for(tx, context, period, id, &merchant, draw).await
}

/// Issues the documents of all partners of a month, some at a time: should it be cut short, it goes on where it was.
///
/// Errors: as [`issue`].
pub async fn issue_month(service: &Tributary, actor: &str, period: Period, draw: Draw) -> Result<Issued> {
    let mut partners: Vec<PartnerId> =
        ledger::balances(&service.db, None, period.last_day()).await?.into_iter().map(|(partner, ..)| partner).collect();
    partners.dedup();
    let mut all = Issued::default();
    let mut chunks = partners.chunks(PARTNERS_AT_ONCE);
    loop {
        let mut tx = service.db.begin().await?;
        let context = service.context(actor);
        let merchant = may_issue(&mut tx, period).await?;
        let Some(chunk) = chunks.next() else { return Ok(all) };
        for id in chunk {
            let issued = issue_for(&mut tx, &context, period, *id, &merchant, draw).await?;
            all.documents.extend(issued.documents);
            all.not_issued.extend(issued.not_issued);
        }
        tx.commit().await?;
    }
}

/// The merchant's side of the documents of a month.
async fn may_issue(tx: &mut Tx, period: Period) -> Result<Party> {
    if !settle::is_closed(tx, period.last_day()).await? {
        return Err(Error::conflict(format!("{period} is not closed; documents are issued when it is")));
    }
    let payer = payer(&mut *tx).await?.unwrap_or_default();
    let Some(name) = payer.name.clone() else {
        return Err(Error::field("/payer/name", "is missing: set the merchant's requisites with PUT /v1/payer"));
    };
    Ok(merchant(name, payer))
}

fn merchant(name: String, payer: Payer) -> Party {
    let bank: Vec<String> = [payer.bank_name, payer.bik.or(payer.bic)].into_iter().flatten().collect();
    Party {
        name,
        standing: None,
        inn: payer.inn,
        kpp: payer.kpp,
        ogrn: payer.ogrn,
        address: payer.address,
        account: payer.account.or(payer.iban),
        bank: (!bank.is_empty()).then(|| bank.join(", ")),
        signatory: payer.signatory,
    }
}

fn payee(partner: &Partner, payout: &Payout) -> Party {
    let payee = &payout.payee;
    let bik = payout.bik.as_ref().map(ToString::to_string).or(payout.swift.as_ref().map(ToString::to_string));
    let bank: Vec<String> = [payout.bank_name.clone(), bik].into_iter().flatten().collect();
    let account = payout.account.as_ref().map(Account::as_str).map(str::to_owned);
    Party {
        name: payee.name.clone().unwrap_or_else(|| partner.name.clone()),
        standing: Standing::of(payee),
        inn: payee.inn.as_ref().map(ToString::to_string),
        kpp: payee.kpp.as_ref().map(ToString::to_string),
        ogrn: payee.ogrn.as_ref().map(ToString::to_string),
        address: payee.address.clone(),
        account: account.or(payout.iban.as_ref().map(ToString::to_string)),
        bank: (!bank.is_empty()).then(|| bank.join(", ")),
        signatory: None,
    }
}

async fn issue_for(
    tx: &mut Tx,
    context: &Context,
    period: Period,
    id: PartnerId,
    merchant: &Party,
    draw: Draw,
) -> Result<Issued> {
    let owner = partner::by_id(&mut *tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    let payout = Payout::of_stored(&owner.payout.0);
    let filter = Filter { period: Some(period.to_string()), partner: Some(id), kind: None };
    let known = document::list(&mut *tx, &filter, 0, i64::MAX).await?;
    let mut issued = Issued::default();
    let mut not = |kind, reason| issued.not_issued.push(NotIssued { partner: id, kind, reason });
    let statements = statement::of_month(&mut *tx, id, period).await?;
    if statements.is_empty() {
        DocumentKind::ALL.into_iter().for_each(|kind| not(kind, "nothing was earned or paid by the end of the month"));
    }
    for of_currency in statements {
        let sums = sums(tx, id, period, &of_currency).await?;
        for kind in DocumentKind::ALL {
            if let Some(found) = known.iter().find(|d| d.kind == kind && d.currency == of_currency.currency) {
                issued.documents.push(found.clone());
                continue;
            }
            match kind {
                DocumentKind::Statement if sums.opening_minor == 0 && of_currency.lines.is_empty() => {
                    issued.not_issued.push(NotIssued { partner: id, kind, reason: "nothing moved, and nothing was owed before" });
                    continue;
                }
                DocumentKind::Act if sums.services_minor() <= 0 => {
                    issued.not_issued.push(NotIssued {
                        partner: id,
                        kind,
                        reason: "the month's services come to nothing or less",
                    });
                    continue;
                }
                DocumentKind::Statement | DocumentKind::Act => {}
            }
            let year = period.first_day().year();
            let number = document::next_number(tx, kind, year).await?;
            let content = Content {
                number: DocumentNumber { kind, year, number },
                day: period.last_day(),
                period,
                currency: of_currency.currency,
                merchant: merchant.clone(),
                payee: payee(&owner, &payout),
                contract: payout.payee.contract_number.clone().map(|number| (number, payout.payee.contract_date)),
                sums,
                lines: lines(&of_currency),
            };
            issued.documents.push(store_document(tx, context, id, &content, draw).await?);
        }
    }
    Ok(issued)
}

async fn sums(tx: &mut Tx, id: PartnerId, period: Period, of: &Statement) -> Result<Sums> {
    Ok(Sums {
        opening_minor: of.opening_minor,
        earned_minor: of.earned_minor,
        reversed_minor: of.reversed_minor,
        adjusted_minor: of.adjusted_minor,
        paid_minor: of.paid_minor,
        closing_minor: of.closing.total_minor(),
        held_minor: of.closing.held_minor,
        available_minor: of.closing.available_minor,
        in_payment_minor: of.closing.in_payment_minor,
        tax_minor: tax::of_partner(&mut *tx, id, of.currency, period.first_day(), period.last_day()).await?,
    })
}

fn lines(of: &Statement) -> Vec<ContentLine> {
    let line = |l: &ledger::StatementLine| ContentLine {
        day: l.day,
        kind: l.kind,
        of: l.order_external_id.clone().or_else(|| l.payout_run_id.map(|run| run.to_string())),
        amount_minor: l.amount_minor,
    };
    of.lines.iter().map(line).collect()
}

async fn store_document(tx: &mut Tx, context: &Context, id: PartnerId, content: &Content, draw: Draw) -> Result<Document> {
    let mut stored = Document {
        id: DocumentId(0),
        kind: content.number.kind,
        year: i64::from(content.number.year),
        number: content.number.number,
        period: content.period.to_string(),
        day: content.day,
        partner_id: id,
        payee_name: content.payee.name.clone(),
        currency: content.currency,
        amount_minor: content.amount_minor(),
        sums: Json(content.sums),
        issued_at: context.at(),
        issued_by: context.actor.clone(),
    };
    stored.id = document::insert(tx, &stored).await?;
    let mut hashes = serde_json::Map::new();
    for language in DocumentLanguage::ALL {
        let html = draw(content, language).map_err(|e| store::Error::Unreadable(format!("a document's page: {e}")))?;
        let sha256 = hex::encode(Sha256::digest(html.as_bytes()));
        let name = match language {
            DocumentLanguage::Ru => "ru",
            DocumentLanguage::En => "en",
        };
        hashes.insert(name.to_owned(), sha256.clone().into());
        let page = Page { document_id: stored.id, language, sha256, bytes: html.len() as i64 };
        document::insert_page(tx, &page, &compressed(html.as_bytes())?).await?;
    }
    let detail = serde_json::json!({
        "number": content.number.to_string(), "partner": id, "period": content.period, "currency": content.currency,
        "amount": crate::domain::money::Money::new(content.amount_minor(), content.currency), "sha256": hashes,
    });
    audit::record(tx, &context.actor, "document.issue", &stored.id.to_string(), &detail, context.at()).await?;
    Ok(stored)
}

fn compressed(bytes: &[u8]) -> store::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let done = encoder.write_all(bytes).and_then(|()| encoder.finish());
    done.map_err(|e| store::Error::Unreadable(format!("a document's page: {e}")))
}

/// The page of a document as it was issued, and its hash.
///
/// Errors: there is none; what is stored cannot be read.
pub async fn page<'a>(on: impl Into<Reader<'a>>, id: DocumentId, language: DocumentLanguage) -> Result<(String, Vec<u8>)> {
    let (sha256, body) = document::body(on, id, language).await?.ok_or_else(|| Error::not_found(id))?;
    let mut bytes = Vec::new();
    let read = GzDecoder::new(body.as_slice()).read_to_end(&mut bytes);
    read.map_err(|e| store::Error::Unreadable(format!("the page of {id}: {e}")))?;
    Ok((sha256, bytes))
}
