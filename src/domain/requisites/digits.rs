//! What the numbers share: reading digits, and showing them again.

use super::RequisiteError;

/// A text without any whitespace, in capital letters.
pub fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// A number of digits only, one of `lengths` long and not all zeros, which pass many a check digit.
/// `wanted`: what an error says about the length.
pub fn digits(text: &str, lengths: &[usize], wanted: &'static str) -> Result<String, RequisiteError> {
    let text = compact(text);
    if let Some(other) = text.chars().find(|c| !c.is_ascii_digit()) {
        return Err(RequisiteError::NotADigit(other));
    }
    if !lengths.contains(&text.len()) {
        return Err(RequisiteError::Length { has: text.len(), wanted });
    }
    if text.bytes().all(|b| b == b'0') { Err(RequisiteError::AllZeros) } else { Ok(text) }
}

/// The values of the digits of a text that has nothing else.
pub fn values(text: &str) -> Vec<u32> {
    text.bytes().map(|b| u32::from(b.wrapping_sub(b'0'))).collect()
}

/// `as_str` and `Display` of a checked number.
macro_rules! shown_as_text {
    ($($name:ident),+) => {$(
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
pub(super) use shown_as_text;
