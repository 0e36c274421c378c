//! Whole minor units with their currency. No float ever touches an amount.

use serde::ser::SerializeStruct;

/// The largest amount a single field may hold, in minor units. Far above any order, and small enough that
/// `rate × base × part` stays inside `i128` and a sum over a billion rows inside reports cannot overflow unnoticed.
pub const LARGEST_MINOR: i64 = 9_000_000_000_000_000;

/// Why an amount was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("'{0}' is not a decimal amount like 1990.00")]
    NotADecimal(String),
    #[error("{currency} has {decimals} decimals, '{text}' has more")]
    TooManyDecimals { text: String, currency: Currency, decimals: u32 },
    #[error("the amount is too large")]
    TooLarge,
    #[error("the amount must not be negative")]
    Negative,
    #[error("'{0}' is not an ISO 4217 currency")]
    UnknownCurrency(String),
    #[error("{0} and {1} cannot be added")]
    Mixed(Currency, Currency),
}

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    pub const RUB: Currency = Currency(iso_currency::Currency::RUB);
    pub const EUR: Currency = Currency(iso_currency::Currency::EUR);

    /// How many decimals an amount has: RUB 2, JPY 0, KWD 3.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// By its ISO 4217 number: 978 is EUR.
    pub fn of_numeric(number: u16) -> Option<Currency> {
        iso_currency::Currency::from_numeric(number).map(Currency)
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl std::str::FromStr for Currency {
    type Err = MoneyError;
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        iso_currency::Currency::from_code(text)
            .map(Currency)
            .ok_or_else(|| MoneyError::UnknownCurrency(text.chars().take(20).collect()))
    }
}

impl serde::Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> serde::Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An amount in the smallest unit of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    pub fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    pub fn minor(self) -> i64 {
        self.minor
    }

    pub fn currency(self) -> Currency {
        self.currency
    }

    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Reads `1990`, `1990.5`, `-3.00`: an optional sign, digits, at most the currency's decimals.
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let wrong = || MoneyError::NotADecimal(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(wrong()),
            Some(parts) => parts,
            None => (digits, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let decimals = currency.decimals();
        if fraction.len() > decimals as usize {
            return Err(MoneyError::TooManyDecimals { text: text.chars().take(40).collect(), currency, decimals });
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', decimals as usize - fraction.len());
        for digit in whole.bytes().chain(fraction.bytes()).chain(padding) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit - b'0')))
                .filter(|m| *m <= LARGEST_MINOR)
                .ok_or(MoneyError::TooLarge)?;
        }
        Ok(Money { minor: if negative { -minor } else { minor }, currency })
    }

    /// As [`Money::parse`], refusing what is below zero.
    pub fn parse_not_negative(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let money = Money::parse(text, currency)?;
        if money.minor < 0 { Err(MoneyError::Negative) } else { Ok(money) }
    }

    /// The decimal text of the amount, with all decimals of the currency and a point: `1990.00`.
    pub fn decimal(self) -> String {
        let decimals = self.currency.decimals() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::TooLarge)?;
        Ok(Money { minor, currency: self.currency })
    }

    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.checked_add(Money { minor: -other.minor, currency: other.currency })
    }

    /// Shares the amount out in proportion to `weights`, by largest remainder, ties to the earlier part, so that the
    /// parts add up to the whole. All weights zero: everything to the first. No weights: no parts.
    pub fn split(self, weights: &[u64]) -> Vec<Money> {
        split_minor(self.minor, weights).into_iter().map(|minor| Money { minor, ..self }).collect()
    }
}

/// [`Money::split`] on bare minor units.
pub fn split_minor(minor: i64, weights: &[u64]) -> Vec<i64> {
    if weights.is_empty() {
        return Vec::new();
    }
    let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if total == 0 {
        let mut parts = vec![0; weights.len()];
        parts[0] = minor;
        return parts;
    }
    let whole = i128::from(minor.unsigned_abs());
    let mut parts: Vec<i64> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    let mut given: i128 = 0;
    for (index, weight) in weights.iter().enumerate() {
        let product = whole * i128::from(*weight);
        given += product / total;
        parts.push((product / total) as i64);
        remainders.push((product % total, index));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in remainders.iter().take((whole - given) as usize) {
        parts[*index] += 1;
    }
    if minor < 0 {
        parts.iter_mut().for_each(|p| *p = -*p);
    }
    parts
}

/// `numerator / denominator`, rounded half to even. `None` if the denominator is zero or the result leaves `i64`.
pub fn divide_half_even(numerator: i128, denominator: i128) -> Option<i64> {
    if denominator == 0 {
        return None;
    }
    let (numerator, denominator) = if denominator < 0 { (-numerator, -denominator) } else { (numerator, denominator) };
    let floor = numerator.div_euclid(denominator);
    let twice = numerator.rem_euclid(denominator).checked_mul(2)?;
    let up = match twice.cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => floor % 2 != 0,
    };
    i64::try_from(floor + i128::from(up)).ok()
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl serde::Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut fields = s.serialize_struct("Money", 2)?;
        fields.serialize_field("amount", &self.decimal())?;
        fields.serialize_field("currency", &self.currency)?;
        fields.end()
    }
}

impl<'de> serde::Deserialize<'de> for Money {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wire {
            amount: String,
            currency: Currency,
        }
        let wire = Wire::deserialize(d)?;
        Money::parse(&wire.amount, wire.currency).map_err(serde::de::Error::custom)
    }
}

/// A rate in millionths: `RatePpm(125_000)` is 12.5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RatePpm(u32);

/// The text is no percentage from 0 to 100 with at most four decimals.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a percentage from 0 to 100 with at most 4 decimals")]
pub struct WrongPercent(String);

impl RatePpm {
    pub fn from_ppm(ppm: i64) -> Option<RatePpm> {
        u32::try_from(ppm).ok().filter(|p| *p <= 1_000_000).map(RatePpm)
    }

    /// Reads `12.5` as 12.5 %.
    pub fn from_percent(text: &str) -> Result<RatePpm, WrongPercent> {
        let wrong = || WrongPercent(text.chars().take(40).collect());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || fraction.len() > 4 || !digits(whole) || !digits(fraction) {
            return Err(wrong());
        }
        format!("{whole}{fraction:0<4}").parse::<i64>().ok().and_then(RatePpm::from_ppm).ok_or_else(wrong)
    }

    pub fn ppm(self) -> i64 {
        i64::from(self.0)
    }

    /// That share of an amount in minor units, rounded half to even.
    pub fn of(self, minor: i64) -> i64 {
        // Never more than the amount itself.
        divide_half_even(i128::from(minor) * i128::from(self.0), 1_000_000).unwrap_or(minor)
    }

    /// `12.5`, without trailing zeros.
    pub fn percent(self) -> String {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn amounts_read_and_print_with_the_currencys_decimals() {
        for (text, code, minor, printed) in [
            ("1990.00", "RUB", 199_000, "1990.00"),
            ("1990", "RUB", 199_000, "1990.00"),
            ("0.5", "RUB", 50, "0.50"),
            ("-0.05", "RUB", -5, "-0.05"),
            ("12", "JPY", 12, "12"),
            ("1.234", "KWD", 1_234, "1.234"),
        ] {
            let money = Money::parse(text, currency(code)).unwrap();
            assert_eq!((money.minor(), money.decimal().as_str()), (minor, printed));
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_by_name() {
        for text in ["", "-", ".5", "5.", "1e3", "1 000", "1,5", "+1", "NaN", "0x1", "١"] {
            assert!(matches!(Money::parse(text, Currency::RUB), Err(MoneyError::NotADecimal(_))), "{text}");
        }
        assert!(matches!(Money::parse("1.005", Currency::RUB), Err(MoneyError::TooManyDecimals { .. })));
        assert!(matches!(Money::parse("1.0", currency("JPY")), Err(MoneyError::TooManyDecimals { .. })));
        assert_eq!(Money::parse("92233720368547758.08", Currency::RUB), Err(MoneyError::TooLarge));
        assert_eq!(Money::parse_not_negative("-1", Currency::RUB), Err(MoneyError::Negative));
    }

    #[test]
    fn percentages_are_exact() {
        assert_eq!(RatePpm::from_percent("12.5").unwrap().ppm(), 125_000);
        assert_eq!(RatePpm::from_percent("0.0001").unwrap().ppm(), 1);
        assert_eq!(RatePpm::from_percent("100").unwrap().percent(), "100");
        for text in ["100.0001", "-1", "1.00001", "", "a"] {
            assert!(RatePpm::from_percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        for (numerator, denominator, expected) in [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1)] {
            assert_eq!(divide_half_even(numerator, denominator), Some(expected), "{numerator}/{denominator}");
        }
        assert_eq!(divide_half_even(1, 0), None);
    }

    proptest! {
        #[test]
        fn a_split_loses_nothing_and_no_part_is_off_by_a_unit(
            minor in -LARGEST_MINOR..=LARGEST_MINOR,
            weights in prop::collection::vec(0u64..1_000_000, 1..12),
        ) {
            let parts = split_minor(minor, &weights);
            prop_assert_eq!(parts.iter().map(|p| i128::from(*p)).sum::<i128>(), i128::from(minor));
            let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if total > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let off = i128::from(*part) * total - i128::from(minor) * i128::from(*weight);
                    prop_assert!(off.abs() < total);
                }
            }
        }

        #[test]
        fn text_and_amount_are_the_same(minor in -LARGEST_MINOR..=LARGEST_MINOR) {
            let money = Money::new(minor, Currency::RUB);
            prop_assert_eq!(Money::parse(&money.decimal(), Currency::RUB), Ok(money));
        }
    }
}
