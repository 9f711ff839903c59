//! [`Calls`]: counts the calls of a store by operation and outcome, and [`Counted`]: one call in progress.

use super::super::{Reason, Result};
use crate::metrics::{Durations, DurationsSnapshot};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

/// The upper bounds of the histogram's buckets, in nanoseconds: from a store in memory to a server that hangs.
static BUCKETS: [u64; 13] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    100_000_000,
    500_000_000,
    2_500_000_000,
    10_000_000_000,
];

/// The outcomes of failed calls, as values of the label `outcome`.
pub(super) const FAILURES: [&str; 15] = [
    "unavailable",
    "timed_out",
    "denied",
    "unsupported",
    "compacted",
    "future",
    "too_large",
    "full",
    "no_lease",
    "invalid",
    "contended",
    "malformed",
    "closed",
    "other",
    "dropped",
];
const DROPPED: usize = FAILURES.len() - 1;

fn place(reason: &Reason) -> usize {
    match reason {
        Reason::Unavailable => 0,
        Reason::TimedOut(_) => 1,
        Reason::Denied => 2,
        Reason::Unsupported(_) => 3,
        Reason::Compacted(_) => 4,
        Reason::Future => 5,
        Reason::TooLarge => 6,
        Reason::Full => 7,
        Reason::NoLease(_) => 8,
        Reason::Invalid => 9,
        Reason::Contended(_) => 10,
        Reason::Malformed => 11,
        Reason::Closed => 12,
        Reason::Other => 13,
    }
}

/// The operations of a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Operation {
    Get,
    List,
    Transaction,
    Watch,
    Revision,
    Compact,
    Grant,
    KeepAlive,
    Revoke,
    TimeLeft,
}

impl Operation {
    const ALL: [Operation; 10] = [
        Operation::Get,
        Operation::List,
        Operation::Transaction,
        Operation::Watch,
        Operation::Revision,
        Operation::Compact,
        Operation::Grant,
        Operation::KeepAlive,
        Operation::Revoke,
        Operation::TimeLeft,
    ];

    fn name(self) -> &'static str {
        match self {
            Operation::Get => "get",
            Operation::List => "list",
            Operation::Transaction => "transaction",
            Operation::Watch => "watch",
            Operation::Revision => "revision",
            Operation::Compact => "compact",
            Operation::Grant => "grant",
            Operation::KeepAlive => "keep_alive",
            Operation::Revoke => "revoke",
            Operation::TimeLeft => "time_left",
        }
    }
}

/// The counters of all operations of a store.
#[derive(Default)]
pub(in super::super) struct Calls([Slot; Operation::ALL.len()]);

impl Calls {
    /// Begins a call, which is counted when it ends.
    pub(in super::super) fn begin(&self, operation: Operation) -> Counted<'_> {
        Counted { slot: &self.0[operation as usize], began: Instant::now() }
    }

    /// The counters of all operations that were called at least once, by name.
    pub(super) fn told(&self) -> impl Iterator<Item = (&'static str, Told)> {
        let each = Operation::ALL.into_iter().zip(&self.0);
        each.map(|(operation, slot)| (operation.name(), slot.told())).filter(|(_, told)| told.count() > 0)
    }
}

/// The counters of one operation. The successful calls are all calls less the failed ones, and need no counter.
struct Slot {
    durations: Durations<{ BUCKETS.len() }>,
    failures: [AtomicU64; FAILURES.len()],
}

impl Default for Slot {
    fn default() -> Self {
        Slot { durations: Durations::new(&BUCKETS), failures: Default::default() }
    }
}

/// The counters of one operation at one moment.
pub(super) struct Told {
    pub(super) durations: DurationsSnapshot,
    failures: [u64; FAILURES.len()],
}

impl Told {
    pub(super) fn count(&self) -> u64 {
        self.durations.count()
    }

    /// The number of calls for each outcome.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let failed: u64 = self.failures.iter().sum();
        let ok = ("ok", self.count().saturating_sub(failed));
        let failed = FAILURES.into_iter().zip(self.failures).filter(|(_, count)| *count > 0);
        std::iter::once(ok).chain(failed)
    }
}

impl Slot {
    fn count(&self, began: Instant, failure: Option<usize>) {
        self.durations.record(began.elapsed());
        if let Some(failure) = failure {
            self.failures[failure].fetch_add(1, Relaxed);
        }
    }

    fn told(&self) -> Told {
        // Failures are read first, so that there are never more of them than calls. A call that fails in between is
        // counted as `ok` in this snapshot.
        let failures = self.failures.each_ref().map(|count| count.load(Relaxed));
        Told { failures, durations: self.durations.snapshot() }
    }
}

/// A call in progress. If it is dropped before its end, it is counted as `dropped`.
#[must_use]
pub(in super::super) struct Counted<'c> {
    slot: &'c Slot,
    began: Instant,
}

impl Counted<'_> {
    /// Counts the call with its result.
    pub(in super::super) fn ends<T>(self, result: &Result<T>) {
        self.slot.count(self.began, result.as_ref().err().map(|error| place(error.reason())));
        std::mem::forget(self);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.slot.count(self.began, Some(DROPPED));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{KvError, LeaseId},
        *,
    };

    #[test]
    fn each_call_is_counted_once_by_how_it_has_ended() {
        let calls = Calls::default();
        let begin = || calls.begin(Operation::Grant);
        begin().ends(&Ok(()));
        begin().ends(&Ok(()));
        begin().ends::<()>(&Err(KvError::new("grant", Reason::NoLease(LeaseId(1)))));
        drop(begin());
        let told: Vec<_> = calls.told().collect();
        assert_eq!((told.len(), told[0].0, told[0].1.count()), (1, "grant", 4));
        let outcomes: Vec<_> = told[0].1.outcomes().collect();
        assert_eq!(outcomes, [("ok", 2), ("no_lease", 1), ("dropped", 1)]);
    }

    #[test]
    fn operations_and_reasons_have_their_own_places() {
        assert!(Operation::ALL.into_iter().enumerate().all(|(place, operation)| operation as usize == place));
        assert_eq!(FAILURES[place(&Reason::Other)], "other");
        assert_eq!(FAILURES[place(&Reason::NOT_CONFIGURED)], "unsupported");
        assert_eq!((FAILURES[DROPPED], FAILURES[place(&Reason::NoLease(LeaseId(1)))]), ("dropped", "no_lease"));
    }

    #[test]
    fn it_takes_little_of_a_future() {
        assert_eq!(size_of::<Option<Counted<'_>>>(), 24);
    }
}
