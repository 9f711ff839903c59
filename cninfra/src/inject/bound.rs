//! A field with `#[provides(..)]`: the plugin's own slot, and one for the interface.

use super::{
    deps::DepSet,
    key::Interface,
    part::{Creation, Part, Provider, Wire},
    plugin::Plugin,
    slot::{Get, Slot},
    trie::{Down, Entry, Here, In, Prefix, Root, Union},
};
use crate::{Context, Dep, graph::Item};
use std::{marker::PhantomData, sync::Arc};

/// The `N`-th binding of the flavor `F`, to the interface `I`, on a field of type `T`.
pub struct Bound<T, I: ?Sized, F, const N: usize> {
    pub field: T,
    of: PhantomData<fn() -> F>,
    interface: PhantomData<fn() -> PhantomData<I>>,
}
pub struct BoundSlots<T: Part, I: ?Sized, F, const N: usize> {
    field: T::Slots,
    bound: Slot<I>,
    of: PhantomData<fn() -> F>,
}

/// How the plugin of a binding becomes its interface: a coercion that only the flavor's own code can write.
pub trait Coerce<I: ?Sized, const N: usize> {
    type Field: Provider;
    fn coerce(plugin: Arc<<Self::Field as Provider>::Plugin>) -> Arc<I>;
}

impl<T: Part, I: ?Sized, F, const N: usize> Default for BoundSlots<T, I, F, N> {
    fn default() -> Self {
        BoundSlots { field: Default::default(), bound: Slot::default(), of: PhantomData }
    }
}
#[diagnostic::do_not_recommend]
impl<T: Part, I: Interface + Send + Sync + ?Sized, F: 'static, const N: usize> Part for Bound<T, I, F, N> {
    type Slots = BoundSlots<T, I, F, N>;
    type Trie<Pre: Prefix> = Union<T::Trie<Down<Pre, 0>>, Entry<I, I::Bound<Pre::Then<Here>>>>;
    type Places<R: Root> = T::Places<R>;
    const ITEM: Item = T::ITEM;
    const LEN: usize = T::LEN;
}
impl<S, V, T: Wire<S, V>, I: Interface + Send + Sync + ?Sized, F: 'static, const N: usize> Wire<S, V>
    for Bound<T, I, F, N>
{
    fn create<'a>(index: usize, root: &'a S, mine: &'a Self::Slots, cx: &Context) -> Creation<'a> {
        T::create(index, root, &mine.field, cx)
    }
    fn handles(root: &S, mine: &Self::Slots) -> Self {
        Bound { field: T::handles(root, &mine.field), of: PhantomData, interface: PhantomData }
    }
}
impl<T: Part<Slots: Get<P, X>>, I: ?Sized, F, const N: usize, P, X: ?Sized> Get<In<0, P>, X>
    for BoundSlots<T, I, F, N>
{
    fn get(&self) -> &X {
        self.field.get()
    }
}
impl<T: HasProvider<Provider = F::Field>, I: ?Sized, F: Coerce<I, N>, const N: usize> Get<Here, Slot<I>>
    for BoundSlots<T, I, F, N>
{
    fn get(&self) -> &Slot<I> {
        if self.bound.get().is_none()
            && let Some(plugin) = F::Field::plugin(T::provider(&self.field))
        {
            self.bound.set(Dep(F::coerce(plugin)));
        }
        &self.bound
    }
}

/// The plugin's field, below all its bindings.
pub trait HasProvider: Part {
    type Provider: Provider;
    fn provider(slots: &Self::Slots) -> &<Self::Provider as Part>::Slots;
}
impl<P: Plugin<Deps: DepSet>> HasProvider for Dep<P> {
    type Provider = Self;
    fn provider(slots: &Slot<P>) -> &Slot<P> {
        slots
    }
}
impl<P: Plugin<Deps: DepSet>> HasProvider for Option<Dep<P>> {
    type Provider = Self;
    fn provider(slots: &Slot<P>) -> &Slot<P> {
        slots
    }
}
impl<T: HasProvider, I: Interface + Send + Sync + ?Sized, F: 'static, const N: usize> HasProvider
    for Bound<T, I, F, N>
{
    type Provider = T::Provider;
    fn provider(slots: &Self::Slots) -> &<T::Provider as Part>::Slots {
        T::provider(&slots.field)
    }
}
