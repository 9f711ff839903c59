//! [`Slot`]: where an agent keeps a plugin while it starts.

use crate::Dep;
use std::sync::{Arc, Mutex};

/// Finds a slot, or the slots of a nested flavor, at `Path` in `Self`.
pub trait Get<Path, X: ?Sized> {
    fn get(&self) -> &X;
}

/// The place of one plugin or one interface.
pub struct Slot<K: ?Sized>(Mutex<Option<Arc<K>>>);

impl<K: ?Sized> Default for Slot<K> {
    fn default() -> Self {
        Slot(Mutex::new(None))
    }
}

impl<K: ?Sized> Slot<K> {
    /// `None` before the plugin is created, and for one that is switched off.
    // The lock is used only in this type, around code that cannot panic, so it is never poisoned.
    pub fn get(&self) -> Option<Dep<K>> {
        Some(Dep(self.0.lock().ok()?.clone()?))
    }

    /// Sets the value. Further calls have no effect.
    pub fn set(&self, dep: Dep<K>) {
        if let Ok(mut slot) = self.0.lock()
            && slot.is_none()
        {
            *slot = Some(dep.0);
        }
    }

    /// For a plugin that the graph says exists: levels start after the levels below them.
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
