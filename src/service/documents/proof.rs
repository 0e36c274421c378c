//! What `doctor` proves of documents, receipts and taxes.

use super::page;
use crate::domain::document::DocumentKind;
use crate::domain::time::Period;
use crate::service::doctor::Finding;
use crate::service::{Result, Tributary, statement};
use crate::store::document::Filter;
use crate::store::{document, tax};
use sha2::{Digest, Sha256};

/// Every proof of this room.
pub async fn proofs(service: &Tributary) -> Result<Vec<Finding>> {
    Ok(vec![numbers(service).await?, pages(service).await?, taxes(service).await?])
}

async fn numbers(service: &Tributary) -> Result<Finding> {
    let gaps = document::gaps(&service.db).await?;
    let said =
        gaps.iter().map(|(kind, year, count, last)| format!("{kind} of {year}: {count} documents, the last number is {last}"));
    Ok(Finding { what: "documents are numbered without gaps", checked: 0, skipped: 0, broken: said.collect() })
}

/// Pages have their hashes, and sums are those of the statement.
async fn pages(service: &Tributary) -> Result<Finding> {
    let db = &service.db;
    let what = "every document is as it was issued, and says what the statement says";
    let mut finding = Finding::of(what);
    let mut after = 0;
    loop {
        let found = document::list(db, &Filter::default(), after, 500).await?;
        let Some(last) = found.last() else { return Ok(finding) };
        after = last.id.0;
        for issued in found {
            finding.checked += 1;
            for stored in document::pages(db, issued.id).await? {
                match page(db, issued.id, stored.language).await {
                    Ok((sha256, bytes)) if hex::encode(Sha256::digest(&bytes)) == sha256 => {}
                    Ok(_) => finding.broken.push(format!("{} has another hash now", issued.id)),
                    Err(error) => finding.broken.push(format!("{}: {error}", issued.id)),
                }
            }
            let Ok(period) = issued.period.parse::<Period>() else {
                finding.broken.push(format!("{} is of {}, which is no month", issued.id, issued.period));
                continue;
            };
            let statements = statement::of_month(db, issued.partner_id, period).await?;
            let told = statements.iter().find(|s| s.currency == issued.currency).map(|s| match issued.kind {
                DocumentKind::Statement => s.closing.total_minor(),
                DocumentKind::Act => s.earned_minor - s.reversed_minor + s.adjusted_minor,
            });
            if told != Some(issued.amount_minor) {
                finding.broken.push(format!("{} says {}, the statement {told:?}", issued.id, issued.amount_minor));
            }
        }
    }
}

async fn taxes(service: &Tributary) -> Result<Finding> {
    let off = tax::off_ledger(&service.db).await?;
    let said = off.iter().map(|(run, partner, owed, posted)| format!("{run}, {partner}: withheld {owed}, posted {posted}"));
    let what = "the tax of every paid line is posted, and of no other";
    Ok(Finding { what, checked: 0, skipped: 0, broken: said.collect() })
}
