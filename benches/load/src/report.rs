//! What the threads counted, together, as text or JSON.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Latencies up to a minute, in nanoseconds, to three digits.
pub fn histogram() -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are valid");
    histogram.auto(true);
    histogram
}

/// What a thread counts. Of all load: statuses, broken, unanswered. Of the measured time only: latencies.
pub struct Counts {
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that were refused, reset or sent what is no answer.
    pub broken: u64,
    /// Sent, but not answered before the end.
    pub unanswered: u64,
    /// Open loop: due, but not sent before the end, because every earlier one stood in line.
    pub unsent: u64,
    /// In nanoseconds.
    pub latencies: Histogram<u64>,
    /// Open loop: how late requests left, in nanoseconds.
    pub delays: Histogram<u64>,
    pub measured: Duration,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts {
            statuses: BTreeMap::new(),
            broken: 0,
            unanswered: 0,
            unsent: 0,
            latencies: histogram(),
            delays: histogram(),
            measured: Duration::ZERO,
        }
    }
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.broken += other.broken;
        self.unanswered += other.unanswered;
        self.unsent += other.unsent;
        self.measured = self.measured.max(other.measured);
        // The bounds of all histograms are the same, so adding cannot fail.
        let _ = self.latencies.add(&other.latencies);
        let _ = self.delays.add(&other.delays);
    }

    /// Answers below 400.
    pub fn acknowledged(&self) -> u64 {
        self.statuses.range(..400).map(|(_, count)| count).sum()
    }

    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.measured.as_secs_f64().max(1e-9)
    }

    fn latency_ms(&self, percentile: f64) -> f64 {
        ms(self.latencies.value_at_percentile(percentile))
    }

    pub fn json(&self) -> String {
        let mut statuses = String::new();
        for (status, count) in &self.statuses {
            let _ = write!(statuses, "{}\"{status}\": {count}", if statuses.is_empty() { "" } else { ", " });
        }
        format!(
            "{{\"requests\": {}, \"seconds\": {:.3}, \"rate\": {:.1}, \"p50_ms\": {:.4}, \"p90_ms\": {:.4}, \
             \"p99_ms\": {:.4}, \"p999_ms\": {:.4}, \"max_ms\": {:.4}, \"delay_p50_ms\": {:.4}, \"delay_p99_ms\": {:.4}, \
             \"acknowledged\": {}, \"statuses\": {{{statuses}}}, \"broken\": {}, \"unanswered\": {}, \"unsent\": {}}}",
            self.latencies.len(),
            self.measured.as_secs_f64(),
            self.rate(),
            self.latency_ms(50.0),
            self.latency_ms(90.0),
            self.latency_ms(99.0),
            self.latency_ms(99.9),
            ms(self.latencies.max()),
            ms(self.delays.value_at_percentile(50.0)),
            ms(self.delays.value_at_percentile(99.0)),
            self.acknowledged(),
            self.broken,
            self.unanswered,
            self.unsent,
        )
    }

    pub fn text(&self) -> String {
        let statuses: Vec<String> = self.statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
        format!(
            "{:.0}/s over {:.1} s; p50 {:.3} p90 {:.3} p99 {:.3} p99.9 {:.3} ms\n\
             answers: {}; broken {}, unanswered {}, unsent {}",
            self.rate(),
            self.measured.as_secs_f64(),
            self.latency_ms(50.0),
            self.latency_ms(90.0),
            self.latency_ms(99.0),
            self.latency_ms(99.9),
            if statuses.is_empty() { "none".to_owned() } else { statuses.join(", ") },
            self.broken,
            self.unanswered,
            self.unsent,
        )
    }
}

fn ms(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}
