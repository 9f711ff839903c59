//! [`Coalesced`]: of each key the latest change.

use super::super::{Change, ChangeKind, Event, Previous, Revision};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

/// Of each key the latest change, as one from what it was before all of them, in the order of the latest ones.
#[derive(Default)]
pub(super) struct Coalesced {
    changes: BTreeMap<u64, Change>,
    /// Where the change of a key is.
    places: HashMap<Bytes, u64>,
    next: u64,
    revision: Option<Revision>,
}

impl Coalesced {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Of how many keys it is.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Takes in the changes of a transaction. Returns how many were left out for them.
    pub(super) fn take_in(&mut self, revision: Option<Revision>, changes: Vec<Change>) -> u64 {
        self.revision = revision;
        changes.into_iter().map(|change| self.take_in_one(change)).sum()
    }

    fn take_in_one(&mut self, change: Change) -> u64 {
        let place = self.next;
        self.next += 1;
        let Some(before) = self.places.insert(change.key.clone(), place).and_then(|at| self.changes.remove(&at)) else {
            self.changes.insert(place, change);
            return 0;
        };
        let change = as_one(&before, change);
        // what was not there before, and is not there now, is nothing
        if matches!((&change.kind, &change.previous), (ChangeKind::Deleted { .. }, Previous::Absent)) {
            self.places.remove(&change.key);
            return 2;
        }
        self.changes.insert(place, change);
        1
    }

    /// All of them as one event.
    pub(super) fn take(&mut self) -> Option<Event> {
        self.places.clear();
        let changes: Vec<Change> = std::mem::take(&mut self.changes).into_values().collect();
        (!changes.is_empty()).then(|| Event::changes(self.revision, changes))
    }
}

/// The later one of two changes of a key, as from what the key was before the first one.
fn as_one(before: &Change, mut change: Change) -> Change {
    // one that was made was not there, whether that was asked for or not
    let previous = match &before.kind {
        ChangeKind::Put { created: Some(true), .. } => Previous::Absent,
        _ => before.previous.clone(),
    };
    if let ChangeKind::Put { created, .. } = &mut change.kind {
        *created = match previous {
            Previous::Absent => Some(true),
            Previous::Entry(_) => Some(false),
            Previous::Unknown => None,
        };
    }
    change.previous = previous;
    change
}
