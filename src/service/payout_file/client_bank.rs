//! `1CClientBankExchange` 1.03: payment orders for a Russian bank client, in windows-1251 with CRLF.
//! Source: v8.1c.ru/edi/edi_stnd/100/101.htm.

use crate::domain::money::Money;
use crate::domain::payout_file::{BankHeader, Faults, FileError, Payment, PaymentBatch, TextProblem};
use crate::domain::requisites::compact;
use encoding_rs::{EncoderResult, WINDOWS_1251};
use std::fmt::Display;

const LONGEST_NAME: usize = 160;
const LONGEST_PURPOSE: usize = 210;
const DAY: &str = "%d.%m.%Y";

/// The file of payments that [`select`](crate::domain::payout_file::select) has found to fit, and of a payer who lacks
/// nothing.
pub fn render(batch: &PaymentBatch, payments: &[&Payment]) -> Result<Vec<u8>, FileError> {
    let header = batch.bank.as_ref().ok_or_else(|| FileError::Payer(vec!["name"]))?;
    let payer = PayerLines::of(header)?;
    let mut file = Lines::default();
    file.mark("1CClientBankExchange");
    let day = header.value_date().format(DAY).to_string();
    for (key, value) in [
        ("ВерсияФормата", "1.03"),
        ("Кодировка", "Windows"),
        ("Отправитель", "Tributary"),
        ("Получатель", ""),
        ("ДатаСоздания", &day),
        ("ВремяСоздания", &header.created_at.format("%H:%M:%S").to_string()),
        ("ДатаНачала", &day),
        ("ДатаКонца", &day),
        ("РасчСчет", &payer.account),
        ("Документ", "Платежное поручение"),
    ] {
        file.line(key, value);
    }
    let mut faults = Faults::default();
    for payment in payments {
        let name = faults.take(payment, "name", written(payment.payee_name(), LONGEST_NAME));
        let purpose = faults.take(payment, "purpose", written(&payment.purpose, LONGEST_PURPOSE));
        let bank = payment.requisites.get("bank_name").unwrap_or("");
        let bank = faults.take(payment, "bank_name", written(bank, LONGEST_NAME));
        let text = |requisite: &str| payment.requisites.compact(requisite).unwrap_or_default();
        let (inn, account) = (text("inn"), text("account"));
        file.line("СекцияДокумент", "Платежное поручение");
        file.line("Номер", payment.number);
        file.line("Дата", &day);
        file.line("Сумма", Money::new(payment.amount_minor, batch.currency).decimal());
        for (key, value) in &payer.lines {
            file.line(key, value);
        }
        file.line("ПолучательСчет", &account);
        file.line("Получатель", if inn.is_empty() { name.clone() } else { format!("ИНН {inn} {name}") });
        file.line("ПолучательИНН", &inn);
        file.line("Получатель1", name);
        file.line("ПолучательКПП", kpp_or_zero(text("kpp")));
        file.line("ПолучательРасчСчет", account);
        file.line("ПолучательБанк1", bank);
        file.line("ПолучательБанк2", "");
        file.line("ПолучательБИК", text("bik"));
        file.line("ПолучательКорсчет", text("correspondent_account"));
        file.line("ВидПлатежа", "");
        file.line("ВидОплаты", "01");
        file.line("Очередность", "5");
        file.line("НазначениеПлатежа", purpose);
        file.mark("КонецДокумента");
    }
    faults.done()?;
    file.mark("КонецФайла");
    file.encoded()
}

/// A sole trader and a person have no KPP; the field of a payment order then holds a zero.
fn kpp_or_zero(kpp: String) -> String {
    if kpp.is_empty() { "0".to_owned() } else { kpp }
}

/// What every document says of who pays.
struct PayerLines {
    account: String,
    lines: Vec<(&'static str, String)>,
}

impl PayerLines {
    fn of(header: &BankHeader) -> Result<PayerLines, FileError> {
        let payer = &header.payer;
        let text = |field: &'static str, text: &Option<String>| {
            let text = text.as_deref().unwrap_or("");
            written(text, LONGEST_NAME).map_err(|problem| FileError::PayerText { field, problem })
        };
        let number = |field, value| text(field, value).map(|t| compact(&t));
        let (name, inn, account) = (text("name", &payer.name)?, number("inn", &payer.inn)?, number("account", &payer.account)?);
        let lines = vec![
            ("ПлательщикСчет", account.clone()),
            ("Плательщик", format!("ИНН {inn} {name}")),
            ("ПлательщикИНН", inn),
            ("Плательщик1", name),
            ("ПлательщикКПП", kpp_or_zero(number("kpp", &payer.kpp)?)),
            ("ПлательщикРасчСчет", account.clone()),
            ("ПлательщикБанк1", text("bank_name", &payer.bank_name)?),
            ("ПлательщикБанк2", text("bank_city", &payer.bank_city)?),
            ("ПлательщикБИК", number("bik", &payer.bik)?),
            ("ПлательщикКорсчет", number("correspondent_account", &payer.correspondent_account)?),
        ];
        Ok(PayerLines { account, lines })
    }
}

/// The text as a value of the format: no line break, nothing that windows-1251 lacks.
fn written(text: &str, longest: usize) -> Result<String, TextProblem> {
    let text = text.trim();
    if let Some(character) = text.chars().find(|c| c.is_control()).or_else(|| unmappable(text)) {
        return Err(TextProblem::Character { character, set: "windows-1251" });
    }
    if text.chars().count() > longest {
        return Err(TextProblem::TooLong(longest));
    }
    Ok(text.to_owned())
}

fn unmappable(text: &str) -> Option<char> {
    let mut encoder = WINDOWS_1251.new_encoder();
    // A byte for each character is enough; so is one for each byte of UTF-8.
    let mut buffer = vec![0; text.len() + 16];
    match encoder.encode_from_utf8_without_replacement(text, &mut buffer, true) {
        (EncoderResult::Unmappable(character), ..) => Some(character),
        (EncoderResult::InputEmpty | EncoderResult::OutputFull, ..) => None,
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn mark(&mut self, mark: &str) {
        self.0 += mark;
        self.0 += "\r\n";
    }

    fn line(&mut self, key: &str, value: impl Display) {
        self.0 += &format!("{key}={value}\r\n");
    }

    fn encoded(self) -> Result<Vec<u8>, FileError> {
        if let Some(character) = unmappable(&self.0) {
            return Err(FileError::Unwritable(format!("windows-1251 has no '{character}'")));
        }
        let (bytes, _, _) = WINDOWS_1251.encode(&self.0);
        Ok(bytes.into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_code_page_lacks_is_refused_and_its_own_letters_are_not() {
        for text in ["ООО «Ёж и партнёры» № 7 — 100 €", "ђ Ўзбек ї є", "a=b;c", ""] {
            assert_eq!(written(text, 100), Ok(text.to_owned()));
        }
        for (text, character) in
            [("5 ₽", '₽'), ("Ann 🦔", '🦔'), ("Łódź", 'Ł'), ("a\r\nСумма=1", '\r'), ("ё\u{301}", '\u{301}'), ("\u{98}", '\u{98}')]
        {
            assert_eq!(written(text, 100), Err(TextProblem::Character { character, set: "windows-1251" }), "{text}");
        }
        assert_eq!(written(&"я".repeat(160), 160).map(|t| t.chars().count()), Ok(160));
        assert_eq!(written(&"я".repeat(161), 160), Err(TextProblem::TooLong(160)));
    }
}
