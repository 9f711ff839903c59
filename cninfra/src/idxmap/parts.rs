//! [`Parts`]: a hash table in parts, each with a lock of its own, so that many threads can read it at once.

use hashbrown::{HashTable, hash_table::Entry};
use std::{
    borrow::Borrow,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// The number of parts for each thread that the machine can run at once.
const PARTS: usize = 4;

/// A key is hashed once: the upper bits of the hash select the part, the lower bits the place within it.
///
/// Closures that are passed to its methods run under the lock of a part.
pub(super) struct Parts<K, T> {
    parts: Box<[Part<K, T>]>,
    hasher: RandomState,
}

/// Where a key is, in these parts only: its hash.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

/// On cache lines of its own (processors fetch two of 64 bytes together), so that threads that lock neighbouring parts
/// do not slow each other down.
#[repr(align(128))]
struct Part<K, T>(RwLock<HashTable<(K, T)>>);

impl<K, T> Part<K, T> {
    fn read(&self) -> RwLockReadGuard<'_, HashTable<(K, T)>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashTable<(K, T)>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq, T> Parts<K, T> {
    pub(super) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = (PARTS * threads).next_power_of_two();
        let parts = (0..parts).map(|_| Part(RwLock::new(HashTable::new()))).collect();
        Parts { parts, hasher: RandomState::new() }
    }

    /// Where a key is, for callers that look for it more than once.
    pub(super) fn place<Q: Hash + ?Sized>(&self, key: &Q) -> Place
    where
        K: Borrow<Q>,
    {
        Place(self.hasher.hash_one(key))
    }

    /// The result of `of` for the value of a key, if the key exists.
    pub(super) fn read<Q: Hash + Eq + ?Sized, R>(&self, key: &Q, of: impl FnOnce(&T) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        self.read_at(self.place(key), key, of)
    }

    /// Like [`read`](Self::read), for a key whose place is known.
    pub(super) fn read_at<Q: Eq + ?Sized, R>(&self, at: Place, key: &Q, of: impl FnOnce(&T) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        self.part(at).read().find(at.0, |(other, _)| other.borrow() == key).map(|(_, value)| of(value))
    }

    /// Changes the value of a key, or inserts what `new` returns. The key may be borrowed or owned.
    pub(super) fn upsert<B: Borrow<K>>(
        &self,
        at: Place,
        key: B,
        change: impl FnOnce(&mut T),
        new: impl FnOnce(B) -> (K, T),
    ) {
        let is_key = |(other, _): &(K, T)| other == key.borrow();
        match self.part(at).write().entry(at.0, is_key, |(other, _)| self.hasher.hash_one(other)) {
            Entry::Occupied(mut there) => change(&mut there.get_mut().1),
            Entry::Vacant(place) => drop(place.insert(new(key))),
        }
    }

    /// Removes a key if its value meets the condition.
    pub(super) fn remove_if(&self, at: Place, key: &K, is_such: impl FnOnce(&mut T) -> bool) {
        if let Ok(mut there) = self.part(at).write().find_entry(at.0, |(other, _)| other == key)
            && is_such(&mut there.get_mut().1)
        {
            there.remove();
        }
    }

    /// The number of keys. The parts are counted one after the other, while others may write.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.read().len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.read().is_empty())
    }

    /// All entries. The parts are read one after the other, while others may write.
    pub(super) fn entries(&self) -> Vec<(K, T)>
    where
        K: Clone,
        T: Clone,
    {
        let mut entries = Vec::new();
        for part in &self.parts {
            let part = part.read();
            entries.reserve(part.len());
            entries.extend(part.iter().cloned());
        }
        entries
    }

    fn part(&self, Place(hash): Place) -> &Part<K, T> {
        &self.parts[(hash >> 32) as usize & (self.parts.len() - 1)]
    }
}
