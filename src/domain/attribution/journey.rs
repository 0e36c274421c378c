//! A person's touches become journeys: one for each conversion, and those that led to nothing.

use super::rules::{CreditTouch, Window, touches_in_window};
use chrono::{DateTime, TimeDelta, Utc};
use std::ops::Range;

/// A journey that led to no conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NullJourney {
    /// Which of the person's touches.
    pub touches: Range<usize>,
    /// When the window of the last of them was over: until then it could still have converted.
    pub closes_at: DateTime<Utc>,
}

/// Which of a person's touches, in order of time, count for a conversion: places in `touches`.
pub fn touches_before(
    touches: &[CreditTouch],
    converted_at: DateTime<Utc>,
    window: Window,
) -> impl Iterator<Item = usize> + Clone + '_ {
    let longest = TimeDelta::days(window.click_days.max(window.impression_days));
    let first = touches.partition_point(|touch| converted_at - touch.at > longest);
    let counts = move |place: &usize| touches_in_window(&touches[*place], converted_at, window);
    // Half a million touches of a machine that nobody marked must not be walked through for each of its orders.
    let end = first + touches[first..].partition_point(|touch| touch.at <= converted_at + TimeDelta::seconds(1));
    (first..end).filter(counts)
}

/// How many of the person's conversions each touch counts for.
pub fn conversions_served(touches: &[CreditTouch], conversions: &[DateTime<Utc>], window: Window) -> Vec<u32> {
    let mut served = vec![0; touches.len()];
    for converted_at in conversions {
        for place in touches_before(touches, *converted_at, window) {
            served[place] += 1;
        }
    }
    served
}

/// The journeys of a person that led to nothing: runs of unmarked touches that count for no conversion, each inside the
/// window of one before it. One whose window is still open may be among them: see [`NullJourney::closes_at`].
///
/// `touches` in order of time; `served` as [`conversions_served`] says.
pub fn null_journeys(touches: &[CreditTouch], served: &[u32], window: Window) -> Vec<NullJourney> {
    let mut journeys: Vec<NullJourney> = Vec::new();
    let mut open = false;
    for (place, touch) in touches.iter().enumerate() {
        if served.get(place).copied().unwrap_or_default() > 0 || touch.mark.is_some() {
            open = false;
            continue;
        }
        let closes_at = touch.at + TimeDelta::days(window.days(touch.kind));
        match journeys.last_mut() {
            Some(journey) if open && touch.at <= journey.closes_at => {
                journey.touches.end = place + 1;
                journey.closes_at = journey.closes_at.max(closes_at);
            }
            _ => journeys.push(NullJourney { touches: place..place + 1, closes_at }),
        }
        open = true;
    }
    journeys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::channel::Channel;
    use crate::domain::touch::{Mark, TouchKind};
    use proptest::prelude::*;

    fn day(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + day * 86_400, 0).unwrap()
    }

    fn click(at: i64) -> CreditTouch {
        CreditTouch { at: day(at), kind: TouchKind::Click, channel: Channel::Email, mark: None }
    }

    const WINDOW: Window = Window { click_days: 30, impression_days: 1 };

    fn nulls(touches: &[CreditTouch], conversions: &[i64]) -> Vec<(Range<usize>, i64)> {
        let conversions: Vec<_> = conversions.iter().map(|at| day(*at)).collect();
        let served = conversions_served(touches, &conversions, WINDOW);
        let journeys = null_journeys(touches, &served, WINDOW);
        journeys.into_iter().map(|j| (j.touches, (j.closes_at - day(0)).num_days())).collect()
    }

    #[test]
    fn touches_that_no_order_followed_make_a_journey_that_closes_with_its_window() {
        let touches = [click(0), click(10), click(70), click(75)];
        assert_eq!(nulls(&touches, &[]), [(0..2, 40), (2..4, 105)]);
        assert_eq!(nulls(&touches, &[12]), [(2..4, 105)], "the first two led to the order");
        assert_eq!(nulls(&touches, &[40]), [(0..1, 30), (2..4, 105)], "the first was outside the window by then");
        assert_eq!(nulls(&touches, &[12, 76]), []);
    }

    #[test]
    fn an_impression_closes_with_its_own_window_and_marked_touches_are_no_journey() {
        let mut touches = [click(0), click(2), click(5)];
        touches[0].kind = TouchKind::Impression;
        touches[2].mark = Some(Mark::Bot);
        assert_eq!(nulls(&touches, &[]), [(0..1, 1), (1..2, 32)]);
        assert_eq!(nulls(&[], &[3]), []);
    }

    #[test]
    fn a_touch_serves_every_order_in_whose_window_it_is() {
        let touches = [click(0), click(20), click(35)];
        assert_eq!(conversions_served(&touches, &[day(10), day(30), day(36)], WINDOW), [2, 2, 1]);
    }

    proptest! {
        #[test]
        fn every_touch_serves_an_order_or_is_in_one_null_journey(
            mut days in prop::collection::vec(0i64..400, 0..30),
            orders in prop::collection::vec(0i64..400, 0..5),
        ) {
            days.sort_unstable();
            let touches: Vec<CreditTouch> = days.iter().map(|at| click(*at)).collect();
            let orders: Vec<_> = orders.into_iter().map(day).collect();
            let served = conversions_served(&touches, &orders, WINDOW);
            let mut times = served.clone();
            for journey in null_journeys(&touches, &served, WINDOW) {
                for place in journey.touches {
                    prop_assert_eq!(served[place], 0);
                    times[place] += 1;
                }
            }
            prop_assert!(times.iter().all(|times| *times >= 1));
            for (place, touch) in touches.iter().enumerate() {
                let by_hand = orders.iter().filter(|order| touches_in_window(touch, **order, WINDOW)).count();
                prop_assert_eq!(served[place] as usize, by_hand);
            }
        }
    }
}
