//! [`Durations`]: a histogram of how long things took.

use prometheus_client::encoding::MetricEncoder;
use std::{
    array, fmt,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};

const NANOS: f64 = 1e9;

/// A histogram of durations, made of atomics without a lock, for code that counts often and exposes it in a
/// [`Collector`](super::Collector). The upper bounds of its buckets are in nanoseconds, in ascending order. It is
/// exposed in seconds.
///
/// ```
/// use cninfra::metrics::Durations;
/// use std::time::Duration;
///
/// static ENDS: [u64; 2] = [1_000_000, 1_000_000_000];
/// let polls = Durations::new(&ENDS);
/// polls.record(Duration::from_micros(3));
/// polls.record(Duration::from_secs(2));
/// assert_eq!(polls.count(), 2);
/// ```
#[derive(Debug)]
pub struct Durations<const N: usize> {
    ends: &'static [u64; N],
    /// The count of each bucket alone (not cumulative, as it is exposed).
    buckets: [AtomicU64; N],
    /// Durations above the last bound.
    beyond: AtomicU64,
    nanos: AtomicU64,
}

impl<const N: usize> Durations<N> {
    /// A histogram with buckets up to these bounds, and one for everything above.
    #[must_use]
    pub fn new(ends: &'static [u64; N]) -> Self {
        let buckets = array::from_fn(|_| AtomicU64::new(0));
        Durations { ends, buckets, beyond: AtomicU64::new(0), nanos: AtomicU64::new(0) }
    }

    /// Records a duration. A thread that sees it in [`count`](Self::count) also sees everything that was done before
    /// it.
    pub fn record(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = self.ends.iter().position(|end| nanos <= *end).and_then(|at| self.buckets.get(at));
        self.nanos.fetch_add(nanos, Relaxed);
        bucket.unwrap_or(&self.beyond).fetch_add(1, Release);
    }

    /// The number of durations recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts().map(|(_, count)| count).sum()
    }

    /// The current values.
    #[must_use]
    pub fn snapshot(&self) -> DurationsSnapshot {
        let buckets = self.counts().collect();
        DurationsSnapshot { buckets, sum: self.nanos.load(Relaxed) as f64 / NANOS }
    }

    fn counts(&self) -> impl Iterator<Item = (f64, u64)> {
        let ends = self.ends.iter().map(|end| *end as f64 / NANOS).chain([f64::INFINITY]);
        ends.zip(self.buckets.iter().chain([&self.beyond]).map(|count| count.load(Acquire)))
    }
}

/// The values of [`Durations`] at one moment.
#[derive(Clone, Debug)]
pub struct DurationsSnapshot {
    /// The upper bounds in seconds, each with the count of its bucket alone.
    buckets: Vec<(f64, u64)>,
    sum: f64,
}

impl DurationsSnapshot {
    /// The number of durations recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// Encodes it as a histogram, in seconds.
    ///
    /// # Errors
    /// Those of the encoder.
    pub fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_histogram::<[(&str, &str); 0]>(self.sum, self.count(), &self.buckets, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_the_bucket_of_the_next_end_or_in_the_one_that_has_none() {
        static ENDS: [u64; 2] = [1_000, 1_000_000];
        let durations = Durations::new(&ENDS);
        for nanos in [1, 1_000, 1_001, 2_000_000, 3_000_000] {
            durations.record(Duration::from_nanos(nanos));
        }
        let told = durations.snapshot();
        assert_eq!(told.buckets, [(1e-6, 2), (1e-3, 1), (f64::INFINITY, 2)]);
        assert_eq!((durations.count(), told.count(), told.sum), (5, 5, 5_002_002.0 / NANOS));
    }
}
