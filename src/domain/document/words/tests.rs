//! The words against sums written down by hand, and read back by a reader that knows only what each word counts.

use super::*;
use crate::domain::money::{Currency, LARGEST_MINOR};
use proptest::prelude::*;

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, code.parse::<Currency>().unwrap())
}

#[test]
fn sums_in_russian_are_those_written_by_hand() {
    for (minor, code, expected) in [
        (1_201_05, "RUB", "Одна тысяча двести один рубль 05 копеек"),
        (0, "RUB", "Ноль рублей 00 копеек"),
        (1, "RUB", "Ноль рублей 01 копейка"),
        (1_02, "RUB", "Один рубль 02 копейки"),
        (2_11, "RUB", "Два рубля 11 копеек"),
        (5_21, "RUB", "Пять рублей 21 копейка"),
        (11_12, "RUB", "Одиннадцать рублей 12 копеек"),
        (12_14, "RUB", "Двенадцать рублей 14 копеек"),
        (21_00, "RUB", "Двадцать один рубль 00 копеек"),
        (40_00, "RUB", "Сорок рублей 00 копеек"),
        (92_00, "RUB", "Девяносто два рубля 00 копеек"),
        (100_00, "RUB", "Сто рублей 00 копеек"),
        (111_00, "RUB", "Сто одиннадцать рублей 00 копеек"),
        (1_000_00, "RUB", "Одна тысяча рублей 00 копеек"),
        (2_000_00, "RUB", "Две тысячи рублей 00 копеек"),
        (5_000_00, "RUB", "Пять тысяч рублей 00 копеек"),
        (11_000_00, "RUB", "Одиннадцать тысяч рублей 00 копеек"),
        (21_002_00, "RUB", "Двадцать одна тысяча два рубля 00 копеек"),
        (1_000_000_00, "RUB", "Один миллион рублей 00 копеек"),
        (2_400_000_00, "RUB", "Два миллиона четыреста тысяч рублей 00 копеек"),
        (3_000_000_001_00, "RUB", "Три миллиарда один рубль 00 копеек"),
        (
            612_719_913_334_90,
            "RUB",
            "Шестьсот двенадцать миллиардов семьсот девятнадцать миллионов девятьсот тринадцать тысяч триста тридцать четыре рубля 90 копеек",
        ),
        (-22_50, "RUB", "Минус двадцать два рубля 50 копеек"),
        (1_01, "USD", "Один доллар США 01 цент"),
        (22_00, "EUR", "Двадцать два евро 00 евроцентов"),
        (3_03, "GBP", "Три фунта стерлингов 03 пенса"),
        (2_00, "UAH", "Две гривны 00 копеек"),
        (41_00, "BYN", "Сорок один белорусский рубль 00 копеек"),
        (1_000, "JPY", "Одна тысяча иен"),
        (2, "JPY", "Две иены"),
        (100_05, "AMD", "Сто AMD 05/100"),
        (1_005, "KWD", "Один KWD 005/1000"),
    ] {
        assert_eq!(russian(money(minor, code)), expected, "{minor} {code}");
    }
}

#[test]
fn sums_in_english_are_those_written_by_hand() {
    for (minor, code, expected) in [
        (1_201_05, "RUB", "One thousand two hundred and one roubles 05 kopecks"),
        (0, "RUB", "Zero roubles 00 kopecks"),
        (1_01, "RUB", "One rouble 01 kopeck"),
        (13_00, "GBP", "Thirteen pounds sterling 00 pence"),
        (1_01, "GBP", "One pound sterling 01 penny"),
        (1_001_00, "USD", "One thousand and one US dollars 00 cents"),
        (45_100_00, "EUR", "Forty-five thousand one hundred euros 00 cents"),
        (2_000_000_30, "RUB", "Two million roubles 30 kopecks"),
        (
            999_999_999_99,
            "RUB",
            "Nine hundred and ninety-nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine roubles 99 kopecks",
        ),
        (-7, "JPY", "Minus seven yen"),
        (1_000_010, "JPY", "One million and ten yen"),
        (100_05, "AMD", "One hundred AMD 05/100"),
    ] {
        assert_eq!(english(money(minor, code)), expected, "{minor} {code}");
    }
}

/// What a word counts; a power multiplies what was said before it.
enum Said {
    Adds(u64),
    Multiplies(u64),
}

fn russian_word(word: &str) -> Option<Said> {
    const STEMS: [(&str, u64); 36] = [
        ("один", 1),
        ("одна", 1),
        ("два", 2),
        ("две", 2),
        ("три", 3),
        ("четыре", 4),
        ("пять", 5),
        ("шесть", 6),
        ("семь", 7),
        ("восемь", 8),
        ("девять", 9),
        ("десять", 10),
        ("одиннадцать", 11),
        ("двенадцать", 12),
        ("тринадцать", 13),
        ("четырнадцать", 14),
        ("пятнадцать", 15),
        ("шестнадцать", 16),
        ("семнадцать", 17),
        ("восемнадцать", 18),
        ("девятнадцать", 19),
        ("двадцать", 20),
        ("тридцать", 30),
        ("сорок", 40),
        ("пятьдесят", 50),
        ("шестьдесят", 60),
        ("семьдесят", 70),
        ("восемьдесят", 80),
        ("девяносто", 90),
        ("сто", 100),
        ("двести", 200),
        ("триста", 300),
        ("четыреста", 400),
        ("пятьсот", 500),
        ("шестьсот", 600),
        ("семьсот", 700),
    ];
    let adds = STEMS.iter().chain(&[("восемьсот", 800), ("девятьсот", 900), ("ноль", 0)]).find(|(w, _)| *w == word);
    if let Some((_, n)) = adds {
        return Some(Said::Adds(*n));
    }
    [("тысяч", 3), ("миллион", 6), ("миллиард", 9), ("триллион", 12), ("квадриллион", 15)]
        .iter()
        .find(|(stem, _)| word.strip_prefix(stem).is_some_and(|end| ["", "а", "и", "ов"].contains(&end)))
        .map(|(_, power)| Said::Multiplies(10_u64.pow(*power)))
}

/// The number that words say, and where they end.
fn read_back(text: &str, word: impl Fn(&str) -> Option<Said>) -> u64 {
    let (mut total, mut group) = (0, 0);
    for said in text.to_lowercase().split([' ', '-']).filter(|w| *w != "and").map_while(word) {
        match said {
            Said::Adds(n) => group += n,
            Said::Multiplies(power) => {
                total += group * power;
                group = 0;
            }
        }
    }
    total + group
}

fn english_word(word: &str) -> Option<Said> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    if let Some(n) = SMALL.iter().position(|w| *w == word) {
        return Some(Said::Adds(n as u64));
    }
    if let Some(n) = TENS.iter().position(|w| *w == word) {
        return Some(Said::Adds(n as u64 * 10));
    }
    let powers = ["thousand", "million", "billion", "trillion", "quadrillion"];
    powers.iter().position(|w| *w == word).map(|n| Said::Multiplies(1_000_u64.pow(n as u32 + 1)))
}

proptest! {
    #[test]
    fn what_is_said_in_russian_reads_back(minor in prop_oneof![0..=LARGEST_MINOR, 0..100_000_000_i64, 0..300_000_i64]) {
        let said = russian(money(minor, "RUB"));
        prop_assert_eq!(read_back(&said, russian_word), minor as u64 / 100, "{}", said);
        let whole = minor / 100;
        let expected = match (whole % 100, whole % 10) { (11..=14, _) => "рублей", (_, 1) => "рубль", (_, 2..=4) => "рубля", _ => "рублей" };
        prop_assert!(said.split(' ').any(|w| w == expected), "{}", said);
        let tail = format!(" {:02} копе", minor % 100);
        prop_assert!(said.contains(&tail));
        // One and two are feminine before thousands, and only there.
        let lower = said.to_lowercase();
        let words: Vec<&str> = lower.split(' ').collect();
        for pair in words.windows(2) {
            let of_thousands = pair[1].starts_with("тысяч");
            prop_assert!(!matches!(pair[0], "одна" | "две") || of_thousands, "{}", said);
            prop_assert!(!matches!(pair[0], "один" | "два") || !of_thousands, "{}", said);
        }
    }

    #[test]
    fn what_is_said_in_english_reads_back(minor in prop_oneof![0..=LARGEST_MINOR, 0..100_000_000_i64, 0..300_000_i64]) {
        let said = english(money(minor, "RUB"));
        // "two hundred and one": a hundred multiplies what stands before it within the group.
        let flat = said.to_lowercase();
        let mut words: Vec<String> = Vec::new();
        for word in flat.split(' ') {
            match (word, words.pop()) {
                ("hundred", Some(last)) => {
                    let n = match english_word(&last) { Some(Said::Adds(n)) => n, _ => 0 };
                    words.push(format!("#{}", n * 100));
                }
                (word, last) => { words.extend(last); words.push(word.to_owned()); }
            }
        }
        let read = read_back(&words.join(" "), |w| w.strip_prefix('#').map_or_else(|| english_word(w), |n| n.parse().ok().map(Said::Adds)));
        prop_assert_eq!(read, minor as u64 / 100, "{}", said);
    }
}
