//! [`Left`]: the keys that ended mirrors have left in a map.

use crate::keyval::{Diffed, Legacy};
use std::sync::{Mutex, PoisonError};

/// The keys of stores whose entries are in a map, but that nothing mirrors any more, since those mirrors have ended.
/// The next mirror of their ranges takes them over, and so removes what was deleted from the store meanwhile.
#[derive(Default)]
pub(super) struct Left(Mutex<Vec<Legacy>>);

impl Left {
    /// Keeps the keys of a mirror that has ended.
    pub(super) fn leave(&self, legacy: Legacy) {
        if !legacy.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(legacy);
        }
    }

    /// Hands over the keys in the ranges of a new mirror.
    pub(super) fn hand_on(&self, to: &mut Diffed) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        to.inherit(&mut left);
        left.retain(|legacy| !legacy.is_empty());
    }
}
