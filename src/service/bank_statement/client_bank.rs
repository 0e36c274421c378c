//! Statements as `1CClientBankExchange`, versions 1.01 to 1.03, in windows-1251, cp866 or UTF-8 with LF or CRLF.
//! A file of payment orders reads too. Source: v8.1c.ru/edi/edi_stnd/100/101.htm.

use super::StatementError;
use crate::domain::bank_statement::{BankStatement, Counterparty, Direction, StatementEntry};
use crate::domain::money::{Currency, Money};
use crate::domain::requisites::compact;
use chrono::NaiveDate;
use encoding_rs::{Encoding, IBM866, UTF_8, WINDOWS_1251};
use std::collections::HashMap;

const PURPOSE: &str = "НазначениеПлатежа";

pub fn read(bytes: &[u8]) -> Result<BankStatement, StatementError> {
    let text = decoded(bytes)?;
    let mut reader = Reader::default();
    let mut ended = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let line = line.trim_end_matches('\r');
        match line.trim().trim_start_matches('\u{feff}') {
            "" => {}
            _ if ended => return Err(StatementError::line(number, "there is something after КонецФайла")),
            "1CClientBankExchange" if number == 1 => {}
            "КонецФайла" => {
                reader.outside(number)?;
                ended = true;
            }
            "СекцияРасчСчет" => reader.begin(number, Section::Account)?,
            "КонецРасчСчет" => reader.end(number, Section::Account)?,
            "КонецДокумента" => reader.end(number, Section::Document)?,
            _ => reader.field(number, line)?,
        }
    }
    if ended { reader.statement() } else { Err(StatementError::CutOff("КонецФайла")) }
}

/// How far into the file its encoding may be told.
const HEAD: usize = 4_096;

/// The text by the encoding that the file says it is in; it must be the one in which it says so.
fn decoded(bytes: &[u8]) -> Result<String, StatementError> {
    let candidates: [(&'static Encoding, &[&str]); 3] =
        [(UTF_8, &["utf-8", "utf8"]), (WINDOWS_1251, &["windows", "win", "windows-1251"]), (IBM866, &["dos", "cp866"])];
    let head = &bytes[..bytes.len().min(HEAD)];
    for (encoding, names) in candidates {
        let (text, ..) = encoding.decode(head);
        let Some(said) = text.lines().find_map(|line| line.trim().strip_prefix("Кодировка=")) else { continue };
        let (text, _, broken) = encoding.decode(bytes);
        if broken || !names.contains(&said.trim().to_lowercase().as_str()) {
            return Err(StatementError::Encoding { says: said.trim().chars().take(40).collect() });
        }
        return Ok(text.into_owned());
    }
    // Some banks leave the field out; windows-1251 is the format's default.
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Ok(WINDOWS_1251.decode(bytes).0.into_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Section {
    #[default]
    Head,
    Account,
    Document,
}

#[derive(Default)]
struct Reader {
    section: Section,
    /// Where the section began.
    since: usize,
    fields: HashMap<String, (usize, String)>,
    last_key: String,
    accounts: Vec<String>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    documents: Vec<Document>,
}

struct Document {
    line: usize,
    fields: HashMap<String, (usize, String)>,
}

impl Reader {
    fn outside(&self, line: usize) -> Result<(), StatementError> {
        match self.section {
            Section::Head => Ok(()),
            Section::Account | Section::Document => {
                Err(StatementError::line(line, format!("the section of line {} has no end", self.since)))
            }
        }
    }

    fn begin(&mut self, line: usize, section: Section) -> Result<(), StatementError> {
        self.outside(line)?;
        (self.section, self.since) = (section, line);
        self.fields.clear();
        Ok(())
    }

    fn end(&mut self, line: usize, section: Section) -> Result<(), StatementError> {
        if self.section != section {
            return Err(StatementError::line(line, "the end of a section that has not begun"));
        }
        self.section = Section::Head;
        if section == Section::Document {
            self.documents.push(Document { line: self.since, fields: std::mem::take(&mut self.fields) });
        }
        Ok(())
    }

    fn field(&mut self, number: usize, line: &str) -> Result<(), StatementError> {
        let Some((key, value)) = line.split_once('=') else {
            // Some banks break a long purpose.
            if self.section == Section::Document && self.last_key == PURPOSE {
                if let Some((_, purpose)) = self.fields.get_mut(PURPOSE) {
                    purpose.push(' ');
                    purpose.push_str(line.trim());
                }
                return Ok(());
            }
            let what = format!("'{}' is neither a field nor a section", line.chars().take(60).collect::<String>());
            return Err(StatementError::line(number, what));
        };
        let (key, value) = (key.trim().trim_start_matches('\u{feff}'), value.trim());
        if key == "СекцияДокумент" {
            return self.begin(number, Section::Document);
        }
        if self.section != Section::Document {
            match key {
                "РасчСчет" if !value.is_empty() && !self.accounts.contains(&compact(value)) => {
                    self.accounts.push(compact(value))
                }
                "ДатаНачала" if !value.is_empty() => {
                    let day = day(number, key, value)?;
                    self.from = Some(self.from.map_or(day, |known| known.min(day)));
                }
                "ДатаКонца" if !value.is_empty() => {
                    let day = day(number, key, value)?;
                    self.to = Some(self.to.map_or(day, |known| known.max(day)));
                }
                _ => {}
            }
        }
        self.last_key = key.to_owned();
        self.fields.insert(key.to_owned(), (number, value.to_owned()));
        Ok(())
    }

    fn statement(self) -> Result<BankStatement, StatementError> {
        let entries = self.documents.iter().map(|document| document.entry(&self.accounts)).collect::<Result<_, _>>()?;
        Ok(BankStatement { accounts: self.accounts, from: self.from, to: self.to, entries })
    }
}

fn day(line: usize, field: &str, value: &str) -> Result<NaiveDate, StatementError> {
    NaiveDate::parse_from_str(value, "%d.%m.%Y")
        .map_err(|_| StatementError::field(line, field, value, "is not a day like 31.12.2026"))
}

impl Document {
    /// The value and its line; an empty one counts as none.
    fn get(&self, key: &str) -> Option<(usize, &str)> {
        self.fields.get(key).map(|(line, value)| (*line, value.as_str())).filter(|(_, value)| !value.is_empty())
    }

    fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(|(_, value)| value.to_owned())
    }

    fn day(&self, key: &str) -> Result<Option<NaiveDate>, StatementError> {
        self.get(key).map(|(line, value)| day(line, key, value)).transpose()
    }

    fn entry(&self, accounts: &[String]) -> Result<StatementEntry, StatementError> {
        let (left, arrived) = (self.day("ДатаСписано")?, self.day("ДатаПоступило")?);
        let direction = self.direction(accounts, left, arrived)?;
        let (ours, theirs) = match direction {
            Direction::Outgoing => ("Плательщик", "Получатель"),
            Direction::Incoming => ("Получатель", "Плательщик"),
        };
        let known = self.account_of(ours).filter(|account| accounts.contains(account));
        let account = known.or_else(|| accounts.first().cloned()).unwrap_or_default();
        let booked = match direction {
            Direction::Outgoing => left,
            Direction::Incoming => arrived,
        };
        let date = match booked {
            Some(day) => day,
            None => self.day("Дата")?.ok_or_else(|| StatementError::missing(self.line, "Дата"))?,
        };
        let (line, sum) = self.get("Сумма").ok_or_else(|| StatementError::missing(self.line, "Сумма"))?;
        let amount = Money::parse_not_negative(sum, currency_of(&account))
            .map_err(|error| StatementError::amount(line, "Сумма", sum, &error))?;
        Ok(StatementEntry {
            account,
            date,
            amount,
            direction,
            document_number: self.text("Номер"),
            end_to_end_id: None,
            counterparty: Counterparty {
                name: self.text(&format!("{theirs}1")).or_else(|| self.text(theirs)),
                inn: self.text(&format!("{theirs}ИНН")),
                account: self.account_of(theirs),
            },
            purpose: self.text(PURPOSE).or_else(|| self.purpose_in_parts()),
            bank_reference: None,
        })
    }

    /// By the accounts of both sides; else by the day on which the money left or arrived.
    fn direction(
        &self,
        accounts: &[String],
        left: Option<NaiveDate>,
        arrived: Option<NaiveDate>,
    ) -> Result<Direction, StatementError> {
        let is_ours = |side: &str| self.account_of(side).is_some_and(|account| accounts.contains(&account));
        match (is_ours("Плательщик"), is_ours("Получатель")) {
            (true, false) => Ok(Direction::Outgoing),
            (false, true) => Ok(Direction::Incoming),
            // Between two accounts of one statement, or of neither of them.
            (true, true) | (false, false) => match (left, arrived) {
                (Some(_), None) => Ok(Direction::Outgoing),
                (None, Some(_)) => Ok(Direction::Incoming),
                (Some(_), Some(_)) | (None, None) => {
                    Err(StatementError::line(self.line, "the document is of none of the statement's accounts"))
                }
            },
        }
    }

    fn account_of(&self, side: &str) -> Option<String> {
        let (_, account) = self.get(&format!("{side}Счет")).or_else(|| self.get(&format!("{side}РасчСчет")))?;
        Some(compact(account))
    }

    fn purpose_in_parts(&self) -> Option<String> {
        let parts: Vec<&str> = (1..=6).filter_map(|n| self.get(&format!("{PURPOSE}{n}"))).map(|(_, part)| part).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    }
}

/// Of the digits 6 to 8 of a Russian account; roubles where they say nothing.
fn currency_of(account: &str) -> Currency {
    let code = match account.get(5..8) {
        Some("840") => "USD",
        Some("978") => "EUR",
        Some("398") => "KZT",
        Some("933") => "BYN",
        Some("156") => "CNY",
        _ => return Currency::RUB,
    };
    code.parse().unwrap_or(Currency::RUB)
}
