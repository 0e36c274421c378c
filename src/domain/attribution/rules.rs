//! An order's own credit: its journey and a model give every touch a weight. Weights are whole numbers, so that money is
//! split exactly.

use super::fit::ChannelWorth;
use super::shapley::equal_weights;
use super::whole::whole_weights;
use super::{Model, PositionShares};
use crate::domain::channel::Channel;
use crate::domain::time::comes_after;
use crate::domain::touch::{Mark, TouchKind};
use chrono::{DateTime, TimeDelta, Utc};

/// How long before a conversion a touch still counts, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub click_days: i64,
    pub impression_days: i64,
}

impl Default for Window {
    /// Click 90 days, impression 1 day.
    fn default() -> Self {
        Window { click_days: 90, impression_days: 1 }
    }
}

impl Window {
    /// The longest a window can be: ten years.
    pub const MOST_DAYS: i64 = 3_650;

    /// Days for a kind of touch.
    pub fn days(self, kind: TouchKind) -> i64 {
        match kind {
            TouchKind::Impression => self.impression_days,
            TouchKind::Click | TouchKind::Visit | TouchKind::Promo | TouchKind::Call => self.click_days,
        }
    }
}

/// What a model looks at in a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditTouch {
    pub at: DateTime<Utc>,
    pub kind: TouchKind,
    pub channel: Channel,
    pub mark: Option<Mark>,
}

/// Whether a model may look at the touch for a conversion at `converted_at`: no bot, not after it, inside the window.
pub fn touches_in_window(touch: &CreditTouch, converted_at: DateTime<Utc>, window: Window) -> bool {
    touch.mark.is_none()
        && !comes_after(touch.at, converted_at)
        && converted_at - touch.at <= TimeDelta::days(window.days(touch.kind))
}

/// What a model shares an order over.
#[derive(Debug, Clone, Copy, Default)]
pub struct Journey<'a> {
    /// In order (time, then id), already cut to the window.
    pub touches: &'a [CreditTouch],
    /// When the lead before the order was, for `w_shaped`.
    pub lead_at: Option<DateTime<Utc>>,
}

/// How long it takes a touch to lose half of its weight in `time_decay`; above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HalfLife(TimeDelta);

impl HalfLife {
    /// `None` unless above zero.
    pub fn new(half_life: TimeDelta) -> Option<HalfLife> {
        (half_life > TimeDelta::zero()).then_some(HalfLife(half_life))
    }
}

impl Default for HalfLife {
    /// 7 days.
    fn default() -> HalfLife {
        HalfLife(TimeDelta::days(7))
    }
}

/// What models build on besides the order's own journey.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    pub half_life: HalfLife,
    pub markov: Option<ChannelWorth>,
    pub shapley_rate: Option<ChannelWorth>,
}

/// One whole-number weight for each touch; their sum stands for the whole order. Empty for an empty journey. `None` if the
/// model needs a fit that the basis lacks.
///
/// Direct visits get credit only where nothing else is there, except in `last_click`.
pub fn credit_weights(model: Model, journey: Journey<'_>, basis: &Basis) -> Option<Vec<u64>> {
    let touches = journey.touches;
    let counts: Vec<usize> = match model {
        Model::LastClick => (0..touches.len()).collect(),
        _ => {
            let others: Vec<usize> = (0..touches.len()).filter(|i| touches[*i].channel != Channel::Direct).collect();
            if others.is_empty() { (0..touches.len()).collect() } else { others }
        }
    };
    let channels = || counts.iter().map(|i| touches[*i].channel);
    let shares = match model {
        Model::LastClick | Model::LastNonDirect => one_of(counts.len(), counts.len().saturating_sub(1)),
        Model::FirstClick => one_of(counts.len(), 0),
        Model::Linear => vec![1; counts.len()],
        Model::TimeDecay => decaying(counts.iter().map(|i| touches[*i].at), basis.half_life),
        Model::PositionBased => PositionShares::U_SHAPED.weights(counts.len()),
        Model::WShaped => {
            let before = |lead_at| counts.iter().rposition(|i| !comes_after(touches[*i].at, lead_at));
            w_shaped(counts.len(), journey.lead_at.and_then(before))
        }
        Model::Custom(shares) => shares.weights(counts.len()),
        Model::Shapley => equal_weights(&channels().map(|channel| channel as u32).collect::<Vec<_>>()),
        Model::Markov => basis.markov.as_ref()?.weights(channels()),
        Model::ShapleyRate => basis.shapley_rate.as_ref()?.weights(channels()),
    };
    let mut weights = vec![0; touches.len()];
    for (index, share) in counts.into_iter().zip(shares) {
        weights[index] = share;
    }
    Some(weights)
}

fn one_of(count: usize, winner: usize) -> Vec<u64> {
    (0..count).map(|index| u64::from(index == winner)).collect()
}

/// 2^(-age / half-life). Only the distances between touches matter, so the newest has age zero.
fn decaying(times: impl DoubleEndedIterator<Item = DateTime<Utc>> + Clone, half_life: HalfLife) -> Vec<u64> {
    let Some(newest) = times.clone().next_back() else { return Vec::new() };
    let microseconds = |span: TimeDelta| span.num_microseconds().map_or(f64::INFINITY, |us| us as f64);
    let half_life = microseconds(half_life.0);
    let shares: Vec<f64> = times.map(|at| (-microseconds(newest - at) / half_life).exp2()).collect();
    whole_weights(&shares)
}

/// 30 % each for the first touch, the last and the one before the lead, 10 % for all others together; in proportion where
/// one of these is missing. A touch that is two of them gets both parts.
pub(super) fn w_shaped(count: usize, lead: Option<usize>) -> Vec<u64> {
    let roles = |index: usize| u64::from(index == 0) + u64::from(index + 1 == count) + u64::from(lead == Some(index));
    let others = (0..count).filter(|index| roles(*index) == 0).count() as u64;
    (0..count)
        .map(|index| match roles(index) {
            0 => 1,
            roles => roles * 3 * others.max(1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::split_minor;
    use proptest::prelude::*;

    /// A letter a touch, a day apart: d = direct, any other a channel.
    fn journey(letters: &str) -> Vec<CreditTouch> {
        let day = |index: usize| DateTime::from_timestamp(1_700_000_000 + index as i64 * 86_400, 0).unwrap();
        let touch = |(index, letter)| CreditTouch {
            at: day(index),
            kind: TouchKind::Click,
            channel: match letter {
                'd' => Channel::Direct,
                'e' => Channel::Email,
                's' => Channel::PaidSearch,
                _ => Channel::Display,
            },
            mark: None,
        };
        letters.chars().enumerate().map(touch).collect()
    }

    fn weights(model: &str, letters: &str) -> Vec<u64> {
        credit_weights(model.parse().unwrap(), Journey { touches: &journey(letters), lead_at: None }, &Basis::default()).unwrap()
    }

    #[test]
    fn each_model_gives_credit_where_it_should() {
        for (model, letters, expected) in [
            ("last_click", "xxd", vec![0, 0, 1]),
            ("last_non_direct", "xxd", vec![0, 1, 0]),
            ("last_non_direct", "dd", vec![0, 1]),
            ("first_click", "dxx", vec![0, 1, 0]),
            ("first_click", "dd", vec![1, 0]),
            ("linear", "xdx", vec![1, 0, 1]),
            ("linear", "dd", vec![1, 1]),
            ("linear", "", vec![]),
            ("position_based", "x", vec![1]),
            ("position_based", "xx", vec![40, 40]),
            ("position_based", "xdexs", vec![80, 0, 20, 20, 80]),
            ("w_shaped", "x", vec![6]),
            ("w_shaped", "xx", vec![3, 3]),
            ("w_shaped", "xdexs", vec![6, 0, 1, 1, 6]),
            ("custom:10/60/30", "xx", vec![10, 30]),
            ("custom:0/100/0", "xx", vec![1, 1]),
            ("custom:10/60/30", "xxxx", vec![20, 60, 60, 60]),
            ("shapley", "eesd", vec![1, 1, 2, 0]),
            ("shapley", "d", vec![1]),
        ] {
            let weights = weights(model, letters);
            let proportional = |a: &[u64], b: &[u64]| {
                let (sum_a, sum_b) = (a.iter().sum::<u64>(), b.iter().sum::<u64>());
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a * sum_b == b * sum_a)
            };
            if model == "custom:10/60/30" && letters == "xxxx" {
                assert_eq!(weights, [20, 60, 60, 60]);
            } else {
                assert!(proportional(&weights, &expected), "{model} over {letters}: {weights:?}");
            }
        }
    }

    #[test]
    fn the_example_of_the_docs_is_what_the_models_say() {
        let day = |day: i64| DateTime::from_timestamp(1_793_491_200 + day * 86_400, 0).unwrap();
        let touch = |(at, channel)| CreditTouch { at: day(at), kind: TouchKind::Visit, channel, mark: None };
        let journey = [
            (1, Channel::PaidSearch),
            (8, Channel::Email),
            (15, Channel::OrganicSocial),
            (22, Channel::Email),
            (22, Channel::Direct),
        ];
        let touches = journey.map(touch);
        for (model, expected) in [
            ("last_click", [0, 0, 0, 0, 1000_00]),
            ("last_non_direct", [0, 0, 0, 1000_00, 0]),
            ("first_click", [1000_00, 0, 0, 0, 0]),
            ("linear", [250_00, 250_00, 250_00, 250_00, 0]),
            ("time_decay", [66_67, 133_33, 266_67, 533_33, 0]),
            ("position_based", [400_00, 100_00, 100_00, 400_00, 0]),
            ("w_shaped", [300_00, 100_00, 300_00, 300_00, 0]),
            ("custom:50/50/0", [500_00, 250_00, 250_00, 0, 0]),
            ("shapley", [333_33, 166_67, 333_33, 166_67, 0]),
        ] {
            let journey = Journey { touches: &touches, lead_at: Some(day(16)) };
            let weights = credit_weights(model.parse().unwrap(), journey, &Basis::default()).unwrap();
            assert_eq!(split_minor(1000_00, &weights), expected, "{model}");
        }
    }

    #[test]
    fn a_week_halves_a_touch() {
        let touches = journey("exxxxxxs");
        let decayed = credit_weights(Model::TimeDecay, Journey { touches: &touches, lead_at: None }, &Basis::default()).unwrap();
        assert!((decayed[7] as f64 / decayed[0] as f64 - 2.0).abs() < 1e-9, "{decayed:?}");
        let two = [touches[0], touches[7]];
        let basis = Basis { half_life: HalfLife::new(TimeDelta::days(1)).unwrap(), ..Basis::default() };
        let steep = credit_weights(Model::TimeDecay, Journey { touches: &two, lead_at: None }, &basis).unwrap();
        assert!((steep[1] as f64 / steep[0] as f64 - 128.0).abs() < 1e-6, "{steep:?}");
        assert_eq!(HalfLife::new(TimeDelta::zero()), None);
    }

    #[test]
    fn the_touch_before_the_lead_gets_a_part_of_its_own() {
        let touches = journey("edxxs");
        let of_lead = |lead: usize| {
            let lead_at = Some(touches[lead].at + TimeDelta::hours(1));
            credit_weights(Model::WShaped, Journey { touches: &touches, lead_at }, &Basis::default()).unwrap()
        };
        assert_eq!(of_lead(2), [3, 0, 3, 1, 3]);
        assert_eq!(of_lead(0), [12, 0, 1, 1, 6], "the first touch led to the lead: it has both parts");
        assert_eq!(of_lead(1), [12, 0, 1, 1, 6], "a direct visit before the lead is passed over");
        let lead_at = Some(touches[0].at - TimeDelta::days(1));
        let before_all = credit_weights(Model::WShaped, Journey { touches: &touches, lead_at }, &Basis::default()).unwrap();
        assert_eq!(before_all, [6, 0, 1, 1, 6]);
    }

    #[test]
    fn a_model_without_its_fit_says_so() {
        let touches = journey("ex");
        for model in Model::ALL {
            let answer = credit_weights(model, Journey { touches: &touches, lead_at: None }, &Basis::default());
            assert_eq!(answer.is_none(), model.needs_a_fit(), "{model}");
        }
    }

    #[test]
    fn the_ends_of_the_window_count() {
        let order = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let window = Window::default();
        let touch = |kind, age| CreditTouch { at: order - age, kind, channel: Channel::Email, mark: None };
        let inside = |kind, age| touches_in_window(&touch(kind, age), order, window);
        assert!(inside(TouchKind::Click, TimeDelta::zero()));
        assert!(inside(TouchKind::Click, TimeDelta::days(90)));
        assert!(!inside(TouchKind::Click, TimeDelta::days(90) + TimeDelta::microseconds(1)));
        assert!(!inside(TouchKind::Click, TimeDelta::seconds(-1)));
        assert!(inside(TouchKind::Impression, TimeDelta::days(1)));
        assert!(!inside(TouchKind::Impression, TimeDelta::days(2)));
        assert!(!touches_in_window(
            &CreditTouch { mark: Some(Mark::Bot), ..touch(TouchKind::Click, TimeDelta::zero()) },
            order,
            window
        ));
    }

    fn any_touches() -> impl Strategy<Value = Vec<CreditTouch>> {
        let touch = (0usize..Channel::ALL.len(), 0i64..8_000_000);
        prop::collection::vec(touch, 1..30).prop_map(|mut touches| {
            touches.sort_by_key(|(_, second)| *second);
            let at = |second: i64| DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap();
            touches
                .into_iter()
                .map(|(channel, second)| CreditTouch {
                    at: at(second),
                    kind: TouchKind::Click,
                    channel: if channel % 3 == 0 { Channel::Direct } else { Channel::ALL[channel] },
                    mark: None,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_model_gives_the_whole_credit_to_the_kopeck_and_none_to_direct_beside_others(
            touches in any_touches(),
            worth in prop::collection::vec(prop_oneof![Just(0.0), 0.0..1.0f64], Channel::ALL.len()),
            lead in prop::option::of(0i64..8_000_000),
            minor in 0i64..1_000_000_000_000,
            (first, last) in (0u8..=50, 0u8..=50),
        ) {
            let worth = ChannelWorth::new(worth);
            let basis = Basis { markov: Some(worth.clone()), shapley_rate: Some(worth), ..Basis::default() };
            let lead_at = lead.and_then(|second| DateTime::from_timestamp(1_700_000_000 + second, 0));
            let custom = Model::Custom(PositionShares::new(first, 100 - first - last, last).unwrap());
            for model in Model::ALL.into_iter().chain([custom]) {
                let weights = credit_weights(model, Journey { touches: &touches, lead_at }, &basis).unwrap();
                prop_assert_eq!(weights.len(), touches.len());
                prop_assert!(weights.iter().sum::<u64>() > 0, "{}", model);
                let parts = split_minor(minor, &weights);
                prop_assert_eq!(parts.iter().sum::<i64>(), minor, "{}", model);
                prop_assert!(parts.iter().zip(&weights).all(|(part, weight)| *part == 0 || *weight > 0), "{}", model);
                let mixed = touches.iter().any(|t| t.channel != Channel::Direct);
                if model != Model::LastClick && mixed {
                    let direct = touches.iter().zip(&weights).filter(|(t, _)| t.channel == Channel::Direct);
                    prop_assert_eq!(direct.map(|(_, weight)| *weight).sum::<u64>(), 0, "{}", model);
                }
            }
        }
    }
}
