//! Files in: CSV, all or nothing, with file, line and column of what is wrong.

use super::catalog::{self, CostInput, DiscountInput, LinkInput, PartnerInput, PromoCodeInput, channel_rules};
use super::input::{DecimalInput, Problems};
use super::order::{CustomerInput, OrderInput, RefundInput, record, record_refund};
use super::price_watch::{self, SeenPriceInput};
use super::{Context, Error, Result, stitch, worker};
use crate::domain::bot::bot_reason;
use crate::domain::channel::{Channel, ChannelRule, Evidence, classify};
use crate::domain::click_marks::ClickMarks;
use crate::domain::id::ProgramId;
use crate::domain::landing::Landing;
use crate::domain::person::{Identifier, IdentifierKind};
use crate::domain::promo::promo_key;
use crate::domain::text::LinkCode;
use crate::domain::touch::{Mark, Touch, TouchKind, touch_id};
use crate::store::dictionary::Dictionary;
use crate::store::partner::Partner;
use crate::store::seen_price::PriceOf;
use crate::store::{Tx, link, miss, partner, program, promo, touch};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;

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
            ImportKind::Refunds => (&["order", "refund_id", "amount"], &["refunded_at", "currency"]),
            ImportKind::Costs => (&["date", "amount", "currency"], &["source", "medium", "campaign", "impressions", "clicks"]),
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
}

/// How many problems are gathered before a file is given up, and how many rows after the first are still looked at.
const MOST_PROBLEMS: usize = 20;
const ROWS_AFTER_A_PROBLEM: u64 = 1_000;

struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    record: &'a csv::StringRecord,
}

impl Row<'_> {
    /// A cell, trimmed; an empty one is none.
    fn get(&self, column: &str) -> Option<String> {
        let cell = self.columns.get(column).and_then(|index| self.record.get(*index))?.trim();
        (!cell.is_empty()).then(|| cell.to_owned())
    }

    fn decimal(&self, column: &str) -> Option<DecimalInput> {
        self.get(column).map(|text| DecimalInput::from(text.as_str()))
    }

    fn number(&self, p: &mut Problems, column: &str) -> Option<i64> {
        let text = self.get(column)?;
        p.take(&format!("/{column}"), text.parse::<i64>().map_err(|_| format!("'{text}' is not a whole number")))
    }
}

/// What is looked up more than once in a file.
#[derive(Default)]
struct Memory {
    partners: HashMap<String, Partner>,
    programs: HashMap<String, ProgramId>,
    own_hosts: Option<Vec<String>>,
    channel_rules: Option<Vec<ChannelRule>>,
    joined: HashSet<(String, String)>,
    dictionary: Dictionary,
    clicks: ClickMarks,
    /// Whose prices were seen, to be reviewed once at the end.
    priced: BTreeSet<PriceOf>,
}

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
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text);
    let head = reader.headers().map_err(|e| refused(1, "file", csv_fault(&e)))?.clone();
    let (columns, ignored_columns) = columns_of(kind, &head, renamed)?;

    let mut done = Imported { ignored_columns, ..Imported::default() };
    let mut problems: Vec<ImportProblem> = Vec::new();
    let mut memory = Memory::default();
    let mut touches: Vec<(Touch, chrono::NaiveDate)> = Vec::new();
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
        let line = record.position().map_or(line, csv::Position::line);
        let row = Row { columns: &columns, record: &record };
        match take_row(tx, context, kind, &row, &mut memory, &mut touches, &mut done).await {
            Ok(()) => {}
            Err(Error::Invalid(fields)) => problems.extend(fields.into_iter().map(|f| ImportProblem {
                line,
                column: column_of(&f.pointer),
                detail: f.detail,
            })),
            Err(error @ (Error::Conflict { .. } | Error::NotFound { .. })) => {
                let column = if kind == ImportKind::Refunds { "order" } else { "row" };
                problems.push(ImportProblem { line, column: column.to_owned(), detail: error.to_string() });
            }
            Err(error) => return Err(error.into()),
        }
        let last_line = problems.first().map_or(u64::MAX, |p| p.line + ROWS_AFTER_A_PROBLEM);
        if problems.len() >= MOST_PROBLEMS || line >= last_line {
            break;
        }
        done.rows += 1;
        if touches.len() >= 1_000 {
            store_touches(tx, &mut memory, &mut touches, &mut done).await?;
        }
        if done.rows.is_multiple_of(500) {
            progress(done.rows);
        }
    }
    if !problems.is_empty() {
        return Err(ImportError::Refused(problems));
    }
    store_touches(tx, &mut memory, &mut touches, &mut done).await?;
    for of in &memory.priced {
        price_watch::review(tx, of).await?;
    }
    progress(done.rows);
    Ok(done)
}

async fn store_touches(
    tx: &mut Tx,
    memory: &mut Memory,
    touches: &mut Vec<(Touch, chrono::NaiveDate)>,
    done: &mut Imported,
) -> Result<()> {
    let new = touch::insert(tx, &mut memory.dictionary, touches).await?;
    if let Some(first) = touches.iter().filter(|(touch, _)| touch.ip.is_some()).map(|(_, day)| *day).min() {
        worker::shorten_again_from(tx, first).await?;
    }
    done.new += new;
    done.known += touches.len() as u64 - new;
    touches.clear();
    Ok(())
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

async fn take_row(
    tx: &mut Tx,
    context: &Context,
    kind: ImportKind,
    row: &Row<'_>,
    memory: &mut Memory,
    touches: &mut Vec<(Touch, chrono::NaiveDate)>,
    done: &mut Imported,
) -> Result<()> {
    let mut count = |is_new: bool| if is_new { done.new += 1 } else { done.known += 1 };
    match kind {
        ImportKind::Touches => {
            let touch = read_touch(tx, context, row, memory).await?;
            join(tx, context, &touch, memory).await?;
            let day = context.day(touch.at);
            touches.push((touch, day));
        }
        ImportKind::Orders => count(record(tx, context, &read_order(row).check(context)?).await?.is_new),
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
        ImportKind::Costs => {
            let mut p = Problems::default();
            let input = CostInput {
                date: row.get("date"),
                source: row.get("source"),
                medium: row.get("medium"),
                campaign: row.get("campaign"),
                amount: row.decimal("amount"),
                currency: row.get("currency"),
                impressions: row.number(&mut p, "impressions"),
                clicks: row.number(&mut p, "clicks"),
            };
            p.done()?;
            catalog::replace_cost(tx, "", &input).await?;
            count(true);
        }
        ImportKind::Partners => count(take_partner(tx, context, row).await?),
        ImportKind::Links => count(take_link(tx, context, row).await?),
        ImportKind::PromoCodes => count(take_promo_code(tx, context, row).await?),
        ImportKind::SeenPrices => {
            let (of, is_new) = price_watch::record(tx, context, "", &read_seen_price(row)).await?;
            memory.priced.insert(of);
            count(is_new);
        }
    }
    Ok(())
}

fn read_order(row: &Row<'_>) -> OrderInput {
    let codes = row
        .get("promo_codes")
        .map(|cell| cell.split(['|', ',', ';']).map(|code| code.trim().to_owned()).filter(|c| !c.is_empty()).collect());
    OrderInput {
        external_id: row.get("external_id"),
        status: row.get("status"),
        placed_at: Some(row.get("placed_at").unwrap_or_default()).filter(|t| !t.is_empty()),
        currency: row.get("currency"),
        total: row.decimal("total"),
        tax: row.decimal("tax"),
        shipping: row.decimal("shipping"),
        discount: row.decimal("discount"),
        promo_codes: codes,
        click_id: row.get("click_id"),
        visitor_id: row.get("visitor_id"),
        customer: Some(CustomerInput {
            id: row.get("customer_id"),
            email: row.get("customer_email"),
            phone: row.get("customer_phone"),
        }),
        ..OrderInput::default()
    }
}

fn read_refund(row: &Row<'_>) -> RefundInput {
    RefundInput {
        refund_id: row.get("refund_id"),
        amount: row.decimal("amount"),
        items: None,
        refunded_at: row.get("refunded_at"),
    }
}

fn read_seen_price(row: &Row<'_>) -> SeenPriceInput {
    let currency = row.get("currency");
    SeenPriceInput {
        at: row.get("at"),
        partner: row.get("partner"),
        sku: row.get("sku"),
        price: row.get("price").map(|text| DecimalInput { text, currency }),
        url: row.get("url"),
    }
}

async fn take_partner(tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<bool> {
    let external_id = row.get("external_id");
    let known = match &external_id {
        Some(id) => partner::by_reference(&mut *tx, id).await?.filter(|p| p.external_id.as_ref() == Some(id)),
        None => None,
    };
    let payout: BTreeMap<String, serde_json::Value> = row
        .columns
        .keys()
        .filter_map(|column| Some((column.strip_prefix("payout_")?.to_owned(), serde_json::Value::String(row.get(column)?))))
        .collect();
    let input = PartnerInput {
        name: row.get("name"),
        email: row.get("email"),
        external_id,
        kind: row.get("kind"),
        status: row.get("status"),
        group: row.get("group"),
        payout: (!payout.is_empty()).then_some(payout),
        ..PartnerInput::default()
    };
    catalog::save_partner(tx, context, known.as_ref().map(|k| k.id), &input).await?;
    Ok(known.is_none())
}

async fn take_link(tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<bool> {
    let code = row.get("code");
    let known = match code.as_deref().and_then(|c| c.parse::<LinkCode>().ok()) {
        Some(code) => link::by_code_key(&mut *tx, &code.key()).await?,
        None => None,
    };
    let utm: BTreeMap<String, String> = ["source", "medium", "campaign", "content", "term"]
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), row.get(&format!("utm_{field}"))?)))
        .collect();
    let input = LinkInput {
        program: row.get("program"),
        partner: row.get("partner").map(Some),
        code: if known.is_some() { None } else { code },
        url: row.get("url"),
        utm: (!utm.is_empty()).then_some(utm),
        expires_at: row.get("expires_at").map(Some),
        creative: row.get("creative").map(Some),
        erid: row.get("erid").map(Some),
        ..LinkInput::default()
    };
    catalog::save_link(tx, context, known.as_ref().map(|k| k.id), &input).await?;
    Ok(known.is_none())
}

async fn take_promo_code(tx: &mut Tx, context: &Context, row: &Row<'_>) -> Result<bool> {
    let mut p = Problems::default();
    let code = row.get("code");
    let known = match &code {
        Some(code) => promo::by_key(&mut *tx, &promo_key(code)).await?,
        None => None,
    };
    let (percent, amount) = (row.decimal("discount_percent"), row.decimal("discount_amount"));
    let discount = (percent.is_some() || amount.is_some()).then_some(DiscountInput { percent, amount, currency: None });
    let input = PromoCodeInput {
        code,
        program: row.get("program"),
        partner: row.get("partner").map(Some),
        discount,
        starts_at: row.get("starts_at").map(Some),
        ends_at: row.get("ends_at").map(Some),
        max_uses: row.number(&mut p, "max_uses").map(Some),
    };
    p.done()?;
    catalog::save_promo_code(tx, context, known.as_ref().map(|k| k.id), &input).await?;
    Ok(known.is_none())
}

async fn read_touch(tx: &mut Tx, context: &Context, row: &Row<'_>, memory: &mut Memory) -> Result<Touch> {
    let mut p = Problems::default();
    let id = p.line("/id", &row.get("id"), 200);
    if row.get("id").is_none() {
        p.add("/id", "is required");
    }
    let at = match row.get("at") {
        None => p.required("/at", None),
        text => p.past_instant("/at", &text, context.now),
    };
    let kind: TouchKind = p.word("/kind", &row.get("kind")).unwrap_or(TouchKind::Click);
    let channel: Option<Channel> = p.parse("/channel", &row.get("channel"));
    let promo = match row.get("promo_code") {
        None => None,
        Some(code) => {
            let found = promo::by_key(&mut *tx, &promo_key(&code)).await?;
            if found.is_none() {
                p.add("/promo_code", format!("there is no promo code '{code}'"));
            }
            found
        }
    };
    let mut partner = find_partner(tx, &mut p, row.get("partner"), memory).await?;
    if let (None, Some(owner)) = (&partner, promo.as_ref().and_then(|m| m.partner_id)) {
        partner = partner::by_id(&mut *tx, owner).await?;
    }
    let program = match (&partner, &promo) {
        (None, None) => None,
        (_, Some(promo)) => Some(promo.program_id),
        (Some(partner), None) => find_program(tx, &mut p, row.get("program"), partner, memory).await?,
    };
    let all = id.zip(at);
    let (id, at) = p.all(all)?;
    let url = row.get("url");
    let referrer = row.get("referrer");
    let landing = Landing::of(url.as_deref().unwrap_or_default());
    let own_hosts = match &memory.own_hosts {
        Some(hosts) => hosts,
        None => memory.own_hosts.insert(program::all(&mut *tx).await?.into_iter().flat_map(|p| p.destination_hosts).collect()),
    };
    let rules = match &memory.channel_rules {
        Some(rules) => rules,
        None => memory.channel_rules.insert(channel_rules(&mut *tx).await?),
    };
    let partner_kind = partner.as_ref().map(|p| p.kind);
    let classified = classify(Evidence { rules, partner_kind, landing: &landing, referrer: referrer.as_deref(), own_hosts });
    let channel_given = channel.is_some();
    let channel = channel.unwrap_or(classified.channel);
    let user_agent = row.get("user_agent");
    let bot = user_agent.as_deref().and_then(bot_reason);
    let is_uuid = uuid::Uuid::try_parse(&id).is_ok();
    let mut touch = Touch {
        external_id: (!is_uuid).then(|| id.clone()),
        visitor_id: row.get("visitor_id"),
        customer_id: row.get("customer_id"),
        channel_given,
        source: classified.source.map(Cow::into_owned),
        medium: classified.medium.map(Cow::into_owned),
        campaign: classified.campaign.map(Cow::into_owned),
        content: classified.content.map(Cow::into_owned),
        term: classified.term.map(Cow::into_owned),
        partner_id: partner.as_ref().map(|p| p.id),
        program_id: program,
        promo_code_id: promo.map(|m| m.id),
        mark: bot.as_ref().map(|_| Mark::Bot),
        mark_reason: bot,
        url,
        referrer,
        user_agent,
        ip: row.get("ip"),
        ..Touch::new(touch_id(&id), at, kind, channel)
    };
    if touch.mark.is_none()
        && let Some((mark, reason)) = memory.clicks.next(&touch)
    {
        (touch.mark, touch.mark_reason) = (Some(mark), Some(reason));
    }
    Ok(touch)
}

async fn find_partner(tx: &mut Tx, p: &mut Problems, reference: Option<String>, memory: &mut Memory) -> Result<Option<Partner>> {
    let Some(reference) = reference else { return Ok(None) };
    if let Some(known) = memory.partners.get(&reference) {
        return Ok(Some(known.clone()));
    }
    let found = catalog::find_partner(tx, p, &Some(reference.clone())).await?;
    if let Some(found) = &found {
        memory.partners.insert(reference, found.clone());
    }
    Ok(found)
}

/// The program a partner's touch belongs to: the one named, the only one, or that of the partner's first link or code.
async fn find_program(
    tx: &mut Tx,
    p: &mut Problems,
    reference: Option<String>,
    partner: &Partner,
    memory: &mut Memory,
) -> Result<Option<ProgramId>> {
    let key = reference.clone().unwrap_or_else(|| partner.id.to_string());
    if let Some(known) = memory.programs.get(&key) {
        return Ok(Some(*known));
    }
    let found = if reference.is_some() || program::list(&mut *tx, 0, 2).await?.len() == 1 {
        catalog::find_program(tx, p, &reference).await?.map(|found| found.id)
    } else {
        let by_link = link::list(&mut *tx, Some(partner.id), 0, 1).await?.first().map(|l| l.program_id);
        match by_link {
            Some(found) => Some(found),
            None => promo::list(&mut *tx, Some(partner.id), 0, 1).await?.first().map(|m| m.program_id),
        }
    };
    match found {
        Some(found) => {
            memory.programs.insert(key, found);
        }
        None if reference.is_none() => p.add("/partner", "is in no program: name it in a column 'program'"),
        None => {}
    }
    Ok(found)
}

async fn join(tx: &mut Tx, context: &Context, touch: &Touch, memory: &mut Memory) -> Result<()> {
    let (Some(visitor), Some(customer)) = (&touch.visitor_id, &touch.customer_id) else { return Ok(()) };
    if memory.joined.insert((visitor.clone(), customer.clone())) {
        let identifiers = [
            Identifier::new(IdentifierKind::Visitor, visitor.clone()),
            Identifier::new(IdentifierKind::Customer, customer.clone()),
        ];
        stitch::join(tx, context, &identifiers, &format!("imported touches of visitor {visitor} as customer {customer}")).await?;
    }
    Ok(())
}
