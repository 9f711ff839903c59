//! [`Parts`]: a hash table in parts, each with a lock of its own, so that many threads read it at once.

use hashbrown::{HashTable, hash_table::Entry};
use std::{
    borrow::Borrow,
    hash::{BuildHasher as _, Hash, RandomState},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// For each thread that the machine runs at once there are so many parts.
const PARTS: usize = 4;

/// A key is hashed once: the upper bits say in which part it is, the lower ones where in that.
///
/// What is given to its functions is called under the lock of a part.
pub(super) struct Parts<K, T> {
    parts: Box<[Part<K, T>]>,
    hasher: RandomState,
}

/// Where a key is: of these parts only.
#[derive(Clone, Copy)]
pub(super) struct Place(u64);

/// On cache lines of its own (processors fetch two of 64 bytes together): else who locks one part slows down who locks its neighbour.
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

    /// Where a key is, for who looks for it more than once.
    pub(super) fn place<Q: Hash + ?Sized>(&self, key: &Q) -> Place
    where
        K: Borrow<Q>,
    {
        Place(self.hasher.hash_one(key))
    }

    /// What is made of the value of a key that is there.
    pub(super) fn read<Q: Hash + Eq + ?Sized, R>(&self, key: &Q, of: impl FnOnce(&T) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        self.read_at(self.place(key), key, of)
    }

    /// The same, of a key whose place is known.
    pub(super) fn read_at<Q: Eq + ?Sized, R>(&self, at: Place, key: &Q, of: impl FnOnce(&T) -> R) -> Option<R>
    where
        K: Borrow<Q>,
    {
        self.part(at).read().find(at.0, |(other, _)| other.borrow() == key).map(|(_, value)| of(value))
    }

    /// Changes the value of a key, or puts a new one there, with the key: lent or given, as it is.
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

    /// Takes a key out, if its value is such.
    pub(super) fn remove_if(&self, at: Place, key: &K, is_such: impl FnOnce(&mut T) -> bool) {
        if let Ok(mut there) = self.part(at).write().find_entry(at.0, |(other, _)| other == key)
            && is_such(&mut there.get_mut().1)
        {
            there.remove();
        }
    }

    /// How many keys there are: of each part at another moment.
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.read().len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.read().is_empty())
    }

    /// All of it, each part at another moment.
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
