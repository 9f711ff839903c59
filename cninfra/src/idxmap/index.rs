//! [`Index`]: finds entries by something else than their keys.

use std::{
    borrow::Borrow,
    collections::HashMap,
    fmt,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{Arc, PoisonError, RwLock, Weak},
};

/// An index, as the map sees it.
pub(super) trait Indexed<K, V>: Send + Sync {
    /// Asks for the values of an entry, and returns what puts them in the index.
    fn prepare<'a>(&'a self, key: &'a K, old: Option<&'a Arc<V>>, new: Option<&'a Arc<V>>) -> Box<dyn FnOnce() + 'a>;
}

/// Finds entries by something else than their keys: see [`Reader::index`](super::Reader::index). A clone is the same index; with the last one it goes.
pub struct Index<I, K, V>(Arc<Shared<I, K, V>>);

struct Shared<I, K, V> {
    values: Values<I, K, V>,
    parts: Box<[Part<I, K, V>]>,
    hasher: RandomState,
}

type Values<I, K, V> = Box<dyn Fn(&K, &V) -> Vec<I> + Send + Sync>;
type Part<I, K, V> = RwLock<HashMap<I, Found<K, V>>>;

/// The entries of one value: mostly one.
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
    pub(super) fn new(values: impl Fn(&K, &V) -> Vec<I> + Send + Sync + 'static) -> Self {
        const PARTS: usize = 16;
        let parts = (0..PARTS).map(|_| Part::default()).collect();
        Index(Arc::new(Shared { values: Box::new(values), parts, hasher: RandomState::new() }))
    }

    /// All entries that have this value, in no order.
    #[must_use]
    pub fn get<Q>(&self, value: &Q) -> Vec<(K, Arc<V>)>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.0.part(value).read().unwrap_or_else(PoisonError::into_inner).get(value) {
            None => Vec::new(),
            Some(Found::One(key, value)) => vec![(key.clone(), value.clone())],
            Some(Found::Many(entries)) => entries.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        }
    }

    /// The keys of all entries that have this value, in no order.
    #[must_use]
    pub fn keys<Q>(&self, value: &Q) -> Vec<K>
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.0.part(value).read().unwrap_or_else(PoisonError::into_inner).get(value) {
            None => Vec::new(),
            Some(Found::One(key, _)) => vec![key.clone()],
            Some(Found::Many(entries)) => entries.keys().cloned().collect(),
        }
    }

    /// How many entries have this value.
    #[must_use]
    pub fn count<Q>(&self, value: &Q) -> usize
    where
        I: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        match self.0.part(value).read().unwrap_or_else(PoisonError::into_inner).get(value) {
            None => 0,
            Some(Found::One(..)) => 1,
            Some(Found::Many(entries)) => entries.len(),
        }
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
    fn part<Q: Hash + ?Sized>(&self, value: &Q) -> &Part<I, K, V> {
        let hash = self.hasher.hash_one(value);
        &self.parts[(hash >> 32) as usize & (self.parts.len() - 1)]
    }

    fn put(&self, value: I, key: &K, entry: &Arc<V>) {
        let mut part = self.part(&value).write().unwrap_or_else(PoisonError::into_inner);
        let one = || Found::One(key.clone(), entry.clone());
        let found = part.entry(value).or_insert_with(one);
        match found {
            Found::Many(entries) => drop(entries.insert(key.clone(), entry.clone())),
            Found::One(other, old) if other == key => *old = entry.clone(),
            Found::One(other, old) => {
                let both = [(other.clone(), old.clone()), (key.clone(), entry.clone())];
                *found = Found::Many(both.into());
            }
        }
    }

    fn remove(&self, value: &I, key: &K) {
        let mut part = self.part(value).write().unwrap_or_else(PoisonError::into_inner);
        let is_last = match part.get_mut(value) {
            None => false,
            Some(Found::One(other, _)) => other == key,
            Some(Found::Many(entries)) => {
                entries.remove(key);
                entries.is_empty()
            }
        };
        if is_last {
            part.remove(value);
        }
    }
}

impl<I, K, V> Indexed<K, V> for Shared<I, K, V>
where
    I: Hash + Eq + Clone + Send + Sync,
    K: Hash + Eq + Clone + Send + Sync,
    V: Send + Sync,
{
    fn prepare<'a>(&'a self, key: &'a K, old: Option<&'a Arc<V>>, new: Option<&'a Arc<V>>) -> Box<dyn FnOnce() + 'a> {
        let values = |entry: Option<&Arc<V>>| entry.map(|entry| (self.values)(key, entry)).unwrap_or_default();
        let (before, after) = (values(old), values(new));
        Box::new(move || {
            for value in before.iter().filter(|value| !after.contains(value)) {
                self.remove(value, key);
            }
            if let Some(entry) = new {
                after.into_iter().for_each(|value| self.put(value, key, entry));
            }
        })
    }
}

impl<I, K, V> fmt::Debug for Index<I, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Index")
    }
}
