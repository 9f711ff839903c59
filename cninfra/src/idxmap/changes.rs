//! [`Changes`]: the events that a watcher receives.

use super::{
    change::Change,
    log::{Follower, Next},
    shared::{Shared, Subscription},
};
use std::{
    fmt,
    future::poll_fn,
    hash::Hash,
    sync::{Arc, Weak},
};
use tokio::task::coop::cooperative;

/// What a watcher receives.
#[derive(PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event<K, V> {
    /// All entries, in no particular order. A key that is not among them is not in the map. This is the first event,
    /// and comes again if the watcher was too far behind.
    All(Vec<(K, Arc<V>)>),
    /// A change. Changes come in the order in which they were made.
    Change(Arc<Change<K, V>>),
}

/// All entries of a map, then each change. Dropping it ends the watch.
pub struct Changes<K, V> {
    map: Weak<Shared<K, V>>,
    all: Option<Vec<(K, Arc<V>)>>,
    changes: Follower<K, V>,
    missed: u64,
}

impl<K: Hash + Eq + Clone, V> Changes<K, V> {
    pub(super) fn new(map: Weak<Shared<K, V>>, (all, changes): Subscription<K, V>) -> Self {
        Changes { map, all: Some(all), changes, missed: 0 }
    }

    /// The next event. `None` when the map is gone, and all changes that were not missed have been returned.
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no event is lost.
    pub async fn next(&mut self) -> Option<Event<K, V>> {
        loop {
            if let Some(all) = self.all.take() {
                return Some(Event::All(all));
            }
            // `cooperative` makes a watcher that always finds a change yield to other tasks nevertheless.
            match cooperative(poll_fn(|cx| self.changes.poll(cx))).await {
                Next::Change(change) => return Some(Event::Change(change)),
                Next::TooFar => self.restart()?,
                Next::Nothing => {}
                Next::Ended => return None,
            }
        }
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Event<K, V>> {
        loop {
            if let Some(all) = self.all.take() {
                return Some(Event::All(all));
            }
            match self.changes.take() {
                Next::Change(change) => return Some(Event::Change(change)),
                Next::TooFar => self.restart()?,
                Next::Nothing | Next::Ended => return None,
            }
        }
    }

    /// The number of changes that were not reported one by one, because the watcher was too far behind. All entries
    /// were reported instead.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Starts again with all entries. `None` if the map is gone, and with it what was missed.
    fn restart(&mut self) -> Option<()> {
        let map = self.map.upgrade()?;
        let (all, changes) = map.subscribe();
        self.missed += self.changes.changes_until(&changes);
        (self.all, self.changes) = (Some(all), changes);
        Some(())
    }
}

impl<K, V> fmt::Debug for Changes<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("missed", &self.missed).finish_non_exhaustive()
    }
}
