//! The whole store in one file, and back. The same format for both databases, so it is also the way from the one to
//! the other.

use crate::store::spool::{SpoolReader, SpoolWriter};
use crate::store::{self, Db, dump, stale_day};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};

/// The format of the file.
const FORMAT: i64 = 3;
/// Rows a page.
const PAGE: i64 = 2_000;

/// Why a backup or restore was not done.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("the file: {0}")]
    File(#[from] std::io::Error),
    #[error("line {line} is not of a backup: {detail}")]
    NotABackup { line: u64, detail: String },
    #[error("the backup breaks off after line {0}")]
    BrokenOff(u64),
    #[error("the store is not empty: {0} has rows; restore into a new one")]
    NotEmpty(String),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Writes everything, as of one instant, with the hits that wait in the spool. Answers the number of rows.
pub async fn backup(db: &Db, spool: Option<&SpoolReader>, file: impl Write) -> Result<u64, BackupError> {
    let mut out = GzEncoder::new(file, Compression::default());
    let mut rows = 0;
    // The spool first: a hit that is moved meanwhile is then in both, and is stored once.
    let waiting = match spool {
        Some(spool) => spool.read(0, usize::MAX)?,
        None => Vec::new(),
    };
    let mut tx = db.begin().await?;
    writeln!(out, "{}", json!({ "tributary_backup": FORMAT }))?;
    for table in dump::TABLES {
        let names: Vec<String> = dump::columns(&mut tx, table).await?.into_iter().map(|(name, _)| name).collect();
        writeln!(out, "{}", json!({ "table": table, "columns": names }))?;
        let mut offset = 0;
        loop {
            let page = dump::rows(&mut tx, table, offset, PAGE).await?;
            for row in &page {
                writeln!(out, "{row}")?;
            }
            rows += page.len() as u64;
            offset += PAGE;
            if (page.len() as i64) < PAGE {
                break;
            }
        }
    }
    for row in waiting {
        writeln!(out, "{}", json!({ "spool": hex::encode(row.frames) }))?;
    }
    writeln!(out, "{}", json!({ "end": rows }))?;
    out.finish()?.flush()?;
    Ok(rows)
}

/// Restores into an empty store, all or nothing; hits of the spool go into `spool`. Answers the number of rows.
pub async fn restore(db: &Db, spool: &mut SpoolWriter, file: impl Read) -> Result<u64, BackupError> {
    let reader = BufReader::new(GzDecoder::new(file));
    let mut tx = db.begin().await?;
    for table in dump::TABLES {
        if table != "settings" && dump::count(&mut tx, table).await? > 0 {
            return Err(BackupError::NotEmpty(table.to_owned()));
        }
    }
    dump::clear_settings(&mut tx).await?;
    let mut table: Option<(String, Vec<String>)> = None;
    let mut page: Vec<Value> = Vec::new();
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    let (mut rows, mut line, mut whole) = (0, 0, false);
    for text in reader.lines() {
        line += 1;
        let text = text?;
        let value: Value = serde_json::from_str(&text).map_err(|e| BackupError::NotABackup { line, detail: e.to_string() })?;
        let wrong = |detail: &str| BackupError::NotABackup { line, detail: detail.to_owned() };
        if line == 1 {
            if value["tributary_backup"] != FORMAT {
                return Err(wrong(
                    "the first line must say tributary_backup 3; a backup of another version is restored by that version, whose store this one then migrates",
                ));
            }
            continue;
        }
        let is_row = value.is_array();
        if page.len() as i64 >= PAGE || !(is_row || page.is_empty()) {
            let (name, columns) = table.as_ref().ok_or_else(|| wrong("a row before any table"))?;
            dump::put(&mut tx, name, columns, &page).await?;
            page.clear();
        }
        if is_row {
            page.push(value);
            rows += 1;
            continue;
        }
        let head = value;
        if let Some(name) = head["table"].as_str() {
            let name = dump::TABLES.iter().find(|t| **t == name).ok_or_else(|| wrong("an unknown table"))?;
            let columns: Vec<String> = serde_json::from_value(head["columns"].clone()).map_err(|_| wrong("no columns"))?;
            table = Some(((*name).to_owned(), columns));
        } else if let Some(body) = head["spool"].as_str() {
            waiting.push(hex::decode(body).map_err(|_| wrong("a hit that is not written in hex"))?);
        } else if head["end"].is_number() {
            whole = head["end"] == rows;
        } else {
            return Err(wrong("neither a row nor a table"));
        }
    }
    if !whole {
        return Err(BackupError::BrokenOff(line));
    }
    for table in dump::TABLES {
        dump::continue_ids(&mut tx, table).await?;
    }
    stale_day::mark_all(&mut tx).await?;
    spool.append(waiting.iter().map(Vec::as_slice), None)?;
    tx.commit().await?;
    Ok(rows)
}
