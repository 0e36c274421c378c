//! Sums of money in words, as documents say them: «Одна тысяча двести один рубль 05 копеек».

use crate::domain::money::Money;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gender {
    Masculine,
    Feminine,
}

/// A noun after 1, after 2 to 4, after 5 and more.
type Forms = [&'static str; 3];

fn form(forms: Forms, number: u64) -> &'static str {
    match (number % 100, number % 10) {
        (11..=14, _) => forms[2],
        (_, 1) => forms[0],
        (_, 2..=4) => forms[1],
        _ => forms[2],
    }
}

/// The amount in Russian, beginning with a capital letter: the whole in words, the rest in digits. Of a currency whose
/// declension is not known here, its code and a fraction: «Сто AMD 05/100».
pub fn russian(money: Money) -> String {
    let (negative, whole, rest, digits) = parts(money);
    let unit = RUSSIAN_UNITS.iter().find(|unit| unit.0 == money.currency().code());
    let gender = unit.map_or(Gender::Masculine, |unit| unit.1);
    let mut text = if negative { "минус ".to_owned() } else { String::new() };
    text += &russian_number(whole, gender);
    text += &match unit {
        Some((_, _, forms, None)) => format!(" {}", form(*forms, whole)),
        Some((_, _, forms, Some(part))) => format!(" {} {rest:0digits$} {}", form(*forms, whole), form(*part, rest)),
        None => unnamed(money, rest, digits),
    };
    capital(&text)
}

/// The amount in English: "One thousand two hundred and one roubles 05 kopecks".
pub fn english(money: Money) -> String {
    let (negative, whole, rest, digits) = parts(money);
    let one_or_more = |forms: [&'static str; 2], n: u64| if n == 1 { forms[0] } else { forms[1] };
    let mut text = if negative { "minus ".to_owned() } else { String::new() };
    text += &english_number(whole);
    text += &match ENGLISH_UNITS.iter().find(|unit| unit.0 == money.currency().code()) {
        Some((_, unit, None)) => format!(" {}", one_or_more(*unit, whole)),
        Some((_, unit, Some(part))) => {
            format!(" {} {rest:0digits$} {}", one_or_more(*unit, whole), one_or_more(*part, rest))
        }
        None => unnamed(money, rest, digits),
    };
    capital(&text)
}

/// Below zero or not, whole units, the rest, and how many digits the rest has.
fn parts(money: Money) -> (bool, u64, u64, usize) {
    let digits = money.currency().decimals();
    let scale = 10_u64.pow(digits);
    let minor = money.minor().unsigned_abs();
    (money.minor() < 0, minor / scale, minor % scale, digits as usize)
}

fn unnamed(money: Money, rest: u64, digits: usize) -> String {
    let code = money.currency().code();
    if digits == 0 { format!(" {code}") } else { format!(" {code} {rest:0digits$}/{}", 10_u64.pow(digits as u32)) }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

const ROUBLE_PART: Forms = ["копейка", "копейки", "копеек"];
const CENT: Forms = ["цент", "цента", "центов"];

/// Code, gender, the unit, its hundredth.
const RUSSIAN_UNITS: [(&str, Gender, Forms, Option<Forms>); 11] = [
    ("RUB", Gender::Masculine, ["рубль", "рубля", "рублей"], Some(ROUBLE_PART)),
    ("BYN", Gender::Masculine, ["белорусский рубль", "белорусских рубля", "белорусских рублей"], Some(ROUBLE_PART)),
    ("UAH", Gender::Feminine, ["гривна", "гривны", "гривен"], Some(ROUBLE_PART)),
    ("USD", Gender::Masculine, ["доллар США", "доллара США", "долларов США"], Some(CENT)),
    ("EUR", Gender::Masculine, ["евро", "евро", "евро"], Some(["евроцент", "евроцента", "евроцентов"])),
    ("GBP", Gender::Masculine, ["фунт стерлингов", "фунта стерлингов", "фунтов стерлингов"], Some(["пенс", "пенса", "пенсов"])),
    ("KZT", Gender::Masculine, ["тенге", "тенге", "тенге"], Some(["тиын", "тиына", "тиынов"])),
    ("CNY", Gender::Masculine, ["юань", "юаня", "юаней"], Some(["фэнь", "фэня", "фэней"])),
    (
        "CHF",
        Gender::Masculine,
        ["швейцарский франк", "швейцарских франка", "швейцарских франков"],
        Some(["сантим", "сантима", "сантимов"]),
    ),
    ("TRY", Gender::Feminine, ["турецкая лира", "турецкие лиры", "турецких лир"], Some(["куруш", "куруша", "курушей"])),
    ("JPY", Gender::Feminine, ["иена", "иены", "иен"], None),
];

type Pair = [&'static str; 2];

const ENGLISH_UNITS: [(&str, Pair, Option<Pair>); 11] = [
    ("RUB", ["rouble", "roubles"], Some(["kopeck", "kopecks"])),
    ("BYN", ["Belarusian rouble", "Belarusian roubles"], Some(["kopeck", "kopecks"])),
    ("UAH", ["hryvnia", "hryvnias"], Some(["kopiyka", "kopiykas"])),
    ("USD", ["US dollar", "US dollars"], Some(["cent", "cents"])),
    ("EUR", ["euro", "euros"], Some(["cent", "cents"])),
    ("GBP", ["pound sterling", "pounds sterling"], Some(["penny", "pence"])),
    ("KZT", ["tenge", "tenge"], Some(["tiyn", "tiyn"])),
    ("CNY", ["yuan", "yuan"], Some(["fen", "fen"])),
    ("CHF", ["Swiss franc", "Swiss francs"], Some(["centime", "centimes"])),
    ("TRY", ["Turkish lira", "Turkish liras"], Some(["kurus", "kurus"])),
    ("JPY", ["yen", "yen"], None),
];

/// Thousand is feminine, all above are masculine.
const RUSSIAN_POWERS: [(Gender, Forms); 6] = [
    (Gender::Feminine, ["тысяча", "тысячи", "тысяч"]),
    (Gender::Masculine, ["миллион", "миллиона", "миллионов"]),
    (Gender::Masculine, ["миллиард", "миллиарда", "миллиардов"]),
    (Gender::Masculine, ["триллион", "триллиона", "триллионов"]),
    (Gender::Masculine, ["квадриллион", "квадриллиона", "квадриллионов"]),
    (Gender::Masculine, ["квинтиллион", "квинтиллиона", "квинтиллионов"]),
];

fn russian_number(number: u64, gender: Gender) -> String {
    if number == 0 {
        return "ноль".to_owned();
    }
    let mut words: Vec<&str> = Vec::new();
    for power in (0..=RUSSIAN_POWERS.len()).rev() {
        let group = number / 1_000_u64.pow(power as u32) % 1_000;
        if group == 0 {
            continue;
        }
        match power.checked_sub(1).map(|index| RUSSIAN_POWERS[index]) {
            None => russian_group(group, gender, &mut words),
            Some((gender, forms)) => {
                russian_group(group, gender, &mut words);
                words.push(form(forms, group));
            }
        }
    }
    words.join(" ")
}

/// 1 to 999.
fn russian_group(group: u64, gender: Gender, words: &mut Vec<&str>) {
    const HUNDREDS: [&str; 9] =
        ["сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот"];
    const TENS: [&str; 8] = ["двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"];
    const UP_TO_NINETEEN: [&str; 19] = [
        "один",
        "два",
        "три",
        "четыре",
        "пять",
        "шесть",
        "семь",
        "восемь",
        "девять",
        "десять",
        "одиннадцать",
        "двенадцать",
        "тринадцать",
        "четырнадцать",
        "пятнадцать",
        "шестнадцать",
        "семнадцать",
        "восемнадцать",
        "девятнадцать",
    ];
    if group >= 100 {
        words.push(HUNDREDS[(group / 100) as usize - 1]);
    }
    let mut rest = group % 100;
    if rest >= 20 {
        words.push(TENS[(rest / 10) as usize - 2]);
        rest %= 10;
    }
    match (rest, gender) {
        (0, _) => {}
        (1, Gender::Feminine) => words.push("одна"),
        (2, Gender::Feminine) => words.push("две"),
        (rest, _) => words.push(UP_TO_NINETEEN[rest as usize - 1]),
    }
}

fn english_number(number: u64) -> String {
    const POWERS: [&str; 7] = ["", " thousand", " million", " billion", " trillion", " quadrillion", " quintillion"];
    if number == 0 {
        return "zero".to_owned();
    }
    let mut groups: Vec<String> = Vec::new();
    for (power, name) in POWERS.iter().enumerate().rev() {
        let group = number / 1_000_u64.pow(power as u32) % 1_000;
        if group == 0 {
            continue;
        }
        let and = if power == 0 && group < 100 && !groups.is_empty() { "and " } else { "" };
        groups.push(format!("{and}{}{name}", english_group(group)));
    }
    groups.join(" ")
}

/// 1 to 999.
fn english_group(group: u64) -> String {
    const UP_TO_NINETEEN: [&str; 20] = [
        "",
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
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let rest = group % 100;
    let below_hundred = match (rest / 10, rest % 10) {
        (0 | 1, _) => UP_TO_NINETEEN[rest as usize].to_owned(),
        (tens, 0) => TENS[tens as usize - 2].to_owned(),
        (tens, ones) => format!("{}-{}", TENS[tens as usize - 2], UP_TO_NINETEEN[ones as usize]),
    };
    match (group / 100, below_hundred.is_empty()) {
        (0, _) => below_hundred,
        (hundreds, true) => format!("{} hundred", UP_TO_NINETEEN[hundreds as usize]),
        (hundreds, false) => format!("{} hundred and {below_hundred}", UP_TO_NINETEEN[hundreds as usize]),
    }
}

#[cfg(test)]
mod tests;
