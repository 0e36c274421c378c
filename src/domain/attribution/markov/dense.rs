//! Order 1: all removal effects by elimination, without a subtraction.
//!
//! A state is eliminated by leading every way into it straight on to where it leads (Grassmann, Taksar and Heyman, "Regenerative
//! analysis and steady state distributions for Markov chains", 1985): the walks over the states that are left keep their
//! probabilities. Once a channel is left alone, what it passes on to conversion is what its removal loses. To leave each
//! alone in turn, half of the states are eliminated and the other half is halved again, both ways: all n effects cost about
//! as much as one factorisation, 0.8 n^3 multiplications, and every number is a sum of products of counts, so small effects
//! are as exact as large ones and an effect of nothing is exactly zero.

use super::Loss;
use super::chain::Graph;

/// Rows: the states, then the start. Columns: to the states, to conversion, the value of these, to null. Cells are counts
/// of journeys; only their proportion within a row matters.
struct Walks {
    channels: Vec<u32>,
    cells: Vec<f64>,
}

/// What each of `channels` channels loses when it is removed; a channel without journeys loses nothing.
pub(super) fn losses(graph: &Graph, channels: usize) -> Vec<Loss> {
    let mut losses = vec![Loss::default(); channels];
    let states = graph.ends.len() - 1;
    if states == 0 {
        return losses;
    }
    let mut walks = Walks { channels: vec![0; states], cells: vec![0.0; (states + 1) * (states + 3)] };
    for edge in &graph.edges {
        // State 0 is the start: it stands last, and no way leads to it.
        let to = edge.to as usize - 1;
        walks.channels[to] = edge.channel;
        let row = (edge.from as usize).checked_sub(1).unwrap_or(states);
        walks.cells[row * (states + 3) + to] += edge.count;
    }
    for (index, end) in graph.ends.iter().enumerate() {
        let row = index.checked_sub(1).unwrap_or(states);
        let ends = row * (states + 3) + states;
        walks.cells[ends..ends + 3].copy_from_slice(&[end.conversions, end.value, end.null]);
    }
    leave_each_alone(&walks, &mut losses);
    losses
}

fn leave_each_alone(walks: &Walks, losses: &mut [Loss]) {
    let states = walks.channels.len();
    if states == 1 {
        if let Some(loss) = losses.get_mut(walks.channels[0] as usize) {
            *loss = walks.loss_of_the_only_one();
        }
        return;
    }
    let middle = states / 2;
    leave_each_alone(&walks.without(0..middle), losses);
    leave_each_alone(&walks.without(middle..states), losses);
}

impl Walks {
    fn loss_of_the_only_one(&self) -> Loss {
        let [_, conversions, value, null, reached, past, value_past, _] = self.cells[..] else { return Loss::default() };
        let left = conversions + null;
        let share = if left > 0.0 { reached / left } else { 0.0 };
        Loss { conversions: share * conversions, conversions_left: past, value: share * value, value_left: value_past }
    }

    /// The walks over the states that are left when those in `gone` are eliminated.
    fn without(&self, gone: std::ops::Range<usize>) -> Walks {
        let states = self.channels.len();
        let width = states + 3;
        let order: Vec<usize> = gone.clone().chain((0..states).filter(|s| !gone.contains(s))).collect();
        let columns: Vec<usize> = order.iter().copied().chain(states..width).collect();
        let mut cells: Vec<f64> = Vec::with_capacity(self.cells.len());
        for row in order.iter().copied().chain([states]) {
            let row = &self.cells[row * width..(row + 1) * width];
            cells.extend(columns.iter().map(|column| row[*column]));
        }
        let gone = gone.len();
        for state in 0..gone {
            let (head, rest) = cells.split_at_mut((state + 1) * width);
            let ways = &head[state * width..];
            // All but its way to itself; the value is no way.
            let leaving: f64 = ways[state + 1..states + 1].iter().sum::<f64>() + ways[states + 2];
            if leaving <= 0.0 {
                continue;
            }
            for row in rest.chunks_exact_mut(width) {
                let through = row[state] / leaving;
                if through > 0.0 {
                    for (cell, way) in row[state + 1..].iter_mut().zip(&ways[state + 1..]) {
                        *cell += through * way;
                    }
                }
            }
        }
        let kept = cells.chunks_exact(width).skip(gone).flat_map(|row| &row[gone..]).copied().collect();
        Walks { channels: order[gone..].iter().map(|state| self.channels[*state]).collect(), cells: kept }
    }
}
