//! [`Watches`]: counts the watches of a store, and [`OpenWatch`]: one open watch.

use super::super::{Cause, Event, WatchControl, WatchStats};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// The causes of snapshots, as values of the label `cause`.
pub(super) const CAUSES: [&str; 8] =
    ["start", "added", "compacted", "regressed", "replaced", "lost", "overflow", "requested"];

fn place(cause: Cause) -> usize {
    match cause {
        Cause::Start => 0,
        Cause::Added => 1,
        Cause::Compacted => 2,
        Cause::Regressed => 3,
        Cause::Replaced => 4,
        Cause::Lost => 5,
        Cause::Overflow => 6,
        Cause::Requested => 7,
    }
}

/// The counters of all watches of a store.
#[derive(Default)]
pub(in super::super) struct Watches {
    all: Mutex<All>,
    events: AtomicU64,
    snapshots: [AtomicU64; CAUSES.len()],
}

#[derive(Default)]
struct All {
    open: HashMap<u64, Arc<dyn WatchControl>>,
    begun: u64,
    /// The sum of the statistics of all ended watches.
    ended: WatchStats,
}

/// The counters of all watches at one moment.
pub(super) struct Snapshot {
    pub(super) open: usize,
    pub(super) stats: WatchStats,
    pub(super) events: u64,
    pub(super) snapshots: [u64; CAUSES.len()],
}

impl Watches {
    pub(super) fn snapshot(&self) -> Snapshot {
        let (open, ended) = {
            let all = self.lock();
            (all.open.values().cloned().collect::<Vec<_>>(), all.ended)
        };
        // After the lock is released, since this runs code of the store. A watch that ends meanwhile is not yet in
        // `ended`, so it is counted once.
        let stats = open.iter().fold(ended, |sum, control| plus(sum, control.stats()));
        Snapshot {
            open: open.len(),
            stats,
            events: self.events.load(Relaxed),
            snapshots: self.snapshots.each_ref().map(|count| count.load(Relaxed)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn plus(one: WatchStats, other: WatchStats) -> WatchStats {
    WatchStats {
        queued: one.queued + other.queued,
        coalesced: one.coalesced + other.coalesced,
        resnapshots: one.resnapshots + other.resnapshots,
        overflows: one.overflows + other.overflows,
        failures: one.failures + other.failures,
    }
}

/// A watch that counts as open until this is dropped.
pub(in super::super) struct OpenWatch {
    watches: Arc<Watches>,
    number: u64,
}

impl OpenWatch {
    pub(super) fn new(watches: Arc<Watches>, control: Arc<dyn WatchControl>) -> Self {
        let number = {
            let mut all = watches.lock();
            all.begun += 1;
            let number = all.begun;
            all.open.insert(number, control);
            number
        };
        OpenWatch { watches, number }
    }

    /// Counts an event that the subscriber has taken.
    pub(in super::super) fn count_event(&self, event: &Event) {
        self.watches.events.fetch_add(1, Relaxed);
        if let Event::SnapshotBegin { cause, .. } = event {
            self.watches.snapshots[place(*cause)].fetch_add(1, Relaxed);
        }
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        let Some(control) = self.watches.lock().open.get(&self.number).cloned() else { return };
        // The events of the watch are gone, so these statistics are final. Events that are still queued will never be
        // taken. The lock is not held, since this runs code of the store, as the end of `control` may.
        let stats = WatchStats { queued: 0, ..control.stats() };
        let mut all = self.watches.lock();
        let removed = all.open.remove(&self.number);
        all.ended = plus(all.ended, stats);
        drop(all);
        drop(removed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_their_own_places() {
        let places = [
            Cause::Start,
            Cause::Added,
            Cause::Compacted,
            Cause::Regressed,
            Cause::Replaced,
            Cause::Lost,
            Cause::Overflow,
            Cause::Requested,
        ];
        for (at, cause) in places.into_iter().enumerate() {
            assert_eq!((place(cause), CAUSES[at].to_string()), (at, format!("{cause:?}").to_lowercase()));
        }
    }
}
