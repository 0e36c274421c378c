//! Costs out of an ad platform's export. How a table was read is remembered by its head, so that the next file of the same
//! layout needs no explanation; lines of the same day and campaign are added up, and take the place of what was there.

use super::{ImportError, ImportProblem, Imported};
use crate::domain::cost_file::{self, CostFault, CostField, CostLayout, CostLine, Millionths, Row};
use crate::domain::money::{Currency, Money};
use crate::service::Context;
use crate::service::catalog::{self, CostInput};
use crate::service::input::DecimalInput;
use crate::store::{Tx, audit, settings};
use std::collections::{BTreeMap, HashMap};

/// The setting that holds the layouts, by the heads of the tables that they were given for.
const LAYOUTS: &str = "cost_layouts";

/// Takes an export in, within the caller's transaction: commit it only on `Ok`. `given` is what of its layout is told; it is
/// remembered with it.
pub async fn import_costs(
    tx: &mut Tx,
    context: &Context,
    bytes: &[u8],
    given: &CostLayout,
) -> std::result::Result<Imported, ImportError> {
    let rows = rows_of(bytes).map_err(|fault| refused(vec![fault]))?;
    let layouts = layouts(tx).await?;
    let layout = match cost_file::head_of(&rows, given) {
        Some(head) if given.is_empty() => layouts.get(&key_of(&head)).cloned().unwrap_or_default(),
        Some(_) => given.clone(),
        // A remembered layout may be the only one that finds the head.
        None => {
            layouts.values().find(|layout| cost_file::head_of(&rows, layout).is_some()).cloned().unwrap_or_else(|| given.clone())
        }
    };
    let file = cost_file::read(&rows, &layout).map_err(refused)?;
    let mut done =
        Imported { ignored_columns: file.ignored_columns.clone(), rows: file.lines.len() as u64, ..Imported::default() };
    done.layout = file.platform.map(|platform| platform.name().to_owned());
    for (line, input) in added_up(&file.lines).map_err(refused)? {
        match catalog::replace_cost(tx, "", &input).await {
            Ok(_) => done.new += 1,
            Err(error) => return Err(ImportError::Refused(super::problems_of(error, line, "row")?)),
        }
    }
    if !given.is_empty() {
        let mut layouts = layouts;
        layouts.insert(key_of(&file.head), given.clone());
        let text = serde_json::to_string(&layouts).map_err(|error| crate::store::Error::Unreadable(error.to_string()))?;
        settings::set(tx, LAYOUTS, &text).await?;
        let detail = serde_json::json!({ "head": file.head, "layout": given });
        audit::record(tx, &context.actor, "cost_layout.remember", LAYOUTS, &detail, context.at()).await?;
    }
    Ok(done)
}

/// The layout that `renamed` (our columns by the file's) and `fixed` tell.
pub fn layout_of(
    renamed: &HashMap<String, String>,
    fixed: &HashMap<String, String>,
) -> std::result::Result<CostLayout, ImportError> {
    let mut problems = Vec::new();
    let mut fields = |told: &HashMap<String, String>| -> BTreeMap<CostField, String> {
        let mut fields = BTreeMap::new();
        for (name, value) in told {
            match name.parse::<CostField>() {
                Ok(field) => {
                    fields.insert(field, value.clone());
                }
                Err(detail) => problems.push(ImportProblem { line: 1, column: name.clone(), detail }),
            }
        }
        fields
    };
    let layout = CostLayout { columns: fields(renamed), fixed: fields(fixed) };
    if problems.is_empty() { Ok(layout) } else { Err(ImportError::Refused(problems)) }
}

fn refused(faults: Vec<CostFault>) -> ImportError {
    let problem = |fault: CostFault| ImportProblem { line: fault.line, column: fault.column, detail: fault.detail };
    ImportError::Refused(faults.into_iter().map(problem).collect())
}

fn key_of(head: &[String]) -> String {
    head.join("\u{1f}").to_lowercase()
}

async fn layouts(tx: &mut Tx) -> Result<BTreeMap<String, CostLayout>, crate::store::Error> {
    let text = settings::get(&mut *tx, LAYOUTS).await?.unwrap_or_default();
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(&text).map_err(|error| crate::store::Error::Unreadable(format!("the layouts of costs: {error}")))
}

/// The rows of a table; lines above the head may have fewer cells than it.
fn rows_of(bytes: &[u8]) -> std::result::Result<Vec<Row>, CostFault> {
    let text = cost_file::decoded(bytes);
    let fault = |line, detail: String| CostFault { line, column: "file".to_owned(), detail };
    if text.trim().is_empty() {
        return Err(fault(1, "is empty".to_owned()));
    }
    // The delimiter is the one that the widest of the first lines has most of.
    let widest =
        |delimiter: u8| text.lines().take(20).map(|line| line.bytes().filter(|b| *b == delimiter).count()).max().unwrap_or(0);
    let delimiter = [b';', b'\t', b','].into_iter().max_by_key(|d| (widest(*d), *d == b',')).unwrap_or(b',');
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    let mut lines = super::Lines::default();
    let mut record = csv::StringRecord::new();
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => return Ok(rows),
            Ok(true) => {
                let line = record.position().map_or(0, |at| lines.at(text.as_bytes(), at.byte()));
                rows.push((line, record.iter().map(str::to_owned).collect()));
            }
            Err(error) => return Err(fault(error.position().map_or(1, csv::Position::line), super::csv_fault(&error))),
        }
    }
}

/// What lines of one day, campaign and currency sum to, each with the first of its lines.
fn added_up(lines: &[CostLine]) -> std::result::Result<Vec<(u64, CostInput)>, Vec<CostFault>> {
    struct Sum<'a> {
        first: &'a CostLine,
        amount: i128,
        impressions: i64,
        clicks: i64,
    }
    let mut sums: BTreeMap<_, Sum<'_>> = BTreeMap::new();
    let mut faults = Vec::new();
    for line in lines {
        let folded = |text: &str| text.trim().to_lowercase();
        let key = (line.day, folded(&line.source), folded(&line.medium), folded(&line.campaign));
        let sum = sums.entry(key).or_insert(Sum { first: line, amount: 0, impressions: 0, clicks: 0 });
        if folded(&sum.first.currency) != folded(&line.currency) {
            let detail = format!(
                "is {}, and line {} of the same day and campaign is in {}",
                line.currency, sum.first.line, sum.first.currency
            );
            faults.push(CostFault { line: line.line, column: "currency".to_owned(), detail });
        }
        sum.amount += line.amount.0;
        sum.impressions = sum.impressions.saturating_add(line.impressions);
        sum.clicks = sum.clicks.saturating_add(line.clicks);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let input = |sum: Sum<'_>| {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let amount = match sum.first.currency.trim().parse::<Currency>() {
            Ok(currency) => Millionths(sum.amount).minor(currency.decimals()).map(|minor| Money::new(minor, currency).decimal()),
            // Whoever stores it says what is wrong with the currency.
            Err(_) => Some("0".to_owned()),
        };
        let input = CostInput {
            date: Some(sum.first.day.to_string()),
            source: text(&sum.first.source),
            medium: text(&sum.first.medium),
            campaign: text(&sum.first.campaign),
            amount: amount.as_deref().map(DecimalInput::from),
            currency: Some(sum.first.currency.trim().to_owned()),
            impressions: Some(sum.impressions),
            clicks: Some(sum.clicks),
        };
        (sum.first.line, input)
    };
    Ok(sums.into_values().map(input).collect())
}
