//! [`Picture`]: the state that a subscriber derives from the events of a watch, taken literally.

use super::{Done, SOON};
use crate::keyval::{Bytes, Cause, Change, ChangeKind, Delivery, Event, KeyRange, Previous, Revision, Watch};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::{Instant, timeout_at};

/// The state that a subscriber derives from events. An event that does not fit is a violation of the contract.
pub(super) struct Picture {
    watch: Watch,
    delivery: Delivery,
    pub(super) known: BTreeMap<Bytes, Bytes>,
    /// The range of the current snapshot, and the keys reported since it began.
    snapshot: Option<(KeyRange, BTreeSet<Bytes>)>,
    last: Option<Revision>,
    /// The ranges of the snapshots that have begun, with their causes.
    pub(super) snapshots: Vec<(KeyRange, Cause)>,
    pub(super) removed: Vec<KeyRange>,
    /// All reported changes: for each transaction its revision and its changes.
    pub(super) changes: Vec<(Option<Revision>, Vec<Change>)>,
}

impl Picture {
    pub(super) fn new(watch: Watch, delivery: Delivery) -> Self {
        Picture {
            watch,
            delivery,
            known: BTreeMap::new(),
            snapshot: None,
            last: None,
            snapshots: Vec::new(),
            removed: Vec::new(),
            changes: Vec::new(),
        }
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Applies events until `is_so` holds.
    pub(super) async fn until(&mut self, what: &str, is_so: impl Fn(&Picture) -> bool) -> Done {
        let limit = Instant::now() + SOON;
        while !(self.snapshot.is_none() && is_so(self)) {
            match timeout_at(limit, self.watch.next()).await {
                Ok(Some(event)) => self.take(event)?,
                Ok(None) => fail!("the watch ends before it tells {what}"),
                Err(_) => fail!("the watch does not tell {what} within {SOON:?}: it knows {}", self.shown()),
            }
        }
        Ok(())
    }

    /// Applies events until exactly these keys with these values are known.
    pub(super) async fn until_known(&mut self, what: &str, wanted: &BTreeMap<Bytes, Bytes>) -> Done {
        self.until(what, |picture| picture.known == *wanted).await
    }

    /// Applies events until that many snapshots have begun.
    pub(super) async fn until_snapshots(&mut self, count: usize) -> Done {
        self.until(&format!("snapshot {count}"), |picture| picture.snapshots.len() >= count).await
    }

    /// Checks that no event arrives for a moment.
    pub(super) async fn is_quiet(&mut self) -> Done {
        let moment = Instant::now() + std::time::Duration::from_millis(300);
        match timeout_at(moment, self.watch.next()).await {
            Ok(Some(event)) => fail!("more is told than has happened: {event:?}"),
            Ok(None) => fail!("the watch ends"),
            Err(_) => Ok(()),
        }
    }

    fn shown(&self) -> String {
        let some: Vec<String> = self.known.iter().take(5).map(|(key, value)| format!("{key:?}={value:?}")).collect();
        format!("{} keys, such as {}", self.known.len(), some.join(" "))
    }

    fn take(&mut self, event: Event) -> Done {
        match event {
            Event::SnapshotBegin { range, cause } => {
                // A snapshot may begin again before it has ended.
                if matches!(cause, Cause::Regressed | Cause::Replaced) {
                    self.last = None;
                }
                self.snapshots.push((range.clone(), cause));
                self.snapshot = Some((range, BTreeSet::new()));
            }
            Event::Item(entry) => {
                let Some((range, seen)) = &mut self.snapshot else { fail!("an item outside of a snapshot: {entry:?}") };
                ensure!(range.contains(&entry.key), "a snapshot of {range} has {:?}", entry.key);
                if seen.insert(entry.key.clone()) {
                    self.known.insert(entry.key, entry.value);
                }
            }
            Event::SnapshotEnd { range: told, at } => {
                let Some((range, seen)) = self.snapshot.take() else {
                    fail!("a snapshot of {told} ends that has not begun")
                };
                ensure!(range == told, "a snapshot of {range} ends as one of {told}");
                self.known.retain(|key, _| !range.contains(key) || seen.contains(key));
                self.last = self.last.max(at);
            }
            Event::Changes { revision, changes } => {
                ensure!(!changes.is_empty(), "no changes are told as some");
                let is_later = revision > self.last || (revision.is_none() && self.last.is_none());
                let is_ordered = self.delivery == Delivery::EveryRevision && self.snapshot.is_none();
                ensure!(is_later || !is_ordered, "revision {revision:?} is told after {:?}", self.last);
                self.last = self.last.max(revision);
                let mut keys = BTreeSet::new();
                for change in &changes {
                    ensure!(keys.insert(change.key.clone()), "{:?} changes twice in one transaction", change.key);
                    self.change(change)?;
                }
                self.changes.push((revision, changes));
            }
            Event::Removed { range } => self.removed.push(range),
            Event::Link(_) => {}
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> Done {
        let key = &change.key;
        if let Some((_, seen)) = &mut self.snapshot {
            seen.insert(key.clone());
        }
        let is_live = self.snapshot.is_none();
        let before = self.known.get(key);
        match &change.previous {
            Previous::Entry(entry) if is_live => {
                ensure!(
                    before == Some(&entry.value),
                    "{key:?} was {:?} before, and was told as {before:?}",
                    entry.value
                );
            }
            Previous::Absent if is_live => {
                ensure!(before.is_none(), "{key:?} was not there, and was told as {before:?}")
            }
            _ => {}
        }
        match &change.kind {
            ChangeKind::Put { entry, created } => {
                ensure!(entry.key == *key, "a change of {key:?} has an entry of {:?}", entry.key);
                let is_new = before.is_none();
                ensure!(
                    created.is_none_or(|created| created == is_new) || !is_live,
                    "{key:?} is told to be created: {created:?}, but it was told as {before:?}"
                );
                self.known.insert(key.clone(), entry.value.clone());
            }
            ChangeKind::Deleted { .. } => {
                ensure!(before.is_some() || !is_live, "a delete is told of {key:?}, which was not there");
                self.known.remove(key);
                if let Some((_, seen)) = &mut self.snapshot {
                    seen.remove(key);
                }
            }
        }
        Ok(())
    }
}

/// Keys with their values, as a picture has them.
pub(super) fn pairs<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<Bytes, Bytes> {
    let owned = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    all.into_iter().map(|(key, value)| (owned(key), owned(value))).collect()
}
