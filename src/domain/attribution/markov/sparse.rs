//! Orders 2 to 4: removal effects by sparse solves.
//!
//! Without a channel, every step into a state whose newest touch is that channel leads to null; the states that remember it
//! further back are then never reached. So a removal loses just the journeys that would have met the channel: the walks that
//! have not met it yet are followed to where they first meet it, and from there on to conversion. No subtraction, so small
//! effects are as exact as large ones and no effect is exactly zero.
//!
//! Two kinds of solve are needed. Visits of the walks that do not meet a channel: one for each channel, eight at a time, for
//! the way through memory costs more than the reckoning. And from every state the chance to convert: one solve of the same
//! kind for the walks backwards.

use super::Loss;
use super::chain::{Edge, Graph};
use super::visits::{LANES, Lanes, NO_CHANNEL, Walks};

/// What each of `channels` channels loses when it is removed; a channel without journeys loses nothing.
pub(super) fn losses(graph: &Graph, channels: usize) -> Vec<Loss> {
    let mut losses = vec![Loss::default(); channels];
    let forward = Forward::of(graph);
    let start = |state: usize| if state == 0 { [1.0; LANES] } else { [0.0; LANES] };
    let all = forward.walks.visits(start, [NO_CHANNEL; LANES]);
    let converting = forward.converting(&all);
    let mut occurring: Vec<u32> = forward.walks.newest.iter().copied().filter(|c| (*c as usize) < channels).collect();
    occurring.sort_unstable();
    occurring.dedup();
    for removed in occurring.chunks(LANES) {
        let mut lanes = [NO_CHANNEL; LANES];
        lanes[..removed.len()].copy_from_slice(removed);
        let before = forward.walks.visits(start, lanes);
        for (lane, channel) in removed.iter().enumerate() {
            let loss = &mut losses[*channel as usize];
            for (state, visits) in before.iter().enumerate() {
                loss.conversions_left += visits[lane] * forward.conversion[state];
                loss.value_left += visits[lane] * forward.value[state];
            }
        }
        for (state, newest) in forward.walks.newest.iter().enumerate() {
            let Some(lane) = removed.iter().position(|channel| channel == newest) else { continue };
            let met: f64 = forward.walks.ways_into(state).map(|(from, p)| before[from][lane] * p).sum();
            let loss = &mut losses[*newest as usize];
            loss.conversions += met * converting[state][0];
            loss.value += met * converting[state][1];
        }
    }
    losses
}

/// The chain in probabilities.
struct Forward<'a> {
    graph: &'a Graph,
    leaving: Vec<f64>,
    walks: Walks,
    conversion: Vec<f64>,
    value: Vec<f64>,
}

impl<'a> Forward<'a> {
    fn of(graph: &'a Graph) -> Forward<'a> {
        let leaving = graph.leaving();
        let per = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let ends = |worth: fn(&super::chain::End) -> f64| -> Vec<f64> {
            graph.ends.iter().zip(&leaving).map(|(end, leaving)| per(worth(end), *leaving)).collect()
        };
        let newest = graph.newest().into_iter().map(|channel| channel.unwrap_or(NO_CHANNEL)).collect();
        let ways = graph.edges.iter().map(|edge| (edge.from, edge.to, edge.count / leaving[edge.from as usize]));
        let walks = Walks::new(newest, ends(|end| end.conversions + end.null), ways);
        let (conversion, value) = (ends(|end| end.conversions), ends(|end| end.value));
        Forward { graph, leaving, walks, conversion, value }
    }

    /// From every state, in lane 0 the chance to convert and in lane 1 the value to expect: the visits of converting walks,
    /// followed from their ends back to the start, by visits of all walks (lane 0 of `all`).
    fn converting(&self, all: &[Lanes]) -> Vec<Lanes> {
        let visits = |state: u32| all[state as usize][0];
        let back = |edge: &Edge| {
            let p = edge.count / self.leaving[edge.from as usize];
            (edge.to, edge.from, if visits(edge.to) > 0.0 { visits(edge.from) * p / visits(edge.to) } else { 0.0 })
        };
        let end = (0..all.len()).map(|state| if state == 0 { 1.0 / visits(0) } else { 0.0 }).collect();
        let backward = Walks::new(self.walks.newest.clone(), end, self.graph.edges.iter().map(back));
        let source = |state: usize| {
            let mut lanes = [0.0; LANES];
            lanes[0] = all[state][0] * self.conversion[state];
            lanes[1] = all[state][0] * self.value[state];
            lanes
        };
        let mut converting = backward.visits(source, [NO_CHANNEL; LANES]);
        for (state, lanes) in converting.iter_mut().enumerate() {
            let visits = all[state][0];
            lanes.iter_mut().for_each(|lane| *lane = if visits > 0.0 { *lane / visits } else { 0.0 });
        }
        converting
    }
}
