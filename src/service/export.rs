//! Tables as CSV: for spreadsheets (BOM, `;`) and for programs (`,`); and as a workbook, where numbers are numbers.

use crate::domain::money::Money;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// What a cell of a sheet holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    Whole(i64),
    Number(f64),
    Money(Money),
}

impl Cell {
    /// A value, or nothing.
    pub fn of<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
        value.map_or(Cell::Empty, cell)
    }

    /// As it is written in CSV.
    pub fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Whole(number) => number.to_string(),
            Cell::Number(number) => number.to_string(),
            Cell::Money(money) => money.decimal(),
        }
    }
}

/// Rows under a head; the last may be totals.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    pub name: String,
    pub head: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    pub has_totals: bool,
}

impl Sheet {
    pub fn table(&self) -> Table {
        let mut table = Table::new(&self.head.iter().map(String::as_str).collect::<Vec<_>>());
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(Cell::text).collect();
            table.row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        }
        table
    }
}

/// Sheets as one workbook (Office Open XML). Texts are written as texts, so that none is run as a formula.
///
/// Errors: more rows than a sheet may have, or a name that is no sheet's.
pub fn workbook(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    // The same answer is the same file.
    let no_time = rust_xlsxwriter::ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&rust_xlsxwriter::DocProperties::new().set_author("Tributary").set_creation_datetime(&no_time));
    for sheet in sheets {
        let head = Format::new().set_bold().set_border_bottom(rust_xlsxwriter::FormatBorder::Thin);
        let worksheet = workbook.add_worksheet();
        worksheet.set_name(&sheet.name)?;
        for (column, name) in sheet.head.iter().enumerate() {
            worksheet.write_string_with_format(0, column as u16, name, &head)?;
        }
        for (index, row) in sheet.rows.iter().enumerate() {
            let is_total = sheet.has_totals && index + 1 == sheet.rows.len();
            let style = |number: &str| {
                let style = Format::new().set_num_format(number);
                if is_total { style.set_bold().set_border_top(rust_xlsxwriter::FormatBorder::Thin) } else { style }
            };
            let place = u32::try_from(index + 1).unwrap_or(u32::MAX);
            for (column, cell) in row.iter().enumerate() {
                let column = column as u16;
                match cell {
                    Cell::Empty => worksheet.write_blank(place, column, &style("General"))?,
                    Cell::Text(text) => worksheet.write_string_with_format(place, column, text, &style("@"))?,
                    Cell::Whole(number) => worksheet.write_number_with_format(place, column, *number as f64, &style("#,##0"))?,
                    Cell::Number(number) => worksheet.write_number_with_format(place, column, *number, &style("#,##0.00"))?,
                    Cell::Money(money) => {
                        let decimals = money.currency().decimals();
                        let number =
                            if decimals == 0 { "#,##0".to_owned() } else { format!("#,##0.{}", "0".repeat(decimals as usize)) };
                        // What is written is what is read: a double holds every amount of money there is to two decimals.
                        let value: f64 = money.decimal().parse().unwrap_or_default();
                        worksheet.write_number_with_format(place, column, value, &style(&number))?
                    }
                };
            }
        }
        worksheet.set_freeze_panes(1, 0)?;
        worksheet.autofit();
    }
    workbook.save_to_buffer()
}

/// Rows of text, with a head.
#[derive(Debug, Clone)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Table {
        Table { rows: vec![head.iter().map(|h| (*h).to_owned()).collect()] }
    }

    pub fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|c| defused(c)).collect());
    }

    /// UTF-8 with BOM, `;`, CRLF.
    pub fn spreadsheet(&self) -> Vec<u8> {
        self.spreadsheet_with(b';')
    }

    /// UTF-8 with BOM, CRLF.
    pub fn spreadsheet_with(&self, delimiter: u8) -> Vec<u8> {
        let mut bytes = "\u{feff}".as_bytes().to_vec();
        bytes.extend(self.written(delimiter, csv::Terminator::CRLF));
        bytes
    }

    /// UTF-8, `,`, LF.
    pub fn csv(&self) -> Vec<u8> {
        self.written(b',', csv::Terminator::Any(b'\n'))
    }

    fn written(&self, delimiter: u8, terminator: csv::Terminator) -> Vec<u8> {
        let mut writer =
            csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).flexible(true).from_writer(Vec::new());
        for row in &self.rows {
            // Writing to memory cannot fail, and `flexible` takes rows of any length.
            let _ = writer.write_record(row);
        }
        writer.into_inner().unwrap_or_default()
    }
}

/// A cell that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay as they are.
fn defused(cell: &str) -> String {
    let number = !cell.is_empty() && cell.strip_prefix('-').unwrap_or(cell).bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !number && cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '|', '%']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_numbers_are_not() {
        let mut table = Table::new(&["a", "b"]);
        table.row(&["=1+1", "-5.00"]);
        table.row(&["@SUM(A1)", "a;b"]);
        assert_eq!(String::from_utf8(table.spreadsheet()).unwrap(), "\u{feff}a;b\r\n'=1+1;-5.00\r\n'@SUM(A1);\"a;b\"\r\n");
    }
}
