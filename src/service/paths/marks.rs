//! Where the bytes stand that part a text into lines, cells and steps: eight bytes are looked at in one go.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// The high bit of each byte of `word` that is `wanted`.
#[inline]
fn hits(word: u64, wanted: u8) -> u64 {
    let other = word ^ (LOW * u64::from(wanted));
    !(((other & !HIGH) + !HIGH) | other) & HIGH
}

/// Where a byte first stands in a text.
#[inline]
pub(super) fn position(text: &[u8], wanted: u8) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let hits = hits(u64::from_le_bytes(*word), wanted);
        if hits != 0 {
            return Some(index * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|byte| *byte == wanted).map(|index| words.len() * 8 + index)
}

/// Puts into `marks` where `>`, the delimiter and newlines stand in a text (shorter than 4 GiB), in order.
pub(super) fn find_marks(text: &[u8], delimiter: u8, marks: &mut Vec<u32>) {
    marks.clear();
    let (blocks, rest) = text.as_chunks::<64>();
    for (index, block) in blocks.iter().enumerate() {
        let mut found = 0u64;
        for (place, word) in block.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let hits = hits(word, b'>') | hits(word, delimiter) | hits(word, b'\n');
            // One bit a byte: a product that brings the eight of them together at the top.
            found |= ((hits >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (place * 8);
        }
        while found != 0 {
            marks.push((index * 64) as u32 + found.trailing_zeros());
            found &= found - 1;
        }
    }
    let begin = text.len() - rest.len();
    let is_mark = |byte: u8| byte == b'>' || byte == delimiter || byte == b'\n';
    marks.extend(rest.iter().enumerate().filter(|(_, byte)| is_mark(**byte)).map(|(index, _)| (begin + index) as u32));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_byte_is_found_wherever_it_stands() {
        for length in 0..40 {
            for place in 0..length {
                let mut text = vec![b'x'; length];
                text[place] = b'>';
                assert_eq!(position(&text, b'>'), Some(place));
                text[place..].fill(b'>');
                assert_eq!(position(&text, b'>'), Some(place));
            }
            assert_eq!(position(&vec![b'>' | 0x80; length], b'>'), None);
            assert_eq!(position(&vec![b'>' - 1; length], b'>'), None);
        }
    }

    proptest! {
        #[test]
        fn marks_are_all_that_part_a_text(
            text in prop::collection::vec(prop_oneof![Just(b'>'), Just(b','), Just(b'\n'), any::<u8>()], 0..300),
        ) {
            let mut marks = vec![7];
            find_marks(&text, b',', &mut marks);
            let expected: Vec<u32> =
                (0..text.len()).filter(|index| matches!(text[*index], b'>' | b',' | b'\n')).map(|index| index as u32).collect();
            prop_assert_eq!(marks, expected);
        }
    }
}
