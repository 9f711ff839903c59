//! [`Coalesced`]: the latest change of each key.

use super::super::{Change, ChangeKind, Event, Previous, Revision};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap};

/// The latest change of each key, in the order of these changes. As its previous state it has that before all coalesced
/// changes of the key.
#[derive(Default)]
pub(super) struct Coalesced {
    changes: BTreeMap<u64, Change>,
    /// Where the change of a key is in `changes`.
    places: HashMap<Bytes, u64>,
    next: u64,
    revision: Option<Revision>,
}

impl Coalesced {
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The number of keys.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Adds the changes of a transaction. Returns how many changes are left out because of them.
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
        // A key that did not exist before, and does not exist now, has not changed.
        if matches!((&change.kind, &change.previous), (ChangeKind::Deleted { .. }, Previous::Absent)) {
            self.places.remove(&change.key);
            return 2;
        }
        self.changes.insert(place, change);
        1
    }

    /// Takes out all changes, as one event.
    pub(super) fn take(&mut self) -> Option<Event> {
        self.places.clear();
        let changes: Vec<Change> = std::mem::take(&mut self.changes).into_values().collect();
        (!changes.is_empty()).then(|| Event::changes(self.revision, changes))
    }
}

/// Merges two changes of a key: the later one, with the previous state of the earlier one.
fn as_one(before: &Change, mut change: Change) -> Change {
    // A key that was created did not exist before, even if previous states were not requested.
    let previous = match &before.kind {
        ChangeKind::Put { created: Some(true), .. } => Previous::Absent,
        _ => before.previous.clone(),
    };
    if let ChangeKind::Put { created, .. } = &mut change.kind {
        *created = match previous {
            Previous::Absent => Some(true),
            Previous::Entry(_) => Some(false),
            Previous::Unknown => match before.kind {
                ChangeKind::Put { created, .. } => created,
                ChangeKind::Deleted { .. } => None,
            },
        };
    }
    change.previous = previous;
    change
}
