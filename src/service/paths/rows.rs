//! A line, or the cells of a record, into the sums.

use super::Summed;
use super::head::{Column, Head};
use super::marks::{find_marks, position};
use super::names::{Names, NoText};
use crate::domain::attribution::paths::{Asked, Path, PathModels};

/// Counts above it would not be exact, and sums of many could overflow.
const LARGEST_NUMBER: f64 = 1e15;

/// Why a line was not added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    Wrong {
        column: &'a str,
        detail: String,
    },
    /// It has quotes that only a CSV reader can follow, maybe over several lines.
    NeedsCsv,
}

#[derive(Debug)]
pub(super) struct Rows<'a> {
    head: &'a Head,
    names: Names,
    sums: PathModels,
    steps: Vec<u32>,
    has_direct: bool,
    marks: Vec<u32>,
}

/// The cells of a row that matter.
#[derive(Debug, Clone, Copy, Default)]
struct Cells<'a> {
    path: &'a [u8],
    conversions: &'a [u8],
    value: &'a [u8],
    null: &'a [u8],
}

impl<'a> Cells<'a> {
    fn put(&mut self, column: Column, cell: &'a [u8]) {
        match column {
            Column::Path => self.path = cell,
            Column::Conversions => self.conversions = cell,
            Column::Value => self.value = cell,
            Column::Null => self.null = cell,
            Column::Other => {}
        }
    }
}

impl<'a> Rows<'a> {
    pub fn new(head: &'a Head, asked: &Asked, direct: Option<&str>) -> Rows<'a> {
        let mut names = Names::new();
        // It takes the first number, whether or not the file has it.
        let number = direct.and_then(|direct| names.number(direct.as_bytes()).ok());
        Rows {
            head,
            names,
            sums: PathModels::new(asked, number),
            steps: Vec::new(),
            has_direct: number.is_some(),
            marks: Vec::new(),
        }
    }

    /// Adds whole lines, each with its end, and counts them in `lines`, up to the one that is wrong. `text` goes on for
    /// [`LONGEST_WORD`] bytes after the last of them, at `end`; it is shorter than 4 GiB.
    pub fn add_lines(&mut self, text: &[u8], end: usize, lines: &mut u64) -> Result<(), Trouble<'a>> {
        let mut marks = std::mem::take(&mut self.marks);
        find_marks(&text[..end], self.head.delimiter, &mut marks);
        let mut added = Ok(());
        let (mut begin, mut at) = (0, 0);
        while begin < end && added.is_ok() {
            *lines += 1;
            let next = match self.add_plain_line(text, begin, &marks[at..]) {
                Some(used) => {
                    at += used;
                    marks[at - 1] as usize + 1
                }
                None => {
                    let length = position(&text[begin..end], b'\n').unwrap_or(end - begin);
                    added = self.add_line(&text[begin..begin + length]);
                    at += marks[at..].iter().take_while(|mark| (**mark as usize) <= begin + length).count();
                    begin + length + 1
                }
            };
            begin = next;
        }
        self.marks = marks;
        added
    }

    /// Adds a line without quotes and faults, and says how many marks it took; `None`, and nothing is added, for any other.
    #[inline]
    fn add_plain_line(&mut self, text: &[u8], begin: usize, marks: &[u32]) -> Option<usize> {
        let mut numbers = [0.0; 3];
        let (mut begin, mut used) = (begin, 0);
        let mut last = self.head.delimiter;
        self.steps.clear();
        for column in &self.head.columns {
            if last != self.head.delimiter {
                return None;
            }
            loop {
                let mark = *marks.get(used)? as usize;
                used += 1;
                last = *text.get(mark)?;
                if *column == Column::Path {
                    let (from, to) = trim(text, begin, mark);
                    if from >= to || text[from] == b'"' {
                        return None;
                    }
                    self.steps.push(self.names.number_at(text, from, to).ok()?);
                    begin = mark + 1;
                }
                if last != b'>' {
                    if *column != Column::Path {
                        let cell = text.get(begin..mark)?;
                        let cell = if last == b'\n' { cell.strip_suffix(b"\r").unwrap_or(cell) } else { cell };
                        match column {
                            Column::Path => {}
                            Column::Conversions => numbers[0] = decimal(cell)?,
                            Column::Value => numbers[1] = decimal(cell)?,
                            Column::Null => numbers[2] = decimal(cell)?,
                            Column::Other if cell.first() == Some(&b'"') => return None,
                            Column::Other => {}
                        }
                        begin = mark + 1;
                    }
                    break;
                }
            }
        }
        if last != b'\n' {
            return None;
        }
        let [conversions, value, null] = numbers;
        self.sums.add(Path { steps: &self.steps, conversions, value, null });
        Some(used)
    }

    /// Adds a line, its end left out. An empty one is no row.
    pub fn add_line(&mut self, line: &[u8]) -> Result<(), Trouble<'a>> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(());
        }
        let mut cells = Cells::default();
        let mut rest = Some(line);
        for (index, column) in self.head.columns.iter().enumerate() {
            let Some(text) = rest else { return Err(self.wrong_count(index)) };
            let (cell, after) = self.cell(text)?;
            cells.put(*column, cell);
            rest = after;
        }
        if let Some(rest) = rest {
            return Err(
                self.wrong_count(self.head.columns.len() + 1 + rest.iter().filter(|b| **b == self.head.delimiter).count())
            );
        }
        self.add(cells)
    }

    /// The first cell of a text, and what comes after its delimiter.
    fn cell<'t>(&self, text: &'t [u8]) -> Result<(&'t [u8], Option<&'t [u8]>), Trouble<'a>> {
        let Some(quoted) = text.strip_prefix(b"\"") else {
            return Ok(match position(text, self.head.delimiter) {
                Some(end) => (&text[..end], Some(&text[end + 1..])),
                None => (text, None),
            });
        };
        let end = position(quoted, b'"').ok_or(Trouble::NeedsCsv)?;
        match &quoted[end + 1..] {
            [] => Ok((&quoted[..end], None)),
            [next, rest @ ..] if *next == self.head.delimiter => Ok((&quoted[..end], Some(rest))),
            _ => Err(Trouble::NeedsCsv),
        }
    }

    /// Adds a record.
    pub fn add_cells(&mut self, record: &csv::ByteRecord) -> Result<(), Trouble<'a>> {
        if record.len() != self.head.columns.len() {
            return Err(self.wrong_count(record.len()));
        }
        let mut cells = Cells::default();
        for (column, cell) in self.head.columns.iter().zip(record) {
            cells.put(*column, cell);
        }
        self.add(cells)
    }

    fn wrong_count(&self, found: usize) -> Trouble<'a> {
        let detail = format!("has {found} cells, the head has {}", self.head.columns.len());
        Trouble::Wrong { column: "row", detail }
    }

    fn add(&mut self, cells: Cells<'_>) -> Result<(), Trouble<'a>> {
        self.steps.clear();
        let mut rest = cells.path;
        loop {
            let (step, after) = match position(rest, b'>') {
                Some(end) => (&rest[..end], Some(&rest[end + 1..])),
                None => (rest, None),
            };
            let step = step.trim_ascii();
            if step.is_empty() {
                return Err(self.wrong(Column::Path, "has an empty step".to_owned()));
            }
            match self.names.number(step) {
                Ok(number) => self.steps.push(number),
                Err(NoText) => return Err(self.wrong(Column::Path, "is no UTF-8 text".to_owned())),
            }
            match after {
                Some(after) => rest = after,
                None => break,
            }
        }
        if cells.conversions.trim_ascii().is_empty() {
            return Err(self.wrong(Column::Conversions, "is empty".to_owned()));
        }
        let conversions = self.number(Column::Conversions, cells.conversions)?;
        let value = self.number(Column::Value, cells.value)?;
        let null = self.number(Column::Null, cells.null)?;
        self.sums.add(Path { steps: &self.steps, conversions, value, null });
        Ok(())
    }

    fn number(&self, column: Column, cell: &[u8]) -> Result<f64, Trouble<'a>> {
        match decimal(cell) {
            Some(number) => Ok(number),
            None => self.unusual_number(column, cell.trim_ascii()),
        }
    }

    #[cold]
    fn unusual_number(&self, column: Column, cell: &[u8]) -> Result<f64, Trouble<'a>> {
        if cell.is_empty() {
            return Ok(0.0);
        }
        let told = String::from_utf8_lossy(cell).chars().take(40).collect::<String>();
        match std::str::from_utf8(cell).ok().and_then(|text| text.parse::<f64>().ok()) {
            Some(number) if (0.0..=LARGEST_NUMBER).contains(&number) => Ok(number + 0.0),
            Some(number) if number > LARGEST_NUMBER => Err(self.wrong(column, format!("'{told}' is more than 10^15"))),
            _ => Err(self.wrong(column, format!("'{told}' is not a number from 0 up"))),
        }
    }

    #[cold]
    fn wrong(&self, column: Column, detail: String) -> Trouble<'a> {
        Trouble::Wrong { column: self.head.name_of(column), detail }
    }

    /// Adds what other rows of the same file summed.
    pub fn merge(&mut self, other: &Rows<'_>) {
        // Names come from files that were read: they are text.
        let numbers: Vec<u32> =
            other.names.as_slice().iter().map(|name| self.names.number(name.as_bytes()).unwrap_or_default()).collect();
        self.sums.merge(&other.sums, |channel| numbers[channel as usize]);
    }

    pub fn finish(self) -> Summed {
        Summed { sums: self.sums, channels: self.names.into_names(), has_direct: self.has_direct }
    }
}

/// A span without the spaces around it; mostly there is one at most.
#[inline]
fn trim(text: &[u8], from: usize, to: usize) -> (usize, usize) {
    let from = from + usize::from(text[from] == b' ');
    let to = to - usize::from(to > from && text[to - 1] == b' ');
    if from < to && !text[from].is_ascii_whitespace() && !text[to - 1].is_ascii_whitespace() {
        return (from, to);
    }
    let (from, to) = (from.min(to), to);
    let rest = text[from..to].trim_ascii_start();
    (to - rest.len(), to - rest.len() + rest.trim_ascii_end().len())
}

/// A plain decimal number of up to 15 digits, as `str::parse` would read it: below 2^53 both the digits and the power of ten
/// are exact, so their quotient is rounded once.
#[inline]
fn decimal(cell: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    if cell.is_empty() || cell.len() > 16 {
        return None;
    }
    let (mut digits, mut decimals, mut point) = (0u64, 0, false);
    for byte in cell {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + u64::from(byte - b'0');
                decimals += usize::from(point);
            }
            b'.' if !point => point = true,
            _ => return None,
        }
    }
    if cell.len() == 16 && !point || cell.len() == usize::from(point) {
        return None;
    }
    Some(digits as f64 / POWERS[decimals])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_as_the_standard_library_reads_them() {
        let mut seed = 7u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let digits = (seed >> 14) % 10u64.pow((seed >> 60) as u32 % 15 + 1);
            let mut text = digits.to_string();
            if seed & 3 != 0 {
                text.insert((seed >> 8) as usize % (text.len() + 1), '.');
            }
            if let Some(number) = decimal(text.as_bytes()) {
                assert_eq!(number, text.parse::<f64>().unwrap(), "{text}");
            }
        }
        for text in ["", ".", "-1", "1e3", "1,5", " 1", "1.2.3", "1234567890123456"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decimal(b"3.195"), Some(3.195));
    }
}
