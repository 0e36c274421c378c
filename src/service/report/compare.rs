//! Two spans side by side: by how much a figure changed, and whether that is more than chance.
//!
//! Orders come at random, so their number scatters as a Poisson number does and their revenue as a compound Poisson sum: its
//! variance is the sum of the squares of the orders. Costs are known. What two such numbers differ by is compared with the
//! normal distribution; with fewer than ten orders on either side it is said that they are too few.

use super::{Counting, Sums};
use chrono::{Datelike, Months, NaiveDate, TimeDelta};

/// Orders (or clicks, of what is about clicks) that either span must have.
const LEAST: f64 = 10.0;
/// A change that chance makes as often as this is none.
const SIGNIFICANT: f64 = 0.05;

/// Days, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Span {
    /// Reads `prev` (as many days before `from`), `year` (the same days a year before) or `FROM..TO`.
    pub(super) fn read(text: &str, from: NaiveDate, to: NaiveDate) -> std::result::Result<Span, String> {
        let too_far = || "reaches too far back".to_owned();
        let wrong = || "must be prev, year, or two days like 2026-09-01..2026-09-30".to_owned();
        let span = match text {
            "prev" => {
                let days = (to - from).num_days().max(0) + 1;
                let before = |day: NaiveDate| day.checked_sub_signed(TimeDelta::days(days)).ok_or_else(too_far);
                Span { from: before(from)?, to: before(to)? }
            }
            "year" => {
                let before = |day: NaiveDate| day.checked_sub_months(Months::new(12)).ok_or_else(too_far);
                Span { from: before(from)?, to: before(to)? }
            }
            _ => {
                let (first, last) = text.split_once("..").ok_or_else(wrong)?;
                Span { from: first.parse().map_err(|_| wrong())?, to: last.parse().map_err(|_| wrong())? }
            }
        };
        match span {
            _ if span.from > span.to => Err("ends before it begins".to_owned()),
            _ if span.from.year() < 1970 => Err(too_far()),
            _ if span.to.year() > 9998 => Err(wrong()),
            span => Ok(span),
        }
    }

    fn days(self) -> f64 {
        ((self.to - self.from).num_days() + 1) as f64
    }
}

/// What a change amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Up,
    Down,
    /// Chance makes such a difference often.
    NoDifference,
    NotEnoughData,
}

/// How a figure changed against the other span.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Change {
    /// By how many percent; none where it was 0 or undefined. Of percentages: by how many points.
    pub change: Option<f64>,
    /// How often chance makes a difference as large; none where that cannot be said.
    pub p_value: Option<f64>,
    pub verdict: Verdict,
}

/// The changes of the figures that can be told from chance.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Changes {
    pub clicks: Change,
    pub orders: Change,
    pub cr: Change,
    pub net_revenue: Change,
    pub aov: Change,
    pub roi: Change,
}

/// A figure with its variance.
#[derive(Clone, Copy)]
struct Measured {
    value: f64,
    variance: f64,
}

impl Measured {
    /// Of what is counted, a day.
    fn a_day(value: f64, variance: f64, span: Span) -> Option<Measured> {
        Some(Measured { value: value / span.days(), variance: variance / (span.days() * span.days()) })
    }
}

fn rounded(value: f64, places: i32) -> f64 {
    let unit = 10_f64.powi(places);
    (value * unit).round() / unit
}

/// `enough`: the number of orders or clicks that each side rests on.
fn change(now: Option<Measured>, before: Option<Measured>, enough: (f64, f64), points: bool) -> Change {
    let change = now.zip(before).and_then(|(now, before)| match points {
        true => Some(rounded(now.value - before.value, 2)),
        false => (before.value != 0.0).then(|| rounded((now.value - before.value) / before.value.abs() * 100.0, 2)),
    });
    let too_few = enough.0 < LEAST || enough.1 < LEAST;
    let Some((now, before)) = now.zip(before).filter(|_| !too_few) else {
        return Change { change, p_value: None, verdict: Verdict::NotEnoughData };
    };
    let deviation = (now.variance + before.variance).sqrt();
    let difference = now.value - before.value;
    let p_value = match deviation > 0.0 {
        true => libm::erfc((difference / deviation).abs() / std::f64::consts::SQRT_2),
        false => {
            if difference == 0.0 {
                1.0
            } else {
                0.0
            }
        }
    };
    let verdict = match (p_value < SIGNIFICANT, difference > 0.0) {
        (false, _) => Verdict::NoDifference,
        (true, true) => Verdict::Up,
        (true, false) => Verdict::Down,
    };
    Change { change, p_value: Some(rounded(p_value, 4)), verdict }
}

/// How the figures of a row changed. Amounts of both are in one currency of so many decimals.
pub fn changes(now: (&Sums, Span), before: (&Sums, Span), counting: Counting, decimals: u32) -> Changes {
    let unit = 10_f64.powi(decimals as i32);
    let sides = [now, before];
    let orders = sides.map(|(sums, _)| sums.orders_millionths as f64 / 1e6);
    let clicks = sides.map(|(sums, _)| sums.clicks as f64);
    let each = |measure: &dyn Fn(&Sums, Span) -> Option<Measured>| sides.map(|(sums, span)| measure(sums, span));
    let told =
        |[now, before]: [Option<Measured>; 2], enough: [f64; 2], points| change(now, before, (enough[0], enough[1]), points);
    let of = |sums: &Sums| {
        (sums.orders_millionths as f64 / 1e6, sums.net_revenue_minor as f64 / unit, sums.net_revenue_squares as f64)
    };
    let cr = each(&|sums, _| {
        let (of, all) = (sums.orders_millionths as f64 / 1e6, sums.clicks as f64);
        (all > 0.0).then(|| {
            let share = (of / all).min(1.0);
            // In percent, so that a change is one of points.
            Measured { value: of / all * 100.0, variance: share * (1.0 - share) / all * 10_000.0 }
        })
    });
    let aov = each(&|sums, _| {
        let (orders, net, squares) = of(sums);
        (orders > 0.0).then(|| {
            let mean = net / orders;
            Measured { value: mean, variance: (squares / orders - mean * mean).max(0.0) / orders }
        })
    });
    let roi = each(&|sums, _| {
        let (_, net, squares) = of(sums);
        let cost = sums.cost_minor(counting) as f64 / unit;
        (cost > 0.0).then(|| Measured { value: (net - cost) / cost * 100.0, variance: squares / (cost * cost) * 10_000.0 })
    });
    Changes {
        clicks: told(each(&|sums, span| Measured::a_day(sums.clicks as f64, sums.clicks as f64, span)), clicks, false),
        orders: told(each(&|sums, span| Measured::a_day(of(sums).0, of(sums).0, span)), orders, false),
        cr: told(cr, orders, true),
        net_revenue: told(each(&|sums, span| Measured::a_day(of(sums).1, of(sums).2, span)), orders, false),
        aov: told(aov, orders, false),
        roi: told(roi, orders, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(days: i64) -> Span {
        let from = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        Span { from, to: from + TimeDelta::days(days - 1) }
    }

    fn sums(clicks: i64, orders: i64, net: i64, each_squared: i64, cost: i64) -> Sums {
        Sums {
            clicks,
            orders_millionths: orders * 1_000_000,
            net_revenue_minor: net * 100,
            net_revenue_squares: orders * each_squared,
            ad_cost_minor: cost * 100,
            ..Sums::default()
        }
    }

    #[test]
    fn a_change_is_told_from_chance_and_too_little_is_said_to_be_that() {
        let of = |now: &Sums, before: &Sums| changes((now, span(30)), (before, span(30)), Counting::default(), 2);
        // Orders of 100 each: 200 against 100 are z = 100 / √300 = 5.77.
        let (many, half) = (sums(4_000, 200, 20_000, 10_000, 5_000), sums(4_000, 100, 10_000, 10_000, 5_000));
        let up = of(&many, &half);
        assert_eq!((up.orders.change, up.orders.verdict), (Some(100.0), Verdict::Up));
        assert_eq!((up.cr.change, up.cr.verdict), (Some(2.5), Verdict::Up));
        assert_eq!((up.net_revenue.verdict, up.aov.verdict), (Verdict::Up, Verdict::NoDifference));
        assert_eq!((up.roi.change, up.roi.verdict), (Some(200.0), Verdict::Up));
        assert_eq!(of(&half, &many).orders.verdict, Verdict::Down);
        // 110 against 100: z = 10 / √210 = 0.69, p = 0.4902.
        let some = of(&sums(4_000, 110, 11_000, 10_000, 5_000), &half).orders;
        assert_eq!((some.p_value, some.verdict), (Some(0.4902), Verdict::NoDifference));
        let few = of(&sums(400, 9, 900, 10_000, 50), &half);
        assert_eq!((few.orders.verdict, few.clicks.verdict), (Verdict::NotEnoughData, Verdict::Down));
        assert_eq!(of(&many, &sums(0, 0, 0, 0, 0)).roi, Change { change: None, p_value: None, verdict: Verdict::NotEnoughData });
    }

    #[test]
    fn spans_of_unlike_length_are_compared_by_the_day() {
        let (month, week) = (sums(3_000, 300, 30_000, 10_000, 0), sums(700, 70, 7_000, 10_000, 0));
        let told = changes((&month, span(30)), (&week, span(7)), Counting::default(), 2);
        assert_eq!((told.orders.change, told.orders.verdict), (Some(0.0), Verdict::NoDifference));
    }

    #[test]
    fn spans_are_read() {
        let (from, to) = ("2026-03-01".parse().unwrap(), "2026-03-31".parse().unwrap());
        let read = |text: &str| Span::read(text, from, to).map(|span| format!("{} {}", span.from, span.to));
        assert_eq!(read("prev").unwrap(), "2026-01-29 2026-02-28");
        assert_eq!(read("year").unwrap(), "2025-03-01 2025-03-31");
        assert_eq!(read("2026-01-01..2026-01-31").unwrap(), "2026-01-01 2026-01-31");
        for text in ["2026-02-01..2026-01-31", "last", "1969-12-31..1970-01-01", "9999-01-01..9999-01-02"] {
            assert!(read(text).is_err(), "{text}");
        }
        let early = "1970-01-02".parse().unwrap();
        assert!(Span::read("prev", early, early).is_ok() && Span::read("year", early, early).is_err());
    }
}
