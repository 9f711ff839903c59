//! [`Event`]: what a watch reports.

use super::{Entry, KeyRange, Revision};
use bytes::{Buf as _, Bytes};

/// What a watch reports. It begins with a snapshot of each of its ranges. Whenever changes may have been missed,
/// another snapshot restores the true state.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A snapshot of a range begins. All its keys follow as [`Event::Item`]; a key that is not among them does not
    /// exist. Another snapshot, of this range or another one, may begin before this one has ended: this one is then
    /// given up, and is not ended.
    #[non_exhaustive]
    SnapshotBegin {
        /// The range.
        range: KeyRange,
        /// Why there is a snapshot.
        cause: Cause,
    },
    /// A key of the snapshot. If a change of this key was reported since the snapshot began, the change is newer and
    /// this event is to be ignored: a key that was [deleted](ChangeKind::Deleted) meanwhile does not come back by it.
    Item(Entry),
    /// All keys of the snapshot have been reported. Changes follow, or the snapshot of another range. Changes may also
    /// come during a snapshot: they are newer than what the snapshot reports for their keys.
    #[non_exhaustive]
    SnapshotEnd {
        /// The range.
        range: KeyRange,
        /// The revision of the snapshot; `None` in a store without revisions.
        at: Option<Revision>,
    },
    /// The changes of one transaction, or as many as the store knows to belong together.
    #[non_exhaustive]
    Changes {
        /// The revision that they led to; `None` in a store without revisions.
        revision: Option<Revision>,
        /// At least one change, and at most one for each key.
        changes: Vec<Change>,
    },
    /// A range is no longer watched, as requested. Nothing more is reported for this range alone.
    #[non_exhaustive]
    Removed {
        /// The range.
        range: KeyRange,
    },
    /// The state of the connection to the store. While it is lost, what was reported may be outdated.
    ///
    /// It may also be reported as lost if the store is reachable, but refuses to let the user read what was reported:
    /// what a user may no longer read is never reported as deleted. The log says what is missing, and it is
    /// [counted](super::WatchStats::failures).
    Link(Link),
}

impl Event {
    /// For stores: a snapshot begins.
    #[must_use]
    pub fn snapshot_begin(range: KeyRange, cause: Cause) -> Self {
        Event::SnapshotBegin { range, cause }
    }

    /// For stores: a snapshot has ended.
    #[must_use]
    pub fn snapshot_end(range: KeyRange, at: Option<Revision>) -> Self {
        Event::SnapshotEnd { range, at }
    }

    /// For stores: the changes of one transaction.
    #[must_use]
    pub fn changes(revision: Option<Revision>, changes: Vec<Change>) -> Self {
        Event::Changes { revision, changes }
    }

    /// For stores: a range is no longer watched.
    #[must_use]
    pub fn removed(range: KeyRange) -> Self {
        Event::Removed { range }
    }

    /// Removes the prefix that the event's keys and ranges begin with. It does so in place, since events are large.
    pub(super) fn strip(&mut self, prefix: &[u8]) {
        let len = prefix.len();
        // All reported keys begin with the prefix, since the ranges of the watch do.
        let strip = |key: &mut Bytes| key.advance(len.min(key.len()));
        match self {
            Event::SnapshotBegin { range, .. } | Event::SnapshotEnd { range, .. } | Event::Removed { range } => {
                *range = range.without_prefix(prefix)
            }
            Event::Item(entry) => strip(&mut entry.key),
            Event::Changes { changes, .. } => {
                for change in changes {
                    strip(&mut change.key);
                    if let ChangeKind::Put { entry, .. } = &mut change.kind {
                        strip(&mut entry.key);
                    }
                    if let Previous::Entry(entry) = &mut change.previous {
                        strip(&mut entry.key);
                    }
                }
            }
            Event::Link(_) => {}
        }
    }
}

/// Why a watch reports a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The watch has begun.
    Start,
    /// The range was added to a running watch.
    Added,
    /// The store has discarded the changes that were made while it was away.
    Compacted,
    /// The revisions of the store have gone back: it has lost its data, or is another store.
    Regressed,
    /// It is another store than before.
    Replaced,
    /// Changes may have been missed: the store has reported that it lost some, or cannot say.
    Lost,
    /// The subscriber was too slow, and has chosen [`Overflow::Resnapshot`](super::Overflow::Resnapshot).
    Overflow,
    /// It was requested.
    Requested,
}

/// A change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The key, without the prefix of the watched view.
    pub key: Bytes,
    /// What happened to it.
    pub kind: ChangeKind,
    /// What it was before.
    pub previous: Previous,
}

impl Change {
    /// For stores: a key was written. `created` says whether it was new, if that is known.
    #[must_use]
    pub fn put(entry: Entry, created: Option<bool>, previous: Previous) -> Self {
        Change { key: entry.key.clone(), kind: ChangeKind::Put { entry, created }, previous }
    }

    /// For stores: a key was deleted. `expired` says whether it expired, if that is known.
    #[must_use]
    pub fn deleted(key: impl Into<Bytes>, expired: Option<bool>, previous: Previous) -> Self {
        Change { key: key.into(), kind: ChangeKind::Deleted { expired }, previous }
    }

    /// The new value; `None` if the key was deleted.
    #[must_use]
    pub fn value(&self) -> Option<&Bytes> {
        match &self.kind {
            ChangeKind::Put { entry, .. } => Some(&entry.value),
            ChangeKind::Deleted { .. } => None,
        }
    }
}

/// What happened to a key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was written.
    #[non_exhaustive]
    Put {
        /// The key with its value, which may be empty.
        entry: Entry,
        /// Whether the key is new; `None` if the store cannot tell.
        created: Option<bool>,
    },
    /// It was deleted.
    #[non_exhaustive]
    Deleted {
        /// Whether the key or its lease expired; `None` if the store cannot tell.
        expired: Option<bool>,
    },
}

/// What a key was before a change.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Previous {
    /// It did not exist.
    Absent,
    /// It had this value.
    Entry(Entry),
    /// Not known: the store does not keep it, has discarded it, or it was not requested.
    Unknown,
}

/// The connection of a watch to its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Link {
    /// It is lost. Nothing is reported for what cannot be read until it is back. If a part of a store can still be
    /// read, changes of that part may continue to be reported.
    Lost,
    /// It is back. What changed meanwhile follows, one by one or as a snapshot.
    Resumed,
}
