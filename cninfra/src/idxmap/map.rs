//! [`IdxMap`]: the map itself.

use super::{Changes, Index, shared::Shared};
#[cfg(feature = "keyval")]
use super::{left::Orphaned, synced::Pending};
use std::{borrow::Borrow, fmt, hash::Hash, ops::Deref, sync::Arc};

/// How many changes are kept for watchers by default.
const QUEUE: usize = 1024;

/// A map for concurrent readers and writers, with indexes and watchers. See the [module](super). Clones share the map.
///
/// A reader locks one part of the map, for as long as it takes to find a key and to increment a reference count.
/// Writers run one after the other, so that all watchers see the same changes in the same order.
///
/// The function of an index is called during a write, and the destructor of a value may run then. Neither may call the
/// map.
///
/// It derefs to its [`Reader`], which is what to hand out to code that must not write.
pub struct IdxMap<K, V>(Reader<K, V>);

/// An [`IdxMap`] for concurrent readers that do not write to it. Clones share the map.
pub struct Reader<K, V>(Arc<Shared<K, V>>);

impl<K, V> Clone for IdxMap<K, V> {
    fn clone(&self) -> Self {
        IdxMap(self.0.clone())
    }
}

impl<K, V> Clone for Reader<K, V> {
    fn clone(&self) -> Self {
        Reader(self.0.clone())
    }
}

impl<K, V> Deref for IdxMap<K, V> {
    type Target = Reader<K, V>;

    fn deref(&self) -> &Reader<K, V> {
        &self.0
    }
}

impl<K: Hash + Eq + Clone, V> IdxMap<K, V> {
    /// An empty map. The name is for display. Its watchers may be up to 1024 changes behind.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        IdxMap::with_queue(name, QUEUE)
    }

    /// An empty map whose watchers may be up to `queue` changes behind, at least one. It keeps the changes that some
    /// watcher has not received, with their values, once for all watchers. A watcher that is further behind receives
    /// all entries again, and nothing is kept for it until then.
    #[must_use]
    pub fn with_queue(name: impl Into<Arc<str>>, queue: usize) -> Self {
        IdxMap(Reader(Arc::new(Shared::new(name.into(), queue))))
    }

    /// The same map, for code that must not write to it.
    #[must_use]
    pub fn reader(&self) -> Reader<K, V> {
        self.0.clone()
    }

    /// Sets the value of a key. Returns the previous one.
    pub fn put(&self, key: K, value: V) -> Option<Arc<V>> {
        self.0.0.write(key, Some(Arc::new(value)), |_| true).unwrap_or_default()
    }

    /// Sets the value of a key that is not in the map. Returns whether it was set.
    pub fn put_if_absent(&self, key: K, value: V) -> bool {
        self.0.0.write(key, Some(Arc::new(value)), |old| old.is_none()).is_some()
    }

    /// Sets the value of a key if its value is still `expected`, which was read before; `None` for a key that is not in
    /// the map. Returns whether it was set.
    pub fn compare_and_put(&self, key: K, expected: Option<&Arc<V>>, value: V) -> bool {
        let is_same = |old: Option<&Arc<V>>| match (old, expected) {
            (Some(old), Some(expected)) => Arc::ptr_eq(old, expected),
            (None, None) => true,
            _ => false,
        };
        self.0.0.write(key, Some(Arc::new(value)), is_same).is_some()
    }

    /// Removes a key. Returns its value.
    pub fn remove(&self, key: &K) -> Option<Arc<V>> {
        self.0.0.write(key.clone(), None, |old| old.is_some()).unwrap_or_default()
    }

    /// Removes all keys, one after the other: watchers receive a change for each.
    pub fn clear(&self) {
        for (key, _) in self.entries() {
            self.remove(&key);
        }
    }
}

impl<K: Hash + Eq + Clone, V> Reader<K, V> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether a map that [`mirror`](super::mirror()) or [`mirror_typed`](super::mirror_typed) maintains has received
    /// everything that was in the store. From then on it is a copy of the store, or of what the store had when it was
    /// last reachable. Before that it may be empty only because nothing has been received yet: code that answers from
    /// it should not say then that there is nothing.
    #[cfg(feature = "keyval")]
    #[must_use]
    pub fn is_synced(&self) -> bool {
        self.0.synced.is_synced()
    }

    /// Waits until it [is synced](Self::is_synced). That can take long while the store is away, and for ever if nothing
    /// maintains the map.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    #[cfg(feature = "keyval")]
    pub async fn synced(&self) {
        self.0.synced.wait().await;
    }

    #[cfg(feature = "keyval")]
    pub(super) fn begin_pending(&self) -> Pending<'_> {
        self.0.synced.begin_pending()
    }

    #[cfg(feature = "keyval")]
    pub(super) fn orphaned(&self) -> &Orphaned {
        &self.0.orphaned
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q>(&self, key: &Q) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.parts.read(key, Arc::clone)
    }

    /// Whether the key is in the map.
    #[must_use]
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.parts.read(key, |_| ()).is_some()
    }

    /// The number of keys. It is approximate while others write.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.parts.len()
    }

    /// Whether the map has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.parts.is_empty()
    }

    /// All entries at one moment, in no particular order. Writers wait meanwhile, readers do not.
    #[must_use]
    pub fn entries(&self) -> Vec<(K, Arc<V>)> {
        let _writing = self.0.writing();
        self.0.parts.entries()
    }

    /// Makes an index. `values` returns, for an entry, the values by which it is found. It has to return the same for
    /// the same entry whenever it is called, and must not call the map. The index includes what is in the map already,
    /// and is removed with the last clone of the returned handle.
    #[must_use = "an index is there only for who keeps it"]
    pub fn index<I, T>(&self, values: impl Fn(&K, &V) -> T + Send + Sync + 'static) -> Index<I, K, V>
    where
        I: Hash + Eq + Clone + Send + Sync + 'static,
        T: IntoIterator<Item = I>,
        K: Send + Sync + 'static,
        V: Send + Sync + 'static,
    {
        let index = Index::new(move |key, value, all: &mut Vec<I>| all.extend(values(key, value)));
        let mut writing = self.0.writing();
        for (key, value) in self.0.parts.entries() {
            index.indexed().prepare(&key, None, Some(&value));
            index.indexed().apply(&key, Some(&value));
        }
        writing.indexes.retain(|index| index.strong_count() > 0);
        writing.indexes.push(index.weak());
        index
    }

    /// Watches the map: all entries, then each change.
    #[must_use = "dropping it ends the watch"]
    pub fn watch(&self) -> Changes<K, V> {
        Changes::new(Arc::downgrade(&self.0), self.0.subscribe())
    }
}

impl<K, V> fmt::Debug for IdxMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdxMap({})", self.0.0.name)
    }
}

impl<K, V> fmt::Debug for Reader<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({})", self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Event, *};
    use std::{
        collections::BTreeMap,
        pin::pin,
        sync::mpsc,
        task::{Context, Wake, Waker},
        thread,
        time::Duration,
    };

    /// Finds entries by each digit of the value.
    fn by_digit(map: &IdxMap<u8, u32>) -> Index<char, u8, u32> {
        map.index(|_, value| value.to_string().chars().collect::<Vec<_>>())
    }

    fn sorted(mut keys: Vec<u8>) -> Vec<u8> {
        keys.sort_unstable();
        keys
    }

    /// Updates what a watcher knows after an event.
    fn follow(known: &mut BTreeMap<u8, u32>, event: Event<u8, u32>) {
        match event {
            Event::All(all) => *known = all.into_iter().map(|(key, value)| (key, *value)).collect(),
            Event::Change(change) => {
                // The previous value of a change is the one that was reported before.
                assert_eq!(known.get(change.key()), change.previous().map(|old| &**old), "{change:?}");
                match change.value() {
                    Some(new) => drop(known.insert(*change.key(), **new)),
                    None => drop(known.remove(change.key())),
                }
            }
        }
    }

    #[test]
    fn random_writes_leave_it_its_indexes_and_its_watchers_as_a_plain_map_has_it() {
        let mut random = fastrand::Rng::with_seed(7);
        let (map, mut model) = (IdxMap::new("numbers"), BTreeMap::<u8, u32>::new());
        let (first, mut watch, mut known) = (by_digit(&map), map.watch(), BTreeMap::new());
        let mut late = None;
        for step in 0..20_000 {
            let (key, value) = (random.u8(..40), random.u32(..1000));
            let before = map.get(&key);
            match random.u8(..5) {
                0 => assert_eq!(map.remove(&key).map(|old| *old), model.remove(&key)),
                1 => assert_eq!(
                    map.put_if_absent(key, value),
                    !model.contains_key(&key) && model.insert(key, value).is_none()
                ),
                2 => {
                    assert!(map.compare_and_put(key, before.as_ref(), value));
                    assert!(!map.compare_and_put(key, before.as_ref(), value));
                    model.insert(key, value);
                }
                _ => assert_eq!(map.put(key, value).map(|old| *old), model.insert(key, value)),
            }
            while let Some(event) = watch.try_next() {
                follow(&mut known, event);
            }
            assert_eq!(known, model, "step {step}");
            if step == 10_000 {
                late = Some(by_digit(&map));
            }
            let digit = char::from(b'0' + random.u8(..10));
            let expected: Vec<u8> =
                model.iter().filter(|(_, value)| value.to_string().contains(digit)).map(|(key, _)| *key).collect();
            for index in [Some(&first), late.as_ref()].into_iter().flatten() {
                assert_eq!(sorted(index.keys(&digit)), expected, "step {step}");
                let entries = index.get(&digit);
                assert!(
                    entries.iter().all(|(key, value)| model[key] == **value) && entries.len() == index.count(&digit)
                );
            }
        }
        assert_eq!((map.len(), watch.missed(), map.contains(&200)), (model.len(), 0, false));
        map.clear();
        assert!(map.is_empty() && ('0'..='9').all(|digit| first.count(&digit) == 0));
    }

    #[test]
    fn watchers_of_many_writers_see_one_order() {
        let map = IdxMap::with_queue("numbers", 1 << 16);
        let watchers: Vec<_> = (0..3).map(|_| map.watch()).collect();
        thread::scope(|scope| {
            for writer in 0..4 {
                let map = map.clone();
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(writer);
                    for value in 0..3000 {
                        match random.u8(..3) {
                            0 => drop(map.remove(&random.u8(..20))),
                            _ => drop(map.put(random.u8(..20), value)),
                        }
                    }
                });
            }
        });
        let model: BTreeMap<u8, u32> = map.entries().into_iter().map(|(key, value)| (key, *value)).collect();
        for mut watch in watchers {
            let mut known = BTreeMap::new();
            while let Some(event) = watch.try_next() {
                follow(&mut known, event);
            }
            assert_eq!((known, watch.missed()), (model.clone(), 0));
        }
    }

    #[test]
    fn who_begins_while_others_write_misses_nothing() {
        let map = IdxMap::with_queue("numbers", 1 << 17);
        let (mut watchers, mut indexes) = (Vec::new(), Vec::new());
        thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|writer| {
                    let map = map.clone();
                    scope.spawn(move || {
                        let mut random = fastrand::Rng::with_seed(writer);
                        for value in 0..5000 {
                            match random.u8(..3) {
                                0 => drop(map.remove(&random.u8(..))),
                                _ => drop(map.put(random.u8(..), value)),
                            }
                        }
                    })
                })
                .collect();
            while writers.iter().any(|writer| !writer.is_finished()) {
                watchers.push(map.watch());
                indexes.push(by_digit(&map));
                thread::yield_now();
                if watchers.len() == 20 {
                    break;
                }
            }
        });
        let model: BTreeMap<u8, u32> = map.entries().into_iter().map(|(key, value)| (key, *value)).collect();
        for mut watch in watchers {
            let mut known = BTreeMap::new();
            while let Some(event) = watch.try_next() {
                follow(&mut known, event);
            }
            assert_eq!(known, model);
        }
        let of_digit = |digit: char| model.values().filter(|value| value.to_string().contains(digit)).count();
        assert!(indexes.iter().all(|index| ('0'..='9').all(|digit| index.count(&digit) == of_digit(digit))));
    }

    /// A waker is foreign code, which may call the map at once.
    #[test]
    fn who_is_woken_may_write_to_the_map_at_once() {
        struct Writes(IdxMap<u8, u32>);
        impl Wake for Writes {
            fn wake(self: Arc<Self>) {
                self.0.put(2, 2);
            }
        }
        let map = IdxMap::new("numbers");
        let mut watch = map.watch();
        assert!(matches!(watch.try_next(), Some(Event::All(_))));
        let waker = Waker::from(Arc::new(Writes(map.clone())));
        assert!(pin!(watch.next()).poll(&mut Context::from_waker(&waker)).is_pending());
        let (done, is_done) = mpsc::channel();
        thread::spawn(move || {
            map.put(1, 1);
            done.send(map.len())
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(30)), Ok(2));
    }

    #[tokio::test]
    async fn who_is_too_far_behind_is_told_all_again_and_how_much_was_missed() {
        let map = IdxMap::with_queue("numbers", 4);
        let mut watch = map.watch();
        (0..10).for_each(|key| drop(map.put(key, 0)));
        assert_eq!(watch.next().await, Some(Event::All(Vec::new())));
        let Some(Event::All(all)) = watch.next().await else { panic!("no snapshot") };
        assert_eq!((all.len(), watch.missed(), watch.try_next()), (10, 10, None));
        map.remove(&3);
        drop(map);
        assert!(matches!(watch.next().await, Some(Event::Change(change)) if *change.key() == 3));
        assert_eq!(watch.next().await, None);
    }

    #[test]
    fn an_index_that_panics_changes_nothing_and_one_that_nobody_keeps_is_gone() {
        let (map, counted) = (IdxMap::new("numbers"), Arc::<std::sync::atomic::AtomicUsize>::default());
        let first = by_digit(&map);
        let count = counted.clone();
        let second = map.index(move |_, value: &u32| {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            assert_ne!(*value, 13);
            [*value]
        });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| map.put(1, 13)));
        assert!(panicked.is_err() && map.is_empty() && first.count(&'1') == 0);
        map.put(1, 12);
        assert_eq!((second.keys(&12), first.keys(&'2'), first.count(&'3')), (vec![1], vec![1], 0));
        drop(second);
        let before = counted.load(std::sync::atomic::Ordering::Relaxed);
        map.put(1, 13);
        assert_eq!(counted.load(std::sync::atomic::Ordering::Relaxed), before);
    }
}
