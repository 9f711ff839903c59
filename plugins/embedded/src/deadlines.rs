//! [`Deadlines`]: when leases expire.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// When leases expire, by the monotonic clock.
#[derive(Default)]
pub(crate) struct Deadlines {
    of: HashMap<i64, Instant>,
    next: BTreeSet<(Instant, i64)>,
}

impl Deadlines {
    /// Replaces all deadlines by those of these leases.
    pub(crate) fn begin_anew(&mut self, now: Instant, living: Vec<(i64, Duration)>) {
        *self = Deadlines::default();
        for (lease, life) in living {
            self.set(lease, now, life);
        }
    }

    /// Sets when a lease expires.
    pub(crate) fn set(&mut self, lease: i64, now: Instant, life: Duration) {
        self.remove(lease);
        let ends = now + life;
        self.of.insert(lease, ends);
        self.next.insert((ends, lease));
    }

    pub(crate) fn remove(&mut self, lease: i64) {
        if let Some(ends) = self.of.remove(&lease) {
            self.next.remove(&(ends, lease));
        }
    }

    /// When the next lease expires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next.first().map(|(ends, _)| *ends)
    }

    /// The leases that have expired, at most `most`. They stay until they are removed.
    pub(crate) fn over(&self, now: Instant, most: usize) -> Vec<i64> {
        self.next.iter().take_while(|(ends, _)| *ends <= now).take(most).map(|(_, lease)| *lease).collect()
    }

    /// The time left of a lease; `None` if it is not known.
    pub(crate) fn left(&self, lease: i64, now: Instant) -> Option<Duration> {
        self.of.get(&lease).map(|ends| ends.saturating_duration_since(now))
    }
}
