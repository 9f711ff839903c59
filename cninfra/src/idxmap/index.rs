//! [`Index`]: finds entries by something other than their keys.

use super::parts::Parts;
use std::{
    borrow::Borrow,
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// An index, as the map sees it.
pub(super) trait Indexed<K, V>: Send + Sync {
    /// Computes the index values of an entry before and after a write, and notes them. Called for one write at a time.
    fn prepare(&self, key: &K, old: Option<&Arc<V>>, new: Option<&Arc<V>>);
    /// Updates the index with the values noted last, which are those of this entry.
    fn apply(&self, key: &K, new: Option<&Arc<V>>);
}

/// Finds entries by something other than their keys: see [`Reader::index`](super::Reader::index). Clones share the
/// index. It is removed when the last one is dropped.
pub struct Index<I, K, V>(Arc<Shared<I, K, V>>);

struct Shared<I, K, V> {
    values: Values<I, K, V>,
    noted: Mutex<Noted<I>>,
    parts: Parts<I, Found<K, V>>,
}

/// Appends the index values of an entry to the vector.
type Values<I, K, V> = Box<dyn Fn(&K, &V, &mut Vec<I>) + Send + Sync>;

/// The index values of an entry before and after a write. The vectors are reused, so that a write does not allocate
/// them.
struct Noted<I> {
    before: Vec<I>,
    after: Vec<I>,
}

/// The capacity that is kept for reuse.
const NOTED: usize = 64;

/// The entries with one index value: mostly a single one.
enum Found<K, V> {
    One(K, Arc<V>),
    Many(HashMap<K, Arc<V>>),
}

impl<I, K, V> Clone for Index<I, K, V> {
    fn clone(&self) -> Self {
        Index(self.0.clone())
    }
}

impl<I, K, V> Index<I, K, V>
where
    I: Hash + Eq + Clone + Send + Sync + 'static,
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    pub(super) fn new(values: impl Fn(&K, &V, &mut Vec<I>) + Send + Sync + 'static) -> Self {
        let noted = Mutex::new(Noted { before: Vec::new(), after: Vec::new() });
        Index(Arc::new(Shared { values: Box::new(values), noted, parts: Parts::new() }))
    }

    /// All entries with this value, in no particular order.
    #[must_use]
    pub fn get<Q>(&self, value: &Q) -> Vec<(K, Arc<V>)>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let all = |found: &Found<K, V>| match found {
            Found::One(key, value) => vec![(key.clone(), value.clone())],
            Found::Many(entries) => entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        };
        self.0.parts.read(value, all).unwrap_or_default()
    }

    /// The keys of all entries with this value, in no particular order.
    #[must_use]
    pub fn keys<Q>(&self, value: &Q) -> Vec<K>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let keys = |found: &Found<K, V>| match found {
            Found::One(key, _) => vec![key.clone()],
            Found::Many(entries) => entries.keys().cloned().collect(),
        };
        self.0.parts.read(value, keys).unwrap_or_default()
    }

    /// The number of entries with this value.
    #[must_use]
    pub fn count<Q>(&self, value: &Q) -> usize
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let count = |found: &Found<K, V>| match found {
            Found::One(..) => 1,
            Found::Many(entries) => entries.len(),
        };
        self.0.parts.read(value, count).unwrap_or_default()
    }

    pub(super) fn indexed(&self) -> &dyn Indexed<K, V> {
        &*self.0
    }

    pub(super) fn weak(&self) -> Weak<dyn Indexed<K, V>> {
        let shared: Arc<dyn Indexed<K, V>> = self.0.clone();
        Arc::downgrade(&shared)
    }
}

impl<I: Hash + Eq, K: Hash + Eq + Clone, V> Shared<I, K, V> {
    fn noted(&self) -> MutexGuard<'_, Noted<I>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, value: I, key: &K, entry: &Arc<V>) {
        let one = || Found::One(key.clone(), entry.clone());
        let add = |found: &mut Found<K, V>| match found {
            Found::Many(entries) => drop(entries.insert(key.clone(), entry.clone())),
            Found::One(other, old) if other == key => *old = entry.clone(),
            Found::One(other, old) => {
                let both = [(other.clone(), old.clone()), (key.clone(), entry.clone())];
                *found = Found::Many(both.into());
            }
        };
        self.parts.upsert(self.parts.place(&value), value, add, |value| (value, one()));
    }

    fn remove(&self, value: &I, key: &K) {
        self.parts.remove_if(self.parts.place(value), value, |found| match found {
            Found::One(other, _) => other == key,
            Found::Many(entries) => {
                entries.remove(key);
                entries.is_empty()
            }
        });
    }
}

impl<I, K, V> Indexed<K, V> for Shared<I, K, V>
where
    I: Hash + Eq + Clone + Send + Sync,
    K: Hash + Eq + Clone + Send + Sync,
    V: Send + Sync,
{
    fn prepare(&self, key: &K, old: Option<&Arc<V>>, new: Option<&Arc<V>>) {
        let Noted { before, after } = &mut *self.noted();
        // A write that has panicked may have left some values.
        for (noted, entry) in [(before, old), (after, new)] {
            noted.clear();
            noted.shrink_to(NOTED);
            entry.into_iter().for_each(|entry| (self.values)(key, entry, noted));
        }
    }

    fn apply(&self, key: &K, new: Option<&Arc<V>>) {
        let Noted { before, after } = &mut *self.noted();
        for value in before.drain(..).filter(|value| !after.contains(value)) {
            self.remove(&value, key);
        }
        if let Some(entry) = new {
            after.drain(..).for_each(|value| self.put(value, key, entry));
        }
    }
}

impl<I, K, V> fmt::Debug for Index<I, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index")
    }
}
