//! Receipts that the self-employed give for what they were paid, from the tax service's «Мой налог».

use crate::domain::money::Money;
use crate::domain::requisites::Inn;
use crate::domain::time::Period;
use chrono::{Datelike, NaiveDate};

/// Where a receipt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptState {
    /// The payment was made; the receipt is missing.
    Asked,
    Received,
    /// The payee took it back: the payment is unconfirmed again, until another one is received.
    Annulled,
}

impl ReceiptState {
    /// Whether the accountant still has to get one.
    pub fn is_missing(self) -> bool {
        match self {
            ReceiptState::Asked | ReceiptState::Annulled => true,
            ReceiptState::Received => false,
        }
    }
}

/// By when the receipt of a bank transfer has to be given: the 9th of the month after the payment (law of 27.11.2018
/// N 422-FZ, article 14, part 3).
pub fn receipt_due(paid_on: NaiveDate) -> NaiveDate {
    let next = Period::of(paid_on).next().first_day();
    next.with_day(9).unwrap_or(next)
}

/// Why a receipt was refused; `pointer` says of which field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    #[error("is required, or a link that holds it")]
    NoNumber,
    #[error("is no receipt's number: 1 to 40 Latin letters, digits and '-'")]
    Number,
    #[error("is no address of the tax service, like https://lknpd.nalog.ru/api/v1/receipt/500100732259/200abc/print")]
    Link,
    #[error("is of the receipt {0}")]
    LinkOfAnother(String),
    #[error("is of the INN {link}, the payee's is {payee}")]
    LinkOfAnotherInn { link: String, payee: String },
    #[error("is {given}, the payment was {paid}")]
    Amount { given: Money, paid: Money },
    #[error("is in the future")]
    Future,
    #[error("is before the year of the payment")]
    Past,
}

impl ReceiptError {
    pub fn pointer(&self) -> &'static str {
        match self {
            ReceiptError::NoNumber | ReceiptError::Number => "/number",
            ReceiptError::Link | ReceiptError::LinkOfAnother(_) | ReceiptError::LinkOfAnotherInn { .. } => "/link",
            ReceiptError::Amount { .. } => "/amount",
            ReceiptError::Future | ReceiptError::Past => "/date",
        }
    }
}

/// A receipt as it was given, found to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenReceipt {
    pub number: String,
    pub link: Option<String>,
    pub date: NaiveDate,
}

impl GivenReceipt {
    /// Checks what was typed against the payment. The number may come with the link alone; an empty text is none.
    pub fn check(
        number: &str,
        link: &str,
        date: NaiveDate,
        amount: Money,
        payment: (Money, NaiveDate, Option<&Inn>),
        today: NaiveDate,
    ) -> Result<GivenReceipt, ReceiptError> {
        let (paid, paid_on, inn) = payment;
        let (number, link) = (number.trim(), link.trim());
        let read = if link.is_empty() { None } else { Some(Link::read(link)?) };
        let in_link = read.as_ref().and_then(|l| l.number.as_deref());
        let number = match (number, in_link) {
            ("", None) => return Err(ReceiptError::NoNumber),
            ("", Some(known)) => known,
            (typed, Some(known)) if !typed.eq_ignore_ascii_case(known) => {
                return Err(ReceiptError::LinkOfAnother(known.to_owned()));
            }
            (typed, _) => typed,
        };
        if number.len() > 40 || !number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(ReceiptError::Number);
        }
        if let (Some(of_link), Some(payee)) = (read.as_ref().and_then(|l| l.inn.clone()), inn.map(Inn::to_string))
            && of_link != payee
        {
            return Err(ReceiptError::LinkOfAnotherInn { link: of_link, payee });
        }
        if amount != paid {
            return Err(ReceiptError::Amount { given: amount, paid });
        }
        if date > today {
            return Err(ReceiptError::Future);
        }
        if date.year() < paid_on.year() {
            return Err(ReceiptError::Past);
        }
        Ok(GivenReceipt { number: number.to_owned(), link: (!link.is_empty()).then(|| link.to_owned()), date })
    }
}

/// `https://lknpd.nalog.ru/api/v1/receipt/{INN}/{number}/print`; other addresses of the tax service say neither.
struct Link {
    inn: Option<String>,
    number: Option<String>,
}

impl Link {
    fn read(text: &str) -> Result<Link, ReceiptError> {
        let url = url::Url::parse(text).map_err(|_| ReceiptError::Link)?;
        let host = url.host_str().unwrap_or_default();
        let of_tax_service = host == "nalog.ru" || host.ends_with(".nalog.ru");
        let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
        if url.scheme() != "https" || !of_tax_service || !plain || text.len() > 500 {
            return Err(ReceiptError::Link);
        }
        let segments: Vec<&str> = url.path_segments().into_iter().flatten().collect();
        let place = segments.iter().position(|s| *s == "receipt");
        let after = |n: usize| place.and_then(|p| segments.get(p + n)).filter(|s| !s.is_empty()).map(|s| (*s).to_owned());
        Ok(Link { inn: after(1), number: after(2) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn a_receipt_is_due_on_the_ninth_of_the_next_month() {
        for (paid, due) in [("2026-11-30", "2026-12-09"), ("2026-12-01", "2027-01-09")] {
            assert_eq!(receipt_due(paid.parse().unwrap()), due.parse::<NaiveDate>().unwrap());
        }
    }

    #[test]
    fn a_receipt_is_held_against_its_payment() {
        let inn: Inn = "005826107187".parse().unwrap();
        let paid = Money::new(1_000_00, Currency::RUB);
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let check = |number: &str, link: &str, date: &str, minor: i64| {
            let payment = (paid, day("2026-11-30"), Some(&inn));
            GivenReceipt::check(number, link, day(date), Money::new(minor, Currency::RUB), payment, day("2026-12-05"))
        };
        let link = "https://lknpd.nalog.ru/api/v1/receipt/005826107187/200abc12d/print";
        assert_eq!(check("", link, "2026-12-01", 1_000_00).unwrap().number, "200abc12d");
        assert_eq!(check("200ABC12D", link, "2026-12-01", 1_000_00).unwrap().number, "200ABC12D");
        assert_eq!(check("x1", "", "2026-11-30", 1_000_00).unwrap().link, None);
        for (number, link, date, minor, pointer) in [
            ("", "", "2026-12-01", 1_000_00, "/number"),
            ("a b", "", "2026-12-01", 1_000_00, "/number"),
            ("other", link, "2026-12-01", 1_000_00, "/link"),
            ("", "https://lknpd.nalog.ru/api/v1/receipt/500100732259/200abc12d/print", "2026-12-01", 1_000_00, "/link"),
            ("x", "https://nalog.ru.evil.example/receipt/1/x/print", "2026-12-01", 1_000_00, "/link"),
            ("x", "http://lknpd.nalog.ru/", "2026-12-01", 1_000_00, "/link"),
            ("x", "javascript:alert(1)", "2026-12-01", 1_000_00, "/link"),
            ("x", "", "2026-12-01", 999_99, "/amount"),
            ("x", "", "2026-12-06", 1_000_00, "/date"),
            ("x", "", "2025-12-31", 1_000_00, "/date"),
        ] {
            assert_eq!(check(number, link, date, minor).unwrap_err().pointer(), pointer, "{number} {link} {date}");
        }
    }
}
