//! Rates as CSV. Wide, as the ECB has them: a column for each currency. Long, as the Bank of Russia's table: a row for each.

use super::{MOST_PROBLEMS, Problems, RateFile, cbr, ecb, known, problem, read_day};
use chrono::NaiveDate;

const DATE: &[&str] = &["date", "day", "data", "дата"];
const CODE: &[&str] = &["charcode", "currency", "букв. код", "буквенный код", "код валюты"];
const UNITS: &[&str] = &["nominal", "units", "единиц", "номинал", "кол-во ед."];
const VALUE: &[&str] = &["value", "rate", "curs", "курс"];

pub(super) fn read(text: &str, day: Option<NaiveDate>) -> Result<RateFile, Problems> {
    // The reader counts lines by `\n`, and is one behind after `\r\n`.
    let text = text.replace("\r\n", "\n");
    let head = text.lines().next().unwrap_or_default();
    let count = |wanted: char| head.chars().filter(|c| *c == wanted).count();
    let delimiter = [';', ',', '\t'].into_iter().max_by_key(|d| (count(*d), *d == ';')).unwrap_or(';');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter as u8).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let head = reader.headers().map_err(|e| vec![problem(1, "file", e)])?.clone();
    let at = |names: &[&str]| head.iter().position(|cell| names.contains(&cell.to_lowercase().as_str()));
    let is_code = |cell: &str| cell.len() == 3 && cell.bytes().all(|b| b.is_ascii_uppercase());
    let wide: Vec<(usize, &str)> = head.iter().enumerate().filter(|(_, cell)| is_code(cell)).collect();
    let columns = match (at(DATE), at(CODE), at(VALUE)) {
        (Some(date), None, _) if !wide.is_empty() => Columns::Wide { date, of: wide },
        (date, Some(code), Some(value)) => match date.map(Day::In).or(day.map(Day::Is)) {
            Some(day) => Columns::Long { day, code, units: at(UNITS), value },
            None => return Err(vec![problem(1, "date", "is missing: say --date 2026-11-28 for a table without one")]),
        },
        (_, code, value) => {
            let missing =
                |found: Option<usize>, column: &str| found.is_none().then(|| problem(1, column, "the column is missing"));
            return Err([missing(code, "currency"), missing(value, "rate")].into_iter().flatten().collect());
        }
    };
    let mut file = RateFile::default();
    let mut problems = Problems::new();
    let mut record = csv::StringRecord::new();
    while problems.len() < MOST_PROBLEMS {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                problems.push(problem(line, "row", error));
                break;
            }
        }
        let line = record.position().map_or(line, csv::Position::line);
        if !record.iter().all(str::is_empty) {
            columns.take(&record, line, &mut file, &mut problems);
        }
    }
    if problems.is_empty() { Ok(file) } else { Err(problems) }
}

enum Day {
    In(usize),
    Is(NaiveDate),
}

enum Columns<'a> {
    Wide { date: usize, of: Vec<(usize, &'a str)> },
    Long { day: Day, code: usize, units: Option<usize>, value: usize },
}

impl Columns<'_> {
    fn take(&self, record: &csv::StringRecord, line: u64, file: &mut RateFile, problems: &mut Problems) {
        let cell = |index: usize| record.get(index).unwrap_or_default();
        let before = problems.len();
        let mut wrong = |column: &str, detail: String| problems.push(problem(line, column, detail));
        match self {
            Columns::Wide { date, of } => {
                let Ok(day) = read_day(cell(*date)).map_err(|e| wrong("date", e)) else { return };
                for (index, code) in of {
                    let value = cell(*index);
                    // Days on which a currency was not quoted.
                    if matches!(value, "" | "N/A" | "-") {
                        continue;
                    }
                    match ecb(day, (code, value), &mut wrong) {
                        Some(rate) => file.rates.push((line, rate)),
                        None if known(code).is_none() => drop(file.ignored.insert((*code).to_owned())),
                        None => {}
                    }
                }
            }
            Columns::Long { day, code, units, value } => {
                let day = match day {
                    Day::Is(day) => Ok(*day),
                    Day::In(index) => read_day(cell(*index)).map_err(|e| wrong("date", e)),
                };
                let Ok(day) = day else { return };
                let code = cell(*code);
                if !(code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic())) {
                    return wrong(
                        "currency",
                        format!("'{}' is no code of three letters", code.chars().take(40).collect::<String>()),
                    );
                }
                let code = code.to_ascii_uppercase();
                let units = units.map_or("1", |index| cell(index));
                match cbr(day, (&code, units, cell(*value)), &mut wrong) {
                    Some(rate) => file.rates.push((line, rate)),
                    None if problems.len() == before && known(&code).is_none() => drop(file.ignored.insert(code)),
                    None => {}
                }
            }
        }
    }
}
