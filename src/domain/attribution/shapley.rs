//! The two Shapley models. Players are channels; a journey's value counts for every coalition that holds all of its
//! channels. Shapley, "A value for n-person games" (1953).

use super::whole::{WHOLE, whole_weights};
use std::collections::HashMap;

/// How many channels the game is exact for: it looks at every set of them.
pub const MOST_CHANNELS: usize = 20;

/// There are more channels than the sets of them can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are {found} channels; shapley_rate is exact for {MOST_CHANNELS} at most")]
pub struct TooManyChannels {
    pub found: usize,
}

/// One whole-number weight for each of `steps` (channels by number, small ones) in the game v(S) = conversions of journeys
/// whose channels lie within S. There a conversion is a game of its own, and its value falls to its distinct channels in
/// equal parts; a channel met several times spreads its part over its touches.
pub fn equal_weights(steps: &[u32]) -> Vec<u64> {
    let mut touches_of = vec![0u64; steps.iter().max().map_or(0, |most| *most as usize + 1)];
    for step in steps {
        touches_of[*step as usize] += 1;
    }
    let multiple = touches_of.iter().filter(|n| **n > 0).try_fold(1u64, |multiple, n| {
        let next = multiple / greatest_common_divisor(multiple, *n) * n;
        (next <= WHOLE).then_some(next)
    });
    match multiple {
        Some(multiple) => steps.iter().map(|step| multiple / touches_of[*step as usize]).collect(),
        None => whole_weights(&steps.iter().map(|step| 1.0 / touches_of[*step as usize] as f64).collect::<Vec<_>>()),
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The journeys that have one set of channels.
#[derive(Debug, Clone, Copy, Default)]
struct Journeys {
    conversions: f64,
    value: f64,
    count: f64,
}

/// The game v(S) = conversions (or value) a journey, among the journeys whose channels lie within S. Filled journey by
/// journey; what it keeps is one row for each set of channels that occurs.
#[derive(Debug, Clone, Default)]
pub struct RateGame {
    /// By the set of channels: the bit of each one's place in `channels`.
    sets: HashMap<u32, Journeys>,
    /// Channels by number, in order of appearance; may be one too many.
    channels: Vec<u32>,
    /// By a channel's number: its place in `channels`, plus one.
    places: Vec<u8>,
}

/// Shapley values of [`RateGame`], by channel; they add up to the rate of all journeys. One below zero says that
/// journeys convert worse with the channel than without it.
#[derive(Debug, Clone, PartialEq)]
pub struct RateValues {
    pub conversions: Vec<f64>,
    pub value: Vec<f64>,
    /// Journeys, converting and null: what turns a rate into conversions.
    pub journeys: f64,
}

impl RateGame {
    /// Adds `conversions` + `null` journeys along `steps`, together worth `value`.
    pub fn add(&mut self, steps: &[u32], conversions: f64, value: f64, null: f64) {
        if conversions + null <= 0.0 {
            return;
        }
        let mut set = 0;
        for step in steps {
            match self.place(*step) {
                Some(place) => set |= 1 << place,
                None => return,
            }
        }
        self.add_set(set, Journeys { conversions, value, count: conversions + null });
    }

    fn add_set(&mut self, set: u32, more: Journeys) {
        let journeys = self.sets.entry(set).or_default();
        journeys.conversions += more.conversions;
        journeys.value += more.value;
        journeys.count += more.count;
    }

    /// `None` if the table of channels is full; then the game is lost.
    fn place(&mut self, channel: u32) -> Option<usize> {
        let index = channel as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, 0);
        }
        if self.places[index] == 0 {
            if self.channels.len() > MOST_CHANNELS {
                return None;
            }
            self.channels.push(channel);
            self.places[index] = self.channels.len() as u8;
        }
        (self.channels.len() <= MOST_CHANNELS).then(|| usize::from(self.places[index]) - 1)
    }

    /// Adds what another game counted; `number` gives this game's number for each of the other's channels.
    pub fn merge(&mut self, other: &RateGame, number: impl Fn(u32) -> u32) {
        let places: Vec<Option<usize>> = other.channels.iter().map(|channel| self.place(number(*channel))).collect();
        let mut sets: Vec<(u32, Journeys)> = other.sets.iter().map(|(set, journeys)| (*set, *journeys)).collect();
        // Sums of floats depend on their order, and a map has none.
        sets.sort_by_key(|(set, _)| *set);
        for (theirs, journeys) in sets {
            let ours = (0..places.len()).filter(|place| theirs & (1 << place) != 0);
            if let Some(set) = ours.map(|place| places[place]).try_fold(0, |set, place| Some(set | (1 << place?))) {
                self.add_set(set, journeys);
            }
        }
    }

    /// The values for `channels` channels in all. Exact: v of every set by a sum over its subsets, then each channel's
    /// mean gain over all orders in which the channels may join.
    ///
    /// # Errors
    /// [`TooManyChannels`] above [`MOST_CHANNELS`] of them in the journeys.
    pub fn values(&self, channels: usize) -> Result<RateValues, TooManyChannels> {
        let players = self.channels.len();
        if players > MOST_CHANNELS {
            return Err(TooManyChannels { found: channels.max(players) });
        }
        let sets = 1usize << players;
        let (mut conversions, mut value, mut count) = (vec![0.0; sets], vec![0.0; sets], vec![0.0; sets]);
        for (set, journeys) in &self.sets {
            conversions[*set as usize] = journeys.conversions;
            value[*set as usize] = journeys.value;
            count[*set as usize] = journeys.count;
        }
        for sums in [&mut conversions, &mut value, &mut count] {
            sum_over_subsets(sums, players);
        }
        for (set, count) in count.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            conversions[set] /= count;
            value[set] /= count;
        }
        let mut values = RateValues {
            conversions: vec![0.0; channels],
            value: vec![0.0; channels],
            journeys: count.last().copied().unwrap_or_default(),
        };
        for (place, channel) in self.channels.iter().enumerate() {
            if let Some(share) = values.conversions.get_mut(*channel as usize) {
                *share = mean_gain(&conversions, players, place);
            }
            if let Some(share) = values.value.get_mut(*channel as usize) {
                *share = mean_gain(&value, players, place);
            }
        }
        Ok(values)
    }
}

/// Turns f(S) into the sum of f(T) over all T within S (the zeta transform), in place.
fn sum_over_subsets(sums: &mut [f64], players: usize) {
    for player in 0..players {
        let bit = 1 << player;
        for set in (0..sums.len()).filter(|set| set & bit != 0) {
            sums[set] += sums[set ^ bit];
        }
    }
}

/// The Shapley value of a player: v(S with it) - v(S), weighted by |S|! (n - |S| - 1)! / n!.
fn mean_gain(v: &[f64], players: usize, place: usize) -> f64 {
    let bit = 1 << place;
    // The gains of sets of one size are summed first: sizes weigh very differently.
    let mut gains = vec![0.0; players];
    for set in (0..v.len()).filter(|set| set & bit == 0) {
        gains[set.count_ones() as usize] += v[set | bit] - v[set];
    }
    let mut sets_of_size = 1.0;
    let mut mean = 0.0;
    for (size, gain) in gains.iter().enumerate() {
        mean += gain / (sets_of_size * players as f64);
        sets_of_size = sets_of_size * (players - 1 - size) as f64 / (size + 1) as f64;
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn distinct_channels_share_equally_and_repeats_share_a_part() {
        assert_eq!(equal_weights(&[7, 7, 3]), [1, 1, 2]);
        assert_eq!(equal_weights(&[1, 1, 2, 2, 2, 0]), [3, 3, 2, 2, 2, 6]);
        assert_eq!(equal_weights(&[4]), [1]);
        assert!(equal_weights(&[]).is_empty());
        // The common multiple of these counts is beyond all bounds.
        let crowd: Vec<u32> = (0..60).flat_map(|channel| vec![channel; channel as usize + 1]).collect();
        assert_eq!(equal_weights(&crowd).iter().sum::<u64>(), WHOLE);
    }

    #[test]
    fn the_rate_game_of_two_channels_by_hand() {
        // v(a) = 1/4, v(b) = 1/2, v(ab) = 4/10: a gets (1/4 + (4/10 - 1/2)) / 2, b the rest.
        let mut game = RateGame::default();
        game.add(&[0], 1.0, 10.0, 3.0);
        game.add(&[1, 1], 1.0, 20.0, 1.0);
        game.add(&[0, 1, 0], 2.0, 30.0, 2.0);
        let values = game.values(2).unwrap();
        assert!((values.conversions[0] - (0.25 - 0.1) / 2.0).abs() < 1e-15);
        assert!((values.conversions[1] - (0.5 + 0.15) / 2.0).abs() < 1e-15);
        assert!((values.value[0] - (2.5 + 6.0 - 10.0) / 2.0).abs() < 1e-14, "below zero: journeys without it are worth more");
        assert_eq!(values.journeys, 10.0);
    }

    #[test]
    fn nothing_gives_zeros_and_too_much_an_error() {
        assert_eq!(RateGame::default().values(3).unwrap().conversions, [0.0; 3]);
        let mut game = RateGame::default();
        game.add(&[0], 0.0, 0.0, 5.0);
        assert_eq!(game.values(1).unwrap().conversions, [0.0]);
        for channel in 0..30 {
            game.add(&[channel], 1.0, 1.0, 0.0);
        }
        assert_eq!(game.values(30), Err(TooManyChannels { found: 30 }));
        let mut merged = RateGame::default();
        merged.merge(&game, |channel| channel);
        assert!(merged.values(30).is_err());
    }

    #[test]
    fn twenty_channels_are_exact() {
        // Every channel alone converts alike, so each has a twentieth.
        let mut game = RateGame::default();
        for channel in 0..20 {
            game.add(&[channel], 1.0, 2.0, 3.0);
        }
        for share in game.values(20).unwrap().conversions {
            assert!((share - 0.25 / 20.0).abs() < 1e-15);
        }
    }

    /// By the definition: the mean over all orders of joining.
    fn by_orders(journeys: &[(Vec<u32>, f64, f64)], players: u32) -> Vec<f64> {
        let rate = |set: &[u32]| {
            let within = journeys.iter().filter(|(steps, _, _)| steps.iter().all(|step| set.contains(step)));
            let (conversions, count) =
                within.fold((0.0, 0.0), |(c, n), (_, conversions, null)| (c + conversions, n + conversions + null));
            if count > 0.0 { conversions / count } else { 0.0 }
        };
        let mut values = vec![0.0; players as usize];
        let mut orders = vec![Vec::new()];
        for _ in 0..players {
            orders = orders
                .into_iter()
                .flat_map(|order: Vec<u32>| {
                    (0..players).filter(|p| !order.contains(p)).map(|p| [order.clone(), vec![p]].concat()).collect::<Vec<_>>()
                })
                .collect();
        }
        for order in &orders {
            for place in 0..order.len() {
                values[order[place] as usize] += (rate(&order[..=place]) - rate(&order[..place])) / orders.len() as f64;
            }
        }
        values
    }

    proptest! {
        #[test]
        fn values_are_those_of_the_definition_in_parts_or_whole(
            journeys in prop::collection::vec((prop::collection::vec(0u32..5, 1..5), 0u8..4, 0u8..4), 1..20),
        ) {
            let journeys: Vec<_> = journeys.into_iter().map(|(s, c, n)| (s, f64::from(c), f64::from(n))).collect();
            let (mut whole, mut first, mut second) = (RateGame::default(), RateGame::default(), RateGame::default());
            for (index, (steps, conversions, null)) in journeys.iter().enumerate() {
                whole.add(steps, *conversions, 0.0, *null);
                if index % 2 == 0 { &mut first } else { &mut second }.add(steps, *conversions, 0.0, *null);
            }
            first.merge(&second, |channel| channel);
            let expected = by_orders(&journeys, 5);
            for game in [whole, first] {
                for (share, expected) in game.values(5).unwrap().conversions.iter().zip(&expected) {
                    prop_assert!((share - expected).abs() < 1e-12, "{share} {expected}");
                }
            }
        }
    }
}
