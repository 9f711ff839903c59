//! [`Diffed`]: a watch that reports only differences.

use super::{Cause, Change, ChangeKind, Entry, Event, KeyRange, Link, Revision, Watch, WatchHandle};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A difference to what was reported before. `P` is what is reported for a value that was written: its entry, or more
/// ([`TypedUpdate`](super::TypedUpdate)).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Update<P = Entry> {
    /// A key has this value now.
    Put(P),
    /// A key was deleted.
    #[non_exhaustive]
    Deleted {
        /// Which one.
        key: Bytes,
        /// The revision at which it was gone, or a later one; `None` in a store without revisions.
        revision: Option<Revision>,
    },
    /// What was reported for this range is now complete: a snapshot has ended.
    Synced(KeyRange),
    /// This range is no longer watched. Its keys are forgotten, unless another range has them. They may still exist in
    /// the store.
    Removed(KeyRange),
    /// The connection to the store.
    Link(Link),
}

impl<P> Update<P> {
    /// Converts what is reported for a written value.
    pub(super) fn map<Q>(self, put: impl FnOnce(P) -> Q) -> Update<Q> {
        match self {
            Update::Put(entry) => Update::Put(put(entry)),
            Update::Deleted { key, revision } => Update::Deleted { key, revision },
            Update::Synced(range) => Update::Synced(range),
            Update::Removed(range) => Update::Removed(range),
            Update::Link(link) => Update::Link(link),
        }
    }
}

/// A [`Watch`] that reports snapshots as the differences they show: a key with the value that was last reported is not
/// reported again, and a missing key is reported as deleted. For that it keeps all keys, with a hash and the revision
/// of each value.
///
/// A watch [from a revision](super::WatchOptions::from) has no snapshot at first. Until it has one, all deletions are
/// reported, also those of keys that this watch has not reported before.
///
/// # Cancel safety
/// An update that was not returned is returned by the next call.
pub struct Diffed {
    watch: Watch,
    known: BTreeMap<Bytes, Known>,
    ranges: Vec<KeyRange>,
    snapshot: Option<Snapshot>,
    updates: VecDeque<Update>,
    /// The keys of removed ranges; collected only after a first call of [`Diffed::forgotten`].
    forgotten: Option<Vec<Bytes>>,
}

/// The snapshot in progress.
struct Snapshot {
    range: KeyRange,
    /// The keys that exist: those that the snapshot has reported so far, and those written since it began.
    seen: HashSet<Bytes>,
    /// The keys written or deleted since the snapshot began, for which its items are outdated.
    changed: HashSet<Bytes>,
}

/// What is known about the value of a key.
#[derive(Clone, Copy)]
struct Known {
    /// `None` if the key was inherited from an earlier watch, which does not hand over values.
    hash: Option<u64>,
    /// `None` in a store without revisions, and after its revisions have gone back.
    revision: Option<Revision>,
}

impl Diffed {
    pub(super) fn new(watch: Watch) -> Self {
        Diffed {
            watch,
            known: BTreeMap::new(),
            ranges: Vec::new(),
            snapshot: None,
            updates: VecDeque::new(),
            forgotten: None,
        }
    }

    /// The next update; `None` when the store was closed.
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no update is lost.
    pub async fn next(&mut self) -> Option<Update> {
        StreamExt::next(self).await
    }

    /// The handle of the underlying watch, to change its ranges and to read its statistics.
    #[must_use]
    pub fn handle(&self) -> &WatchHandle {
        self.watch.handle()
    }

    /// The underlying watch.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Hands over the reported keys to a later watch of the same ranges. This watch forgets them.
    pub(crate) fn hand_over(&mut self) -> Inherited {
        Inherited { prefix: self.watch.prefix().clone(), known: std::mem::take(&mut self.known) }
    }

    /// The keys forgotten with the [`Update::Removed`] that was just reported. The first call only starts to collect
    /// them.
    pub(crate) fn forgotten(&mut self) -> Vec<Bytes> {
        std::mem::take(self.forgotten.get_or_insert_default())
    }

    /// Takes over the keys that ended watches have reported for its ranges: a key that is gone since then is reported
    /// as deleted, and all values are reported again.
    pub(crate) fn inherit(&mut self, inherited: &mut [Inherited]) {
        let (prefix, ranges) = (self.watch.prefix().clone(), self.watch.ranges());
        for key in inherited.iter_mut().flat_map(|each| each.take(ranges)) {
            // The ranges of a view's watch begin with the prefix of the view.
            self.known.entry(key.slice(prefix.len()..)).or_insert(Known { hash: None, revision: None });
        }
    }

    fn take_in(&mut self, event: Event) {
        match event {
            Event::SnapshotBegin { range, cause } => {
                if matches!(cause, Cause::Regressed | Cause::Replaced) {
                    self.known.values_mut().for_each(|known| known.revision = None);
                }
                if !self.ranges.contains(&range) {
                    self.ranges.push(range.clone());
                }
                self.snapshot = Some(Snapshot { range, seen: HashSet::new(), changed: HashSet::new() });
            }
            Event::Item(entry) => {
                if self.snapshot.as_ref().is_none_or(|snapshot| !snapshot.changed.contains(&entry.key)) {
                    self.put(entry);
                }
            }
            Event::SnapshotEnd { range: ended, at } => {
                if let Some(Snapshot { range, seen, .. }) =
                    self.snapshot.take().filter(|snapshot| !snapshot.range.is_empty())
                {
                    let gone = self.known.range::<Bytes, _>(range.bounds()).filter(|(key, _)| !seen.contains(*key));
                    let gone: Vec<Bytes> = gone.map(|(key, _)| key.clone()).collect();
                    gone.into_iter().for_each(|key| self.delete(key, at));
                }
                self.updates.push_back(Update::Synced(ended));
            }
            Event::Changes { changes, revision } => {
                for Change { key, kind, .. } in changes {
                    if let Some(snapshot) = &mut self.snapshot {
                        snapshot.changed.insert(key.clone());
                    }
                    match kind {
                        ChangeKind::Put { entry, .. } => self.put(entry),
                        ChangeKind::Deleted { .. } => self.delete(key, revision),
                    }
                }
            }
            Event::Removed { range } => self.forget(range),
            Event::Link(link) => self.updates.push_back(Update::Link(link)),
        }
    }

    fn put(&mut self, entry: Entry) {
        let mut hasher = DefaultHasher::new();
        entry.value.hash(&mut hasher);
        let new = Known { hash: Some(hasher.finish()), revision: entry.revision };
        // Copied: a slice would keep the whole response in memory that the entry is a part of.
        let key = self.known.get_key_value(&entry.key).map(|(key, _)| key.clone());
        let key = key.unwrap_or_else(|| Bytes::copy_from_slice(&entry.key));
        // A change during a snapshot also shows that the key exists.
        if let Some(Snapshot { seen, .. }) = &mut self.snapshot {
            seen.insert(key.clone());
        }
        let old = self.known.get(&entry.key).copied();
        // A value that is older than the reported one has come late.
        if old.is_some_and(|old| old.revision.is_some() && new.revision.is_some() && new.revision < old.revision) {
            return;
        }
        self.known.insert(key, new);
        if old.is_none_or(|old| old.hash != new.hash) {
            self.updates.push_back(Update::Put(entry));
        }
    }

    fn delete(&mut self, key: Bytes, revision: Option<Revision>) {
        if let Some(Snapshot { seen, .. }) = &mut self.snapshot {
            seen.remove(&key);
        }
        // Before the first snapshot of its range, it is not known whether the key existed.
        let may_exist = || !self.ranges.iter().any(|range| range.contains(&key));
        if self.known.remove(&key).is_some() || may_exist() {
            self.updates.push_back(Update::Deleted { key, revision });
        }
    }

    fn forget(&mut self, range: KeyRange) {
        self.ranges.retain(|other| *other != range);
        if self.snapshot.as_ref().is_some_and(|snapshot| snapshot.range == range) {
            self.snapshot = None;
        }
        let ranges = &self.ranges;
        let stays = |key: &Bytes| !range.contains(key) || ranges.iter().any(|other| other.contains(key));
        let forgotten = self.known.extract_if(.., |key, _| !stays(key)).map(|(key, _)| key);
        match &mut self.forgotten {
            Some(keys) => keys.extend(forgotten),
            None => forgotten.for_each(drop),
        }
        self.updates.push_back(Update::Removed(range));
    }
}

/// The keys that a watch had reported when it ended.
pub(crate) struct Inherited {
    prefix: Bytes,
    known: BTreeMap<Bytes, Known>,
}

impl Inherited {
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes out the keys in these ranges, as full keys of the store.
    fn take(&mut self, ranges: &[KeyRange]) -> Vec<Bytes> {
        let full = |key: &Bytes| Bytes::from([&*self.prefix, &**key].concat());
        let is_one = |key: &Bytes, _: &mut Known| ranges.iter().any(|range| range.contains(&full(key)));
        self.known.extract_if(.., is_one).map(|(key, _)| full(&key)).collect()
    }
}

impl Stream for Diffed {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update>> {
        loop {
            if let Some(update) = self.updates.pop_front() {
                return Poll::Ready(Some(update));
            }
            match ready!(self.watch.poll_next_unpin(cx)) {
                Some(event) => self.take_in(event),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl fmt::Debug for Diffed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diffed").field("watch", &self.watch).field("keys", &self.known.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Kv, Previous, Pushed, WatchOptions, testing::Map},
        *,
    };
    use futures_util::FutureExt as _;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_snapshot_tells_only_what_is_different() {
        let map = Arc::<Map>::default();
        let mut updates = Kv::new(map.clone()).watch([""], WatchOptions::default()).await.unwrap().diffed();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        let tell = async |events: Vec<Event>| {
            for event in events {
                assert_eq!(feed.send(event).await, Pushed::Queued);
            }
        };
        let mut told = || std::iter::from_fn(|| updates.next().now_or_never().flatten()).collect::<Vec<_>>();
        let entry = |key: &'static str, value: &'static str| Entry::new(key, value);
        let begin = |prefix: &str, cause| Event::snapshot_begin(KeyRange::prefix(prefix), cause);
        let end = |prefix: &str| Event::snapshot_end(KeyRange::prefix(prefix), None);
        let deleted = |entry: &Entry| Update::Deleted { key: entry.key.clone(), revision: None };
        let synced = |prefix: &str| Update::Synced(KeyRange::prefix(prefix));
        let [a, b, z] = [entry("p/a", "1"), entry("p/b", ""), entry("z", "9")];
        let items = [&a, &b, &z].map(|entry| Event::Item(entry.clone()));
        tell([vec![begin("", Cause::Start)], items.to_vec(), vec![end("")]].concat()).await;
        assert_eq!(told(), [Update::Put(a.clone()), Update::Put(b), Update::Put(z), synced("")]);
        // `b` has changed, `a` has not, `c` is new; `z` is outside of the range.
        let [b, c] = [entry("p/b", "2"), entry("p/c", "3")];
        let items = [&a, &b, &c].map(|entry| Event::Item(entry.clone()));
        tell([vec![begin("p/", Cause::Lost)], items.to_vec(), vec![end("p/")]].concat()).await;
        assert_eq!(told(), [Update::Put(b), Update::Put(c.clone()), synced("p/")]);
        let gone = Change::deleted("p/c", None, Previous::Unknown);
        let again = Change::put(a.clone(), None, Previous::Unknown);
        tell(vec![Event::changes(None, vec![gone.clone(), again]), Event::changes(None, vec![gone])]).await;
        assert_eq!(told(), [deleted(&c)]);
        tell(vec![Event::Link(Link::Lost), begin("p/a", Cause::Lost), end("p/a")]).await;
        assert_eq!(told(), [Update::Link(Link::Lost), deleted(&a), synced("p/a")]);
    }

    #[tokio::test]
    async fn a_change_while_a_snapshot_is_told_is_newer_than_that() {
        let map = Arc::<Map>::default();
        let mut updates = Kv::new(map.clone()).watch([""], WatchOptions::default()).await.unwrap().diffed();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        let at = |key: &'static str, value: &'static str, revision| {
            let mut entry = Entry::new(key, value);
            entry.revision = Revision::new(revision);
            entry
        };
        let put =
            |entry: &Entry| Event::changes(entry.revision, vec![Change::put(entry.clone(), None, Previous::Unknown)]);
        let (old, new, other) = (at("k", "old", 5), at("k", "new", 6), at("l", "x", 7));
        let begin = |cause| Event::snapshot_begin(KeyRange::all(), cause);
        let end = || Event::snapshot_end(KeyRange::all(), None);
        let synced = || Update::Synced(KeyRange::all());
        let again = at("k", "again", 1);
        for event in [begin(Cause::Start), put(&new), Event::Item(old), put(&other), end()] {
            let _ = feed.send(event).await;
        }
        for event in [begin(Cause::Regressed), Event::Item(again.clone()), end()] {
            let _ = feed.send(event).await;
        }
        let told: Vec<Update> = std::iter::from_fn(|| updates.next().now_or_never().flatten()).collect();
        let l = Update::Deleted { key: other.key.clone(), revision: None };
        assert_eq!(told, [Update::Put(new), Update::Put(other), synced(), Update::Put(again), l, synced()]);
    }

    #[tokio::test]
    async fn a_key_that_was_deleted_while_a_snapshot_is_told_does_not_come_back() {
        let map = Arc::<Map>::default();
        let mut updates = Kv::new(map.clone()).watch([""], WatchOptions::default()).await.unwrap().diffed();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        // A store without revisions.
        let (old, new, gone) = (Entry::new("k", "old"), Entry::new("k", "new"), Entry::new("gone", "1"));
        let begin = || Event::snapshot_begin(KeyRange::all(), Cause::Start);
        let end = || Event::snapshot_end(KeyRange::all(), None);
        let changed = |change| Event::changes(None, vec![change]);
        let put = |entry: &Entry| changed(Change::put(entry.clone(), None, Previous::Unknown));
        let delete = |entry: &Entry| changed(Change::deleted(entry.key.clone(), None, Previous::Unknown));
        for event in [begin(), delete(&gone), put(&new), Event::Item(gone.clone()), Event::Item(old), end()] {
            let _ = feed.send(event).await;
        }
        // The next snapshot is reported as it is.
        for event in [begin(), Event::Item(gone.clone()), Event::Item(new.clone()), end()] {
            let _ = feed.send(event).await;
        }
        let told: Vec<Update> = std::iter::from_fn(|| updates.next().now_or_never().flatten()).collect();
        let synced = || Update::Synced(KeyRange::all());
        assert_eq!(told, [Update::Put(new), synced(), Update::Put(gone), synced()]);
    }

    /// Without a snapshot, it is not known what exists.
    #[tokio::test]
    async fn a_key_from_before_the_watch_is_told_as_deleted() {
        let map = Arc::<Map>::default();
        let options = WatchOptions::default().from(Revision::new(1).unwrap());
        let mut updates = Kv::new(map.clone()).watch([""], options).await.unwrap().diffed();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        let deleted =
            |key: &'static str| Event::changes(Revision::new(7), vec![Change::deleted(key, None, Previous::Unknown)]);
        let begin = Event::snapshot_begin(KeyRange::all(), Cause::Compacted);
        for event in [deleted("a"), begin, deleted("b"), Event::snapshot_end(KeyRange::all(), None), deleted("c")] {
            let _ = feed.send(event).await;
        }
        let told: Vec<Update> = std::iter::from_fn(|| updates.next().now_or_never().flatten()).collect();
        let a = Update::Deleted { key: "a".into(), revision: Revision::new(7) };
        assert_eq!(told, [a, Update::Synced(KeyRange::all())]);
    }

    #[tokio::test]
    async fn what_is_watched_no_more_is_forgotten() {
        let map = Arc::<Map>::default();
        let mut updates = Kv::new(map.clone()).watch(["p/", "p/a/"], WatchOptions::default()).await.unwrap().diffed();
        let (_, feed) = map.watched.lock().unwrap().take().unwrap();
        let range = |prefix: &str| KeyRange::prefix(prefix);
        let snapshot = |prefix: &str, cause, keys: &[&'static str]| {
            let items = keys.iter().map(|key| Event::Item(Entry::new(*key, "")));
            [Event::snapshot_begin(range(prefix), cause)]
                .into_iter()
                .chain(items)
                .chain([Event::snapshot_end(range(prefix), None)])
                .collect::<Vec<_>>()
        };
        let first = [snapshot("p/", Cause::Start, &["p/a/1", "p/b"]), snapshot("p/a/", Cause::Start, &["p/a/1"])];
        // The range is added again: a key that only it had is reported again, a key that the other range has is known.
        let later = [vec![Event::removed(range("p/"))], snapshot("p/", Cause::Added, &["p/a/1", "p/b"])];
        for event in first.concat().into_iter().chain(later.concat()) {
            let _ = feed.push(event);
        }
        let told: Vec<Update> = std::iter::from_fn(|| updates.next().now_or_never().flatten()).collect();
        let [put_a, put_b] = ["p/a/1", "p/b"].map(|key| Update::Put(Entry::new(key, "")));
        let synced = |prefix: &str| Update::Synced(range(prefix));
        let removed = Update::Removed(range("p/"));
        assert_eq!(told, [put_a, put_b.clone(), synced("p/"), synced("p/a/"), removed, put_b, synced("p/")]);
    }
}
