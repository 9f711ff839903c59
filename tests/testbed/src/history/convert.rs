//! Converts the events of `cninfra::keyval` into those of the checker.

use super::{Cause, Item, Seen};
use cninfra::keyval::{self, Event};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// # Panics
/// The kind of the event, or of the cause, is newer than the checker.
impl From<&Event> for Seen {
    fn from(event: &Event) -> Seen {
        match event {
            Event::SnapshotBegin { cause, .. } => Seen::SnapshotBegin(cause_of(*cause)),
            Event::Item(entry) => Seen::Item(Item {
                key: text(&entry.key),
                value: text(&entry.value),
                revision: entry.revision.map(keyval::Revision::get),
            }),
            Event::SnapshotEnd { at, .. } => Seen::SnapshotEnd(at.map(keyval::Revision::get)),
            Event::Changes { revision, changes, .. } => Seen::Changes {
                revision: revision.map(keyval::Revision::get),
                changes: changes.iter().map(|it| (text(&it.key), it.value().map(|value| text(value)))).collect(),
            },
            Event::Link(keyval::Link::Lost) => Seen::Lost,
            Event::Link(keyval::Link::Resumed) => Seen::Resumed,
            other => panic!("the checker does not know {other:?}"),
        }
    }
}

fn cause_of(cause: keyval::Cause) -> Cause {
    match cause {
        keyval::Cause::Start | keyval::Cause::Added => Cause::Start,
        keyval::Cause::Compacted => Cause::Compacted,
        keyval::Cause::Regressed => Cause::Regressed,
        keyval::Cause::Replaced => Cause::Replaced,
        keyval::Cause::Lost => Cause::Lost,
        keyval::Cause::Overflow => Cause::Overflow,
        keyval::Cause::Requested => Cause::Requested,
        other => panic!("the checker does not know {other:?}"),
    }
}
