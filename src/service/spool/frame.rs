//! How records lie in the spool: each in a frame of its own with a mark, its length and a checksum, so that what is
//! whole can be told from what is damaged, and be found again in a file that no database opens any more.

/// `TrbH`, length and CRC-32 of the record, both little-endian.
const MARK: &[u8; 4] = b"TrbH";
pub const HEAD_BYTES: usize = 12;
/// No record is longer.
const LONGEST: usize = 1 << 20;

/// What stands in front of a record.
pub fn head_of(record: &[u8]) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..4].copy_from_slice(MARK);
    head[4..8].copy_from_slice(&(record.len() as u32).to_le_bytes());
    head[8..].copy_from_slice(&crc32fast::hash(record).to_le_bytes());
    head
}

/// A record's frame.
pub fn of(record: &[u8]) -> Vec<u8> {
    let mut frames = Vec::with_capacity(HEAD_BYTES + record.len());
    frames.extend_from_slice(&head_of(record));
    frames.extend_from_slice(record);
    frames
}

/// The whole frame that begins here: its record, and how long the frame is.
fn at(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let head = bytes.get(..HEAD_BYTES).filter(|head| head.starts_with(MARK))?;
    let length = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
    let crc = u32::from_le_bytes(head[8..12].try_into().ok()?);
    let record = bytes.get(HEAD_BYTES..HEAD_BYTES.checked_add(length).filter(|_| length <= LONGEST)?)?;
    (crc32fast::hash(record) == crc).then_some((record, HEAD_BYTES + length))
}

/// What a scan comes upon.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    Record(&'a [u8]),
    /// Bytes that belong to no whole frame.
    Damaged(&'a [u8]),
}

impl<'a> Found<'a> {
    /// The record, if it is one.
    pub fn record(self) -> Option<&'a [u8]> {
        match self {
            Found::Record(record) => Some(record),
            Found::Damaged(_) => None,
        }
    }
}

/// All records in these bytes, and what lies between them.
pub fn scan(bytes: &[u8]) -> impl Iterator<Item = Found<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((record, length)) = at(rest) {
            rest = &rest[length..];
            return Some(Found::Record(record));
        }
        let next = (1..rest.len()).find(|i| rest[*i..].starts_with(MARK) && at(&rest[*i..]).is_some()).unwrap_or(rest.len());
        let (damaged, after) = rest.split_at(next);
        rest = after;
        Some(Found::Damaged(damaged))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_whole_is_found_and_nothing_else(
            records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..8),
            broken in 0_usize..8, byte in 0_usize..72,
        ) {
            let mut frames = Vec::new();
            let mut starts = Vec::new();
            for record in &records {
                starts.push(frames.len());
                frames.extend(of(record));
            }
            let whole: Vec<&[u8]> = scan(&frames).filter_map(|f| match f { Found::Record(r) => Some(r), Found::Damaged(_) => None }).collect();
            prop_assert_eq!(&whole, &records.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let broken = broken % records.len();
            let at = starts[broken] + byte % (HEAD_BYTES + records[broken].len());
            frames[at] ^= 0x55;
            let left: Vec<&[u8]> = scan(&frames).filter_map(|f| match f { Found::Record(r) => Some(r), Found::Damaged(_) => None }).collect();
            let expected: Vec<&[u8]> = records.iter().enumerate().filter(|(i, _)| *i != broken).map(|(_, r)| r.as_slice()).collect();
            prop_assert_eq!(left, expected);
        }
    }
}
