//! [`LeaseDeadlines`]: when leases expire.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

/// When leases expire, by the monotonic clock.
#[derive(Default)]
pub(crate) struct LeaseDeadlines {
    by_lease: HashMap<i64, Instant>,
    by_time: BTreeSet<(Instant, i64)>,
}

impl LeaseDeadlines {
    /// Replaces all deadlines by those of these leases.
    pub(crate) fn reset(&mut self, now: Instant, living: Vec<(i64, Duration)>) {
        *self = LeaseDeadlines::default();
        for (lease, life) in living {
            self.set(lease, now, life);
        }
    }

    /// Sets when a lease expires.
    pub(crate) fn set(&mut self, lease: i64, now: Instant, life: Duration) {
        self.remove(lease);
        let ends = now + life;
        self.by_lease.insert(lease, ends);
        self.by_time.insert((ends, lease));
    }

    pub(crate) fn remove(&mut self, lease: i64) {
        if let Some(ends) = self.by_lease.remove(&lease) {
            self.by_time.remove(&(ends, lease));
        }
    }

    /// When the next lease expires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(ends, _)| *ends)
    }

    /// The leases that have expired, at most `most`. They stay until they are removed.
    pub(crate) fn expired(&self, now: Instant, most: usize) -> Vec<i64> {
        self.by_time.iter().take_while(|(ends, _)| *ends <= now).take(most).map(|(_, lease)| *lease).collect()
    }

    /// The time left of a lease; `None` if it is not known.
    pub(crate) fn time_left(&self, lease: i64, now: Instant) -> Option<Duration> {
        self.by_lease.get(&lease).map(|ends| ends.saturating_duration_since(now))
    }
}
