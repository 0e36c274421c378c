//! Path files: aggregated journeys as CSV, read for the models of `domain::attribution::paths`.

use crate::domain::attribution::paths::Path;
use std::io::Read;

/// Why a path file was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {column}: {detail}")]
pub struct PathFault {
    pub line: u64,
    pub column: String,
    pub detail: String,
}

/// Reads `path`, `conversions` (or `total_conversions`, required), `value` (or `total_conversion_value`) and `null` (or
/// `total_null`); `,` or `;`; steps parted by `>` with or without spaces. Rows are kept as they come.
pub fn read(mut source: impl Read) -> Result<Vec<Path>, PathFault> {
    let fault = |line, column: &str, detail: String| PathFault { line, column: column.to_owned(), detail };
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|e| fault(1, "file", e.to_string()))?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let head_line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let delimiter = if head_line.contains(&b';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let head = reader.headers().map_err(|e| fault(1, "file", e.to_string()))?.clone();
    let find = |names: [&str; 2]| head.iter().position(|h| names.iter().any(|n| h.trim().eq_ignore_ascii_case(n)));
    let path = find(["path", "path"]).ok_or_else(|| fault(1, "path", "this column is missing".to_owned()))?;
    let conversions = find(["conversions", "total_conversions"]);
    let conversions = conversions.ok_or_else(|| fault(1, "conversions", "this column is missing".to_owned()))?;
    let value = find(["value", "total_conversion_value"]);
    let null = find(["null", "total_null"]);
    let mut paths = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| fault(e.position().map_or(0, csv::Position::line), "row", e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |index: Option<usize>, column: &str| match index.and_then(|i| record.get(i)).map(str::trim) {
            None | Some("") => Ok(0.0),
            Some(text) => {
                let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
                number.ok_or_else(|| fault(line, column, format!("'{text}' is not a number from 0 up")))
            }
        };
        let steps: Vec<String> = record.get(path).unwrap_or_default().split('>').map(|s| s.trim().to_owned()).collect();
        if steps.iter().any(String::is_empty) {
            return Err(fault(line, "path", "has an empty step".to_owned()));
        }
        paths.push(Path {
            steps,
            conversions: number(Some(conversions), "conversions")?,
            value: number(value, "value")?,
            null: number(null, "null")?,
        });
    }
    Ok(paths)
}
