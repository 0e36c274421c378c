//! Channel names to small numbers, in order of appearance. This is where most of the time over a path file goes: a name of
//! up to 16 bytes is compared as two words, without a look at the text.

/// The longest name that is held in two words.
pub(super) const LONGEST_WORD: usize = 16;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Up to 16 bytes these two words and the length are the name; a longer name has its hashes here.
    words: [u64; 2],
    length: u32,
    /// Number plus one; 0 if the slot is free.
    number: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Names {
    names: Vec<String>,
    slots: Vec<Slot>,
}

/// The name is no UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoText;

impl Names {
    pub fn new() -> Names {
        Names { names: Vec::new(), slots: vec![Slot::default(); 256] }
    }

    /// The number of a name, a new one if it was not seen before.
    ///
    /// # Errors
    /// [`NoText`] if a new name is no UTF-8.
    pub fn number(&mut self, name: &[u8]) -> Result<u32, NoText> {
        let mut padded = [0; LONGEST_WORD];
        let words = match padded.get_mut(..name.len()) {
            Some(room) => {
                room.copy_from_slice(name);
                short(&padded, name.len())
            }
            None => long(name),
        };
        self.look_up(name, words)
    }

    /// [`Names::number`] of a part of a text that goes on for [`LONGEST_WORD`] bytes behind it.
    #[inline]
    pub fn number_at(&mut self, text: &[u8], from: usize, to: usize) -> Result<u32, NoText> {
        let name = &text[from..to];
        let words = match text[from..].first_chunk() {
            Some(chunk) if name.len() <= LONGEST_WORD => short(chunk, name.len()),
            _ => long(name),
        };
        self.look_up(name, words)
    }

    #[inline]
    fn look_up(&mut self, name: &[u8], words: [u64; 2]) -> Result<u32, NoText> {
        let mask = self.slots.len() - 1;
        let length = name.len() as u64;
        let mut place = fold(words[0] ^ 0x9E37_79B9_7F4A_7C15, words[1] ^ length ^ 0xD6E8_FEB8_6659_FD93) as usize & mask;
        loop {
            let slot = &self.slots[place];
            if slot.number == 0 {
                return self.add(name, Slot { words, length: name.len() as u32, number: 0 }, place);
            }
            if slot.words == words
                && slot.length == name.len() as u32
                && (name.len() <= LONGEST_WORD || self.names[slot.number as usize - 1].as_bytes() == name)
            {
                return Ok(slot.number - 1);
            }
            place = (place + 1) & mask;
        }
    }

    #[cold]
    fn add(&mut self, name: &[u8], slot: Slot, place: usize) -> Result<u32, NoText> {
        let text = std::str::from_utf8(name).map_err(|_| NoText)?;
        if (self.names.len() + 1) * 4 > self.slots.len() {
            let twice = self.slots.len() * 2;
            let names = std::mem::take(&mut self.names);
            *self = Names { names: Vec::with_capacity(names.len() * 2), slots: vec![Slot::default(); twice] };
            for known in names {
                self.number(known.as_bytes())?;
            }
            return self.number(name);
        }
        self.names.push(text.to_owned());
        self.slots[place] = Slot { number: self.names.len() as u32, ..slot };
        Ok(self.names.len() as u32 - 1)
    }

    pub fn into_names(self) -> Vec<String> {
        self.names
    }

    pub fn as_slice(&self) -> &[String] {
        &self.names
    }
}

/// A name of up to 16 bytes as two words, what comes behind it cut off.
#[inline]
fn short(text: &[u8; LONGEST_WORD], length: usize) -> [u64; 2] {
    let (halves, _) = text.as_chunks::<8>();
    let [first, second] = [u64::from_le_bytes(halves[0]), u64::from_le_bytes(halves[1])];
    let keep = |bytes: usize| if bytes >= 8 { u64::MAX } else { (1 << (bytes * 8)) - 1 };
    [first & keep(length), second & keep(length.saturating_sub(8))]
}

#[cold]
fn long(name: &[u8]) -> [u64; 2] {
    let (chunks, rest) = name.as_chunks::<8>();
    let hash = chunks.iter().fold(0, |hash, chunk| fold(hash ^ u64::from_le_bytes(*chunk), 0xA076_1D64_78BD_642F));
    let rest = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    [hash, rest]
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_number_whatever_its_length() {
        let mut names = Names::new();
        let mut all: Vec<String> = (0..40).flat_map(|n| ["a".repeat(n), format!("{}b", "a".repeat(n))]).skip(1).collect();
        all.extend((0..3_000).map(|n| format!("campaign number {n} of the year")));
        all.extend((0..3_000).map(|n| n.to_string()));
        all.sort();
        all.dedup();
        for _ in 0..2 {
            for (number, name) in all.iter().enumerate() {
                assert_eq!(names.number(name.as_bytes()), Ok(number as u32), "{name}");
                let text = format!(">{name} > and so on and on");
                assert_eq!(names.number_at(text.as_bytes(), 1, 1 + name.len()), Ok(number as u32), "{name}");
            }
        }
        assert_eq!(names.number(b"\xff\xfe"), Err(NoText));
        assert_eq!(names.into_names(), all);
    }
}
