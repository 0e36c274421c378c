//! Sums by a short row of channels: a plain table while all rows have room in it, a hash map beyond.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The plain table has 2^20 places at most: about what a processor's cache holds.
const MOST_TABLE_BITS: u32 = 20;

/// Numbers that the program made itself need no defence against chosen keys.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        let product = u128::from(self.0 ^ number ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A row of channels as one number: a digit each, the channel's number plus one, the newest lowest; 0 is no channel.
pub(super) type Row = u64;

/// How rows are packed: so many bits a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packing {
    pub bits: u32,
    pub digits: u32,
}

impl Packing {
    /// The widest digits that let a row be one `u64`.
    pub fn widest(digits: u32) -> Packing {
        Packing { bits: 64 / digits, digits }
    }

    /// The narrowest that have room for so many channels.
    pub fn narrowest(digits: u32, channels: usize) -> Packing {
        let bits = usize::BITS - channels.max(3).leading_zeros();
        if bits * digits <= MOST_TABLE_BITS { Packing { bits, digits } } else { Packing::widest(digits) }
    }

    pub fn most_channels(self) -> usize {
        usize::try_from((1u64 << self.bits.min(32)) - 1).unwrap_or(usize::MAX)
    }

    /// The row after a step, the oldest channel forgotten once all digits are used.
    pub fn after(self, row: Row, channel: u32) -> Row {
        let shifted = row << self.bits | (u64::from(channel) + 1);
        let used = self.bits * self.digits;
        if used < 64 { shifted & ((1 << used) - 1) } else { shifted }
    }

    /// Oldest first.
    pub fn channels(self, row: Row) -> Vec<u32> {
        let mut channels = Vec::new();
        let mut rest = row;
        while rest != 0 {
            channels.push(((rest & ((1 << self.bits) - 1)) - 1) as u32);
            rest >>= self.bits;
        }
        channels.reverse();
        channels
    }

    fn has_a_table(self) -> bool {
        self.bits * self.digits <= MOST_TABLE_BITS
    }
}

#[derive(Debug, Clone)]
pub(super) enum Cells<T> {
    Table(Vec<T>),
    Map(HashMap<Row, T, BuildHasherDefault<Mix>>),
}

impl<T: Copy + Default + PartialEq> Cells<T> {
    /// For rows of `packing`, cut to their `digits` newest.
    pub fn new(packing: Packing, digits: u32) -> Cells<T> {
        if packing.has_a_table() {
            Cells::Table(vec![T::default(); 1 << (packing.bits * digits)])
        } else {
            Cells::Map(HashMap::default())
        }
    }

    #[inline]
    pub fn at(&mut self, row: Row) -> &mut T {
        match self {
            Cells::Table(table) => &mut table[row as usize],
            Cells::Map(map) => map.entry(row).or_default(),
        }
    }

    /// All that are not zero, by row.
    pub fn sorted(&self) -> Vec<(Row, T)> {
        match self {
            Cells::Table(table) => {
                let rows = table.iter().enumerate().filter(|(_, cell)| **cell != T::default());
                rows.map(|(row, cell)| (row as Row, *cell)).collect()
            }
            Cells::Map(map) => {
                let mut rows: Vec<(Row, T)> = map.iter().map(|(row, cell)| (*row, *cell)).collect();
                rows.sort_unstable_by_key(|(row, _)| *row);
                rows
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_forgets_its_oldest_channel_and_gives_back_the_others() {
        for (digits, channels) in [(1, 9), (2, 15), (3, 40), (4, 900), (5, 4_000), (2, 1_000_000)] {
            let packing = Packing::narrowest(digits, channels);
            assert!(packing.most_channels() >= channels, "{packing:?}");
            let mut row = 0;
            for step in 0..10u32 {
                assert_eq!(packing.channels(row).len(), digits.min(step) as usize);
                row = packing.after(row, step * channels as u32 / 10);
                assert_eq!(packing.channels(row).last(), Some(&(step * channels as u32 / 10)));
            }
        }
        assert_eq!(Packing::widest(5).most_channels(), 4_095);
    }

    #[test]
    fn cells_come_back_by_row_from_a_table_and_from_a_map() {
        for channels in [15, 900] {
            let packing = Packing::narrowest(3, channels);
            let mut cells = Cells::<f64>::new(packing, 3);
            for (channel, count) in [(7, 1.0), (3, 2.0), (7, 4.0)] {
                *cells.at(packing.after(0, channel)) += count;
            }
            assert_eq!(cells.sorted(), [(4, 2.0), (8, 5.0)], "{channels}");
        }
    }
}
