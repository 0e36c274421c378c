//! Numbers, money and dates as people of each language write them. For showing only: nothing is reckoned here, and an
//! amount's digits are taken from its decimal text, never from a float.

use crate::domain::money::Money;
use crate::domain::time::Period;
use crate::web::language::Language;
use chrono::{DateTime, Datelike, NaiveDate, Utc};

const NBSP: char = '\u{a0}';
const MINUS: &str = "\u{2212}";
/// Where there is no figure.
pub const NONE: &str = "—";

impl Language {
    /// `1 234,50 ₽`, `£1,234.50`; with a true minus.
    pub fn money(self, money: Money) -> String {
        let decimal = money.decimal();
        let (sign, digits) = signed(&decimal);
        let number = self.decimal(digits);
        let code = money.currency().code();
        let symbol = match code {
            "RUB" => "₽",
            "GBP" => "£",
            "EUR" => "€",
            "USD" => "$",
            "JPY" => "¥",
            "KZT" => "₸",
            "UAH" => "₴",
            "INR" => "₹",
            _ => code,
        };
        match self {
            Language::Ru => format!("{sign}{number}{NBSP}{symbol}"),
            Language::En if symbol == code => format!("{sign}{code}{NBSP}{number}"),
            Language::En => format!("{sign}{symbol}{number}"),
        }
    }

    pub fn money_or_none(self, money: Option<Money>) -> String {
        money.map_or_else(|| NONE.to_owned(), |money| self.money(money))
    }

    /// A whole number: `12 345`, `12,345`.
    pub fn whole(self, number: i64) -> String {
        let text = number.to_string();
        let (sign, digits) = signed(&text);
        format!("{sign}{}", self.decimal(digits))
    }

    /// A number with at most so many decimals, without trailing zeros.
    pub fn number(self, number: f64, decimals: usize) -> String {
        let text = format!("{number:.decimals$}");
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        let (sign, digits) = signed(text);
        let sign = if digits == "0" { "" } else { sign };
        format!("{sign}{}", self.decimal(digits))
    }

    pub fn number_or_none(self, number: Option<f64>, decimals: usize) -> String {
        number.map_or_else(|| NONE.to_owned(), |number| self.number(number, decimals))
    }

    /// `12,5 %` of 12.5, `12.5%`.
    pub fn percent(self, percent: f64) -> String {
        let number = self.number(percent, 1);
        match self {
            Language::Ru => format!("{number}{NBSP}%"),
            Language::En => format!("{number}%"),
        }
    }

    pub fn percent_or_none(self, percent: Option<f64>) -> String {
        percent.map_or_else(|| NONE.to_owned(), |percent| self.percent(percent))
    }

    /// A rate that is a decimal text already (`12.5`), as a percentage.
    pub fn percent_of_text(self, percent: &str) -> String {
        match self {
            Language::Ru => format!("{}{NBSP}%", self.decimal(percent)),
            Language::En => format!("{}%", self.decimal(percent)),
        }
    }

    /// `22.11.2026`, `22 Nov 2026`.
    pub fn day(self, day: NaiveDate) -> String {
        match self {
            Language::Ru => day.format("%d.%m.%Y").to_string(),
            Language::En => format!("{}{NBSP}{}{NBSP}{}", day.day(), short_month(day.month()), day.year()),
        }
    }

    /// The same without the year, for the marks of a chart.
    pub fn short_day(self, day: NaiveDate) -> String {
        match self {
            Language::Ru => day.format("%d.%m").to_string(),
            Language::En => format!("{}{NBSP}{}", day.day(), short_month(day.month())),
        }
    }

    /// Day and minute in the merchant's zone.
    pub fn instant(self, zone: chrono_tz::Tz, at: DateTime<Utc>) -> String {
        let local = at.with_timezone(&zone);
        format!("{}{NBSP}{}", self.day(local.date_naive()), local.format("%H:%M"))
    }

    /// `November 2026`, `ноябрь 2026`.
    pub fn month(self, period: Period) -> String {
        const RU: [&str; 12] =
            ["январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь"];
        const EN: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        let names = match self {
            Language::Ru => RU,
            Language::En => EN,
        };
        let day = period.first_day();
        format!("{}{NBSP}{}", names[day.month0() as usize % 12], day.year())
    }

    /// A span of seconds in its two greatest units: `2 d 4 h`, `35 мин`.
    pub fn span(self, seconds: i64) -> String {
        let seconds = seconds.unsigned_abs();
        let [day, hour, minute, second] = match self {
            Language::Ru => ["д", "ч", "мин", "с"],
            Language::En => ["d", "h", "min", "s"],
        };
        let parts =
            [(seconds / 86_400, day), (seconds % 86_400 / 3_600, hour), (seconds % 3_600 / 60, minute), (seconds % 60, second)];
        let first = parts.iter().position(|(n, _)| *n > 0).unwrap_or(3);
        let shown = parts[first..].iter().take(if first < 2 { 2 } else { 1 }).filter(|(n, _)| *n > 0);
        let shown: Vec<String> = shown.map(|(n, unit)| format!("{n}{NBSP}{unit}")).collect();
        if shown.is_empty() { format!("0{NBSP}{second}") } else { shown.join(&NBSP.to_string()) }
    }

    /// Digits of a decimal text with a point, grouped by threes, with this language's marks.
    fn decimal(self, text: &str) -> String {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (group, mark) = match self {
            Language::Ru => (NBSP, ','),
            Language::En => (',', '.'),
        };
        let mut shown = String::with_capacity(text.len() + 8);
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                shown.push(group);
            }
            shown.push(digit);
        }
        if !fraction.is_empty() {
            shown.push(mark);
            shown.push_str(fraction);
        }
        shown
    }
}

/// The sign of a number's text, and its digits.
fn signed(text: &str) -> (&'static str, &str) {
    text.strip_prefix('-').map_or(("", text), |digits| (MINUS, digits))
}

fn short_month(month: u32) -> &'static str {
    const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    NAMES[(month as usize + 11) % 12]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, currency.parse::<Currency>().unwrap())
    }

    #[test]
    fn money_is_written_as_each_language_does() {
        for (minor, currency, ru, en) in [
            (123_450, "RUB", "1 234,50 ₽", "₽1,234.50"),
            (123_450, "GBP", "1 234,50 £", "£1,234.50"),
            (-99, "GBP", "−0,99 £", "−£0.99"),
            (0, "EUR", "0,00 €", "€0.00"),
            (123_456_789, "JPY", "123 456 789 ¥", "¥123,456,789"),
            (-1_000, "KWD", "−1,000 KWD", "−KWD 1.000"),
            (10_000_000, "USD", "100 000,00 $", "$100,000.00"),
        ] {
            let amount = money(minor, currency);
            assert_eq!(Language::Ru.money(amount), ru.replace(' ', "\u{a0}"));
            assert_eq!(Language::En.money(amount), en.replace(' ', "\u{a0}"));
        }
    }

    #[test]
    fn numbers_and_percentages() {
        assert_eq!(Language::Ru.whole(-1_234_567), "−1\u{a0}234\u{a0}567");
        assert_eq!(Language::En.whole(999), "999");
        assert_eq!(Language::En.number(1.0 / 3.0, 2), "0.33");
        assert_eq!(Language::En.number(2.0, 2), "2");
        assert_eq!(Language::En.number(-0.001, 2), "0");
        assert_eq!(Language::En.number(1200.0, 0), "1,200");
        assert_eq!(Language::Ru.percent(12.5), "12,5\u{a0}%");
        assert_eq!(Language::En.percent(-40.04), "−40%");
        assert_eq!(Language::En.percent_or_none(None), "—");
    }

    #[test]
    fn days_months_and_spans() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 2).unwrap();
        assert_eq!(Language::Ru.day(day), "02.11.2026");
        assert_eq!(Language::En.day(day), "2\u{a0}Nov\u{a0}2026");
        assert_eq!(Language::Ru.month(Period::of(day)), "ноябрь\u{a0}2026");
        assert_eq!(Language::En.span(2 * 86_400 + 4 * 3_600 + 59), "2\u{a0}d\u{a0}4\u{a0}h");
        assert_eq!(Language::Ru.span(35 * 60 + 8), "35\u{a0}мин");
        assert_eq!(Language::En.span(0), "0\u{a0}s");
        assert_eq!(Language::En.span(86_400), "1\u{a0}d");
    }
}
