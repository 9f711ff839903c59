//! [`Clock`]: the time of a server, in numbers that fit an atomic.

use std::{
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A time, in milliseconds of a server's clock. The last one there is stands for never.
pub(crate) type Millis = u64;
pub(crate) const NEVER: Millis = Millis::MAX;

/// The time of a server, and when it has begun to drain.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    drains_since: AtomicU64,
    /// From then on no request begins; never, while that is not known.
    ends: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { epoch: Instant::now(), drains_since: AtomicU64::new(NEVER), ends: AtomicU64::new(NEVER) }
    }
}

impl Clock {
    /// When it was made.
    pub(crate) fn epoch(&self) -> Instant {
        self.epoch
    }

    pub(crate) fn now(&self) -> Millis {
        self.at(Instant::now())
    }

    pub(crate) fn at(&self, instant: Instant) -> Millis {
        let passed = instant.saturating_duration_since(self.epoch);
        passed.as_secs() * 1000 + u64::from(passed.subsec_millis())
    }

    /// What the system's clock says then, or a little later: so at that time it is surely over by [`now`](Self::now).
    pub(crate) fn instant(&self, millis: Millis) -> Instant {
        const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
        self.epoch + Duration::from_millis(millis).min(FAR)
    }

    pub(crate) fn drain(&self) {
        // the first one counts
        let _ = self.drains_since.compare_exchange(NEVER, self.now(), Release, Relaxed);
    }

    /// So much later what is not done is cut off: from then on no request begins, so that those who see to that need not wait for any.
    pub(crate) fn ends_in(&self, time: Duration) {
        self.ends.store(after(self.now(), Some(time)), Relaxed);
    }

    pub(crate) fn has_ended(&self) -> bool {
        let ends = self.ends.load(Relaxed);
        ends != NEVER && ends <= self.now()
    }

    pub(crate) fn drains_since(&self) -> Option<Millis> {
        Some(self.drains_since.load(Acquire)).filter(|since| *since != NEVER)
    }
}

/// Rounded up: what is short would be no time at all else.
pub(crate) fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(NEVER)
}

/// So much later; never, where there is no limit.
pub(crate) fn after(start: Millis, limit: Option<Duration>) -> Millis {
    limit.map_or(NEVER, |limit| start.saturating_add(millis(limit)))
}
