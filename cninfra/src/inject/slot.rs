//! Where an agent keeps a plugin while it starts.

use crate::Dep;
use std::sync::OnceLock;

/// Something that is found at `Path` in `Self`: a slot, or the slots of a nested flavor.
pub trait Get<Path, X: ?Sized> {
    fn get(&self) -> &X;
}

/// The place of one plugin, or of one interface.
pub struct Slot<K: ?Sized>(OnceLock<Dep<K>>);

impl<K: ?Sized> Default for Slot<K> {
    fn default() -> Self {
        Slot(OnceLock::new())
    }
}

impl<K: ?Sized> Slot<K> {
    /// `None` before the plugin is created, and for one that is switched off.
    pub fn get(&self) -> Option<&Dep<K>> {
        self.0.get()
    }

    /// The first value stays.
    pub fn set(&self, dep: Dep<K>) {
        let _ = self.0.set(dep);
    }

    /// For a plugin that the graph says is there: levels start after the levels below them.
    pub fn dep(&self) -> Dep<K> {
        match self.0.get() {
            Some(dep) => dep.clone(),
            None => unreachable!("cninfra: a level starts after the levels below it"),
        }
    }
}

impl<K: ?Sized> Get<super::trie::Here, Slot<K>> for Slot<K> {
    fn get(&self) -> &Slot<K> {
        self
    }
}
