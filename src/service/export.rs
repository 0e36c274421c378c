//! Tables as CSV: for spreadsheets (BOM, `;`) and for programs (`,`).

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
