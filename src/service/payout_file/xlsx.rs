//! A workbook: the payments, their totals, and a sheet for each partner with what its payment is made of. Amounts are
//! numbers and days are dates; every text is written as a text, so that none is run as a formula.

use super::PaymentParts;
use super::csv::requisites;
use crate::domain::money::{Currency, Money};
use crate::domain::payout_file::{FileError, Payment, PaymentBatch, PaymentPart};
use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};
use std::collections::{BTreeMap, HashSet};

/// Rows of a sheet that Excel reads.
const MOST_ROWS: usize = 1_048_576;
/// UTF-16 units of a cell.
const LONGEST_CELL: usize = 32_767;
/// UTF-16 units of a sheet's name.
const LONGEST_SHEET_NAME: usize = 31;

impl From<XlsxError> for FileError {
    fn from(error: XlsxError) -> FileError {
        FileError::Unwritable(error.to_string())
    }
}

pub fn render(batch: &PaymentBatch, payments: &[&Payment], parts: &PaymentParts) -> Result<Vec<u8>, FileError> {
    render_with(batch, payments, parts, MOST_ROWS)
}

/// [`render`] with fewer rows a sheet.
pub(super) fn render_with(
    batch: &PaymentBatch,
    payments: &[&Payment],
    parts: &PaymentParts,
    most_rows: usize,
) -> Result<Vec<u8>, FileError> {
    let mut book =
        Book { workbook: Workbook::new(), names: SheetNames::default(), styles: Styles::of(batch.currency), most_rows };
    let properties = DocProperties::new()
        .set_title(format!("{} {}", batch.run, batch.period))
        .set_author("Tributary")
        .set_creation_datetime(&batch.built_at);
    book.workbook.set_properties(&properties);
    book.payments(batch, payments)?;
    book.totals(batch, payments, parts)?;
    for payment in payments {
        if let Some(parts) = parts.get(&payment.partner) {
            book.partner(batch.currency, payment, parts)?;
        }
    }
    Ok(book.workbook.save_to_buffer()?)
}

struct Styles {
    head: Format,
    amount: Format,
    total: Format,
    day: Format,
    instant: Format,
}

impl Styles {
    fn of(currency: Currency) -> Styles {
        let decimals = match currency.decimals() {
            0 => "#,##0".to_owned(),
            decimals => format!("#,##0.{}", "0".repeat(decimals as usize)),
        };
        Styles {
            head: Format::new().set_bold(),
            total: Format::new().set_bold().set_num_format(&decimals),
            amount: Format::new().set_num_format(decimals),
            day: Format::new().set_num_format("yyyy-mm-dd"),
            instant: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

struct Book {
    workbook: Workbook,
    names: SheetNames,
    styles: Styles,
    most_rows: usize,
}

impl Book {
    /// The payments, on as many sheets as they need; the total closes the last one.
    fn payments(&mut self, batch: &PaymentBatch, payments: &[&Payment]) -> Result<(), FileError> {
        const HEAD: [&str; 9] = ["No.", "Payment", "Partner", "Name", "E-mail", "Method", "Requisites", "Amount", "Currency"];
        const AMOUNT: u16 = 7;
        let sheets = payments.chunks(self.most_rows.saturating_sub(2).max(1));
        let last = sheets.len();
        for (index, chunk) in sheets.enumerate() {
            let mut sheet = self.sheet("Payments", &HEAD, &[6, 16, 10, 32, 28, 10, 60, 16, 9])?;
            let mut row = 1;
            for payment in chunk {
                // A number of this size is exact.
                sheet.write_number(row, 0, payment.number as f64)?;
                for (column, text) in [
                    (1, payment.end_to_end_id.as_str()),
                    (2, &payment.partner.to_string()),
                    (3, &payment.partner_name),
                    (4, payment.partner_email.as_deref().unwrap_or("")),
                    (5, &payment.method_text),
                    (6, &requisites(payment)),
                    (8, batch.currency.code()),
                ] {
                    sheet.write_string(row, column, cell(text))?;
                }
                write_amount(&mut sheet, row, AMOUNT, Money::new(payment.amount_minor, batch.currency), &self.styles.amount)?;
                row += 1;
            }
            if index + 1 == last {
                let total: i64 = payments.iter().map(|p| p.amount_minor).sum();
                sheet.write_string_with_format(row, 0, "Total", &self.styles.head)?;
                write_amount(&mut sheet, row, AMOUNT, Money::new(total, batch.currency), &self.styles.total)?;
                sheet.write_string(row, 8, batch.currency.code())?;
            }
            self.workbook.push_worksheet(sheet);
        }
        Ok(())
    }

    fn totals(&mut self, batch: &PaymentBatch, payments: &[&Payment], parts: &PaymentParts) -> Result<(), FileError> {
        let mut sheet = self.sheet("Totals", &["Payout run", "", ""], &[28, 12, 18])?;
        sheet.write_string(0, 1, batch.run.to_string())?;
        sheet.write_string(1, 0, "Period")?;
        sheet.write_string(1, 1, batch.period.to_string())?;
        sheet.write_string(2, 0, "Currency")?;
        sheet.write_string(2, 1, batch.currency.code())?;
        sheet.write_string(3, 0, "Built (UTC)")?;
        sheet.write_datetime_with_format(3, 1, batch.built_at.naive_utc(), &self.styles.instant)?;
        for (column, name) in ["Method", "Payments", "Amount"].into_iter().enumerate() {
            sheet.write_string_with_format(5, column as u16, name, &self.styles.head)?;
        }
        let mut by_method: BTreeMap<&str, (usize, i64)> = BTreeMap::new();
        for payment in payments {
            let sum = by_method.entry(&payment.method_text).or_default();
            *sum = (sum.0 + 1, sum.1 + payment.amount_minor);
        }
        let total = (payments.len(), payments.iter().map(|p| p.amount_minor).sum());
        let rows = by_method.into_iter().map(|(method, sum)| (method, sum, &self.styles.amount));
        let mut row = 6;
        for (name, (count, minor), style) in rows.chain([("Total", total, &self.styles.total)]) {
            sheet.write_string(row, 0, cell(name))?;
            sheet.write_number(row, 1, count as f64)?;
            write_amount(&mut sheet, row, 2, Money::new(minor, batch.currency), style)?;
            row += 1;
        }
        if parts.is_empty() {
            sheet.write_string(row + 1, 0, "Too many partners for a sheet each: see the statement of each partner.")?;
        }
        self.workbook.push_worksheet(sheet);
        Ok(())
    }

    /// What one payment is made of; what came before the oldest shown movement makes up the difference.
    fn partner(&mut self, currency: Currency, payment: &Payment, parts: &[PaymentPart]) -> Result<(), FileError> {
        const HEAD: [&str; 4] = ["Day", "What", "Order", "Amount"];
        const AMOUNT: u16 = 3;
        let known: i64 = parts.iter().map(|p| p.amount_minor).sum();
        let sheets = parts.chunks(self.most_rows.saturating_sub(3).max(1)).collect::<Vec<_>>();
        let sheets = if sheets.is_empty() { vec![parts] } else { sheets };
        let last = sheets.len();
        for (index, chunk) in sheets.into_iter().enumerate() {
            let mut sheet = self.sheet(&payment.partner_name, &HEAD, &[12, 16, 32, 16])?;
            let mut row = 1;
            for part in chunk {
                sheet.write_date_with_format(row, 0, part.day, &self.styles.day)?;
                sheet.write_string(row, 1, cell(&part.what))?;
                sheet.write_string(row, 2, cell(part.order.as_deref().unwrap_or("")))?;
                write_amount(&mut sheet, row, AMOUNT, Money::new(part.amount_minor, currency), &self.styles.amount)?;
                row += 1;
            }
            if index + 1 == last {
                if known != payment.amount_minor {
                    let rest = Money::new(payment.amount_minor - known, currency);
                    sheet.write_string(row, 1, "carried over")?;
                    write_amount(&mut sheet, row, AMOUNT, rest, &self.styles.amount)?;
                    row += 1;
                }
                sheet.write_string_with_format(row, 0, "Total", &self.styles.head)?;
                write_amount(&mut sheet, row, AMOUNT, Money::new(payment.amount_minor, currency), &self.styles.total)?;
            }
            self.workbook.push_worksheet(sheet);
        }
        Ok(())
    }

    fn sheet(&mut self, name: &str, head: &[&str], widths: &[u8]) -> Result<Worksheet, FileError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(self.names.free(name))?;
        for (column, (title, width)) in head.iter().zip(widths).enumerate() {
            sheet.set_column_width(column as u16, *width)?;
            sheet.write_string_with_format(0, column as u16, *title, &self.styles.head)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(sheet)
    }
}

/// A cell's number is binary and shows 15 digits: an amount that has more stays a text.
fn write_amount(sheet: &mut Worksheet, row: u32, column: u16, amount: Money, style: &Format) -> Result<(), FileError> {
    const MOST_DIGITS: u64 = 1_000_000_000_000_000;
    let decimal = amount.decimal();
    match decimal.parse::<f64>() {
        Ok(number) if amount.minor().unsigned_abs() < MOST_DIGITS => {
            sheet.write_number_with_format(row, column, number, style)?;
        }
        _ => {
            sheet.write_string_with_format(row, column, decimal, style)?;
        }
    }
    Ok(())
}

/// A text that XML and Excel take.
fn cell(text: &str) -> String {
    let allowed =
        |c: char| if (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    cut(&text.chars().map(allowed).collect::<String>(), LONGEST_CELL)
}

/// The beginning of a text, of so many UTF-16 units.
fn cut(text: &str, units: usize) -> String {
    let mut left = units;
    text.chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        })
        .collect()
}

/// The names in use. Excel holds names that differ only in case to be the same.
#[derive(Default)]
struct SheetNames(HashSet<String>);

impl SheetNames {
    /// A name like the wanted one that Excel takes and that is free.
    fn free(&mut self, wanted: &str) -> String {
        let allowed = |c: char| if "*?:[]\\/".contains(c) { '_' } else { c };
        let wanted: String = cell(wanted).chars().map(|c| if c.is_control() { ' ' } else { allowed(c) }).collect();
        let is_edge = |c: char| c == '\'' || c.is_whitespace();
        let wanted = Some(wanted.trim_matches(is_edge)).filter(|name| !name.is_empty()).unwrap_or("Partner");
        for count in 1_usize.. {
            let suffix = if count == 1 { String::new() } else { format!(" ({count})") };
            let name = cut(wanted, LONGEST_SHEET_NAME - suffix.len());
            let name = format!("{}{suffix}", name.trim_end_matches(is_edge));
            if !name.eq_ignore_ascii_case("history") && self.0.insert(name.to_lowercase()) {
                return name;
            }
        }
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sheets_are_short_allowed_and_told_apart() {
        let mut names = SheetNames::default();
        let long = "Общество с ограниченной ответственностью";
        for (wanted, given) in [
            ("Anna", "Anna"),
            ("ANNA", "ANNA (2)"),
            ("anna", "anna (3)"),
            ("a/b\\c[d]:e*f?", "a_b_c_d__e_f_"),
            ("'quoted'", "quoted"),
            ("''", "Partner"),
            ("History", "History (2)"),
            (long, "Общество с ограниченной ответст"),
            (long, "Общество с ограниченной отв (2)"),
            ("🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔", "🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔🦔"),
        ] {
            assert_eq!(names.free(wanted), given);
        }
    }
}
