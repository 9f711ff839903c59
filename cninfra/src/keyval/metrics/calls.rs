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

/// The outcomes of calls, as values of the label `outcome`.
const OUTCOMES: [&str; 16] = [
    "ok",
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
const OK: usize = 0;
const DROPPED: usize = OUTCOMES.len() - 1;

fn place(reason: &Reason) -> usize {
    match reason {
        Reason::Unavailable => 1,
        Reason::TimedOut(_) => 2,
        Reason::Denied => 3,
        Reason::Unsupported(_) => 4,
        Reason::Compacted(_) => 5,
        Reason::Future => 6,
        Reason::TooLarge => 7,
        Reason::Full => 8,
        Reason::NoLease(_) => 9,
        Reason::Invalid => 10,
        Reason::Contended(_) => 11,
        Reason::Malformed => 12,
        Reason::Closed => 13,
        Reason::Other => 14,
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
    pub(super) fn snapshot(&self) -> impl Iterator<Item = (&'static str, Snapshot)> {
        let each = Operation::ALL.into_iter().zip(&self.0);
        each.map(|(operation, slot)| (operation.name(), slot.snapshot())).filter(|(_, snapshot)| snapshot.count() > 0)
    }
}

/// The counters of one operation.
struct Slot {
    durations: Durations<{ BUCKETS.len() }>,
    outcomes: [AtomicU64; OUTCOMES.len()],
}

impl Default for Slot {
    fn default() -> Self {
        Slot { durations: Durations::new(&BUCKETS), outcomes: Default::default() }
    }
}

/// The counters of one operation at one moment.
pub(super) struct Snapshot {
    pub(super) durations: DurationsSnapshot,
    outcomes: [u64; OUTCOMES.len()],
}

impl Snapshot {
    pub(super) fn count(&self) -> u64 {
        self.durations.count()
    }

    /// The number of calls for each outcome that there was, and of the successful ones.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let is_reported = |(name, count): &(&str, u64)| *count > 0 || *name == OUTCOMES[OK];
        OUTCOMES.into_iter().zip(self.outcomes).filter(is_reported)
    }
}

impl Slot {
    fn count(&self, began: Instant, outcome: usize) {
        self.durations.record(began.elapsed());
        // `ok` has a counter of its own. All calls less the failed ones could be less than in the scrape before, when
        // a call is counted between the two readings.
        self.outcomes[outcome].fetch_add(1, Relaxed);
    }

    fn snapshot(&self) -> Snapshot {
        let outcomes = self.outcomes.each_ref().map(|count| count.load(Relaxed));
        Snapshot { outcomes, durations: self.durations.snapshot() }
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
    pub(in super::super) fn end<T>(self, result: &Result<T>) {
        self.slot.count(self.began, result.as_ref().map_or_else(|error| place(error.reason()), |_| OK));
        std::mem::forget(self);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.slot.count(self.began, DROPPED);
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
        begin().end(&Ok(()));
        begin().end(&Ok(()));
        begin().end::<()>(&Err(KvError::new("grant", Reason::NoLease(LeaseId(1)))));
        drop(begin());
        let snapshots: Vec<_> = calls.snapshot().collect();
        assert_eq!((snapshots.len(), snapshots[0].0, snapshots[0].1.count()), (1, "grant", 4));
        let outcomes: Vec<_> = snapshots[0].1.outcomes().collect();
        assert_eq!(outcomes, [("ok", 2), ("no_lease", 1), ("dropped", 1)]);
    }

    #[test]
    fn operations_and_reasons_have_their_own_places() {
        assert!(Operation::ALL.into_iter().enumerate().all(|(place, operation)| operation as usize == place));
        assert_eq!((OUTCOMES[OK], OUTCOMES[place(&Reason::Other)]), ("ok", "other"));
        assert_eq!(OUTCOMES[place(&Reason::NOT_CONFIGURED)], "unsupported");
        assert_eq!((OUTCOMES[DROPPED], OUTCOMES[place(&Reason::NoLease(LeaseId(1)))]), ("dropped", "no_lease"));
    }

    #[test]
    fn it_takes_little_of_a_future() {
        assert_eq!(size_of::<Option<Counted<'_>>>(), 24);
    }
}
