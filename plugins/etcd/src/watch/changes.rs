//! [`Group`]: the changes of one transaction, made from events of etcd.

use crate::convert::entry;
use cninfra::keyval::{Change, ChangeKind, KeyRange, Previous};
use etcd_client::proto::PbEvent;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) at: i64,
    pub(super) changes: Vec<Change>,
}

impl Group {
    /// By how many keys it changes the size of a range.
    pub(super) fn size_change(&self, range: &KeyRange) -> i64 {
        let size_change = |change: &Change| match change.kind {
            _ if !range.contains(&change.key) => 0,
            ChangeKind::Put { created: Some(true), .. } => 1,
            ChangeKind::Deleted { .. } => -1,
            _ => 0,
        };
        self.changes.iter().map(size_change).sum()
    }
}

/// Groups events, which are in order, into transactions. `previous` says whether the previous values were requested.
pub(super) fn groups(mut events: Vec<PbEvent>, previous: bool) -> impl Iterator<Item = Group> {
    // Usually there is a single event, which is then moved only once: changes are large.
    let only = if events.len() == 1 { events.pop() } else { None };
    let only = only.and_then(|event| {
        let at = event.kv.as_ref()?.mod_revision;
        Some(Group { at, changes: vec![change(event, previous)?] })
    });
    let of_event = move |event: PbEvent| Some((event.kv.as_ref()?.mod_revision, change(event, previous)?));
    let mut changes = events.into_iter().filter_map(of_event).peekable();
    let several = std::iter::from_fn(move || {
        let (at, first) = changes.next()?;
        let mut group = Group { at, changes: vec![first] };
        while let Some((_, change)) = changes.next_if(|(next, _)| *next == at) {
            group.changes.push(change);
        }
        Some(group)
    });
    only.into_iter().chain(several)
}

/// Converts an event. The deletion of an expired key looks like any other. The previous value may be missing because it
/// was compacted.
fn change(event: PbEvent, previous: bool) -> Option<Change> {
    /// etcd's number for the event type "delete".
    const DELETED: i32 = 1;
    let kv = event.kv?;
    let before = event.prev_kv.filter(|_| previous).map(entry);
    if event.r#type == DELETED {
        return Some(Change::deleted(kv.key, None, before.map_or(Previous::Unknown, Previous::Entry)));
    }
    let created = kv.version == 1;
    let before = match before {
        _ if created => Previous::Absent,
        Some(before) => Previous::Entry(before),
        None => Previous::Unknown,
    };
    Some(Change::put(entry(kv), Some(created), before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use etcd_client::proto::PbKeyValue;

    fn kv(key: &str, mod_revision: i64, version: i64) -> PbKeyValue {
        PbKeyValue { key: key.into(), mod_revision, version, create_revision: 1, value: b"v".to_vec(), lease: 0 }
    }

    fn event(key: &str, at: i64, version: i64, prev: Option<PbKeyValue>) -> PbEvent {
        PbEvent { r#type: i32::from(version == 0), kv: Some(kv(key, at, version)), prev_kv: prev }
    }

    #[test]
    fn one_transaction_is_one_group() {
        let events = vec![
            event("a", 5, 1, None),
            event("b", 5, 0, Some(kv("b", 4, 2))),
            event("a", 6, 2, None),
            event("c", 7, 0, None),
        ];
        let grouped: Vec<Group> = groups(events, true).collect();
        assert_eq!(
            grouped.iter().map(|group| (group.at, group.changes.len())).collect::<Vec<_>>(),
            [(5, 2), (6, 1), (7, 1)]
        );
        assert_eq!(grouped[0].changes[0].previous, Previous::Absent);
        assert!(matches!(&grouped[0].changes[1].previous, Previous::Entry(entry) if entry.version == Some(2)));
        assert_eq!(
            (&grouped[1].changes[0].previous, &grouped[2].changes[0].previous),
            (&Previous::Unknown, &Previous::Unknown)
        );
        assert_eq!(grouped.iter().map(|group| group.size_change(&KeyRange::all())).collect::<Vec<_>>(), [0, 0, -1]);
        assert_eq!(grouped[0].size_change(&KeyRange::key("a")), 1);
        // A single event, which takes the short path, gives the same result.
        let alone: Vec<Group> = groups(vec![event("a", 5, 1, None)], true).collect();
        assert_eq!((alone[0].at, &alone[0].changes[..]), (5, &grouped[0].changes[..1]));
        assert_eq!((alone.len(), groups(Vec::new(), true).count()), (1, 0));
    }
}
