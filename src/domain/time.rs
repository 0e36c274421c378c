//! Instants in whole microseconds, days of the merchant's zone, and the months accountants close.

use chrono::{DateTime, Datelike, NaiveDate, SubsecRound, TimeDelta, Utc};

/// The last day that both databases and four-digit years know: "whenever".
pub const FAR_DAY: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// The first day that both write in four digits: "since ever".
pub const FIRST_DAY: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// An instant cut to the microsecond, because PostgreSQL keeps no more.
pub fn whole_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    at.trunc_subsecs(6)
}

/// Whether a touch came after a conversion. A conversion told in whole seconds stands for its whole second: shops that
/// send no fractions must not lose the click of the same second.
pub fn comes_after(touch: DateTime<Utc>, conversion: DateTime<Utc>) -> bool {
    let end = if conversion.timestamp_subsec_micros() == 0 { conversion + TimeDelta::microseconds(999_999) } else { conversion };
    touch > end
}

/// The calendar day of an instant in the merchant's zone.
pub fn day_in(zone: chrono_tz::Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// The first instant of a day in the merchant's zone. Where the clock skips midnight, the first one after it.
pub fn start_of_day(zone: chrono_tz::Tz, day: NaiveDate) -> DateTime<Utc> {
    use chrono::TimeZone;
    let mut local = day.and_time(chrono::NaiveTime::MIN);
    loop {
        if let Some(at) = zone.from_local_datetime(&local).earliest() {
            return at.with_timezone(&Utc);
        }
        local += TimeDelta::minutes(15);
    }
}

/// A calendar month: `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i32,
    month: u32,
}

/// The text is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a month like 2026-10")]
pub struct WrongPeriod(String);

impl Period {
    pub fn of(day: NaiveDate) -> Period {
        Period { year: day.year(), month: day.month() }
    }

    pub fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or(NaiveDate::MIN)
    }

    pub fn last_day(self) -> NaiveDate {
        self.next().first_day().pred_opt().unwrap_or(NaiveDate::MIN)
    }

    /// How many months later another is; 0 if it is not later.
    pub fn months_to(self, later: Period) -> usize {
        let number = |period: Period| i64::from(period.year) * 12 + i64::from(period.month);
        usize::try_from(number(later) - number(self)).unwrap_or(0)
    }

    pub fn next(self) -> Period {
        if self.month == 12 { Period { year: self.year + 1, month: 1 } } else { Period { month: self.month + 1, ..self } }
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl std::str::FromStr for Period {
    type Err = WrongPeriod;
    fn from_str(text: &str) -> Result<Self, WrongPeriod> {
        let wrong = || WrongPeriod(text.chars().take(20).collect());
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        if year.len() != 4 || month.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            return Err(wrong());
        }
        match (year.parse(), month.parse()) {
            (Ok(year), Ok(month @ 1..=12)) => Ok(Period { year, month }),
            _ => Err(wrong()),
        }
    }
}

impl serde::Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A span of seconds as a person says it: `2 d 4 h`, `35 min`, `12 s`.
pub fn spoken_seconds(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    let (days, hours, minutes) = (seconds / 86_400, seconds % 86_400 / 3_600, seconds % 3_600 / 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_read_print_and_follow_each_other() {
        let december: Period = "2026-12".parse().unwrap();
        assert_eq!(december.next().to_string(), "2027-01");
        assert_eq!(december.last_day().to_string(), "2026-12-31");
        for text in ["2026-13", "2026-1", "26-01", "2026-00", "2026/01", "+026-01"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_starts_where_the_zone_says() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        assert_eq!(start_of_day(chrono_tz::Europe::Moscow, day).to_rfc3339(), "2026-11-21T21:00:00+00:00");
        // Beirut skips midnight when summer time starts.
        let skipped = NaiveDate::from_ymd_opt(2026, 3, 29).unwrap();
        let start = start_of_day(chrono_tz::Asia::Beirut, skipped);
        assert_eq!(day_in(chrono_tz::Asia::Beirut, start), skipped);
    }

    #[test]
    fn a_conversion_in_whole_seconds_stands_for_its_whole_second() {
        let at = |micros: i64| DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap();
        assert!(!comes_after(at(999_999), at(0)));
        assert!(comes_after(at(1_000_000), at(0)));
        assert!(comes_after(at(500_001), at(500_000)));
        assert!(!comes_after(at(500_000), at(500_000)));
    }

    #[test]
    fn spans_are_said_in_their_two_largest_units() {
        assert_eq!(spoken_seconds(2 * 86_400 + 4 * 3_600 + 59), "2 d 4 h");
        assert_eq!(spoken_seconds(59), "59 s");
        assert_eq!(spoken_seconds(-3_660), "1 h 1 min");
    }
}
