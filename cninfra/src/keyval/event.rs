//! [`Event`]: what a watch tells.

use super::{Entry, KeyRange, Revision};
use bytes::{Buf as _, Bytes};

/// What a watch tells. It begins with a snapshot of each of its ranges, and comes back to the true state by another one whenever changes may have been missed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A snapshot of a range begins: all its keys follow as [`Event::Item`], and what is not among them is not there.
    #[non_exhaustive]
    SnapshotBegin {
        /// Of which range.
        range: KeyRange,
        /// Why.
        cause: Cause,
    },
    /// A key of the snapshot. Where a change of this key was told since the snapshot began, that is newer, and this says nothing: a key that was [deleted](ChangeKind::Deleted)
    /// meanwhile does not come back by it.
    Item(Entry),
    /// All keys of the snapshot have been told. What follows are changes, or the snapshot of another range. Changes may come while a snapshot is told, too: they are newer
    /// than what it tells of their keys.
    #[non_exhaustive]
    SnapshotEnd {
        /// Of which range.
        range: KeyRange,
        /// The state that it is of; `None` in a store without revisions.
        at: Option<Revision>,
    },
    /// The changes of one transaction, or as many as the store knows to be one.
    #[non_exhaustive]
    Changes {
        /// The state that they have made; `None` in a store without revisions.
        revision: Option<Revision>,
        /// Never none; of a key one at most.
        changes: Vec<Change>,
    },
    /// A range is watched no more, since that was asked for: of it alone nothing follows.
    #[non_exhaustive]
    Removed {
        /// Which one.
        range: KeyRange,
    },
    /// The connection to the store. While it is lost, what was told may be outdated.
    ///
    /// It may be lost, too, where the store is there, but does not let be read what was told: what a user may not read any more is never told as deleted. The log says what is missing, and it is
    /// [counted](super::WatchStats::failures).
    Link(Link),
}

impl Event {
    /// For a store: a snapshot begins.
    #[must_use]
    pub fn snapshot_begin(range: KeyRange, cause: Cause) -> Self {
        Event::SnapshotBegin { range, cause }
    }

    /// For a store: a snapshot has been told.
    #[must_use]
    pub fn snapshot_end(range: KeyRange, at: Option<Revision>) -> Self {
        Event::SnapshotEnd { range, at }
    }

    /// For a store: the changes of one transaction.
    #[must_use]
    pub fn changes(revision: Option<Revision>, changes: Vec<Change>) -> Self {
        Event::Changes { revision, changes }
    }

    /// For a store: a range is watched no more.
    #[must_use]
    pub fn removed(range: KeyRange) -> Self {
        Event::Removed { range }
    }

    /// Leaves out a prefix, with which its keys and ranges begin: where it is, since events are large.
    pub(super) fn strip(&mut self, prefix: &[u8]) {
        let len = prefix.len();
        // all that the watch asked for begins with it
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

/// Why a watch tells a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The watch begins.
    Start,
    /// The range was added to a watch that has begun before.
    Added,
    /// While the store was away, it has thrown away the changes in between.
    Compacted,
    /// The revisions of the store begin again: it has lost its data, or is another one.
    Regressed,
    /// The store is another one.
    Replaced,
    /// Changes may have been missed: the store has told that it lost some, or can not tell.
    Lost,
    /// The subscriber was slow, and has chosen [`Overflow::Resnapshot`](super::Overflow::Resnapshot).
    Overflow,
    /// It was asked for.
    Requested,
}

/// A change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The key, without the prefix of the view that is watched.
    pub key: Bytes,
    /// What has become of it.
    pub kind: ChangeKind,
    /// What it was before.
    pub previous: Previous,
}

impl Change {
    /// For a store: a key was written. Whether it was there before is known, or not.
    #[must_use]
    pub fn put(entry: Entry, created: Option<bool>, previous: Previous) -> Self {
        Change { key: entry.key.clone(), kind: ChangeKind::Put { entry, created }, previous }
    }

    /// For a store: a key was deleted. Whether because its time was over is known, or not.
    #[must_use]
    pub fn deleted(key: impl Into<Bytes>, expired: Option<bool>, previous: Previous) -> Self {
        Change { key: key.into(), kind: ChangeKind::Deleted { expired }, previous }
    }

    /// The value that it has now; `None` if it was deleted.
    #[must_use]
    pub fn value(&self) -> Option<&Bytes> {
        match &self.kind {
            ChangeKind::Put { entry, .. } => Some(&entry.value),
            ChangeKind::Deleted { .. } => None,
        }
    }
}

/// What has become of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It was written.
    #[non_exhaustive]
    Put {
        /// With its value, which may be empty.
        entry: Entry,
        /// It was not there before; `None` where the store can not tell.
        created: Option<bool>,
    },
    /// It was deleted.
    #[non_exhaustive]
    Deleted {
        /// Its time was over, or its lease; `None` where the store can not tell.
        expired: Option<bool>,
    },
}

/// What a key was before a change.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Previous {
    /// It was not there.
    Absent,
    /// It had this value.
    Entry(Entry),
    /// Nobody knows: the store does not keep it, has thrown it away, or it was not asked for.
    Unknown,
}

/// The connection of a watch to its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Link {
    /// It is lost: of what can not be read nothing is told until it is back. A store that can be read in part may go on to tell of changes of the rest.
    Lost,
    /// It is back. What was changed meanwhile follows, one by one or as a snapshot.
    Resumed,
}
