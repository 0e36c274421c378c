//! Credit of one order as the API tells it: touch by touch, and where there are very many, the early ones by channel.

use crate::domain::channel::Channel;
use crate::domain::money::{Money, split_minor};
use crate::service::credit::Step;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Touches that are told one by one, the latest; a person has that many only if they are none.
pub const MOST_TOUCHES: usize = 1_000;

/// What each step gets of `net`; those before the latest [`MOST_TOUCHES`] are told as one line a channel with their number.
/// Weights add up to one and amounts to `net`.
pub fn credits(steps: &[Step], weights: &[u64], net: Money) -> Vec<Value> {
    let whole: u64 = weights.iter().sum();
    let share = |weight: u64| weight as f64 / whole.max(1) as f64;
    let amounts = split_minor(net.minor(), weights);
    let early = steps.len().saturating_sub(MOST_TOUCHES);
    let mut by_channel: BTreeMap<Channel, (u64, u64, i64)> = BTreeMap::new();
    for ((step, weight), minor) in steps.iter().zip(weights).zip(&amounts).take(early).filter(|((_, weight), _)| **weight > 0) {
        let (touches, sum, amount) = by_channel.entry(step.channel).or_default();
        (*touches, *sum, *amount) = (*touches + 1, *sum + weight, *amount + minor);
    }
    let early_lines = by_channel.into_iter().map(|(channel, (touches, weight, minor))| {
        json!({
            "touch": null, "touches": touches, "channel": channel, "source": null, "medium": null, "campaign": null,
            "partner": null, "weight": share(weight), "amount": Money::new(minor, net.currency()),
        })
    });
    let late = steps.iter().zip(weights).zip(amounts).skip(early).filter(|((_, weight), _)| **weight > 0);
    let late_lines = late.map(|((step, weight), minor)| {
        json!({
            "touch": step.touch, "channel": step.channel, "source": step.source, "medium": step.medium,
            "campaign": step.campaign, "partner": step.partner,
            "weight": share(*weight), "amount": Money::new(minor, net.currency()),
        })
    });
    early_lines.chain(late_lines).collect()
}
