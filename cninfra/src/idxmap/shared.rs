//! [`Shared`]: the state that all clones and readers of a map share, and how it is written.

use super::{
    change::Change,
    index::Indexed,
    log::{Follower, Log},
    parts::Parts,
};
#[cfg(feature = "keyval")]
use super::{left::Orphaned, synced::Synced};
use std::{
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

pub(super) struct Shared<K, V> {
    pub(super) name: Arc<str>,
    pub(super) parts: Parts<K, Arc<V>>,
    writing: Mutex<Writing<K, V>>,
    log: Arc<Log<K, V>>,
    #[cfg(feature = "keyval")]
    pub(super) synced: Synced,
    #[cfg(feature = "keyval")]
    pub(super) orphaned: Orphaned,
}

/// What only writers use, one at a time.
pub(super) struct Writing<K, V> {
    pub(super) indexes: Vec<Weak<dyn Indexed<K, V>>>,
}

/// All entries at one moment, and a place in the log for the changes after it.
pub(super) type Subscription<K, V> = (Vec<(K, Arc<V>)>, Follower<K, V>);

impl<K: Hash + Eq + Clone, V> Shared<K, V> {
    /// An empty map, which keeps up to `queue` changes for watchers.
    pub(super) fn new(name: Arc<str>, queue: usize) -> Self {
        Shared {
            name,
            parts: Parts::new(),
            writing: Mutex::new(Writing { indexes: Vec::new() }),
            log: Arc::new(Log::new(queue)),
            #[cfg(feature = "keyval")]
            synced: Synced::default(),
            #[cfg(feature = "keyval")]
            orphaned: Orphaned::default(),
        }
    }

    pub(super) fn writing(&self) -> MutexGuard<'_, Writing<K, V>> {
        // A writer that has panicked has changed nothing, since foreign code is called first.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a value, or removes the key, if the condition holds for the current value. Returns the previous value if it
    /// did.
    pub(super) fn write(
        &self,
        key: K,
        value: Option<Arc<V>>,
        is_meant: impl FnOnce(Option<&Arc<V>>) -> bool,
    ) -> Option<Option<Arc<V>>> {
        let at = self.parts.place(&key);
        let writing = self.writing();
        let old = self.parts.read_at(at, &key, Arc::clone);
        if !is_meant(old.as_ref()) {
            return None;
        }
        // The functions of the indexes may panic, so all of them are called before anything is changed.
        let indexes = || writing.indexes.iter().filter_map(Weak::upgrade);
        indexes().for_each(|index| index.prepare(&key, old.as_ref(), value.as_ref()));
        match &value {
            Some(value) => {
                let new = |key: &K| (key.clone(), value.clone());
                self.parts.upsert(at, &key, |there| *there = value.clone(), new);
            }
            None => self.parts.remove_if(at, &key, |_| true),
        }
        indexes().for_each(|index| index.apply(&key, value.as_ref()));
        let change = match (&old, value) {
            (None, Some(new)) => Change::Created { key, new },
            (Some(old), Some(new)) => Change::Updated { key, old: old.clone(), new },
            (Some(old), None) => Change::Deleted { key, old: old.clone() },
            (None, None) => return Some(None),
        };
        let cleanup = self.log.push(change);
        drop(writing);
        cleanup.run();
        Some(old)
    }

    /// All entries at one moment, and all changes after it.
    pub(super) fn subscribe(&self) -> Subscription<K, V> {
        let _writing = self.writing();
        (self.parts.entries(), self.log.follow())
    }
}

impl<K, V> Drop for Shared<K, V> {
    fn drop(&mut self) {
        self.log.end();
    }
}
