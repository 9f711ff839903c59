//! Replacement in tests: a plugin or an interface's provider that is put in its slot before the start.

use super::{
    plugin::Plugin,
    slot::{Get, Slot},
    trie::Found,
};
use crate::Dep;
use std::sync::Arc;

/// Where a replacement goes: found for what the flavor holds, and for nothing else.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN018: this flavor has no `{K}` to replace",
    label = "not in the flavor",
    note = "`with` takes a plugin that is a field of the flavor or of a nested one; `bind` an interface that one of them provides"
)]
pub trait Seat<S, K: ?Sized> {
    fn seat(root: &S) -> &Slot<K>;
}
impl<S: Get<P, Slot<K>>, P, K: ?Sized> Seat<S, K> for Found<P> {
    fn seat(root: &S) -> &Slot<K> {
        root.get()
    }
}

/// A plugin, or a handle of one.
pub trait Instance {
    /// The plugin.
    type Plugin;
    /// Its handle.
    #[doc(hidden)]
    fn dep(self) -> Dep<Self::Plugin>;
}
impl<P: Plugin> Instance for P {
    type Plugin = P;
    fn dep(self) -> Dep<P> {
        Dep(Arc::new(self))
    }
}
impl<P> Instance for Dep<P> {
    type Plugin = P;
    fn dep(self) -> Dep<P> {
        self
    }
}
