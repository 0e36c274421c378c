//! Models over a path file: aggregated journeys, channels taken as they stand.
//!
//! The figures are statistics about journeys, not ledger money, so they are `f64`.

use super::Model;
use super::rules::weights_by_direct;
use std::collections::BTreeMap;

/// One row: `conversions` journeys along `steps`, worth `value` together.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub steps: Vec<String>,
    pub conversions: f64,
    pub value: f64,
    pub null: f64,
}

/// What a channel gets.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ChannelCredit {
    pub conversions: f64,
    pub value: f64,
}

/// Sums a model's credit over all rows; every channel of the file is in the answer. `direct` names the channel that
/// is treated as direct, if any.
pub fn credit_paths(model: Model, paths: &[Path], direct: Option<&str>) -> BTreeMap<String, ChannelCredit> {
    let mut credits: BTreeMap<String, ChannelCredit> = BTreeMap::new();
    for path in paths {
        let is_direct: Vec<bool> = path.steps.iter().map(|step| Some(step.as_str()) == direct).collect();
        let weights = weights_by_direct(model, &is_direct);
        let whole: u64 = weights.iter().sum();
        for (step, weight) in path.steps.iter().zip(weights) {
            let credit = credits.entry(step.clone()).or_default();
            let share = weight as f64 / whole as f64;
            credit.conversions += path.conversions * share;
            credit.value += path.value * share;
        }
    }
    credits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_summed_and_every_channel_is_named() {
        let path = |steps: &[&str], conversions, value| Path {
            steps: steps.iter().map(|s| (*s).to_owned()).collect(),
            conversions,
            value,
            null: 0.0,
        };
        let paths = [path(&["a", "b", "a"], 3.0, 30.0), path(&["b"], 1.0, 5.0), path(&["c"], 0.0, 0.0)];
        let linear = credit_paths(Model::Linear, &paths, None);
        assert_eq!(linear["a"], ChannelCredit { conversions: 2.0, value: 20.0 });
        assert_eq!(linear["b"], ChannelCredit { conversions: 2.0, value: 15.0 });
        assert_eq!(linear["c"], ChannelCredit::default());
        assert_eq!(credit_paths(Model::LastClick, &paths, None)["a"].conversions, 3.0);
        assert_eq!(credit_paths(Model::LastNonDirect, &paths, Some("a"))["b"].conversions, 4.0);
    }
}
