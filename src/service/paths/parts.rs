//! A file on disk in parts, each summed by itself in blocks, so that neither the text nor the rows are ever held.

use super::head::Head;
use super::marks::position;
use super::names::LONGEST_WORD;
use super::rows::{Rows, Trouble};
use super::{PathError, Summed, fault};
use crate::domain::attribution::paths::Asked;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Below it one core is done before a second one has begun.
const SMALLEST_PART: u64 = 1 << 20;
/// Two where the sums of a part are large themselves.
const MOST_PARTS: u64 = 8;
const MOST_LARGE_PARTS: u64 = 2;
const BLOCK: usize = 256 << 10;
/// A path of a million touches is a mistake of the file.
const LONGEST_LINE: usize = 64 << 20;

/// How a part ended, with the lines it read.
struct Outcome<'a> {
    lines: u64,
    end: Result<Rows<'a>, Stop<'a>>,
}

enum Stop<'a> {
    Row(Trouble<'a>),
    Read(std::io::Error),
}

/// Sums the file, or gives `None` if its quotes need a CSV reader.
pub(super) fn sum(file: &File, length: u64, asked: &Asked, direct: Option<&str>) -> Result<Option<Summed>, PathError> {
    let head_end = line_end(file, 0, length)?;
    let mut text = vec![0; usize::try_from(head_end.min(LONGEST_LINE as u64)).unwrap_or(LONGEST_LINE)];
    file.read_exact_at(&mut text, 0)?;
    let quotes = text.iter().filter(|byte| **byte == b'"').count();
    if quotes % 2 != 0 {
        return Ok(None);
    }
    let head = Head::read(&text)?;
    let parts = bounds(file, head_end..length, if asked.sums_are_large() { MOST_LARGE_PARTS } else { MOST_PARTS })?;
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(parts.len());
    let (outcomes, finished) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (outcomes, next, parts, head) = (outcomes.clone(), &next, &parts, &head);
            scope.spawn(move || {
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = sum_part(file, part.clone(), Rows::new(head, asked, direct));
                    let stopped = outcome.end.is_err();
                    if outcomes.send((part.start, outcome)).is_err() || stopped {
                        // What comes later in the file no longer matters.
                        next.fetch_add(parts.len(), Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
        drop(outcomes);
        let mut waiting: Vec<(u64, Outcome<'_>)> = Vec::new();
        let mut whole = Rows::new(&head, asked, direct);
        let mut lines = 1;
        for part in &parts {
            let outcome = loop {
                if let Some(index) = waiting.iter().position(|(start, _)| *start == part.start) {
                    break waiting.swap_remove(index).1;
                }
                match finished.recv() {
                    Ok(outcome) => waiting.push(outcome),
                    Err(_) => return Err(std::io::Error::other("a thread that read the file died").into()),
                }
            };
            match outcome.end {
                Ok(rows) => whole.merge(&rows),
                Err(Stop::Row(Trouble::NeedsCsv)) => return Ok(None),
                Err(Stop::Row(Trouble::Wrong { column, detail })) => {
                    return Err(fault(lines + outcome.lines, column, detail).into());
                }
                Err(Stop::Read(error)) => return Err(error.into()),
            }
            lines += outcome.lines;
        }
        Ok(Some(whole.finish()))
    })
}

/// Where the line that holds `from` ends: behind its newline, or at the end of the file.
fn line_end(file: &File, from: u64, length: u64) -> Result<u64, std::io::Error> {
    let mut block = [0; 4096];
    let mut at = from;
    while at < length {
        let read = file.read_at(&mut block, at)?;
        if read == 0 {
            break;
        }
        if let Some(index) = position(&block[..read], b'\n') {
            return Ok(at + index as u64 + 1);
        }
        at += read as u64;
    }
    Ok(length)
}

/// Parts of about the same size that begin and end with lines.
fn bounds(file: &File, rows: std::ops::Range<u64>, most: u64) -> Result<Vec<std::ops::Range<u64>>, std::io::Error> {
    let parts = ((rows.end - rows.start) / SMALLEST_PART).clamp(1, most);
    let mut bounds = vec![rows.start];
    for part in 1..parts {
        let wanted = rows.start + (rows.end - rows.start) / parts * part;
        bounds.push(line_end(file, wanted, rows.end)?);
    }
    bounds.push(rows.end);
    bounds.dedup();
    Ok(bounds.windows(2).map(|pair| pair[0]..pair[1]).collect())
}

fn sum_part<'a>(file: &File, part: std::ops::Range<u64>, mut rows: Rows<'a>) -> Outcome<'a> {
    let mut lines = 0;
    match add_lines(file, part, &mut rows, &mut lines) {
        Ok(()) => Outcome { lines, end: Ok(rows) },
        Err(stop) => Outcome { lines, end: Err(stop) },
    }
}

/// Adds all lines of a part; `lines` counts up to the one that stopped it.
fn add_lines<'a>(file: &File, part: std::ops::Range<u64>, rows: &mut Rows<'a>, lines: &mut u64) -> Result<(), Stop<'a>> {
    // A name at the end of the block is looked at together with what comes behind it.
    let mut block = vec![0; BLOCK + LONGEST_WORD];
    let mut filled = 0;
    let mut at = part.start;
    while at < part.end {
        let room = (block.len() - LONGEST_WORD - filled).min(usize::try_from(part.end - at).unwrap_or(usize::MAX));
        let read = file.read_at(&mut block[filled..filled + room], at).map_err(Stop::Read)?;
        if read == 0 {
            break;
        }
        at += read as u64;
        filled += read;
        let whole = block[..filled].iter().rposition(|byte| *byte == b'\n').map_or(0, |index| index + 1);
        rows.add_lines(&block, whole, lines).map_err(Stop::Row)?;
        block.copy_within(whole..filled, 0);
        filled -= whole;
        if filled + LONGEST_WORD == block.len() {
            if block.len() >= LONGEST_LINE {
                *lines += 1;
                let detail = "is longer than 64 MiB".to_owned();
                return Err(Stop::Row(Trouble::Wrong { column: "row", detail }));
            }
            block.resize(filled * 2 + LONGEST_WORD, 0);
        }
    }
    // The last line of a file may lack its end.
    if filled > 0 {
        *lines += 1;
        rows.add_line(&block[..filled]).map_err(Stop::Row)?;
    }
    Ok(())
}
