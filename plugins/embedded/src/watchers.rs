//! [`Watchers`]: which watches to inform about a change.

use cninfra::keyval::{Bytes, KeyRange};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All watches of a store. A watch whose keys a commit does not touch neither reads nor wakes up.
pub(crate) struct Watchers {
    /// The revision up to which the watches were informed.
    published: u64,
    all: Vec<Arc<Watcher>>,
}

/// The subscriber's requests to a watch, and the changes that are waiting for it.
#[derive(Default)]
pub(crate) struct Watcher {
    requests: Mutex<Requests>,
    /// Notified when there is something to do.
    pub(crate) wake: Notify,
}

#[derive(Default)]
pub(crate) struct Requests {
    pub(crate) ranges: Vec<WatchedRange>,
    /// Removed ranges, until their removal is reported.
    pub(crate) removed: Vec<KeyRange>,
    /// Whether a snapshot of all ranges is requested.
    pub(crate) snapshot: bool,
    /// The first revision since the last [`take_changed`](Watcher::take_changed) that has keys of this watch.
    changed: Option<u64>,
    /// How many ranges were ever added.
    added: u64,
    pub(crate) ended: bool,
}

/// A range that is watched.
#[derive(Clone)]
pub(crate) struct WatchedRange {
    pub(crate) range: KeyRange,
    /// A unique number: a range that is removed and added again gets a new one.
    pub(crate) number: u64,
}

impl Watchers {
    pub(crate) fn new(published: u64) -> Self {
        Watchers { published, all: Vec::new() }
    }

    pub(crate) fn add(&mut self, watcher: Arc<Watcher>) {
        self.all.push(watcher);
    }

    pub(crate) fn remove(&mut self, watcher: &Arc<Watcher>) {
        self.all.retain(|other| !Arc::ptr_eq(other, watcher));
    }

    pub(crate) fn published(&self) -> u64 {
        self.published
    }

    pub(crate) fn publish(&mut self, revisions: &[(u64, Vec<Bytes>)]) {
        for watcher in &self.all {
            let mut requests = watcher.requests();
            if requests.changed.is_some() {
                continue;
            }
            let concerns = |keys: &[Bytes]| {
                keys.iter().any(|key| requests.ranges.iter().any(|watched| watched.range.contains(key)))
            };
            let first = revisions.iter().find(|(_, keys)| concerns(keys)).map(|(revision, _)| *revision);
            if first.is_some() {
                requests.changed = first;
                drop(requests);
                watcher.wake.notify_one();
            }
        }
        if let Some((last, _)) = revisions.last() {
            self.published = *last;
        }
    }

    /// Like [`publish`](Self::publish), for revisions of which only the last one is known: each watch checks by itself.
    pub(crate) fn publish_up_to(&mut self, last: u64) {
        if last <= self.published {
            return;
        }
        for watcher in &self.all {
            watcher.requests().changed.get_or_insert(self.published + 1);
            watcher.wake.notify_one();
        }
        self.published = last;
    }
}

impl Watcher {
    pub(crate) fn new(ranges: Vec<KeyRange>) -> Self {
        let watcher = Watcher::default();
        {
            let mut requests = watcher.requests();
            for range in ranges {
                requests.add(range);
            }
        }
        watcher
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the first revision since the last call that has keys of this watch.
    pub(crate) fn take_changed(&self) -> Option<u64> {
        self.requests().changed.take()
    }
}

impl Requests {
    /// Adds a range, unless it is already watched.
    pub(crate) fn add(&mut self, range: KeyRange) {
        if self.ranges.iter().all(|watched| watched.range != range) {
            self.added += 1;
            self.ranges.push(WatchedRange { range, number: self.added });
        }
    }

    /// Removes a range. Returns whether it was watched.
    pub(crate) fn remove(&mut self, range: &KeyRange) -> bool {
        let count = self.ranges.len();
        self.ranges.retain(|watched| watched.range != *range);
        let was_there = self.ranges.len() < count;
        if was_there && !self.removed.contains(range) {
            self.removed.push(range.clone());
        }
        was_there
    }
}
