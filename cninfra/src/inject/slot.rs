//! Where an agent keeps a plugin while it starts.

use crate::Dep;
use std::sync::{Arc, Mutex};

/// Something that is found at `Path` in `Self`: a slot, or the slots of a nested flavor.
pub trait Get<Path, X: ?Sized> {
    fn get(&self) -> &X;
}

/// The place of one plugin, or of one interface.
pub struct Slot<K: ?Sized>(Mutex<Option<Arc<K>>>);

impl<K: ?Sized> Default for Slot<K> {
    fn default() -> Self {
        Slot(Mutex::new(None))
    }
}

impl<K: ?Sized> Slot<K> {
    /// `None` before the plugin is created, and for one that is switched off.
    pub fn get(&self) -> Option<Dep<K>> {
        match self.0.lock() {
            Ok(slot) => match &*slot {
                Some(plugin) => Some(Dep(plugin.clone())),
                None => None,
            },
            Err(_) => None,
        }
    }

    /// The first value stays.
    pub fn set(&self, dep: Dep<K>) {
        if let Ok(mut slot) = self.0.lock() {
            if slot.is_none() {
                *slot = Some(dep.0);
            }
        }
    }

    /// For a plugin that the graph says is there: levels start after the levels below them.
    pub fn dep(&self) -> Dep<K> {
        match self.get() {
            Some(dep) => dep,
            None => unreachable!("cninfra: a level starts after the levels below it"),
        }
    }
}

impl<K: ?Sized> Get<super::trie::Here, Slot<K>> for Slot<K> {
    fn get(&self) -> &Slot<K> {
        self
    }
}
