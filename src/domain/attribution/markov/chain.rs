//! Counting: every journey walks from the start through the states it meets to conversion or null.

use super::Order;
use super::cells::{Cells, Packing};

/// The chain of all journeys added. It keeps counts by state and step, never a journey.
#[derive(Debug, Clone)]
pub struct Chain {
    order: Order,
    /// Of a state and the step from it: one digit more than a state has.
    packing: Packing,
    /// Journeys that took a step, by state and step.
    steps: Cells<f64>,
    /// Journeys that ended in a state.
    ends: Cells<End>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct End {
    pub conversions: f64,
    pub value: f64,
    pub null: f64,
}

/// A step to a channel, from one state to another, by number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub from: u32,
    pub to: u32,
    pub channel: u32,
    /// Journeys that took it.
    pub count: f64,
}

/// The chain as a graph. State 0 is the start; edges are sorted by the state they leave.
#[derive(Debug, Clone)]
pub(super) struct Graph {
    pub edges: Vec<Edge>,
    pub ends: Vec<End>,
    /// The journey's last touches, as many as the order says, oldest first: what each state remembers.
    states: Vec<u64>,
    packing: Packing,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Next {
    Channel(u32),
    Conversion,
    Null,
}

/// A cell of the transition matrix: from a state (channels, oldest first; none at the start) on.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    pub from: Vec<u32>,
    pub to: Next,
    /// Journeys that took it.
    pub count: f64,
    /// `count` among all that left the state.
    pub probability: f64,
}

impl Chain {
    pub fn new(order: Order) -> Chain {
        let packing = Packing::narrowest(order.digits() + 1, 0);
        Chain { order, packing, steps: Cells::new(packing, order.digits() + 1), ends: Cells::new(packing, order.digits()) }
    }

    pub fn order(&self) -> Order {
        self.order
    }

    /// Adds `conversions` + `null` journeys along `steps` (channels by number), together worth `value`. A journey with a
    /// channel beyond [`Order::most_channels`] is not added.
    pub fn add(&mut self, steps: &[u32], conversions: f64, value: f64, null: f64) {
        let journeys = conversions + null;
        if journeys <= 0.0 {
            return;
        }
        let channels = steps.iter().max().map_or(0, |most| *most as usize + 1);
        if channels > self.packing.most_channels() && !self.make_room(channels) {
            return;
        }
        let state = Packing { digits: self.order.digits(), ..self.packing };
        let mut from = 0;
        for channel in steps {
            *self.steps.at(self.packing.after(from, *channel)) += journeys;
            from = state.after(from, *channel);
        }
        let end = self.ends.at(from);
        end.conversions += conversions;
        end.value += value;
        end.null += null;
    }

    /// Whether there is any for so many channels.
    #[cold]
    fn make_room(&mut self, channels: usize) -> bool {
        if channels > self.order.most_channels() {
            return false;
        }
        let digits = self.packing.digits;
        let packing = Packing::narrowest(digits, channels * 2 - 1);
        let old = std::mem::replace(
            self,
            Chain { order: self.order, packing, steps: Cells::new(packing, digits), ends: Cells::new(packing, digits - 1) },
        );
        self.merge(&old, |channel| channel);
        true
    }

    /// Adds what another chain of the same order counted; `number` gives this chain's number of the other's channels.
    pub fn merge(&mut self, other: &Chain, number: impl Fn(u32) -> u32) {
        let (steps, ends) = (other.steps.sorted(), other.ends.sorted());
        let numbers = |row: u64| other.packing.channels(row).into_iter().map(&number);
        let most = steps.iter().flat_map(|(row, _)| numbers(*row)).max().map_or(0, |most| most as usize + 1);
        if most > self.packing.most_channels() && !self.make_room(most) {
            return;
        }
        let packing = self.packing;
        let here = |row: u64| numbers(row).fold(0, |row, channel| packing.after(row, channel));
        for (row, count) in steps {
            *self.steps.at(here(row)) += count;
        }
        for (row, more) in ends {
            let end = self.ends.at(here(row));
            end.conversions += more.conversions;
            end.value += more.value;
            end.null += more.null;
        }
    }

    pub(super) fn graph(&self) -> Graph {
        let steps = self.steps.sorted();
        let state = Packing { digits: self.order.digits(), ..self.packing };
        let channel_of = |row: u64| ((row & ((1 << self.packing.bits) - 1)) - 1) as u32;
        // Every state is met by a step, but for the start.
        let mut states: Vec<u64> =
            steps.iter().map(|(row, _)| state.after(row >> self.packing.bits, channel_of(*row))).chain([0]).collect();
        states.sort_unstable();
        states.dedup();
        let number = |row: u64| states.binary_search(&row).unwrap_or_default() as u32;
        let mut from = (0, 0);
        let edges = steps
            .iter()
            .map(|(row, count)| {
                let (left, channel) = (row >> self.packing.bits, channel_of(*row));
                if left != from.0 {
                    from = (left, number(left));
                }
                Edge { from: from.1, to: number(state.after(left, channel)), channel, count: *count }
            })
            .collect();
        let mut ends = vec![End::default(); states.len()];
        for (row, end) in self.ends.sorted() {
            ends[number(row) as usize] = end;
        }
        Graph { edges, ends, states, packing: self.packing }
    }

    /// The transition matrix, cell by cell, without those that are zero.
    pub fn transitions(&self) -> Vec<Transition> {
        let graph = self.graph();
        let leaving = graph.leaving();
        let mut cells = Vec::with_capacity(graph.edges.len() + graph.ends.len());
        let mut cell = |from: u32, to: Next, count: f64| {
            if count > 0.0 {
                let channels = graph.packing.channels(graph.states[from as usize]);
                cells.push(Transition { from: channels, to, count, probability: count / leaving[from as usize] });
            }
        };
        for edge in &graph.edges {
            cell(edge.from, Next::Channel(edge.channel), edge.count);
        }
        for (from, end) in graph.ends.iter().enumerate() {
            cell(from as u32, Next::Conversion, end.conversions);
            cell(from as u32, Next::Null, end.null);
        }
        cells
    }
}

impl Graph {
    /// The newest channel of each state; the start has none.
    pub fn newest(&self) -> Vec<Option<u32>> {
        let mut newest = vec![None; self.ends.len()];
        for edge in &self.edges {
            newest[edge.to as usize] = Some(edge.channel);
        }
        newest
    }

    /// Journeys that left each state, by any way.
    pub fn leaving(&self) -> Vec<f64> {
        let mut leaving: Vec<f64> = self.ends.iter().map(|end| end.conversions + end.null).collect();
        for edge in &self.edges {
            leaving[edge.from as usize] += edge.count;
        }
        leaving
    }
}
