//! What advertising cost, as ad platforms export it: tables whose head stands somewhere near the top, in one of several
//! languages and encodings, with totals below. The headings of Yandex Direct, VK Ads, Google Ads and Meta are known; any other
//! table is read by a layout that says which of its columns is what.

mod cells;
mod headings;

pub use cells::{Millionths, decoded};
pub use headings::{CostField, Platform};

use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Which column of a table is what, and what is the same on every line.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CostLayout {
    /// The heading of each field, as it stands in the file.
    pub columns: BTreeMap<CostField, String>,
    pub fixed: BTreeMap<CostField, String>,
}

impl CostLayout {
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.fixed.is_empty()
    }
}

/// A line of an export. An amount is exact, however many decimals the platform writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostLine {
    pub line: u64,
    pub day: NaiveDate,
    pub source: String,
    pub medium: String,
    pub campaign: String,
    pub amount: Millionths,
    pub currency: String,
    pub impressions: i64,
    pub clicks: i64,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostFault {
    pub line: u64,
    /// The column, by our name for it, or by the file's.
    pub column: String,
    pub detail: String,
}

/// A file as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostFile {
    /// Whose export it is, if it is one that is known.
    pub platform: Option<Platform>,
    /// Headings in order, by which the same layout is known again.
    pub head: Vec<String>,
    pub ignored_columns: Vec<String>,
    pub lines: Vec<CostLine>,
}

/// Rows among which the head must stand.
const HEAD_WITHIN: usize = 20;
/// Faults after which a file is given up.
const MOST_FAULTS: usize = 20;

/// A row with its line in the file.
pub type Row = (u64, Vec<String>);

/// Where the head of a table is, whose it is, and where each field stands in it.
struct Head<'a> {
    at: usize,
    cells: &'a [String],
    platform: Option<Platform>,
    columns: BTreeMap<CostField, usize>,
}

/// The headings of the head, if there is one: what a layout is remembered by.
pub fn head_of(rows: &[Row], layout: &CostLayout) -> Option<Vec<String>> {
    find_head(rows, layout).map(|head| head.cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

fn find_head<'a>(rows: &'a [Row], layout: &CostLayout) -> Option<Head<'a>> {
    rows.iter().take(HEAD_WITHIN).enumerate().find_map(|(at, (_, cells))| {
        let platform = Platform::of_head(cells);
        let given = |field: CostField| {
            let wanted = layout.columns.get(&field)?;
            cells.iter().position(|cell| headings::same(cell, wanted))
        };
        let columns: BTreeMap<CostField, usize> = CostField::ALL
            .into_iter()
            .filter(|field| !layout.fixed.contains_key(field))
            .filter_map(|field| Some((field, given(field).or_else(|| headings::find(cells, field))?)))
            .collect();
        let known = |field| columns.contains_key(&field);
        (known(CostField::Date) && known(CostField::Amount)).then_some(Head { at, cells, platform, columns })
    })
}

/// Reads a table by a layout; what that leaves open is read by the headings that are known.
///
/// Errors: there is no head with a day and an amount, a column of the layout is missing, or lines are wrong.
pub fn read(rows: &[Row], layout: &CostLayout) -> Result<CostFile, Vec<CostFault>> {
    let fault = |line, column: &str, detail: String| CostFault { line, column: column.to_owned(), detail };
    let Some(head) = find_head(rows, layout) else {
        let first = rows.first().map_or(1, |(line, _)| *line);
        let missing = [CostField::Date, CostField::Amount].map(|field| {
            let wanted = layout.columns.get(&field).map_or(field.name(), String::as_str);
            fault(first, wanted, "this column is missing".to_owned())
        });
        let has = |field: CostField| rows.iter().take(HEAD_WITHIN).any(|(_, cells)| headings::find(cells, field).is_some());
        let all: Vec<CostFault> = [CostField::Date, CostField::Amount]
            .into_iter()
            .zip(missing)
            .filter(|(field, _)| layout.columns.contains_key(field) || !has(*field))
            .map(|(_, fault)| fault)
            .collect();
        return Err(if all.is_empty() { vec![fault(first, "file", "has no row of headings".to_owned())] } else { all });
    };
    let head_line = rows.get(head.at).map_or(1, |(line, _)| *line);
    let mut faults: Vec<CostFault> = layout
        .columns
        .values()
        .filter(|wanted| !head.cells.iter().any(|cell| headings::same(cell, wanted)))
        .map(|wanted| fault(head_line, wanted, "this column is missing".to_owned()))
        .collect();
    let heading = |field: CostField| head.columns.get(&field).and_then(|at| head.cells.get(*at)).map_or("", String::as_str);
    let fixed = |field: CostField| layout.fixed.get(&field).cloned();
    let currency = fixed(CostField::Currency).or_else(|| headings::currency_in(heading(CostField::Amount)).map(str::to_owned));
    if currency.is_none() && !head.columns.contains_key(&CostField::Currency) {
        faults.push(fault(head_line, "currency", "this column is missing".to_owned()));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let comma_is_decimal =
        head.platform.is_some_and(Platform::writes_commas) || headings::is_cyrillic(heading(CostField::Amount));
    let mut lines = Vec::new();
    for (line, cells) in rows.iter().skip(head.at + 1) {
        let cell = |field: CostField| head.columns.get(&field).and_then(|at| cells.get(*at)).map_or("", |cell| cell.trim());
        if cells.iter().all(|cell| cell.trim().is_empty()) || cells::is_total(cells, cell(CostField::Date)) {
            continue;
        }
        if cells.len() < head.cells.len() && cells.len() == 1 {
            continue;
        }
        let mut wrong = |field: CostField, detail: String| faults.push(fault(*line, field.name(), detail));
        let day = cells::day(cell(CostField::Date)).map_err(|detail| wrong(CostField::Date, detail)).ok();
        if let (Some(day), until) = (day, cell(CostField::Until))
            && !until.is_empty()
            && cells::day(until).is_ok_and(|until| until != day)
        {
            wrong(CostField::Date, format!("runs to {until}: export it day by day"));
        }
        let amount =
            Millionths::read(cell(CostField::Amount), comma_is_decimal).map_err(|detail| wrong(CostField::Amount, detail)).ok();
        let mut count = |field: CostField| {
            let number = Millionths::read(cell(field), comma_is_decimal).ok().and_then(Millionths::whole);
            number.unwrap_or_else(|| {
                wrong(field, format!("'{}' is not a whole number", cell(field).chars().take(40).collect::<String>()));
                0
            })
        };
        let (impressions, clicks) = (count(CostField::Impressions), count(CostField::Clicks));
        let text = |field: CostField| fixed(field).unwrap_or_else(|| cell(field).to_owned());
        let usual = |field: CostField| {
            let text = text(field);
            if text.is_empty() {
                head.platform.and_then(|platform| platform.usual(field)).unwrap_or_default().to_owned()
            } else {
                text
            }
        };
        let of_line = cell(CostField::Currency);
        let currency = if of_line.is_empty() { currency.clone().unwrap_or_default() } else { of_line.to_owned() };
        if faults.len() >= MOST_FAULTS {
            break;
        }
        if let (Some(day), Some(amount)) = (day, amount) {
            lines.push(CostLine {
                line: *line,
                day,
                source: usual(CostField::Source),
                medium: usual(CostField::Medium),
                campaign: text(CostField::Campaign),
                amount,
                currency,
                impressions,
                clicks,
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let used: Vec<usize> = head.columns.values().copied().collect();
    let names = |at: usize| head.cells.get(at).map(|cell| cell.trim().to_owned()).unwrap_or_default();
    Ok(CostFile {
        platform: head.platform,
        head: (0..head.cells.len()).map(names).collect(),
        ignored_columns: (0..head.cells.len())
            .filter(|at| !used.contains(at))
            .map(names)
            .filter(|name| !name.is_empty())
            .collect(),
        lines,
    })
}

#[cfg(test)]
mod tests;
