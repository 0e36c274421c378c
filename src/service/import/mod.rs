//! Files in: CSV, all or nothing, with file, line and column of what is wrong.

mod costs;
mod orders;
mod row;
mod touches;

use super::order::record_refund;
use super::{Context, Error, Result, price_watch};
use crate::store::seen_price::PriceOf;
use crate::store::{Tx, miss};
pub use costs::{import_costs, layout_of};
use orders::Orders;
use row::{Row, read_refund, read_seen_price, take_link, take_partner, take_promo_code};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;
use touches::Touches;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    Touches,
    Orders,
    Refunds,
    Costs,
    Partners,
    Links,
    PromoCodes,
    SeenPrices,
}

impl ImportKind {
    /// The columns that must be there, and the ones that may be.
    fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            ImportKind::Touches => (
                &["id", "at"],
                &[
                    "visitor_id",
                    "customer_id",
                    "kind",
                    "url",
                    "referrer",
                    "user_agent",
                    "ip",
                    "partner",
                    "program",
                    "promo_code",
                    "channel",
                    "country",
                ],
            ),
            ImportKind::Orders => (
                &["external_id", "placed_at", "currency", "total"],
                &[
                    "status",
                    "tax",
                    "shipping",
                    "discount",
                    "customer_id",
                    "customer_email",
                    "customer_phone",
                    "visitor_id",
                    "click_id",
                    "promo_codes",
                ],
            ),
            ImportKind::Refunds => (&["order", "refund_id", "amount"], &["refunded_at", "currency", "reason"]),
            // Read by layouts of their own.
            ImportKind::Costs => (&[], &[]),
            ImportKind::Partners => (&["name"], &["email", "external_id", "kind", "status", "group", "payout_method"]),
            ImportKind::Links => (
                &["url"],
                &[
                    "code",
                    "program",
                    "partner",
                    "utm_source",
                    "utm_medium",
                    "utm_campaign",
                    "utm_content",
                    "utm_term",
                    "expires_at",
                    "creative",
                    "erid",
                ],
            ),
            ImportKind::PromoCodes => {
                (&["code"], &["program", "partner", "discount_percent", "discount_amount", "starts_at", "ends_at", "max_uses"])
            }
            ImportKind::SeenPrices => (&["at", "partner", "sku", "price"], &["url", "currency"]),
        }
    }
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProblem {
    pub line: u64,
    pub column: String,
    pub detail: String,
}

/// Why a file was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{}", .0.iter().map(|p| format!("{}: {}: {}", p.line, p.column, p.detail)).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<ImportProblem>),
    #[error(transparent)]
    Service(#[from] Error),
}

impl From<crate::store::Error> for ImportError {
    fn from(error: crate::store::Error) -> Self {
        ImportError::Service(error.into())
    }
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    pub rows: u64,
    pub new: u64,
    pub known: u64,
    /// Refunds without an order, kept as misses.
    pub misses: u64,
    pub ignored_columns: Vec<String>,
    /// Of costs: whose export it is, if that is known.
    pub layout: Option<String>,
}

/// How many problems are gathered before a file is given up, and how many rows after the first are still looked at.
const MOST_PROBLEMS: usize = 20;
const ROWS_AFTER_A_PROBLEM: u64 = 1_000;

/// Takes a CSV file in, within the caller's transaction: commit it only on `Ok`. `renamed` maps our columns to the
/// file's; `progress` is told the number of rows done.
pub async fn import(
    tx: &mut Tx,
    context: &Context,
    kind: ImportKind,
    mut source: impl Read,
    renamed: &HashMap<String, String>,
    progress: impl Fn(u64),
) -> std::result::Result<Imported, ImportError> {
    let mut bytes = Vec::new();
    let refused = |line, column: &str, detail: String| {
        ImportError::Refused(vec![ImportProblem { line, column: column.to_owned(), detail }])
    };
    source.read_to_end(&mut bytes).map_err(|e| refused(1, "file", format!("cannot be read: {e}")))?;
    if kind == ImportKind::Costs {
        let done = import_costs(tx, context, &bytes, &layout_of(renamed, &HashMap::new())?).await?;
        progress(done.rows);
        return Ok(done);
    }
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text);
    let head = reader.headers().map_err(|e| refused(1, "file", csv_fault(&e)))?.clone();
    let (columns, ignored_columns) = columns_of(kind, &head, renamed)?;

    let mut taken = Taken { done: Imported { ignored_columns, ..Imported::default() }, ..Taken::default() };
    let mut problems: Vec<ImportProblem> = Vec::new();
    tx.for_many().await?;
    let mut lines = Lines::default();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                problems.push(ImportProblem { line, column: "row".to_owned(), detail: csv_fault(&error) });
                break;
            }
        }
        let line = record.position().map_or(line, |at| lines.at(text, at.byte()));
        let row = Row { columns: &columns, record: &record };
        if let Err(error) = take_row(tx, context, kind, &row, line, &mut taken).await {
            let column = if kind == ImportKind::Refunds { "order" } else { "row" };
            problems.extend(problems_of(error, line, column)?);
        }
        problems.extend(taken.orders.record_many(tx, context, &mut taken.done).await?);
        let last_line = problems.first().map_or(u64::MAX, |p| p.line + ROWS_AFTER_A_PROBLEM);
        if problems.len() >= MOST_PROBLEMS || line >= last_line {
            break;
        }
        taken.done.rows += 1;
        taken.touches.store_many(tx, &mut taken.done).await?;
        if taken.done.rows.is_multiple_of(500) {
            progress(taken.done.rows);
        }
    }
    let Taken { mut touches, mut orders, priced, mut done } = taken;
    problems.extend(orders.record(tx, context, &mut done).await?);
    if !problems.is_empty() {
        // What goes together is told together, so later than what stands below it.
        problems.sort_by_key(|problem| problem.line);
        problems.truncate(MOST_PROBLEMS);
        return Err(ImportError::Refused(problems));
    }
    touches.store(tx, &mut done).await?;
    for of in &priced {
        price_watch::review(tx, of).await?;
    }
    progress(done.rows);
    Ok(done)
}

/// What is wrong with a line; errors that are of no line stay errors.
fn problems_of(error: Error, line: u64, column: &str) -> std::result::Result<Vec<ImportProblem>, ImportError> {
    match error {
        Error::Invalid(fields) => {
            Ok(fields.into_iter().map(|f| ImportProblem { line, column: column_of(&f.pointer), detail: f.detail }).collect())
        }
        Error::Refused { .. } | Error::NotFound { .. } => {
            Ok(vec![ImportProblem { line, column: column.to_owned(), detail: error.to_string() }])
        }
        other => Err(other.into()),
    }
}

/// Lines of a text by their bytes, in order. The reader's own count is one behind after `\r\n`.
#[derive(Default)]
struct Lines {
    ends: u64,
    at: usize,
}

impl Lines {
    fn at(&mut self, text: &[u8], byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
        let passed = text.get(self.at..byte).unwrap_or_default();
        self.ends += passed.iter().filter(|b| **b == b'\n').count() as u64;
        self.at = self.at.max(byte);
        // The record before ended with `\r`, and its `\n` is still to come.
        self.ends + 1 + u64::from(text.get(byte) == Some(&b'\n'))
    }
}

fn delimiter(text: &[u8]) -> u8 {
    let head = text.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| head.iter().filter(|b| **b == wanted).count();
    [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',')
}

fn csv_fault(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("has {len} cells, the head has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

fn columns_of(
    kind: ImportKind,
    head: &csv::StringRecord,
    renamed: &HashMap<String, String>,
) -> std::result::Result<(HashMap<String, usize>, Vec<String>), ImportError> {
    let (required, optional) = kind.columns();
    let theirs: Vec<String> = head.iter().map(|h| h.trim().to_owned()).collect();
    let mut columns = HashMap::new();
    let mut used = HashSet::new();
    let mut problems = Vec::new();
    let mut fault = |column: &str, detail: &str| {
        problems.push(ImportProblem { line: 1, column: column.to_owned(), detail: detail.to_owned() });
    };
    for ours in renamed.keys() {
        if !required.contains(&ours.as_str()) && !optional.contains(&ours.as_str()) {
            fault(ours, "is not a column of this import");
        }
    }
    let requisites: Vec<&str> =
        theirs.iter().map(String::as_str).filter(|t| kind == ImportKind::Partners && t.starts_with("payout_")).collect();
    for ours in required.iter().chain(optional).copied().chain(requisites) {
        let wanted = renamed.get(ours).map_or(ours, String::as_str);
        match theirs.iter().position(|t| t.eq_ignore_ascii_case(wanted)) {
            Some(index) => {
                columns.insert(ours.to_owned(), index);
                used.insert(index);
            }
            None if required.contains(&ours) || renamed.contains_key(ours) => fault(wanted, "this column is missing"),
            None => {}
        }
    }
    if !problems.is_empty() {
        return Err(ImportError::Refused(problems));
    }
    let ignored = theirs.iter().enumerate().filter(|(i, _)| !used.contains(i)).map(|(_, name)| name.clone()).collect();
    Ok((columns, ignored))
}

/// The column that a JSON pointer speaks of: `/customer/email` is `customer_email`, `/promo_codes/0` is `promo_codes`.
fn column_of(pointer: &str) -> String {
    let parts: Vec<&str> = pointer.split('/').filter(|p| !p.is_empty() && p.parse::<usize>().is_err()).collect();
    if parts.is_empty() { "row".to_owned() } else { parts.join("_") }
}

/// What was taken out of a file so far.
#[derive(Default)]
struct Taken {
    touches: Touches,
    orders: Orders,
    /// Whose prices were seen, to be reviewed once at the end.
    priced: BTreeSet<PriceOf>,
    done: Imported,
}

async fn take_row(tx: &mut Tx, context: &Context, kind: ImportKind, row: &Row<'_>, line: u64, taken: &mut Taken) -> Result<()> {
    let Taken { touches, orders, priced, done } = taken;
    let mut count = |is_new: bool| if is_new { done.new += 1 } else { done.known += 1 };
    match kind {
        ImportKind::Touches => touches.take(tx, context, row).await?,
        ImportKind::Orders => orders.take(context, row, line)?,
        ImportKind::Refunds => match row.get("order") {
            Some(order) => count(record_refund(tx, context, &order, &read_refund(row)).await?.is_new),
            None => {
                let id = row.get("refund_id").ok_or_else(|| Error::field("/refund_id", "is required"))?;
                let amount = row.get("amount").unwrap_or_default();
                let detail = format!("{amount} {}", row.get("currency").unwrap_or_default());
                miss::record(tx, "refund", &id, None, detail.trim(), context.at()).await?;
                done.misses += 1;
            }
        },
        // Taken in as a whole file.
        ImportKind::Costs => {}
        ImportKind::Partners => count(take_partner(tx, context, row).await?),
        ImportKind::Links => count(take_link(tx, context, row).await?),
        ImportKind::PromoCodes => count(take_promo_code(tx, context, row).await?),
        ImportKind::SeenPrices => {
            let (of, is_new) = price_watch::record(tx, context, "", &read_seen_price(row)).await?;
            priced.insert(of);
            count(is_new);
        }
    }
    Ok(())
}
