//! Every model over aggregated journeys: rows go in one by one, channels as small numbers, and only sums are kept.
//!
//! The figures are statistics about journeys, not ledger money, so they are `f64`.

use super::markov::{Chain, Order, RemovalEffects, Transition};
use super::rules::w_shaped;
use super::shapley::{RateGame, TooManyChannels};
use super::{Model, PositionShares};

/// After how many touches a touch has lost half of its weight: path files have no times. Finite, above zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfLifeTouches(f64);

/// The text is no half-life.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the half-life is a number of touches above zero")]
pub struct WrongHalfLife;

impl Default for HalfLifeTouches {
    /// 7 touches.
    fn default() -> HalfLifeTouches {
        HalfLifeTouches(7.0)
    }
}

impl std::str::FromStr for HalfLifeTouches {
    type Err = WrongHalfLife;
    fn from_str(text: &str) -> Result<Self, WrongHalfLife> {
        let touches: f64 = text.trim().parse().map_err(|_| WrongHalfLife)?;
        if touches.is_finite() && touches > 0.0 { Ok(HalfLifeTouches(touches)) } else { Err(WrongHalfLife) }
    }
}

/// What is asked of a path file.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub models: Vec<Model>,
    pub order: Order,
    pub half_life: HalfLifeTouches,
    /// Whether the chain is wanted, for its removal effects or transitions, even without `markov` among the models.
    pub chain: bool,
}

impl Asked {
    /// Whether the sums may take much room: from order 3 on a chain has many states.
    pub fn sums_are_large(&self) -> bool {
        self.wants_a_chain() && self.order >= Order::THIRD
    }

    fn wants_a_chain(&self) -> bool {
        self.chain || self.models.contains(&Model::Markov)
    }
}

/// What a channel gets, or the totals of a file.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChannelCredit {
    pub conversions: f64,
    pub value: f64,
}

impl ChannelCredit {
    fn add(&mut self, share: f64, whole: ChannelCredit) {
        self.conversions += whole.conversions * share;
        self.value += whole.value * share;
    }
}

/// One row of a path file: `conversions` journeys along `steps`, worth `value` together, and `null` that led to nothing.
/// All three finite and not negative; at least one step.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a> {
    pub steps: &'a [u32],
    pub conversions: f64,
    pub value: f64,
    pub null: f64,
}

/// Why a model has no answer for these journeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error(transparent)]
    ShapleyRate(#[from] TooManyChannels),
    #[error("there are {found} channels; a chain of order {order} has room for {most}", most = order.most_channels())]
    Markov { found: usize, order: Order },
}

/// The sums of all rows so far.
#[derive(Debug, Clone)]
pub struct PathModels {
    rules: Vec<RuleSums>,
    chain: Option<Chain>,
    game: Option<RateGame>,
    models: Vec<Model>,
    order: Order,
    direct: Option<u32>,
    direct_occurs: bool,
    totals: ChannelCredit,
    channels: usize,
    decay: Decay,
    seen: Seen,
    /// The steps that count where direct ones do not, and the age of each in touches.
    kept: Vec<u32>,
    ages: Vec<usize>,
}

#[derive(Debug, Clone)]
struct RuleSums {
    model: Model,
    credits: Vec<ChannelCredit>,
    /// Shares by the number of touches, as far as they were needed.
    shares: Vec<Vec<f64>>,
}

impl PathModels {
    /// `direct`: the channel that gets credit only where nothing else is there, if any.
    pub fn new(asked: &Asked, direct: Option<u32>) -> PathModels {
        let sums = |model: &Model| RuleSums { model: *model, credits: Vec::new(), shares: Vec::new() };
        PathModels {
            rules: asked.models.iter().filter(|m| !m.needs_a_fit()).map(sums).collect(),
            chain: asked.wants_a_chain().then(|| Chain::new(asked.order)),
            game: asked.models.contains(&Model::ShapleyRate).then(RateGame::default),
            models: asked.models.clone(),
            order: asked.order,
            direct,
            direct_occurs: false,
            totals: ChannelCredit::default(),
            channels: 0,
            decay: Decay::new(asked.half_life),
            seen: Seen::default(),
            kept: Vec::new(),
            ages: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn add(&mut self, path: Path<'_>) {
        let most = path.steps.iter().max().map_or(0, |most| *most as usize + 1);
        if most > self.channels {
            self.channels = most;
            self.rules.iter_mut().for_each(|rule| rule.credits.resize(most, ChannelCredit::default()));
        }
        let whole = ChannelCredit { conversions: path.conversions, value: path.value };
        self.totals.add(1.0, whole);
        let has_direct = self.direct.is_some_and(|direct| path.steps.contains(&direct));
        self.direct_occurs |= has_direct;
        let mixed = has_direct && path.steps.iter().any(|step| Some(*step) != self.direct);
        if mixed {
            self.kept.clear();
            self.ages.clear();
            for (index, step) in path.steps.iter().enumerate().filter(|(_, step)| Some(**step) != self.direct) {
                self.kept.push(*step);
                self.ages.push(path.steps.len() - 1 - index);
            }
        }
        let steps = if mixed { &self.kept } else { path.steps };
        if let Some(chain) = &mut self.chain {
            chain.add(steps, path.conversions, path.value, path.null);
        }
        if let Some(game) = &mut self.game {
            game.add(steps, path.conversions, path.value, path.null);
        }
        if whole == ChannelCredit::default() {
            return;
        }
        for rule in &mut self.rules {
            let credits = &mut rule.credits;
            match rule.model {
                Model::LastClick => give(credits, path.steps.last(), 1.0, whole),
                Model::LastNonDirect => give(credits, steps.last(), 1.0, whole),
                Model::FirstClick => give(credits, steps.first(), 1.0, whole),
                Model::Linear => {
                    let share = 1.0 / steps.len() as f64;
                    steps.iter().for_each(|step| give(credits, Some(step), share, whole));
                }
                Model::TimeDecay if mixed => {
                    let newest = self.ages.last().copied().unwrap_or_default();
                    let ages = self.ages.iter().map(|age| age - newest);
                    let sum: f64 = ages.clone().map(|age| self.decay.of(age)).sum();
                    for (step, age) in steps.iter().zip(ages) {
                        give(credits, Some(step), self.decay.of(age) / sum, whole);
                    }
                }
                Model::Shapley => {
                    let distinct = self.seen.distinct(steps);
                    let share = 1.0 / distinct.len() as f64;
                    distinct.iter().for_each(|channel| give(credits, Some(channel), share, whole));
                }
                Model::TimeDecay | Model::PositionBased | Model::WShaped | Model::Custom(_) => {
                    let shares = shares_of(rule.model, &mut rule.shares, &mut self.decay, steps.len());
                    for (step, share) in steps.iter().zip(shares) {
                        give(credits, Some(step), *share, whole);
                    }
                }
                Model::Markov | Model::ShapleyRate => {}
            }
        }
    }

    /// Adds what another summed for the same question; `number` gives this one's number for each of the other's channels.
    pub fn merge(&mut self, other: &PathModels, number: impl Fn(u32) -> u32) {
        self.totals.add(1.0, other.totals);
        self.direct_occurs |= other.direct_occurs;
        self.channels = (0..other.channels as u32).map(|channel| number(channel) as usize + 1).fold(self.channels, usize::max);
        for (ours, theirs) in self.rules.iter_mut().zip(&other.rules) {
            ours.credits.resize(self.channels, ChannelCredit::default());
            for (channel, credit) in theirs.credits.iter().enumerate() {
                ours.credits[number(channel as u32) as usize].add(1.0, *credit);
            }
        }
        if let (Some(ours), Some(theirs)) = (&mut self.chain, &other.chain) {
            ours.merge(theirs, &number);
        }
        if let (Some(ours), Some(theirs)) = (&mut self.game, &other.game) {
            ours.merge(theirs, &number);
        }
    }

    pub fn totals(&self) -> ChannelCredit {
        self.totals
    }

    /// Whether any step was direct.
    pub fn direct_occurs(&self) -> bool {
        self.direct_occurs
    }

    /// What each channel of the chain takes with it when it is removed. `None` if no chain was asked for.
    pub fn removal_effects(&self) -> Option<Result<RemovalEffects, NoAnswer>> {
        let chain = self.chain.as_ref()?;
        Some(self.chain_has_room().map(|()| chain.removal_effects(self.channels)))
    }

    /// The cells of the transition matrix. None of them if no chain was asked for.
    ///
    /// # Errors
    /// [`NoAnswer::Markov`] if there are too many channels.
    pub fn transitions(&self) -> Result<Vec<Transition>, NoAnswer> {
        self.chain_has_room()?;
        Ok(self.chain.as_ref().map(Chain::transitions).unwrap_or_default())
    }

    fn chain_has_room(&self) -> Result<(), NoAnswer> {
        let room = self.channels <= self.order.most_channels();
        room.then_some(()).ok_or(NoAnswer::Markov { found: self.channels, order: self.order })
    }

    /// Each model's credit by channel, in the order asked. `removal` are this chain's removal effects, for `markov`.
    pub fn credits(&self, removal: Option<&RemovalEffects>) -> Vec<(Model, Result<Vec<ChannelCredit>, NoAnswer>)> {
        self.models.iter().map(|model| (*model, self.credit(*model, removal))).collect()
    }

    fn credit(&self, model: Model, removal: Option<&RemovalEffects>) -> Result<Vec<ChannelCredit>, NoAnswer> {
        match (model, removal, &self.game) {
            (Model::Markov, Some(effects), _) => Ok(self.in_proportion(effects)),
            (Model::Markov, None, _) => Err(NoAnswer::Markov { found: self.channels, order: self.order }),
            (Model::ShapleyRate, _, Some(game)) => {
                let values = game.values(self.channels)?;
                let credit =
                    |(c, v): (&f64, &f64)| ChannelCredit { conversions: c * values.journeys, value: v * values.journeys };
                Ok(values.conversions.iter().zip(&values.value).map(credit).collect())
            }
            _ => {
                let sums = self.rules.iter().find(|rule| rule.model == model);
                Ok(sums.map(|rule| rule.credits.clone()).unwrap_or_default())
            }
        }
    }

    /// Shares the totals by removal effect.
    fn in_proportion(&self, effects: &RemovalEffects) -> Vec<ChannelCredit> {
        let sum = |effects: &[f64]| effects.iter().sum::<f64>();
        let (conversions, value) = (sum(&effects.conversions), sum(&effects.value));
        let part = |effect: f64, sum: f64, total: f64| if sum > 0.0 { effect / sum * total } else { 0.0 };
        let credit = |(c, v): (&f64, &f64)| ChannelCredit {
            conversions: part(*c, conversions, self.totals.conversions),
            value: part(*v, value, self.totals.value),
        };
        effects.conversions.iter().zip(&effects.value).map(credit).collect()
    }
}

#[inline]
fn give(credits: &mut [ChannelCredit], channel: Option<&u32>, share: f64, whole: ChannelCredit) {
    if let Some(credit) = channel.and_then(|channel| credits.get_mut(*channel as usize)) {
        credit.add(share, whole);
    }
}

/// Longer journeys are rare: their shares are not kept.
const LONGEST_KEPT: usize = 256;

/// The share of each of `count` touches, oldest first, from the table of those reckoned before.
fn shares_of<'a>(model: Model, known: &'a mut Vec<Vec<f64>>, decay: &mut Decay, count: usize) -> &'a [f64] {
    let place = if count <= LONGEST_KEPT { count } else { 0 };
    if known.len() <= place {
        known.resize(place + 1, Vec::new());
    }
    let shares = &mut known[place];
    if shares.len() != count {
        *shares = match model {
            Model::PositionBased => in_whole(&PositionShares::U_SHAPED.weights(count)),
            Model::Custom(custom) => in_whole(&custom.weights(count)),
            // A path file knows no leads.
            Model::WShaped => in_whole(&w_shaped(count, None)),
            _ => {
                let weights: Vec<f64> = (0..count).rev().map(|age| decay.of(age)).collect();
                let sum: f64 = weights.iter().sum();
                weights.into_iter().map(|weight| weight / sum).collect()
            }
        };
    }
    shares
}

fn in_whole(weights: &[u64]) -> Vec<f64> {
    let whole: u64 = weights.iter().sum();
    weights.iter().map(|weight| *weight as f64 / whole as f64).collect()
}

/// 2^(-age / half-life), by age in touches.
#[derive(Debug, Clone)]
struct Decay {
    half_life: f64,
    weights: Vec<f64>,
}

impl Decay {
    fn new(half_life: HalfLifeTouches) -> Decay {
        Decay { half_life: half_life.0, weights: Vec::new() }
    }

    fn of(&mut self, age: usize) -> f64 {
        while self.weights.len() <= age {
            self.weights.push((-(self.weights.len() as f64) / self.half_life).exp2());
        }
        self.weights[age]
    }
}

/// The distinct channels of a journey, found without sorting or clearing.
#[derive(Debug, Clone, Default)]
struct Seen {
    /// By channel: the last journey it was seen in.
    journey_of: Vec<u64>,
    journey: u64,
    channels: Vec<u32>,
}

impl Seen {
    fn distinct(&mut self, steps: &[u32]) -> &[u32] {
        self.journey += 1;
        self.channels.clear();
        for step in steps {
            let index = *step as usize;
            if self.journey_of.len() <= index {
                self.journey_of.resize(index + 1, 0);
            }
            if self.journey_of[index] != self.journey {
                self.journey_of[index] = self.journey;
                self.channels.push(*step);
            }
        }
        &self.channels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sums(models: &[&str], order: u8, direct: Option<u32>, paths: &[(&[u32], f64, f64, f64)]) -> PathModels {
        let models = models.iter().map(|name| name.parse().unwrap()).collect();
        let asked = Asked { models, order: Order::new(order).unwrap(), ..Asked::default() };
        let mut sums = PathModels::new(&asked, direct);
        for (steps, conversions, value, null) in paths {
            sums.add(Path { steps, conversions: *conversions, value: *value, null: *null });
        }
        sums
    }

    fn conversions(model: &str, direct: Option<u32>, paths: &[(&[u32], f64, f64, f64)]) -> Vec<f64> {
        let sums = sums(&[model], 1, direct, paths);
        let removal = sums.removal_effects().map(Result::unwrap);
        let (_, credits) = sums.credits(removal.as_ref()).remove(0);
        credits.unwrap().iter().map(|credit| credit.conversions).collect()
    }

    #[test]
    fn rows_are_summed_and_every_channel_has_a_place() {
        let paths: [(&[u32], f64, f64, f64); 3] = [(&[0, 1, 0], 3.0, 30.0, 0.0), (&[1], 1.0, 5.0, 0.0), (&[2], 0.0, 0.0, 0.0)];
        for (model, direct, expected) in [
            ("linear", None, [2.0, 2.0, 0.0]),
            ("last_click", None, [3.0, 1.0, 0.0]),
            ("last_click", Some(0), [3.0, 1.0, 0.0]),
            ("last_non_direct", Some(0), [0.0, 4.0, 0.0]),
            ("shapley", None, [1.5, 2.5, 0.0]),
            ("shapley", Some(0), [0.0, 4.0, 0.0]),
            ("position_based", None, [2.4, 1.6, 0.0]),
            ("custom:0/100/0", None, [0.0, 4.0, 0.0]),
            ("markov", Some(0), [0.0, 4.0, 0.0]),
        ] {
            let got = conversions(model, direct, &paths);
            assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{model} {direct:?}: {got:?}");
        }
    }

    #[test]
    fn ages_are_those_of_the_whole_journey_where_direct_steps_are_left_out() {
        let asked = Asked { models: vec![Model::TimeDecay], half_life: "1".parse().unwrap(), ..Asked::default() };
        let mut sums = PathModels::new(&asked, Some(9));
        // Ages 3 and 1, two half-lives apart: 1/5 and 4/5.
        sums.add(Path { steps: &[0, 9, 1, 9], conversions: 5.0, value: 0.0, null: 0.0 });
        // Ages 1 and 0: 1/3 and 2/3.
        sums.add(Path { steps: &[0, 1], conversions: 3.0, value: 0.0, null: 0.0 });
        let credits = sums.credits(None).remove(0).1.unwrap();
        assert!((credits[0].conversions - 2.0).abs() < 1e-12 && (credits[1].conversions - 6.0).abs() < 1e-12, "{credits:?}");
    }

    #[test]
    fn a_very_long_path_still_adds_up() {
        let steps = [vec![0; 100_000], vec![1]].concat();
        let names = ["linear", "time_decay", "position_based", "w_shaped", "shapley", "markov"];
        let sums = sums(&names, 3, None, &[(&steps, 2.0, 8.0, 1.0)]);
        let removal = sums.removal_effects().unwrap().unwrap();
        for (model, credits) in sums.credits(Some(&removal)) {
            let total: f64 = credits.unwrap().iter().map(|credit| credit.conversions).sum();
            assert!((total - 2.0).abs() < 1e-9, "{model}: {total}");
        }
    }

    #[test]
    fn a_chain_without_room_for_all_channels_has_no_answer() {
        let many: Vec<u32> = (0..4_096).collect();
        for (order, has_room) in [(4, false), (3, true)] {
            let mut whole = sums(&["markov"], order, None, &[(&[0, 1], 1.0, 1.0, 0.0)]);
            whole.merge(&sums(&["markov"], order, None, &[(&many, 1.0, 1.0, 0.0), (&[0], 1.0, 1.0, 0.0)]), |channel| channel);
            assert_eq!(whole.transitions().is_ok(), has_room);
            if !has_room {
                let refusal = whole.removal_effects().unwrap().unwrap_err();
                assert_eq!(refusal.to_string(), "there are 4096 channels; a chain of order 4 has room for 4095");
            }
        }
    }

    #[test]
    fn a_half_life_is_a_number_above_zero() {
        for text in ["0", "-1", "nan", "inf", "", "week"] {
            assert!(text.parse::<HalfLifeTouches>().is_err(), "{text}");
        }
    }

    fn any_paths() -> impl Strategy<Value = Vec<(Vec<u32>, u8, u8, u8)>> {
        prop::collection::vec((prop::collection::vec(0u32..5, 1..9), 0u8..3, 0u8..9, 0u8..3), 1..25)
    }

    proptest! {
        #[test]
        fn every_model_hands_out_all_and_parts_merge_to_the_whole(
            paths in any_paths(),
            order in 1u8..=4,
            direct in prop::option::of(0u32..5),
        ) {
            let asked = Asked {
                models: Model::ALL.into_iter().chain(["custom:20/50/30".parse().unwrap()]).collect(),
                order: Order::new(order).unwrap(),
                ..Asked::default()
            };
            // The second part numbers its channels the other way round.
            let turned = |channel: u32| 4 - channel;
            let mut whole = PathModels::new(&asked, direct);
            let mut parts = [PathModels::new(&asked, direct), PathModels::new(&asked, direct.map(turned))];
            for (index, (steps, conversions, value, null)) in paths.iter().enumerate() {
                // A value without a conversion is no journey's.
                let value = if *conversions > 0 { f64::from(*value) } else { 0.0 };
                let (conversions, null) = (f64::from(*conversions), f64::from(*null));
                whole.add(Path { steps, conversions, value, null });
                let other: Vec<u32> = steps.iter().map(|step| if index % 2 == 0 { *step } else { turned(*step) }).collect();
                parts[index % 2].add(Path { steps: &other, conversions, value, null });
            }
            let [mut merged, other] = parts;
            merged.merge(&other, turned);
            let totals = whole.totals();
            let mut answers = Vec::new();
            for sums in [&whole, &merged] {
                let removal = sums.removal_effects().unwrap().unwrap();
                answers.push(sums.credits(Some(&removal)));
            }
            for ((model, credits), (_, merged)) in answers[0].iter().zip(&answers[1]) {
                let (credits, merged) = (credits.as_ref().unwrap(), merged.as_ref().unwrap());
                let sum = credits.iter().fold(ChannelCredit::default(), |mut sum, credit| { sum.add(1.0, *credit); sum });
                prop_assert!((sum.conversions - totals.conversions).abs() < 1e-9, "{} {:?} of {:?}", model, sum, totals);
                prop_assert!((sum.value - totals.value).abs() < 1e-9, "{} {:?} of {:?}", model, sum, totals);
                for (channel, credit) in merged.iter().enumerate() {
                    let whole = credits.get(channel).copied().unwrap_or_default();
                    prop_assert!((credit.conversions - whole.conversions).abs() < 1e-9, "{} {}", model, channel);
                    prop_assert!((credit.value - whole.value).abs() < 1e-9, "{} {}", model, channel);
                }
            }
        }
    }
}
