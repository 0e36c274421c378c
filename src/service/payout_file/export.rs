//! The act of exporting: the file is written, its hash is kept, and the audit log tells what was handed out.

use super::load::parts;
use super::{batch, parts_of, render};
use crate::domain::id::PayoutRunId;
use crate::domain::money::Money;
use crate::domain::payout_file::{
    BankHeader, Delimiter, FileError, FileFormat, FileRequest, LeftOut, PainVersion, PaymentBatch, PayoutFile, Totals, select,
};
use crate::domain::payout_run::RunState;
use crate::service::payer::payer;
use crate::service::payout::{RunWithLines, load};
use crate::service::{Context, Error, FieldError, Refusal, Result};
use crate::store::{self, Reader, Tx, audit, payout, settings};
use sha2::{Digest, Sha256};

impl From<FileError> for Error {
    fn from(error: FileError) -> Error {
        let field = |pointer: String, detail: String| FieldError { pointer, detail };
        match error {
            FileError::Payer(fields) => {
                let missing = "is missing or malformed: set it with PUT /v1/payer";
                Error::Invalid(fields.into_iter().map(|f| field(format!("/payer/{f}"), missing.to_owned())).collect())
            }
            FileError::PayerText { field, .. } => Error::field(&format!("/payer/{field}"), error),
            FileError::Payments(faults) => {
                let faults = faults.into_iter();
                Error::Invalid(faults.map(|f| field(format!("/payments/{}/{}", f.partner, f.field), f.to_string())).collect())
            }
            FileError::Parts { .. } | FileError::NoSuchPart { .. } => Error::field("/part", error),
            FileError::Empty(_) => Error::refused(Refusal::NothingInFile, error),
            FileError::Unwritable(_) => Error::conflict(error),
        }
    }
}

/// Writes a file of a run: the same bytes every time. The first export's hash is kept, and with the first file that names
/// the payer, the payer and the date of the payments. On an error nothing of the transaction may be committed.
///
/// Errors: what [`render`] says; the run is cancelled; there is no such run.
pub async fn export(tx: &mut Tx, context: &Context, id: PayoutRunId, request: &FileRequest) -> Result<PayoutFile> {
    let loaded = load(&mut *tx, id).await?;
    if loaded.run.state == RunState::Cancelled {
        return Err(Error::refused(Refusal::RunCancelled, "the run is cancelled; nothing of it is to be paid"));
    }
    let header = if request.format.names_payer() { Some(header_for_good(tx, context, id).await?) } else { None };
    let file = written(Reader::from(&mut *tx), &loaded, header, request).await?;
    let sha256 = hex::encode(Sha256::digest(&file.bytes));
    let format = request.to_string();
    payout::record_export(tx, id, &format, &sha256, file.bytes.len() as i64, context.at()).await?;
    let money = |minor: i64| Money::new(minor, loaded.run.currency);
    let detail = serde_json::json!({
        "format": format,
        "sha256": sha256,
        "payments": file.totals.payments,
        "total": money(file.totals.total_minor),
        "left_out": file.totals.left_out.len(),
        "left_out_total": money(file.totals.left_out_minor()),
    });
    audit::record(tx, &context.actor, "payout_run.export", &id.to_string(), &detail, context.at()).await?;
    Ok(file)
}

/// A file that was exported before, written again.
///
/// Errors: as [`export`]; a file that names the payer was never exported.
pub async fn export_again<'a>(on: impl Into<Reader<'a>>, id: PayoutRunId, request: &FileRequest) -> Result<PayoutFile> {
    let mut reader = on.into();
    let loaded = load(reader.again(), id).await?;
    let header = if request.format.names_payer() { kept_header(reader.again(), id).await? } else { None };
    written(reader, &loaded, header, request).await
}

async fn written(
    reader: Reader<'_>,
    loaded: &RunWithLines,
    header: Option<BankHeader>,
    request: &FileRequest,
) -> Result<PayoutFile> {
    let batch = batch(loaded, header)?;
    let parts = match request.format {
        FileFormat::Xlsx => parts(reader, &loaded.run, &batch).await?,
        _ => Default::default(),
    };
    Ok(render(&batch, &parts, request)?)
}

fn header_key(id: PayoutRunId) -> String {
    format!("bank_header_of_{id}")
}

fn read_header(text: &str) -> store::Result<BankHeader> {
    serde_json::from_str(text).map_err(|e| store::Error::Unreadable(format!("bank header: {e}")))
}

async fn kept_header(reader: Reader<'_>, id: PayoutRunId) -> store::Result<Option<BankHeader>> {
    settings::get(reader, &header_key(id)).await?.as_deref().map(read_header).transpose()
}

/// The header as a file asked for now would have it.
async fn header_now(reader: Reader<'_>, context: &Context) -> store::Result<BankHeader> {
    let created_at = context.now.with_timezone(&context.zone).fixed_offset();
    Ok(BankHeader { payer: payer(reader).await?.unwrap_or_default(), created_at })
}

/// The header that is kept with a run, else the one that its next file would have; and whether it is kept.
pub async fn header(mut reader: Reader<'_>, context: &Context, id: PayoutRunId) -> store::Result<(BankHeader, bool)> {
    Ok(match kept_header(reader.again(), id).await? {
        Some(kept) => (kept, true),
        None => (header_now(reader, context).await?, false),
    })
}

async fn header_for_good(tx: &mut Tx, context: &Context, id: PayoutRunId) -> store::Result<BankHeader> {
    if let Some(kept) = kept_header(Reader::from(&mut *tx), id).await? {
        return Ok(kept);
    }
    let header = header_now(Reader::from(&mut *tx), context).await?;
    let text = serde_json::to_string(&header).map_err(|e| store::Error::Unreadable(e.to_string()))?;
    read_header(&settings::set_once(tx, &header_key(id), &text).await?)
}

/// Has a run's next bank file name the payer as it is now, and the day on which it is asked for. What was exported with
/// the old ones is forgotten; the audit log keeps it.
///
/// Errors: something of the run is paid, or it is cancelled.
pub async fn retake_payer(tx: &mut Tx, context: &Context, id: PayoutRunId) -> Result<()> {
    let run = load(&mut *tx, id).await?.run;
    match run.state {
        RunState::Paid | RunState::PartlyPaid => {
            return Err(Error::refused(Refusal::AlreadyPaid, "the run is paid; its files stay as they are"));
        }
        RunState::Cancelled => return Err(Error::refused(Refusal::RunCancelled, "the run is cancelled")),
        RunState::Built | RunState::Approved => {}
    }
    let before = kept_header(Reader::from(&mut *tx), id).await?;
    let mut forgotten = Vec::new();
    for (of, format, sha256) in payout::exports(&mut *tx).await? {
        if of == id && format.parse::<FileRequest>().is_ok_and(|r| r.format.names_payer()) {
            payout::forget_export(tx, id, &format).await?;
            forgotten.push(serde_json::json!({ "format": format, "sha256": sha256 }));
        }
    }
    settings::remove(tx, &header_key(id)).await?;
    let detail = serde_json::json!({ "before": before, "forgotten": forgotten });
    audit::record(tx, &context.actor, "payout_run.retake_payer", &id.to_string(), &detail, context.at()).await?;
    Ok(())
}

/// What the files of one format hold together.
#[derive(Debug, Clone)]
pub struct FileContents {
    pub format: FileFormat,
    /// Files that the payments fill.
    pub parts: usize,
    pub payments: usize,
    pub total: Money,
    pub left_out: Vec<LeftOut>,
    /// Why it cannot be exported as things stand.
    pub problem: Option<FileError>,
}

/// What the files of a run would hold if they were exported now. Nothing is stored.
pub async fn contents_of_files<'a>(on: impl Into<Reader<'a>>, context: &Context, id: PayoutRunId) -> Result<Vec<FileContents>> {
    let mut reader = on.into();
    let loaded = load(reader.again(), id).await?;
    let (header, _) = header(reader, context, id).await?;
    let batch = batch(&loaded, Some(header))?;
    Ok(FORMATS.into_iter().map(|format| contents(&batch, format)).collect())
}

/// One of each, by its default.
const FORMATS: [FileFormat; 6] = [
    FileFormat::Csv(Delimiter::Semicolon),
    FileFormat::Xlsx,
    FileFormat::ClientBank,
    FileFormat::Pain001(PainVersion::V09),
    FileFormat::Paypal { part: None },
    FileFormat::Wise { part: None },
];

/// The formats that carry some payments of a run, in their parts, and how many of the payments each format carries.
pub fn fitting_files(loaded: &RunWithLines) -> store::Result<Vec<(FileFormat, usize)>> {
    let batch = batch(loaded, None)?;
    let mut files = Vec::new();
    for format in FORMATS {
        let payments = select(&batch, &format.into()).payments.len();
        match (format, parts_of(&batch, format)) {
            (_, 0) => {}
            (FileFormat::Paypal { .. }, parts @ 2..) => {
                files.extend((1..=parts).map(|part| (FileFormat::Paypal { part: Some(part) }, payments)));
            }
            (FileFormat::Wise { .. }, parts @ 2..) => {
                files.extend((1..=parts).map(|part| (FileFormat::Wise { part: Some(part) }, payments)));
            }
            (format, _) => files.push((format, payments)),
        }
    }
    Ok(files)
}

fn contents(batch: &PaymentBatch, format: FileFormat) -> FileContents {
    let parts = parts_of(batch, format);
    let named = |number: usize| match format {
        FileFormat::Paypal { .. } => FileFormat::Paypal { part: Some(number) },
        FileFormat::Wise { .. } => FileFormat::Wise { part: Some(number) },
        // A workbook has what the list has, and takes longer.
        FileFormat::Xlsx => FileFormat::Csv(Delimiter::Semicolon),
        other => other,
    };
    let mut all = Totals::default();
    let mut problem = None;
    for number in 1..=parts.max(1) {
        match render(batch, &Default::default(), &named(number).into()) {
            Ok(file) => {
                all.payments += file.totals.payments;
                all.total_minor += file.totals.total_minor;
                all.left_out = file.totals.left_out;
            }
            Err(FileError::Empty(left_out)) => all.left_out = left_out,
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    FileContents {
        format,
        parts,
        payments: all.payments,
        total: Money::new(all.total_minor, batch.currency),
        left_out: all.left_out,
        problem,
    }
}
