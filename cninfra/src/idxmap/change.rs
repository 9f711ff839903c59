//! [`Change`]: what becomes of one key.

use std::sync::Arc;

/// A change of one key.
#[derive(PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Change<K, V> {
    /// It was not there before.
    #[non_exhaustive]
    Created {
        /// The key.
        key: K,
        /// Its value.
        new: Arc<V>,
    },
    /// It has another value.
    #[non_exhaustive]
    Updated {
        /// The key.
        key: K,
        /// The value that it had.
        old: Arc<V>,
        /// The value that it has.
        new: Arc<V>,
    },
    /// It is no more.
    #[non_exhaustive]
    Deleted {
        /// The key.
        key: K,
        /// The value that it had.
        old: Arc<V>,
    },
}

impl<K, V> Change<K, V> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        let (Change::Created { key, .. } | Change::Updated { key, .. } | Change::Deleted { key, .. }) = self;
        key
    }

    /// The value that it has; `None` if it is no more.
    #[must_use]
    pub fn value(&self) -> Option<&Arc<V>> {
        match self {
            Change::Created { new, .. } | Change::Updated { new, .. } => Some(new),
            Change::Deleted { .. } => None,
        }
    }

    /// The value that it had; `None` if it was not there.
    #[must_use]
    pub fn previous(&self) -> Option<&Arc<V>> {
        match self {
            Change::Updated { old, .. } | Change::Deleted { old, .. } => Some(old),
            Change::Created { .. } => None,
        }
    }
}

/// One for all watchers.
pub(super) type Update<K, V> = Arc<Change<K, V>>;
