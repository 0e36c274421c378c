//! The first line: which column is what.

use super::{PathFault, fault};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Path,
    Conversions,
    Value,
    Null,
    Other,
}

#[derive(Debug)]
pub(super) struct Head {
    pub delimiter: u8,
    pub columns: Vec<Column>,
    /// As the file writes them, for faults.
    names: Vec<String>,
}

/// `;` if the first line has one, else `,`.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let first = text.split(|b| *b == b'\n').next().unwrap_or_default();
    if first.contains(&b';') { b';' } else { b',' }
}

impl Head {
    pub fn of(delimiter: u8, record: &csv::ByteRecord) -> Result<Head, PathFault> {
        let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim_start_matches('\u{feff}').trim().to_owned();
        let mut head = Head { delimiter, columns: Vec::new(), names: record.iter().map(name).collect() };
        for name in &head.names {
            let column = match name.to_ascii_lowercase().as_str() {
                "path" => Column::Path,
                "conversions" | "total_conversions" => Column::Conversions,
                "value" | "total_conversion_value" => Column::Value,
                "null" | "total_null" => Column::Null,
                _ => Column::Other,
            };
            if column != Column::Other && head.columns.contains(&column) {
                return Err(fault(1, name, "there are two such columns".to_owned()));
            }
            head.columns.push(column);
        }
        for (column, name) in [(Column::Path, "path"), (Column::Conversions, "conversions")] {
            if !head.columns.contains(&column) {
                return Err(fault(1, name, "this column is missing".to_owned()));
            }
        }
        Ok(head)
    }

    /// The first line of a file, without its end.
    pub fn read(line: &[u8]) -> Result<Head, PathFault> {
        let delimiter = delimiter(line);
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(line);
        let mut record = csv::ByteRecord::new();
        reader.read_byte_record(&mut record).map_err(|_| fault(1, "row", "is no row of CSV".to_owned()))?;
        Head::of(delimiter, &record)
    }

    pub fn name_of(&self, column: Column) -> &str {
        let index = self.columns.iter().position(|c| *c == column);
        index.and_then(|index| self.names.get(index)).map_or("row", String::as_str)
    }
}
