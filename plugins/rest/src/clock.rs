//! [`Clock`]: the time of a server, as numbers that fit an atomic.

use std::{
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A time in milliseconds of a server's clock. The largest value means never.
pub(crate) type Millis = u64;
pub(crate) const NEVER: Millis = Millis::MAX;

/// The clock of a server, and when the server began to drain.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    drains_since: AtomicU64,
    /// From then on no request begins; `NEVER` until that is known.
    ends: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { epoch: Instant::now(), drains_since: AtomicU64::new(NEVER), ends: AtomicU64::new(NEVER) }
    }
}

impl Clock {
    /// When the clock was made.
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

    /// The given time as an `Instant`, or a little later: at that instant, [`now`](Self::now) has certainly reached it.
    pub(crate) fn instant(&self, millis: Millis) -> Instant {
        const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
        self.epoch + Duration::from_millis(millis).min(FAR)
    }

    pub(crate) fn drain(&self) {
        // Only the first call counts.
        let _ = self.drains_since.compare_exchange(NEVER, self.now(), Release, Relaxed);
    }

    /// After this time, unfinished requests are cut off. No request begins after that, so that ending the connections
    /// has to wait for none.
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

/// Rounded up, so that a short time does not become zero.
pub(crate) fn millis(time: Duration) -> Millis {
    Millis::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(NEVER)
}

/// The end of a limit that begins at `start`; `NEVER` if there is no limit.
pub(crate) fn after(start: Millis, limit: Option<Duration>) -> Millis {
    limit.map_or(NEVER, |limit| start.saturating_add(millis(limit)))
}
