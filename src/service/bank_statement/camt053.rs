//! Statements as ISO 20022 camt.053 (read as .001.02 and .001.08). Only booked entries count; a batch entry is read
//! transfer by transfer where the bank tells them.

use super::StatementError;
use super::xml::{self, Element};
use crate::domain::bank_statement::{BankStatement, Counterparty, Direction, StatementEntry};
use crate::domain::money::{Currency, Money};
use crate::domain::requisites::compact;
use chrono::NaiveDate;

pub fn read(bytes: &[u8]) -> Result<BankStatement, StatementError> {
    let document = xml::read(bytes)?;
    let is_camt = document.name == "Document" && document.namespace.as_deref().is_none_or(|n| n.contains("camt.053."));
    let body = document.at("BkToCstmrStmt").filter(|_| is_camt).ok_or(StatementError::UnknownFormat)?;
    let mut statement = BankStatement::default();
    for part in body.all("Stmt") {
        let account = account(part.needed("Acct")?).ok_or_else(|| StatementError::missing(part.line, "Stmt/Acct/Id"))?;
        let day_at = |path: &str| part.at(path).map(day).transpose();
        let from = day_at("FrToDt/FrDtTm")?;
        let to = day_at("FrToDt/ToDtTm")?;
        statement.from = [statement.from, from].into_iter().flatten().min();
        statement.to = [statement.to, to].into_iter().flatten().max();
        for entry in part.all("Ntry") {
            statement.entries.extend(entries(entry, &account)?);
        }
        if !statement.accounts.contains(&account) {
            statement.accounts.push(account);
        }
    }
    if statement.accounts.is_empty() { Err(StatementError::missing(body.line, "BkToCstmrStmt/Stmt")) } else { Ok(statement) }
}

fn account(of: &Element) -> Option<String> {
    of.text_at("Id/IBAN").or_else(|| of.text_at("Id/Othr/Id")).map(compact)
}

/// The day of `2026-12-05` or `2026-12-05T10:00:00+03:00`, as the bank writes it; also of an element that holds a `Dt`
/// or `DtTm`.
fn day(of: &Element) -> Result<NaiveDate, StatementError> {
    let element = of.at("Dt").or_else(|| of.at("DtTm")).unwrap_or(of);
    let text = element.text.trim();
    let day = text.get(..10).filter(|_| text.len() == 10 || text.as_bytes().get(10) == Some(&b'T'));
    day.and_then(|d| NaiveDate::parse_from_str(d, "%Y-%m-%d").ok())
        .ok_or_else(|| StatementError::field(element.line, &element.name, text, "is not a day like 2026-12-31"))
}

fn amount(of: &Element) -> Result<Money, StatementError> {
    let code = of.currency.as_deref().ok_or_else(|| StatementError::missing(of.line, "Amt/@Ccy"))?;
    let currency: Currency = code.parse().map_err(|_| StatementError::field(of.line, "Amt/@Ccy", code, "is no currency"))?;
    let text = of.text.trim();
    // `12.50000` is a legal amount of the format.
    let plain = match text.split_once('.') {
        Some((whole, fraction)) => {
            let kept = fraction.len().min(currency.decimals() as usize);
            let (kept, rest) = fraction.split_at_checked(kept).unwrap_or((fraction, ""));
            let rest = if rest.bytes().all(|b| b == b'0') { "" } else { rest };
            if kept.is_empty() && rest.is_empty() { whole.to_owned() } else { format!("{whole}.{kept}{rest}") }
        }
        None => text.to_owned(),
    };
    Money::parse_not_negative(&plain, currency).map_err(|error| StatementError::amount(of.line, "Amt", text, &error))
}

fn direction(of: &Element) -> Result<Direction, StatementError> {
    let indicator = of.needed("CdtDbtInd")?;
    match indicator.text.trim() {
        "CRDT" => Ok(Direction::Incoming),
        "DBIT" => Ok(Direction::Outgoing),
        other => Err(StatementError::field(indicator.line, "CdtDbtInd", other, "is neither CRDT nor DBIT")),
    }
}

/// A booked entry, or the transfers of its batch; what is pending or for information only is no movement yet.
fn entries(entry: &Element, account: &str) -> Result<Vec<StatementEntry>, StatementError> {
    let status = entry.text_at("Sts/Cd").or_else(|| entry.text_at("Sts")).unwrap_or("BOOK");
    if status != "BOOK" {
        return Ok(Vec::new());
    }
    let date = match entry.at("BookgDt").or_else(|| entry.at("ValDt")) {
        Some(found) => day(found)?,
        None => return Err(StatementError::missing(entry.line, "Ntry/BookgDt")),
    };
    let whole = StatementEntry {
        account: account.to_owned(),
        date,
        amount: amount(entry.needed("Amt")?)?,
        direction: direction(entry)?,
        document_number: None,
        end_to_end_id: None,
        counterparty: Counterparty::default(),
        purpose: entry.text_at("AddtlNtryInf").map(str::to_owned),
        bank_reference: entry.text_at("AcctSvcrRef").map(str::to_owned),
    };
    let transfers: Vec<&Element> = entry.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
    match transfers.as_slice() {
        [] => Ok(vec![whole]),
        [one] => Ok(vec![transfer(one, &whole, None)?]),
        several => several
            .iter()
            .map(|details| {
                let found = details.at("AmtDtls/TxAmt/Amt").or_else(|| details.at("Amt"));
                let found = found.ok_or_else(|| StatementError::missing(details.line, "TxDtls/Amt of a batch"))?;
                transfer(details, &whole, Some(amount(found)?))
            })
            .collect(),
    }
}

fn transfer(details: &Element, whole: &StatementEntry, amount: Option<Money>) -> Result<StatementEntry, StatementError> {
    let direction = if details.at("CdtDbtInd").is_some() { direction(details)? } else { whole.direction };
    let other = match direction {
        Direction::Outgoing => "Cdtr",
        Direction::Incoming => "Dbtr",
    };
    let party = |path: &str| details.text_at(&format!("RltdPties/{other}/{path}")).map(str::to_owned);
    let lines: Vec<&str> =
        details.at("RmtInf").into_iter().flat_map(|r| r.all("Ustrd")).map(|u| u.text.trim()).filter(|t| !t.is_empty()).collect();
    let known = |text: Option<&str>| text.filter(|t| *t != "NOTPROVIDED").map(str::to_owned);
    Ok(StatementEntry {
        amount: amount.unwrap_or(whole.amount),
        direction,
        end_to_end_id: known(details.text_at("Refs/EndToEndId")).or_else(|| known(details.text_at("Refs/InstrId"))),
        counterparty: Counterparty {
            // From .001.08 on, a party lies one element deeper.
            name: party("Nm").or_else(|| party("Pty/Nm")),
            inn: None,
            account: details.at(&format!("RltdPties/{other}Acct")).and_then(account),
        },
        purpose: if lines.is_empty() { whole.purpose.clone() } else { Some(lines.join(" ")) },
        bank_reference: details.text_at("Refs/AcctSvcrRef").map(str::to_owned).or_else(|| whole.bank_reference.clone()),
        ..whole.clone()
    })
}
