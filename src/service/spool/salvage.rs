//! Brings back what is whole in a damaged spool file.

use super::frame;
use crate::store::spool::{ROW_BYTES, SpoolWriter, scattered_rows};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Appends every whole record of a file that was set aside, and of its log; answers how many. Those that were moved before
/// are known to the store by their ids.
pub(super) fn bring_back(aside: &Path, into: &mut SpoolWriter) -> u64 {
    let mut saved = 0;
    for ending in ["", "-wal"] {
        match salvage(&beside(aside, ending), into) {
            Ok(records) => saved += records,
            Err(error) => tracing::error!(%error, "not all of the damaged spool could be read"),
        }
    }
    match salvage_scattered(aside, into) {
        Ok(records) => saved += records,
        Err(error) => tracing::error!(%error, "long hits of the damaged spool cannot be brought back"),
    }
    saved
}

/// Appends the records of rows that are longer than a page: in the file's bytes they lie in pieces.
fn salvage_scattered(path: &Path, into: &mut SpoolWriter) -> crate::store::Result<u64> {
    const COMMIT: usize = 200;
    let (mut saved, mut appended, mut frames) = (0, Ok(()), Vec::new());
    let mut append = |frames: &mut Vec<Vec<u8>>| into.append(frames.drain(..).as_slice().iter().map(Vec::as_slice), None);
    let walked = scattered_rows(path, |row| {
        let records = frame::scan(&row).filter_map(frame::Found::record);
        frames.extend(records.map(frame::of));
        if frames.len() >= COMMIT && appended.is_ok() {
            saved += frames.len() as u64;
            appended = append(&mut frames);
        }
    });
    if let Err(error) = walked {
        tracing::debug!(%error, "not every long row of the damaged spool can be read");
    }
    saved += frames.len() as u64;
    appended.and_then(|()| append(&mut frames)).map(|()| saved)
}

/// Appends every whole record that lies in a file, database or not. Those that were moved before are known to the store by their ids.
fn salvage(path: &Path, into: &mut SpoolWriter) -> anyhow::Result<u64> {
    const PIECE: usize = 4 << 20;
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let mut bytes: Vec<u8> = Vec::with_capacity(PIECE + ROW_BYTES);
    let mut saved = 0;
    loop {
        let before = bytes.len();
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut bytes)?;
        let mut frames: Vec<Vec<u8>> = Vec::new();
        for found in frame::scan(&bytes) {
            if let frame::Found::Record(record) = found {
                frames.push(frame::of(record));
            }
        }
        into.append(frames.iter().map(Vec::as_slice), None)?;
        saved += frames.len() as u64;
        if read == 0 {
            return Ok(saved);
        }
        // A frame may begin here and end in the next piece; what is met twice is stored once.
        let keep = (before + read).min(2 * ROW_BYTES);
        bytes.drain(..bytes.len() - keep);
    }
}
