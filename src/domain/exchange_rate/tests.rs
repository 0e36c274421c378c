use super::*;
use crate::domain::money::LARGEST_MINOR;
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rate(source: RateSource, on: &str, (units, from): (i64, &str), (value, to): (&str, &str)) -> ExchangeRate {
    let value = RateValue::parse(value).unwrap();
    ExchangeRate { source, day: day(on), from: currency(from), units, to: currency(to), value }
}

fn cbr(on: &str, units: i64, from: &str, value: &str) -> ExchangeRate {
    rate(RateSource::Cbr, on, (units, from), (value, "RUB"))
}

fn ecb(on: &str, to: &str, value: &str) -> ExchangeRate {
    rate(RateSource::Ecb, on, (1, "EUR"), (value, to))
}

#[test]
fn rates_read_exactly_and_equal_ones_are_equal() {
    for (text, numerator, scale, printed) in [
        ("81.2573", 812_573, 4, "81.2573"),
        ("81,2500", 8_125, 2, "81.25"),
        ("100", 100, 0, "100"),
        ("0,00332155", 332_155, 8, "0.00332155"),
    ] {
        let value = RateValue::parse(text).unwrap();
        assert_eq!((value.numerator(), value.scale(), value.to_string().as_str()), (numerator, scale, printed));
    }
    for text in ["", "0", "0.000", "-1", "1.", ".5", "1e3", "NaN", "1 000", "1.2.3", "1234567890123456", "0.0000000000001"] {
        assert!(RateValue::parse(text).is_err(), "{text}");
    }
}

#[test]
fn amounts_convert_in_whole_minor_units_and_halves_go_to_the_even_neighbour() {
    for (rates, from, to, minor, expected) in [
        (vec![cbr("2026-11-28", 1, "USD", "81.2573")], "USD", "RUB", 100_00, 8125_73),
        (vec![cbr("2026-11-28", 1, "USD", "81.2573")], "RUB", "USD", 8125_73, 100_00),
        // 100 yen are 52.3456 roubles; yen have no decimals.
        (vec![cbr("2026-11-28", 100, "JPY", "52.3456")], "JPY", "RUB", 1_000, 523_46),
        (vec![cbr("2026-11-28", 100, "JPY", "52.3456")], "RUB", "JPY", 523_46, 1_000),
        // Half a kopeck: to the even one, both ways of the sign.
        (vec![cbr("2026-11-28", 1, "USD", "80.5")], "USD", "RUB", 1, 80),
        (vec![cbr("2026-11-28", 1, "USD", "81.5")], "USD", "RUB", -1, -82),
        (vec![ecb("2026-11-27", "USD", "1.0561")], "EUR", "USD", 100_00, 105_61),
        (vec![ecb("2026-11-27", "KWD", "0.325")], "EUR", "KWD", 1_00, 325),
    ] {
        let conversion = RateTable::new(rates).conversion(currency(from), currency(to), day("2026-11-28")).unwrap();
        assert_eq!(conversion.of(minor), Ok(expected), "{minor} {from} to {to}");
    }
}

#[test]
fn a_cross_rate_goes_through_the_base_and_is_rounded_once() {
    let table = RateTable::new([cbr("2026-11-28", 1, "USD", "80"), cbr("2026-11-28", 100, "KZT", "15.5")]);
    let conversion = table.conversion(currency("USD"), currency("KZT"), day("2026-11-28")).unwrap();
    assert_eq!(conversion.rates.len(), 2);
    // 1.00 × 80 / 0.155 = 516.129…
    assert_eq!(conversion.of(1_00), Ok(516_13));
    assert_eq!(conversion.rate(), "516.1290322581");
    assert_eq!(conversion.to_string(), "1 USD = 80 RUB (cbr, 2026-11-28), 100 KZT = 15.5 RUB (cbr, 2026-11-28)");
    // By two roundings this would be 0.
    let table = RateTable::new([ecb("2026-11-27", "JPY", "100"), ecb("2026-11-27", "USD", "1")]);
    let conversion = table.conversion(currency("JPY"), currency("USD"), day("2026-11-27")).unwrap();
    assert_eq!(conversion.of(1), Ok(1));
}

#[test]
fn the_rate_of_saturday_holds_to_monday_and_an_old_one_is_none() {
    let table = RateTable::new([cbr("2026-11-28", 1, "USD", "80"), cbr("2026-11-27", 1, "USD", "79")]);
    let of =
        |text: &str| table.conversion(currency("USD"), Currency::RUB, day(text)).map(|c| (c.rate(), c.rate_day().to_string()));
    assert_eq!(of("2026-11-27"), Ok(("79".to_owned(), "2026-11-27".to_owned())));
    for later in ["2026-11-28", "2026-11-29", "2026-11-30", "2026-12-05"] {
        assert_eq!(of(later), Ok(("80".to_owned(), "2026-11-28".to_owned())), "{later}");
    }
    for missing in ["2026-11-26", "2026-12-06"] {
        let error = of(missing).unwrap_err();
        assert_eq!((error.from.code(), error.day), ("USD", day(missing)));
        let text = error.to_string();
        assert!(text.contains("USD") && text.contains("RUB") && text.contains(missing), "{text}");
    }
    let new_year = RateTable::new([cbr("2025-12-31", 1, "USD", "80")]);
    let of = |text: &str| new_year.conversion(currency("USD"), Currency::RUB, day(text)).is_ok();
    assert!(of("2026-01-12") && of("2026-01-14") && !of("2026-01-15"));
}

#[test]
fn a_rate_set_by_hand_comes_first_then_the_source_of_the_wanted_currency() {
    let by_hand = rate(RateSource::Manual, "2026-11-28", (1, "USD"), ("0.9", "EUR"));
    let published = [ecb("2026-11-27", "USD", "1.25"), cbr("2026-11-28", 1, "USD", "80"), cbr("2026-11-28", 1, "EUR", "96")];
    let of = |table: &RateTable, from, to| {
        let conversion = table.conversion(currency(from), currency(to), day("2026-11-28")).unwrap();
        (conversion.source(), conversion.of(100_00).unwrap())
    };
    let table = RateTable::new(published);
    assert_eq!(of(&table, "USD", "EUR"), (Some(RateSource::Ecb), 80_00));
    assert_eq!(of(&table, "USD", "RUB"), (Some(RateSource::Cbr), 8000_00));
    let table = RateTable::new(published.into_iter().chain([by_hand]));
    assert_eq!(of(&table, "USD", "EUR"), (Some(RateSource::Manual), 90_00));
    assert_eq!(of(&table, "EUR", "EUR"), (None, 100_00));
}

proptest! {
    #[test]
    fn a_conversion_is_within_half_a_unit_of_the_exact_value(
        minor in -1_000_000_000_000_i64..=1_000_000_000_000,
        numerator in 1_i64..=9_999_999_999,
        scale in 0_i64..=8,
        units in prop::sample::select(vec![1_i64, 10, 100, 1_000, 10_000]),
        inverse in any::<bool>(),
    ) {
        let value = RateValue::new(numerator, scale).unwrap();
        let (usd, rub) = (currency("USD"), Currency::RUB);
        let known = ExchangeRate { source: RateSource::Cbr, day: day("2026-11-28"), from: usd, units, to: rub, value };
        let (from, to) = if inverse { (rub, usd) } else { (usd, rub) };
        let conversion = RateTable::new([known]).conversion(from, to, day("2026-11-28")).unwrap();
        if let Ok(got) = conversion.of(minor) {
            let (by, over) = (i128::from(numerator), i128::from(units) * 10_i128.pow(scale as u32));
            let (by, over) = if inverse { (over, by) } else { (by, over) };
            let off = i128::from(got) * over - i128::from(minor) * by;
            prop_assert!(off.abs() * 2 <= over, "{} is off by {}/{}", got, off, over);
        }
    }

    #[test]
    fn no_amount_makes_it_panic(
        minor in -LARGEST_MINOR..=LARGEST_MINOR, a in 1_i64..=999_999_999_999_999, b in 1_i64..=999_999_999_999_999,
        scale_a in 0_i64..=12, scale_b in 0_i64..=12,
    ) {
        let make = |from: &str, numerator, scale| ExchangeRate {
            source: RateSource::Cbr, day: day("2026-11-28"), from: currency(from), units: MOST_UNITS, to: Currency::RUB,
            value: RateValue::new(numerator, scale).unwrap(),
        };
        let table = RateTable::new([make("USD", a, scale_a), make("KWD", b, scale_b)]);
        let conversion = table.conversion(currency("USD"), currency("KWD"), day("2026-11-28")).unwrap();
        let _ = (conversion.of(minor), conversion.rate(), conversion.to_string());
    }

    #[test]
    fn what_reads_prints_the_same(numerator in 1_i64..=999_999_999_999_999, scale in 0_i64..=12) {
        let printed = RateValue::new(numerator, scale).unwrap().to_string();
        let again = RateValue::parse(&printed).unwrap();
        prop_assert_eq!(i128::from(again.numerator()) * 10_i128.pow(12 - again.scale()), i128::from(numerator) * 10_i128.pow(12 - scale as u32));
    }
}
