//! The models that are fitted over a period: all its journeys go in, converting and null, and out comes what each channel
//! is worth. An order is then shared among its touches by the worth of their channels.

use super::markov::{Chain, Order};
use super::shapley::{RateGame, TooManyChannels};
use super::whole::whole_weights;
use crate::domain::channel::Channel;

/// What each channel is worth, by its place in [`Channel::ALL`]; finite, nothing below zero.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelWorth(Vec<f64>);

impl ChannelWorth {
    /// By place in [`Channel::ALL`]. What is below zero (a channel with which journeys convert worse) is worth nothing.
    pub fn new(worth: Vec<f64>) -> ChannelWorth {
        ChannelWorth(worth.into_iter().map(|worth| if worth.is_finite() { worth.max(0.0) } else { 0.0 }).collect())
    }

    pub fn of(&self, channel: Channel) -> f64 {
        self.0.get(channel as usize).copied().unwrap_or_default()
    }

    /// Weights in proportion to the worth of each touch's channel; equal ones if none of them is worth anything.
    pub fn weights(&self, channels: impl Iterator<Item = Channel>) -> Vec<u64> {
        let worth: Vec<f64> = channels.map(|channel| self.of(channel)).collect();
        if worth.iter().all(|worth| *worth <= 0.0) {
            return vec![1; worth.len()];
        }
        whole_weights(&worth)
    }
}

/// Journeys on their way into a fit. What it keeps depends on the variety of journeys, not on their number.
#[derive(Debug, Clone)]
pub struct Fit {
    chain: Chain,
    game: RateGame,
    steps: Vec<u32>,
}

impl Fit {
    pub fn new(order: Order) -> Fit {
        Fit { chain: Chain::new(order), game: RateGame::default(), steps: Vec::new() }
    }

    /// Adds one journey: the channels of the touches that count, in order. A journey that is null is closed: no conversion
    /// came while its touches were in the window. Direct visits count only where nothing else is there. An empty journey
    /// is none.
    pub fn add(&mut self, channels: impl Iterator<Item = Channel>, converted: bool) {
        self.steps.clear();
        self.steps.extend(channels.map(|channel| channel as u32));
        let direct = Channel::Direct as u32;
        if self.steps.iter().any(|step| *step != direct) {
            self.steps.retain(|step| *step != direct);
        }
        if self.steps.is_empty() {
            return;
        }
        let (conversions, null) = if converted { (1.0, 0.0) } else { (0.0, 1.0) };
        self.chain.add(&self.steps, conversions, 0.0, null);
        self.game.add(&self.steps, conversions, 0.0, null);
    }

    /// Removal effects.
    pub fn markov(&self) -> ChannelWorth {
        ChannelWorth::new(self.chain.removal_effects(Channel::ALL.len()).conversions)
    }

    /// Shapley values of the conversion rate.
    ///
    /// # Errors
    /// [`TooManyChannels`] if more than 20 occur.
    pub fn shapley_rate(&self) -> Result<ChannelWorth, TooManyChannels> {
        self.game.values(Channel::ALL.len()).map(|values| ChannelWorth::new(values.conversions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_shared_by_what_the_period_says_of_its_channels() {
        let mut fit = Fit::new(Order::default());
        let (email, search) = (Channel::Email, Channel::PaidSearch);
        // `micro_cases.json`, self_loops: removal effects of 5/6 and 17/24.
        for (journey, conversions, null) in
            [(vec![email, email, search], 2, 1), (vec![search, email, email, email], 1, 0), (vec![email], 0, 4)]
        {
            for number in 0..conversions + null {
                fit.add(journey.iter().copied().chain([Channel::Direct]), number < conversions);
            }
        }
        let worth = fit.markov();
        assert!((worth.of(email) - 5.0 / 6.0).abs() < 1e-15 && (worth.of(search) - 17.0 / 24.0).abs() < 1e-15);
        assert_eq!(worth.of(Channel::Direct), 0.0);
        let weights = worth.weights([email, search].into_iter());
        assert!((weights[0] as f64 / weights[1] as f64 - 20.0 / 17.0).abs() < 1e-9);
        assert_eq!(worth.weights([Channel::Audio, Channel::Sms].into_iter()), [1, 1]);
        let rate = fit.shapley_rate().unwrap();
        assert_eq!(rate.of(search), rate.of(email), "neither converts alone, so they share what they do together");
    }

    #[test]
    fn nothing_to_fit_gives_zeros() {
        let mut fit = Fit::new(Order::default());
        fit.add(std::iter::empty(), true);
        assert_eq!(fit.markov(), ChannelWorth::new(vec![0.0; Channel::ALL.len()]));
        fit.add([Channel::Email].into_iter(), false);
        assert_eq!(fit.markov().of(Channel::Email), 0.0);
        assert_eq!(fit.shapley_rate().unwrap().of(Channel::Email), 0.0);
    }
}
