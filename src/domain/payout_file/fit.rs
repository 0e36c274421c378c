//! Which payments of a run a format can carry. What does not fit is left out with its reason and is never lost from
//! sight: the sum of what is in a file and of what is left out is the run's total.
//!
//! Only the shapes of requisites are asked for here, as far as a file would be broken without; check digits are the
//! business of whoever takes the requisites in.

use super::{FileFormat, FileRequest, Payer, Payment, PaymentBatch, Requisites};
use crate::domain::id::PartnerId;
use crate::domain::money::{Currency, Money};
use crate::domain::partner::PayoutMethod;
use crate::domain::requisites::compact;

/// A payment that is not in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{partner} ({name}), {amount}: {why}", amount = Money::new(*.amount_minor, *.currency))]
pub struct LeftOut {
    pub partner: PartnerId,
    pub name: String,
    pub amount_minor: i64,
    pub currency: Currency,
    pub why: Misfit,
}

/// Why a payment is not in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("is paid by {0}")]
    Method(String),
    #[error("the format carries {needed} only")]
    Currency { needed: &'static str },
    #[error("the requisite {0} is missing")]
    Missing(&'static str),
    #[error("the requisite {0} is malformed")]
    Malformed(&'static str),
    #[error("was asked to stay out")]
    ByRequest,
}

/// The payments of a file, and those that are left out.
#[derive(Debug)]
pub struct Selection<'a> {
    pub payments: Vec<&'a Payment>,
    pub left_out: Vec<LeftOut>,
}

/// Parts the payments of a batch into those that the file carries and the others, in their order.
pub fn select<'a>(batch: &'a PaymentBatch, request: &FileRequest) -> Selection<'a> {
    let mut selection = Selection { payments: Vec::with_capacity(batch.payments.len()), left_out: Vec::new() };
    for payment in &batch.payments {
        let misfit = if request.without.contains(&payment.partner) {
            Some(Misfit::ByRequest)
        } else {
            misfit(payment, batch.currency, request.format)
        };
        match misfit {
            None => selection.payments.push(payment),
            Some(why) => selection.left_out.push(LeftOut {
                partner: payment.partner,
                name: payment.partner_name.clone(),
                amount_minor: payment.amount_minor,
                currency: batch.currency,
                why,
            }),
        }
    }
    selection
}

fn misfit(payment: &Payment, currency: Currency, format: FileFormat) -> Option<Misfit> {
    let by = || Some(Misfit::Method(payment.method_text.clone()));
    let has = |name| wanted(&payment.requisites, name);
    let may_have = |name| known(&payment.requisites, name);
    let checked = match (format, payment.method) {
        (FileFormat::Csv(_) | FileFormat::Xlsx, _) => Ok(()),
        (FileFormat::ClientBank, PayoutMethod::BankRu) if currency != Currency::RUB => Err(Misfit::Currency { needed: "RUB" }),
        (FileFormat::ClientBank, PayoutMethod::BankRu) => has("account")
            .and_then(|()| has("bik"))
            .and_then(|()| may_have("correspondent_account"))
            .and_then(|()| may_have("inn"))
            .and_then(|()| may_have("kpp")),
        (FileFormat::Pain001(_), PayoutMethod::Sepa) if currency.code() != "EUR" => Err(Misfit::Currency { needed: "EUR" }),
        (FileFormat::Pain001(_), PayoutMethod::Sepa) => {
            has("iban").and_then(|()| may_have("swift")).and_then(|()| may_have("country"))
        }
        (FileFormat::Pain001(_), PayoutMethod::Swift) => {
            let account = if payment.requisites.get("iban").is_some() { has("iban") } else { has("account_abroad") };
            account.and_then(|()| has("swift")).and_then(|()| may_have("country"))
        }
        (FileFormat::Paypal { .. }, PayoutMethod::Paypal) | (FileFormat::Wise { .. }, PayoutMethod::Wise) => {
            match payment.payee_email() {
                None => Err(Misfit::Missing("email")),
                Some(email) if email.parse::<crate::domain::text::Email>().is_err() => Err(Misfit::Malformed("email")),
                Some(_) => Ok(()),
            }
        }
        (FileFormat::ClientBank | FileFormat::Pain001(_) | FileFormat::Paypal { .. } | FileFormat::Wise { .. }, _) => {
            return by();
        }
    };
    checked.err()
}

fn wanted(requisites: &Requisites, name: &'static str) -> Result<(), Misfit> {
    let key = if name == "account_abroad" { "account" } else { name };
    match requisites.get(key) {
        None => Err(Misfit::Missing(key)),
        Some(text) if has_shape(name, text) => Ok(()),
        Some(_) => Err(Misfit::Malformed(key)),
    }
}

fn known(requisites: &Requisites, name: &'static str) -> Result<(), Misfit> {
    if requisites.get(name).is_none() { Ok(()) } else { wanted(requisites, name) }
}

/// Whether a requisite looks as its format wants it. The shapes of IBAN and BIC are those that both pain.001 schemas take.
pub fn has_shape(name: &str, text: &str) -> bool {
    let text = compact(text);
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let letters = |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_uppercase));
    let alphanumeric = bytes.iter().all(u8::is_ascii_alphanumeric);
    match (name, bytes.len()) {
        // The sixth place may hold a letter: a currency without a code of digits.
        ("account" | "correspondent_account", 20) => digits(0, 5) && digits(6, 20) && alphanumeric,
        ("bik" | "kpp", 9) => {
            if name == "bik" {
                digits(0, 9)
            } else {
                digits(0, 4) && digits(6, 9) && alphanumeric
            }
        }
        ("inn", 10 | 12) => digits(0, bytes.len()),
        ("account_abroad", 1..=34) => alphanumeric,
        ("iban", 5..=34) => letters(0, 2) && digits(2, 4) && alphanumeric,
        ("swift" | "bic", 8 | 11) => letters(0, 6) && !matches!(bytes[6], b'0' | b'1') && alphanumeric,
        ("country", 2) => letters(0, 2),
        _ => false,
    }
}

/// The fields of the payer that are missing or malformed, and without which a file cannot be written.
pub fn lacks_of_payer(payer: &Payer, format: FileFormat, payments: &[&Payment]) -> Vec<&'static str> {
    let mut needed: Vec<(&'static str, &'static str, &Option<String>)> = vec![("name", "", &payer.name)];
    let mut allowed: Vec<(&'static str, &'static str, &Option<String>)> = Vec::new();
    match format {
        FileFormat::ClientBank => {
            needed.push(("inn", "inn", &payer.inn));
            needed.push(("account", "account", &payer.account));
            needed.push(("bik", "bik", &payer.bik));
            needed.push(("correspondent_account", "correspondent_account", &payer.correspondent_account));
            needed.push(("bank_name", "", &payer.bank_name));
            allowed.push(("kpp", "kpp", &payer.kpp));
        }
        FileFormat::Pain001(_) => {
            let sepa = payments.iter().any(|p| p.method == PayoutMethod::Sepa);
            if sepa || payer.iban.is_some() || payer.account.is_none() {
                needed.push(("iban", "iban", &payer.iban));
            } else {
                needed.push(("account", "account_abroad", &payer.account));
            }
            allowed.push(("bic", "bic", &payer.bic));
            allowed.push(("country", "country", &payer.country));
        }
        FileFormat::Csv(_) | FileFormat::Xlsx | FileFormat::Paypal { .. } | FileFormat::Wise { .. } => return Vec::new(),
    }
    let fits = |shape: &str, text: &str| !text.trim().is_empty() && (shape.is_empty() || has_shape(shape, text));
    let missing = needed.into_iter().filter(|(_, shape, text)| !text.as_deref().is_some_and(|t| fits(shape, t)));
    let malformed = allowed.into_iter().filter(|(_, shape, text)| text.as_deref().is_some_and(|t| !fits(shape, t)));
    missing.chain(malformed).map(|(field, ..)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requisite_of_another_shape_is_seen() {
        for (name, text, fits) in [
            ("account", "40702810500000001234", true),
            ("account", "40702 810 5 0000 0001234", true),
            ("account", "40702A10500000001234", true),
            ("account", "4070281050000000123", false),
            ("account", "4070281050000000123ё", false),
            ("bik", "044525225", true),
            ("bik", "04452522A", false),
            ("kpp", "7736AZ001", true),
            ("kpp", "77360100", false),
            ("inn", "7707083893", true),
            ("inn", "77070838931", false),
            ("iban", "de07 5121 0800 1245 1261 62", true),
            ("iban", "07DE5121", false),
            ("swift", "BANKDEFF", true),
            ("swift", "BANKDEFFXXX", true),
            ("swift", "BANKDE0F", false),
            ("swift", "BANKDEFFX", false),
            ("country", "DE", true),
            ("country", "DEU", false),
        ] {
            assert_eq!(has_shape(name, text), fits, "{name} {text}");
        }
    }

    #[test]
    fn what_the_payer_lacks_is_named_by_format() {
        use crate::domain::payout_file::PainVersion;
        let text = |t: &str| Some(t.to_owned());
        let russian = Payer {
            name: text("ООО Ромашка"),
            inn: text("7707083893"),
            account: text("40702810500000001234"),
            bik: text("044525225"),
            ..Payer::default()
        };
        assert_eq!(lacks_of_payer(&russian, FileFormat::ClientBank, &[]), ["correspondent_account", "bank_name"]);
        assert_eq!(lacks_of_payer(&Payer::default(), FileFormat::Pain001(PainVersion::V09), &[]), ["name", "iban"]);
        let wrong = Payer { name: text("Shop"), iban: text("DE07512108001245126162"), bic: text("?"), ..Payer::default() };
        assert_eq!(lacks_of_payer(&wrong, FileFormat::Pain001(PainVersion::V09), &[]), ["bic"]);
        assert_eq!(lacks_of_payer(&Payer::default(), FileFormat::Xlsx, &[]), Vec::<&str>::new());
    }
}
