//! Texts in the character set of SEPA and SWIFT: `a-z A-Z 0-9 / - ? : ( ) . , ' +` and space. Letters of other Latin
//! alphabets and typographic signs have a fixed replacement, in the spirit of the European Payments Council's
//! EPC217-08; every other character is refused, never turned into something else.

use crate::domain::payout_file::TextProblem;

/// The text in the set, trimmed, its runs of spaces made one, and at most `longest` characters.
pub fn written(text: &str, longest: usize) -> Result<String, TextProblem> {
    let mut written = String::with_capacity(text.len());
    for character in text.trim().chars() {
        let is_space = character.is_whitespace() && !character.is_control();
        if is_space && written.ends_with(' ') {
            continue;
        }
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '/' | '-' | '?' | ':' | '(' | ')' | '.' | ',' | '\'' | '+' => {
                written.push(character)
            }
            _ if is_space => written.push(' '),
            _ => match replacement(character) {
                Some(with) => written.push_str(with),
                None => return Err(TextProblem::Character { character, set: "the SEPA character set" }),
            },
        }
    }
    if written.len() > longest { Err(TextProblem::TooLong(longest)) } else { Ok(written) }
}

/// What stands for a character outside the set.
fn replacement(character: char) -> Option<&'static str> {
    Some(match character {
        'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' | 'Ā' | 'Ă' | 'Ą' | 'Ǎ' => "A",
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'Æ' => "AE",
        'æ' => "ae",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ð' | 'Ď' | 'Đ' => "D",
        'ð' | 'ď' | 'đ' => "d",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'Ñ' | 'Ń' | 'Ņ' | 'Ň' | 'Ŋ' => "N",
        'ñ' | 'ń' | 'ņ' | 'ň' | 'ŋ' => "n",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' | 'Ō' | 'Ŏ' | 'Ő' => "O",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'Œ' => "OE",
        'œ' => "oe",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ẞ' => "SS",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Þ' => "Th",
        'þ' => "th",
        'Ù' | 'Ú' | 'Û' | 'Ü' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ý' | 'Ÿ' | 'Ŷ' => "Y",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        '&' => "+",
        '_' | '‐' | '‑' | '–' | '—' => "-",
        '"' | '„' | '“' | '”' | '«' | '»' | '‘' | '’' | '‚' | '`' | '´' => "'",
        ';' => ",",
        '!' => ".",
        '…' => "...",
        '[' | '{' => "(",
        ']' | '}' => ")",
        '\\' | '|' => "/",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_letters_are_replaced_and_others_refused() {
        for (text, expected) in [
            ("Müller & Søn GmbH", "Muller + Son GmbH"),
            ("  Łódź\u{a0} Straße  ", "Lodz Strasse"),
            ("«Ünal»; O’Neil", "'Unal', O'Neil"),
            ("Plain (1) /2-3?:.,'+", "Plain (1) /2-3?:.,'+"),
        ] {
            assert_eq!(written(text, 70), Ok(expected.to_owned()));
        }
        for (text, character) in [("Иван", 'И'), ("山田", '山'), ("a\nb", '\n'), ("x@y", '@'), ("e\u{301}", '\u{301}')] {
            assert_eq!(written(text, 70), Err(TextProblem::Character { character, set: "the SEPA character set" }), "{text}");
        }
        assert_eq!(written(&"ß".repeat(36), 70), Err(TextProblem::TooLong(70)), "two letters for one");
    }
}
