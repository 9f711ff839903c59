//! [`Change`]: a change of one key.

use std::sync::Arc;

/// A change of one key.
#[derive(PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Change<K, V> {
    /// It was not in the map before.
    #[non_exhaustive]
    Created {
        /// The key.
        key: K,
        /// Its value.
        new: Arc<V>,
    },
    /// It has a new value.
    #[non_exhaustive]
    Updated {
        /// The key.
        key: K,
        /// The previous value.
        old: Arc<V>,
        /// The new value.
        new: Arc<V>,
    },
    /// It was removed.
    #[non_exhaustive]
    Deleted {
        /// The key.
        key: K,
        /// The previous value.
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

    /// The new value; `None` if it was removed.
    #[must_use]
    pub fn value(&self) -> Option<&Arc<V>> {
        match self {
            Change::Created { new, .. } | Change::Updated { new, .. } => Some(new),
            Change::Deleted { .. } => None,
        }
    }

    /// The previous value; `None` if it was not in the map.
    #[must_use]
    pub fn previous(&self) -> Option<&Arc<V>> {
        match self {
            Change::Updated { old, .. } | Change::Deleted { old, .. } => Some(old),
            Change::Created { .. } => None,
        }
    }
}

/// A change, allocated once for all watchers.
pub(super) type Update<K, V> = Arc<Change<K, V>>;
