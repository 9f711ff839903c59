//! [`Left`]: what is left in a map by those that kept it.

use crate::keyval::{Diffed, Legacy};
use std::sync::{Mutex, PoisonError};

/// The keys of stores whose entries are in a map, and that nobody keeps any more, since those that did have ended. The next one that keeps them takes them over, and so takes out what has gone from the
/// store meanwhile.
#[derive(Default)]
pub(super) struct Left(Mutex<Vec<Legacy>>);

impl Left {
    /// One that kept this has ended.
    pub(super) fn leave(&self, legacy: Legacy) {
        if !legacy.is_empty() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(legacy);
        }
    }

    /// One begins to keep what is told here.
    pub(super) fn hand_on(&self, to: &mut Diffed) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        to.inherit(&mut left);
        left.retain(|legacy| !legacy.is_empty());
    }
}
