//! What the lists of the payment services have in common: a limit of rows, and texts that a spreadsheet may open.

use crate::domain::payout_file::{FileError, Payment, TextProblem};

/// The payments of a part, counted from 1; without one, all of them, if they fit one file.
pub fn part_of(payments: Vec<&Payment>, part: Option<usize>, most_rows: usize) -> Result<Vec<&Payment>, FileError> {
    let parts = payments.len().div_ceil(most_rows);
    let part = match part {
        None if parts > 1 => return Err(FileError::Parts { parts, most_rows }),
        None => 1,
        Some(part) => part,
    };
    let wanted = part.checked_sub(1).and_then(|index| payments.chunks(most_rows).nth(index));
    wanted.map(<[&Payment]>::to_vec).ok_or(FileError::NoSuchPart { part, parts })
}

/// The text, unless a spreadsheet would run it: an apostrophe in front would be paid to another name or address.
pub fn written(text: &str, longest: usize) -> Result<String, TextProblem> {
    let text = text.trim();
    if let Some(character) = text.chars().find(|c| c.is_control()) {
        Err(TextProblem::Character { character, set: "a line of CSV" })
    } else if text.starts_with(['=', '+', '-', '@', '|', '%']) {
        Err(TextProblem::Formula)
    } else if text.chars().count() > longest {
        Err(TextProblem::TooLong(longest))
    } else {
        Ok(text.to_owned())
    }
}

/// Rows as CSV with `,` and CRLF.
pub fn csv<const COLUMNS: usize>(rows: impl IntoIterator<Item = [String; COLUMNS]>) -> Result<Vec<u8>, FileError> {
    let unwritable = |error: String| FileError::Unwritable(error);
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(|e| unwritable(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| unwritable(e.to_string()))
}
