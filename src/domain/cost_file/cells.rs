//! Bytes to text, and cells to days and numbers.

use chrono::NaiveDate;

/// An exact decimal with six places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Millionths(pub i128);

impl Millionths {
    /// Reads `1234.56`, `1 234,56`, `1,234.56 ₽`; nothing, `-` and `--` are 0.
    pub fn read(text: &str, comma_is_decimal: bool) -> Result<Millionths, String> {
        let wrong = || format!("'{}' is not a number", text.chars().take(40).collect::<String>());
        let bare: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{202f}' | '\'' | '₽' | '$' | '€' | '₸'))
            .collect();
        let bare = bare.trim_end_matches("руб.").trim_end_matches("RUB");
        if matches!(bare, "" | "-" | "--" | "—") {
            return Ok(Millionths(0));
        }
        let commas = bare.matches(',').count();
        // The mark that comes last parts the decimals; a comma that stands alone is one or the other by the file.
        let plain = match (bare.rfind(','), bare.rfind('.')) {
            (Some(comma), Some(point)) if comma > point => bare.replace('.', "").replace(',', "."),
            (Some(_), Some(_)) => bare.replace(',', ""),
            (Some(_), None) if comma_is_decimal && commas == 1 => bare.replace(',', "."),
            (Some(comma), None) if commas == 1 && bare.len() - comma - 1 != 3 => bare.replace(',', "."),
            (Some(_), None) => bare.replace(',', ""),
            (None, _) => bare.to_owned(),
        };
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        if whole.is_empty()
            || whole.len() > 15
            || fraction.len() > 6
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return Err(wrong());
        }
        format!("{whole}{fraction:0<6}").parse().map(Millionths).map_err(|_| wrong())
    }

    pub fn whole(self) -> Option<i64> {
        if self.0 % 1_000_000 == 0 { i64::try_from(self.0 / 1_000_000).ok() } else { None }
    }

    /// In minor units of a currency of so many decimals, rounded half to even.
    pub fn minor(self, decimals: u32) -> Option<i64> {
        crate::domain::money::divide_half_even(self.0 * 10_i128.pow(decimals), 1_000_000)
    }
}

/// A day as exports write it: `2026-11-22`, `22.11.2026`, `20261122`.
pub fn day(text: &str) -> Result<NaiveDate, String> {
    let found =
        ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d/%m/%Y"].iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok());
    found
        .filter(|day| (1970..=9998).contains(&chrono::Datelike::year(day)))
        .ok_or_else(|| "must be a day like 2026-11-22".to_owned())
}

/// Whether a row sums others up: it says so, or has no day.
pub fn is_total(cells: &[String], day: &str) -> bool {
    const WORDS: [&str; 6] = ["всего", "итого", "total", "totals", "итог", "результаты"];
    let says_so = |cell: &String| {
        let folded = cell.trim().to_lowercase();
        let word = folded.split([' ', ':', ',']).next().unwrap_or_default();
        WORDS.contains(&word)
    };
    cells.first().is_some_and(says_so)
        || (super::cells::day(day).is_err() && (day.is_empty() || says_so(&day.to_owned())) && cells.iter().any(says_so))
}

/// Text out of bytes: UTF-8 or UTF-16 by its mark, else UTF-8, else windows-1251.
pub fn decoded(bytes: &[u8]) -> String {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1251.decode(bytes).0.into_owned(),
    }
}
