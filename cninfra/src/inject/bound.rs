//! A field with `#[provides(..)]`: the plugin's own slot, and one for the interface.

use super::{
    key::{Accepts, Interface},
    part::{Creation, Part, Provider, Wire},
    slot::{Get, Slot},
    trie::{Down, Entry, Here, In, Prefix, Root, Union},
};
use crate::{Context, Dep};
use std::{marker::PhantomData, sync::Arc};

/// A field of type `T`, bound to the interface `I`.
pub struct Bound<T, I: ?Sized> {
    pub field: T,
    interface: PhantomData<fn() -> PhantomData<I>>,
}
pub struct BoundSlots<T: Part, I: ?Sized> {
    field: T::Slots,
    bound: Slot<I>,
}

impl<T: Part, I: ?Sized> Default for BoundSlots<T, I> {
    fn default() -> Self {
        BoundSlots { field: Default::default(), bound: Slot::default() }
    }
}
#[diagnostic::do_not_recommend]
impl<T: Part, I: Interface + Send + Sync + ?Sized> Part for Bound<T, I> {
    type Slots = BoundSlots<T, I>;
    type Trie<Pre: Prefix> = Union<T::Trie<Down<Pre, 0>>, Entry<I, I::Bound<Pre::Then<Here>>>>;
    type Places<R: Root> = T::Places<R>;
    const LEN: usize = T::LEN;
}
impl<S, V, T: Wire<S, V>, I: Interface + Send + Sync + ?Sized> Wire<S, V> for Bound<T, I> {
    fn create<'a>(index: usize, root: &'a S, mine: &'a Self::Slots, cx: &Context) -> Creation<'a> {
        T::create(index, root, &mine.field, cx)
    }
    fn handles(root: &S, mine: &Self::Slots) -> Self {
        Bound { field: T::handles(root, &mine.field), interface: PhantomData }
    }
}
impl<T: Part<Slots: Get<P, X>>, I: ?Sized, P, X: ?Sized> Get<In<0, P>, X> for BoundSlots<T, I> {
    fn get(&self) -> &X {
        self.field.get()
    }
}
impl<T: Provider, I: Accepts<T::Plugin> + ?Sized> Get<Here, Slot<I>> for BoundSlots<T, I> {
    fn get(&self) -> &Slot<I> {
        if self.bound.get().is_none()
            && let Some(plugin) = T::plugin(&self.field)
        {
            self.bound.set(Dep(I::accept(plugin)));
        }
        &self.bound
    }
}

/// The plugin's own field is inside all its bindings.
impl<T: Provider, I: Interface + Send + Sync + ?Sized> Provider for Bound<T, I> {
    type Plugin = T::Plugin;
    fn plugin(slots: &Self::Slots) -> Option<Arc<T::Plugin>> {
        T::plugin(&slots.field)
    }
}
