//! [`Orphaned`]: the keys that ended mirrors have left in a map.

use crate::keyval::{Diffed, Inherited};
use std::sync::{Mutex, PoisonError};

/// The keys of stores whose entries are in a map, but that nothing mirrors any more, since those mirrors have ended.
/// The next mirror of their ranges takes them over, and so removes what was deleted from the store meanwhile.
#[derive(Default)]
pub(super) struct Orphaned(Mutex<Vec<Inherited>>);

impl Orphaned {
    /// Keeps the keys of a mirror that has ended.
    pub(super) fn add(&self, inherited: Inherited) {
        if !inherited.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(inherited);
        }
    }

    /// Hands over the keys in the ranges of a new mirror.
    pub(super) fn hand_over_to(&self, to: &mut Diffed) {
        let mut orphaned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        to.inherit(&mut orphaned);
        orphaned.retain(|inherited| !inherited.is_empty());
    }
}
