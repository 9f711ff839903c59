//! [`Watchers`]: who is to be told of a change.

use cninfra::keyval::{Bytes, KeyRange};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All watches of a store. A change costs a watch whose keys it has not a look, and no wake-up.
pub(crate) struct Watchers {
    /// Up to this revision they were told what concerns them.
    published: u64,
    all: Vec<Arc<Watcher>>,
}

/// What a watch is asked for, and what there is for it.
#[derive(Default)]
pub(crate) struct Watcher {
    asked: Mutex<Asked>,
    /// Something is to be done.
    pub(crate) wake: Notify,
}

#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) ranges: Vec<Asking>,
    /// Ranges that were taken out, and of which that is not told yet.
    pub(crate) removed: Vec<KeyRange>,
    /// A snapshot of all ranges is wanted.
    pub(crate) snapshot: bool,
    /// The first revision since the last look that concerns it.
    changed: Option<u64>,
    /// How many ranges were ever added.
    added: u64,
    pub(crate) ended: bool,
}

/// A range that is watched.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) range: KeyRange,
    /// Another one each time that it is added.
    pub(crate) number: u64,
}

impl Watchers {
    pub(crate) fn new(published: u64) -> Self {
        Watchers { published, all: Vec::new() }
    }

    /// Another watch.
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
            let mut asked = watcher.asked();
            if asked.changed.is_some() {
                continue;
            }
            let concerns =
                |keys: &[Bytes]| keys.iter().any(|key| asked.ranges.iter().any(|asking| asking.range.contains(key)));
            let first = revisions.iter().find(|(_, keys)| concerns(keys)).map(|(revision, _)| *revision);
            if first.is_some() {
                asked.changed = first;
                drop(asked);
                watcher.wake.notify_one();
            }
        }
        if let Some((last, _)) = revisions.last() {
            self.published = *last;
        }
    }

    /// The same of revisions of which only the last one is known: each watch looks by itself.
    pub(crate) fn take_in(&mut self, last: u64) {
        if last <= self.published {
            return;
        }
        for watcher in &self.all {
            watcher.asked().changed.get_or_insert(self.published + 1);
            watcher.wake.notify_one();
        }
        self.published = last;
    }
}

impl Watcher {
    pub(crate) fn new(ranges: Vec<KeyRange>) -> Self {
        let watcher = Watcher::default();
        {
            let mut asked = watcher.asked();
            for range in ranges {
                asked.add(range);
            }
        }
        watcher
    }

    pub(crate) fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first revision since the last call that concerns it.
    pub(crate) fn take_changed(&self) -> Option<u64> {
        self.asked().changed.take()
    }
}

impl Asked {
    /// Another range; one that is watched already is no other one.
    pub(crate) fn add(&mut self, range: KeyRange) {
        if self.ranges.iter().all(|asking| asking.range != range) {
            self.added += 1;
            self.ranges.push(Asking { range, number: self.added });
        }
    }

    /// Takes out a range. Returns whether it was there.
    pub(crate) fn remove(&mut self, range: &KeyRange) -> bool {
        let count = self.ranges.len();
        self.ranges.retain(|asking| asking.range != *range);
        let was_there = self.ranges.len() < count;
        if was_there && !self.removed.contains(range) {
            self.removed.push(range.clone());
        }
        was_there
    }
}
