//! Path files: aggregated journeys as CSV, summed for the models of `domain::attribution::paths` as they stream past. A
//! file on disk is read in parts, on all cores; the parts depend on its size alone and are added up in their order, so the
//! answer is the same on every machine.

mod head;
mod marks;
mod names;
mod parts;
mod rows;

use crate::domain::attribution::paths::{Asked, PathModels};
use head::Head;
use rows::{Rows, Trouble};
use std::fs::File;
use std::io::BufRead;

/// Why a path file was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {column}: {detail}")]
pub struct PathFault {
    pub line: u64,
    pub column: String,
    pub detail: String,
}

/// What stopped the reading.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    #[error(transparent)]
    Fault(#[from] PathFault),
    #[error(transparent)]
    Read(#[from] std::io::Error),
}

/// The sums over a whole file.
#[derive(Debug)]
pub struct Summed {
    pub sums: PathModels,
    /// The channels by number.
    pub channels: Vec<String>,
    has_direct: bool,
}

impl Summed {
    /// The numbers of the channels that occur, by name.
    pub fn by_name(&self) -> Vec<usize> {
        // A direct channel has the first number, whether it occurs or not.
        let first = usize::from(self.direct_is_missing());
        let mut numbers: Vec<usize> = (first..self.channels.len()).collect();
        numbers.sort_by(|a, b| self.channels[*a].cmp(&self.channels[*b]));
        numbers
    }

    /// Whether a channel was named as direct that no step is.
    pub fn direct_is_missing(&self) -> bool {
        self.has_direct && !self.sums.direct_occurs()
    }
}

/// Sums `path`, `conversions` (or `total_conversions`, required), `value` (or `total_conversion_value`) and `null` (or
/// `total_null`), in any order among other columns; `,` or `;`; steps parted by `>` with or without spaces. `direct` names
/// the channel that is treated as direct, if any.
///
/// # Errors
/// The first row that is wrong, by its line in the file.
pub fn sum_file(file: &File, asked: &Asked, direct: Option<&str>) -> Result<Summed, PathError> {
    let length = file.metadata()?.len();
    match parts::sum(file, length, asked, direct)? {
        Some(summed) => Ok(summed),
        None => {
            use std::io::Seek;
            let mut again = file;
            again.rewind()?;
            sum_stream(std::io::BufReader::with_capacity(1 << 18, again), asked, direct)
        }
    }
}

/// [`sum_file`] for what can be read but once, and for quoted cells that hold quotes or line ends.
///
/// # Errors
/// As [`sum_file`].
pub fn sum_stream(mut source: impl BufRead, asked: &Asked, direct: Option<&str>) -> Result<Summed, PathError> {
    let delimiter = head::delimiter(source.fill_buf()?);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(source);
    let mut record = csv::ByteRecord::new();
    let failed = |e: csv::Error| {
        let line = e.position().map_or(0, csv::Position::line);
        match e.into_kind() {
            csv::ErrorKind::Io(error) => PathError::Read(error),
            _ => fault(line, "row", "is no row of CSV".to_owned()).into(),
        }
    };
    reader.read_byte_record(&mut record).map_err(failed)?;
    let head = Head::of(delimiter, &record)?;
    let mut rows = Rows::new(&head, asked, direct);
    while reader.read_byte_record(&mut record).map_err(failed)? {
        let line = record.position().map_or(0, csv::Position::line);
        rows.add_cells(&record).map_err(|trouble| match trouble {
            Trouble::Wrong { column, detail } => fault(line, column, detail),
            Trouble::NeedsCsv => fault(line, "row", "is no row of CSV".to_owned()),
        })?;
    }
    Ok(rows.finish())
}

fn fault(line: u64, column: &str, detail: String) -> PathFault {
    PathFault { line, column: column.to_owned(), detail }
}

#[cfg(test)]
mod tests;
