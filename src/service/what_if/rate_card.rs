//! A rate card: commission rules in a file, CSV with a heading or a JSON array, with the fields of `/v1/commission-rules`.

use crate::domain::commission::Rule;
use crate::domain::id::RuleId;
use crate::service::catalog::{RuleInput, check_rule};
use crate::service::import::{ImportError, ImportProblem};
use crate::service::input::DecimalInput;
use crate::service::{Error, Tributary};

const COLUMNS: [&str; 12] = [
    "program",
    "partner",
    "group",
    "product",
    "category",
    "customer",
    "on",
    "percent",
    "fixed",
    "priority",
    "starts_at",
    "ends_at",
];

/// Reads a rate card; a text that begins with `[` is JSON. Rules are numbered by their place in it. Nothing is stored.
pub async fn read_rate_card(service: &Tributary, text: &str) -> Result<Vec<Rule>, ImportError> {
    let text = text.trim_start_matches('\u{feff}');
    let inputs = if text.trim_start().starts_with('[') { of_json(text) } else { of_csv(text) };
    let inputs = inputs.map_err(|problem| ImportError::Refused(vec![problem]))?;
    // A check reads within a transaction; this one is dropped, and nothing of it stays.
    let mut tx = service.db.begin().await?;
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (number, (line, input)) in inputs.into_iter().enumerate() {
        match check_rule(&mut tx, &input).await {
            Ok(rule) => rules.push(Rule { id: RuleId(number as i64 + 1), ..rule }),
            Err(Error::Invalid(fields)) => problems.extend(fields.into_iter().map(|field| ImportProblem {
                line,
                column: field.pointer.trim_start_matches('/').to_owned(),
                detail: field.detail,
            })),
            Err(other) => return Err(other.into()),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(ImportError::Refused(problems)) }
}

fn problem(line: u64, column: &str, detail: impl std::fmt::Display) -> ImportProblem {
    ImportProblem { line, column: column.to_owned(), detail: detail.to_string() }
}

fn of_csv(text: &str) -> Result<Vec<(u64, RuleInput)>, ImportProblem> {
    let heading = text.lines().next().unwrap_or_default();
    let delimiter = if heading.matches(';').count() > heading.matches(',').count() { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|e| problem(1, "row", e))?.clone();
    if let Some(unknown) = columns.iter().find(|name| !COLUMNS.contains(name)) {
        return Err(problem(1, unknown, format!("is no column of a rate card; there are {}", COLUMNS.join(", "))));
    }
    let mut inputs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| problem(e.position().map_or(0, csv::Position::line), "row", e))?;
        // The position is that of the empty lines before a row, if there are any.
        let line = record.position().map_or(0, |at| {
            let before = text.bytes().skip(at.byte() as usize).take_while(|b| matches!(b, b'\n' | b'\r'));
            at.line() + before.filter(|b| *b == b'\n').count() as u64
        });
        let cell = |name: &str| {
            let index = columns.iter().position(|column| column == name)?;
            record.get(index).filter(|cell| !cell.is_empty()).map(str::to_owned)
        };
        let decimal = |name: &str| cell(name).map(|text| DecimalInput { text, currency: None });
        let priority = match cell("priority").map(|text| text.parse()) {
            None => None,
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => return Err(problem(line, "priority", "must be a whole number")),
        };
        let input = RuleInput {
            program: cell("program"),
            partner: cell("partner"),
            group: cell("group"),
            product: cell("product"),
            category: cell("category"),
            customer: cell("customer"),
            on: cell("on"),
            percent: decimal("percent"),
            fixed: decimal("fixed"),
            priority,
            starts_at: cell("starts_at"),
            ends_at: cell("ends_at").map(Some),
            ..RuleInput::default()
        };
        inputs.push((line, input));
    }
    Ok(inputs)
}

fn of_json(text: &str) -> Result<Vec<(u64, RuleInput)>, ImportProblem> {
    let whole: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|e| problem(e.line() as u64, "row", e))?;
    let lines = lines_of_objects(text);
    let mut inputs = Vec::with_capacity(whole.len());
    for (index, value) in whole.into_iter().enumerate() {
        let line = lines.get(index).copied().unwrap_or(1);
        inputs.push((line, serde_json::from_value(value).map_err(|e| problem(line, "row", e))?));
    }
    Ok(inputs)
}

/// The line on which each object of an array of objects begins.
fn lines_of_objects(text: &str) -> Vec<u64> {
    let (mut line, mut depth, mut in_string, mut escaped) = (1, 0, false, false);
    let mut lines = Vec::new();
    for byte in text.bytes() {
        match byte {
            b'\n' => line += 1,
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' => {
                if depth == 0 {
                    lines.push(line);
                }
                depth += 1;
            }
            b'}' => depth -= 1,
            _ => {}
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_know_their_lines() {
        let rows = of_csv("program;percent\nShop;5\n\n\"Shop\";7.5\n").unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(rows[1].1.percent.as_ref().unwrap().text, "7.5");
        let rows = of_json("[\n {\"percent\": \"5\", \"group\": \"{\\\"\"},\n\n {\"percent\": 7}\n]").unwrap();
        assert_eq!(rows.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let wrong = |text: &str| {
            let problem = if text.starts_with('[') { of_json(text) } else { of_csv(text) }.unwrap_err();
            (problem.line, problem.column)
        };
        assert_eq!(wrong("program,percentage\nShop,5\n"), (1, "percentage".to_owned()));
        assert_eq!(wrong("percent,priority\n5,high\n"), (2, "priority".to_owned()));
        assert_eq!(wrong("percent,fixed\n5\n"), (2, "row".to_owned()));
        assert_eq!(wrong("[{\"percent\": 5},\n{\"per\": 1}]"), (2, "row".to_owned()));
        assert_eq!(wrong("[{\"percent\": 5},\n"), (2, "row".to_owned()));
    }
}
