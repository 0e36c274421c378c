//! Visits of walks over a sparse chain: x = source + x Q, eight right-hand sides at a time.
//!
//! Found by Gauss-Seidel sweeps, which always arrive but take as many as the longest journeys have steps. Between them the
//! visits of every group of states (by newest channel) are scaled so that as many leave a group as enter it (aggregation and
//! disaggregation: Takahashi 1975; Koury, McAllister, Stewart 1984); then a few dozen do. Far from the answer such a step can
//! lead astray, so it is taken back unless it gains. All numbers are sums of products of what is not negative.

/// Right-hand sides of one solve: a line of a processor's cache.
pub(super) const LANES: usize = 8;
pub(super) type Lanes = [f64; LANES];
pub(super) const NO_CHANNEL: u32 = u32::MAX;

/// Groups in the aggregated chain; more channels than that share them.
const MOST_GROUPS: usize = 32;
/// What a sweep still changes, as a part of the whole, at which the visits are taken as found.
const STILL: f64 = 4e-15;
/// A scaling is kept if the sweep after it changes less than this part of the least that any sweep changed so far.
const GAIN: f64 = 0.5;
/// Sweeps between two scalings, at most.
const MOST_PATIENCE: u32 = 64;
/// A scaling so small corrects what sweeps cannot see.
const SLIGHT: f64 = 1e-6;
const MOST_SWEEPS: usize = 2_000_000;

/// A chain in probabilities, by the state that is reached.
pub(super) struct Walks {
    /// Where the ways into each state begin in `from`; one longer than the states.
    begins: Vec<u32>,
    from: Vec<u32>,
    probability: Vec<f64>,
    /// Of a visit, the probability of another one right after it, and the mean number of visits that come of one.
    stays: Vec<f64>,
    visits: Vec<f64>,
    /// Of a visit, the probability that the walk ends here.
    end: Vec<f64>,
    pub newest: Vec<u32>,
}

impl Walks {
    /// `ways` are (from, to, probability); with `end` they sum to one for each state that is left.
    pub fn new(newest: Vec<u32>, end: Vec<f64>, ways: impl Iterator<Item = (u32, u32, f64)> + Clone) -> Walks {
        let states = newest.len();
        let mut begins = vec![0u32; states + 1];
        let mut stays = vec![0.0; states];
        let mut leaves = end.clone();
        for (from, to, p) in ways.clone() {
            if from == to {
                stays[from as usize] = p;
            } else {
                leaves[from as usize] += p;
                begins[to as usize + 1] += 1;
            }
        }
        for state in 0..states {
            begins[state + 1] += begins[state];
        }
        let mut next = begins.clone();
        let mut from_states = vec![0; begins[states] as usize];
        let mut probability = vec![0.0; from_states.len()];
        for (from, to, p) in ways.filter(|(from, to, _)| from != to) {
            let place = &mut next[to as usize];
            from_states[*place as usize] = from;
            probability[*place as usize] = p;
            *place += 1;
        }
        let visits = leaves.iter().map(|leaves| if *leaves > 0.0 { 1.0 / leaves } else { 1.0 }).collect();
        Walks { begins, from: from_states, probability, stays, visits, end, newest }
    }

    #[inline]
    pub fn ways_into(&self, state: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.begins[state] as usize..self.begins[state + 1] as usize;
        self.from[range.clone()].iter().map(|from| *from as usize).zip(self.probability[range].iter().copied())
    }

    /// The mean number of visits to each state of walks that begin at `source`; those of a lane end when they would meet the
    /// channel that is removed in it.
    pub fn visits(&self, source: impl Fn(usize) -> Lanes, removed: [u32; LANES]) -> Vec<Lanes> {
        let mut visits: Vec<Lanes> = (0..self.newest.len()).map(&source).collect();
        let mut groups = Groups::new(&self.newest);
        let mut before = Vec::new();
        let (mut best, mut patience, mut plain_sweeps) = (f64::INFINITY, 1, 1);
        for _ in 0..MOST_SWEEPS {
            let change = self.sweep(&source, &removed, &mut visits);
            best = best.min(change);
            if change <= STILL {
                break;
            }
            plain_sweeps -= 1;
            if plain_sweeps > 0 {
                continue;
            }
            before.clone_from(&visits);
            groups.balance(self, &source, &removed, &mut visits);
            let change = self.sweep(&source, &removed, &mut visits);
            if change <= best * GAIN {
                (best, patience) = (change, 1);
            } else {
                visits.clone_from(&before);
                patience = (patience * 2).min(MOST_PATIENCE);
            }
            plain_sweeps = patience;
        }
        // What sweeps no longer move may still be a little too much or too little as a whole.
        before.clone_from(&visits);
        let scaled = groups.balance(self, &source, &removed, &mut visits);
        if scaled <= SLIGHT {
            self.sweep(&source, &removed, &mut visits);
        } else {
            visits = before;
        }
        visits
    }

    /// One Gauss-Seidel sweep. Returns how much it changed, as a part of the whole: the most of all lanes.
    fn sweep(&self, source: &impl Fn(usize) -> Lanes, removed: &[u32; LANES], visits: &mut [Lanes]) -> f64 {
        let (mut change, mut whole) = ([0.0; LANES], [0.0; LANES]);
        for state in 0..visits.len() {
            let mut now = source(state);
            for (from, p) in self.ways_into(state) {
                for (now, visits) in now.iter_mut().zip(&visits[from]) {
                    *now += visits * p;
                }
            }
            for lane in 0..LANES {
                let stays = self.newest[state] != removed[lane] || removed[lane] == NO_CHANNEL;
                now[lane] *= if stays { self.visits[state] } else { 0.0 };
                change[lane] += (now[lane] - visits[state][lane]).abs();
                whole[lane] += now[lane];
            }
            visits[state] = now;
        }
        let part = |(change, whole): (&f64, &f64)| if *change > 0.0 { change / whole } else { 0.0 };
        change.iter().zip(&whole).map(part).fold(0.0, |most, part| if part <= most { most } else { part })
    }
}

/// The chain over groups of states, as seen by the visits so far.
struct Groups {
    count: usize,
    /// From group to group, row by row.
    flow: Vec<Lanes>,
    source: Vec<Lanes>,
    end: Vec<Lanes>,
    scale: Vec<Lanes>,
    of: Vec<u8>,
}

impl Groups {
    fn new(newest: &[u32]) -> Groups {
        let most = newest.iter().map(|channel| channel.wrapping_add(1)).max().unwrap_or_default() as usize;
        let count = (most + 1).min(MOST_GROUPS);
        Groups {
            count,
            flow: vec![[0.0; LANES]; count * count],
            source: vec![[0.0; LANES]; count],
            end: vec![[0.0; LANES]; count],
            scale: vec![[1.0; LANES]; count],
            of: newest.iter().map(|channel| (channel.wrapping_add(1) as usize % count) as u8).collect(),
        }
    }

    /// Scales the visits of each group so that what enters it leaves it. Returns the largest change, as a part.
    fn balance(&mut self, walks: &Walks, source: &impl Fn(usize) -> Lanes, removed: &[u32; LANES], visits: &mut [Lanes]) -> f64 {
        for sums in [&mut self.flow, &mut self.source, &mut self.end] {
            sums.fill([0.0; LANES]);
        }
        for state in 0..visits.len() {
            let to = usize::from(self.of[state]);
            let stays: Lanes = std::array::from_fn(|lane| {
                f64::from(u8::from(walks.newest[state] != removed[lane] || removed[lane] == NO_CHANNEL))
            });
            let some_end = stays.contains(&0.0);
            let source = source(state);
            for lane in 0..LANES {
                self.source[to][lane] += source[lane] * stays[lane];
                self.end[to][lane] += visits[state][lane] * walks.end[state];
                self.flow[to * self.count + to][lane] += visits[state][lane] * walks.stays[state];
            }
            for (from, p) in walks.ways_into(state) {
                let group = usize::from(self.of[from]);
                let flow = &mut self.flow[group * self.count + to];
                for lane in 0..LANES {
                    flow[lane] += visits[from][lane] * p * stays[lane];
                }
                if some_end {
                    for lane in 0..LANES {
                        self.end[group][lane] += visits[from][lane] * p * (1.0 - stays[lane]);
                    }
                }
            }
        }
        self.solve();
        for (state, visits) in visits.iter_mut().enumerate() {
            let scale = &self.scale[usize::from(self.of[state])];
            visits.iter_mut().zip(scale).for_each(|(visits, scale)| *visits *= scale);
        }
        let off = self.scale.iter().flatten().map(|scale| (scale - 1.0).abs());
        off.fold(0.0, |most, off| if off <= most { most } else { off })
    }

    /// Finds the scales by eliminating group after group, again without a subtraction.
    fn solve(&mut self) {
        let n = self.count;
        let part = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let mut leaving = vec![[0.0; LANES]; n];
        for k in (0..n).rev() {
            let (above, row) = self.flow.split_at_mut(k * n);
            let row = &row[..k];
            leaving[k] = self.end[k];
            for flow in row {
                add(&mut leaving[k], flow, &[1.0; LANES]);
            }
            let source: Lanes = std::array::from_fn(|lane| part(self.source[k][lane], leaving[k][lane]));
            for (to, flow) in self.source.iter_mut().zip(row) {
                add(to, flow, &source);
            }
            let end = self.end[k];
            for i in 0..k {
                let through: Lanes = std::array::from_fn(|lane| part(above[i * n + k][lane], leaving[k][lane]));
                for (to, flow) in above[i * n..i * n + k].iter_mut().zip(row) {
                    add(to, flow, &through);
                }
                add(&mut self.end[i], &end, &through);
            }
        }
        for (k, leaving) in leaving.iter().enumerate() {
            let mut entered = self.source[k];
            for i in 0..k {
                add(&mut entered, &self.flow[i * n + k], &self.scale[i]);
            }
            self.scale[k] = std::array::from_fn(|lane| if leaving[lane] > 0.0 { entered[lane] / leaving[lane] } else { 1.0 });
        }
    }
}

fn add(to: &mut Lanes, what: &Lanes, times: &Lanes) {
    for lane in 0..LANES {
        to[lane] += what[lane] * times[lane];
    }
}
