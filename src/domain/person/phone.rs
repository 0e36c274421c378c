//! Telephone numbers as people type them, brought to E.164. What could be two different numbers is none: a wrong join of
//! two persons is worse than a missing one.

/// Where an extension begins: it is a desk behind the number, not part of it.
const EXTENSION_MARKS: [&str; 9] = [";ext=", "extension", "ext", "доб", "вн", "#", "x", "х", ","];

/// The digits of a number in E.164, without the plus (ITU-T E.164: country code first, at most 15). `None` if it is none.
///
/// - `+…` and `00…` (also the Russian `8~10…`) are international; `(0)` after a country code is dropped.
/// - 11 digits that begin with 8 are Russian: `8 912 …` = `+7 912 …`. So is the slip `+8 9…`, for no country has +89.
/// - 10 digits that begin with 9 are a Russian mobile number. Other numbers of 10 digits are none: without a country they may
///   be American as well as a Russian landline, which a household or an office shares.
/// - 11 to 15 other digits are taken to be international, the plus lost on the way.
/// - `+7` has ten digits after it; a number of one repeated digit (`+7 000 000-00-00`) is a filler.
/// - An extension (`доб. 12`, `ext 5`, `x5`, `#5`) is cut off; other letters, or a second number, make it none.
pub fn e164(text: &str) -> Option<String> {
    let lower = text.trim().to_lowercase();
    let lower = lower.strip_prefix("tel:").unwrap_or(&lower).trim_start();
    let number =
        EXTENSION_MARKS.iter().filter_map(|mark| lower.find(mark)).min().map_or(Some(lower), |end| before(lower, end))?;
    let (plus, number) = match number.trim_start().strip_prefix(['+', '＋']) {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let mut digits = String::with_capacity(15);
    for c in number.replace("(0)", if plus { "" } else { "0" }).chars() {
        match c {
            '0'..='9' => digits.push(c),
            ' ' | '\u{a0}' | '\u{202f}' | '\t' | '-' | '\u{2010}'..='\u{2015}' | '(' | ')' | '.' | '/' | '~' => {}
            _ => return None,
        }
    }
    let international = match plus {
        true if digits.len() == 11 && digits.starts_with("89") => format!("7{}", &digits[1..]),
        true => digits,
        false => national(digits)?,
    };
    let whole = (7..=15).contains(&international.len()) && !international.starts_with('0');
    let russian_length = !international.starts_with('7') || international.len() == 11;
    let subscriber = &international.as_bytes()[1.min(international.len())..];
    let filler = subscriber.windows(2).all(|pair| pair[0] == pair[1]);
    (whole && russian_length && !filler).then_some(international)
}

/// What stands before an extension; a comma parts extensions (a pause when dialling) as well as two numbers.
fn before(text: &str, end: usize) -> Option<&str> {
    let (number, rest) = text.split_at(end);
    let more = rest.chars().filter(char::is_ascii_digit).count();
    (more <= 6).then_some(number)
}

fn national(digits: String) -> Option<String> {
    let rest = |prefix: &str| digits.strip_prefix(prefix).map(str::to_owned);
    match (digits.len(), digits.as_bytes().first()?) {
        (_, b'0') => rest("00"),
        (13.., b'8') if digits.starts_with("810") => rest("810"),
        (11, b'8') => rest("8").map(|rest| format!("7{rest}")),
        (10, b'9') => Some(format!("7{digits}")),
        (11.., _) => Some(digits),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_type_them_are_brought_to_one_form() {
        for (typed, expected) in [
            ("+7 912 345-67-89", "79123456789"),
            ("8 (912) 345-67-89", "79123456789"),
            ("8-912-345-67-89", "79123456789"),
            ("89123456789", "79123456789"),
            ("79123456789", "79123456789"),
            ("9123456789", "79123456789"),
            ("007 912 345 67 89", "79123456789"),
            ("+8 912 345 67 89", "79123456789"),
            ("tel:+7-912-345-67-89", "79123456789"),
            (" +7\u{a0}912\u{a0}345\u{2011}67\u{2013}89 ", "79123456789"),
            ("+7 912 345 67 89 доб. 12", "79123456789"),
            ("8 912 345 67 89 (доб 345)", "79123456789"),
            ("+7 912 345 67 89 ext 5", "79123456789"),
            ("+7 912 345 67 89 x5", "79123456789"),
            ("+7 912 345 67 89;ext=5", "79123456789"),
            ("+7 912 345 67 89, 5", "79123456789"),
            ("+79123456789#12", "79123456789"),
            ("8 495 123-45-67", "74951234567"),
            ("8 800 555-35-35", "78005553535"),
            ("+44 (0)20 7946 0018", "442079460018"),
            ("0044 20 7946 0018", "442079460018"),
            ("8~10 44 20 7946 0018", "442079460018"),
            ("442079460018", "442079460018"),
            ("+1 (212) 555-0123", "12125550123"),
            ("12125550123", "12125550123"),
            ("8613800138000", "8613800138000"),
            ("+375 29 123-45-67", "375291234567"),
            ("+290 21234", "29021234"),
            ("+683 4123", "6834123"),
        ] {
            assert_eq!(e164(typed).as_deref(), Some(expected), "{typed}");
        }
    }

    #[test]
    fn what_is_no_number_or_could_be_two_is_none() {
        for typed in [
            "",
            "   ",
            "+",
            "12",
            "+7",
            "нет",
            "no phone",
            "8-800-FLOWERS",
            "4951234567",
            "2125550123",
            "1234567",
            "+7 912 345 67",
            "+7 912 345 67 890",
            "+0 912 345 67 89",
            "0912345678",
            "0000000000",
            "+70000000000",
            "89999999999",
            "+1234567890123456",
            "89123456789, 89123456780",
            "89123456789 / 89123456780",
            "+7 912 345 67 89 Anna",
            "++79123456789",
        ] {
            assert_eq!(e164(typed), None, "{typed}");
        }
    }
}
