//! [`Left`]: what is left in a map by those that kept it.

use crate::keyval::{Bytes, KeyRange};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// The keys of the store whose entries are in a map, and that nobody keeps any more, since those that did have ended. The next one that keeps them takes them over, and so takes out what has gone from the
/// store meanwhile.
#[derive(Default)]
pub(super) struct Left(Mutex<BTreeSet<Bytes>>);

impl Left {
    /// One that kept these has ended.
    pub(super) fn leave(&self, keys: impl IntoIterator<Item = Bytes>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    /// Those of one that begins to keep these ranges.
    pub(super) fn take(&self, ranges: &[KeyRange]) -> Vec<Bytes> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        left.extract_if(.., |key| ranges.iter().any(|range| range.contains(key))).collect()
    }
}
