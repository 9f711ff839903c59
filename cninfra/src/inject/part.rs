//! The parts of a flavor, which are its fields, and the impls for a plugin's field.

use super::{
    deps::{DepSet, Inject},
    flavor::Nested,
    plugin::Plugin,
    running::Running,
    slot::Slot,
    trie::{Entry, Found, Here, Prefix, Root, Trie},
};
use crate::{BoxFuture, Context, Dep, Result, graph::Item};
use std::{future::Future, sync::Arc};

/// A field of a flavor: `Dep<Plugin>`, `Option<Dep<Plugin>>`, or another flavor.
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<Plugin>`, of an optional plugin `Option<Dep<Plugin>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
// Without `Send` and `Sync`: these are required of the plugins, and would be reported again for each flavor with a
// plugin that lacks them.
pub trait Part: Sized + 'static {
    /// Where the agent keeps the plugins of this part while it starts.
    #[doc(hidden)]
    type Slots: Default + Send + Sync + 'static;
    /// All entries of this part, by key.
    #[doc(hidden)]
    type Trie<Pre: Prefix>: Trie + ?Sized;
    /// Where the root `R` holds each dependency of each plugin in this part.
    #[doc(hidden)]
    type Places<R: Root>;
    /// The number of plugins in this part. Those of a shared flavor count each time.
    #[doc(hidden)]
    const LEN: usize;
}

/// A part wired to the root's slots `S`, with all places known: nothing is looked up after type checking.
pub trait Wire<S, Places>: Part {
    fn create<'a>(index: usize, root: &'a S, mine: &'a Self::Slots, cx: &Context) -> Creation<'a>;
    fn handles(root: &S, mine: &Self::Slots) -> Self;
}

/// A plugin that is being created. The result is its lifecycle, if it has one.
pub enum Creation<'a> {
    Now(Result<Made>),
    Later(BoxFuture<'a, Result<Made>>),
}
pub type Made = Option<Arc<dyn Running>>;

#[diagnostic::do_not_recommend]
impl<P: Plugin<Deps: DepSet> + Send + Sync> Part for Dep<P> {
    type Slots = Slot<P>;
    type Trie<Pre: Prefix> = Entry<P, Found<Pre::Then<Here>>>;
    type Places<R: Root> = <P::Deps as DepSet>::At<R>;
    const LEN: usize = 1;
}
impl<P: Plugin<Deps: DepSet + Inject<S, V>> + Send + Sync, S, V> Wire<S, V> for Dep<P> {
    fn create<'a>(_: usize, root: &'a S, mine: &'a Slot<P>, cx: &Context) -> Creation<'a> {
        P::create(mine, P::Deps::inject(root), cx)
    }
    fn handles(_: &S, mine: &Slot<P>) -> Self {
        mine.dep()
    }
}

// For a plugin that may be switched off, whose slot then stays empty.
#[diagnostic::do_not_recommend]
impl<P: Plugin<Deps: DepSet> + Send + Sync> Part for Option<Dep<P>> {
    type Slots = Slot<P>;
    type Trie<Pre: Prefix> = Entry<P, Found<Pre::Then<Here>>>;
    type Places<R: Root> = <P::Deps as DepSet>::At<R>;
    const LEN: usize = 1;
}
impl<P: Plugin<Deps: DepSet + Inject<S, V>> + Send + Sync, S, V> Wire<S, V> for Option<Dep<P>> {
    fn create<'a>(_: usize, root: &'a S, mine: &'a Slot<P>, cx: &Context) -> Creation<'a> {
        P::create(mine, P::Deps::inject(root), cx)
    }
    fn handles(_: &S, mine: &Slot<P>) -> Self {
        mine.get()
    }
}

/// Puts a plugin that was built from its fields into its slot.
pub fn created<P: Plugin>(slot: &Slot<P>, plugin: P) -> Creation<'_> {
    Creation::Now(Ok(put(slot, plugin)))
}

/// Puts a plugin with a `Create` impl into its slot when it is created.
pub fn creating<'a, P: Plugin + Send + Sync>(
    slot: &'a Slot<P>,
    plugin: impl Future<Output = Result<P>> + Send + 'a,
) -> Creation<'a> {
    Creation::Later(Box::pin(async move { Ok(put(slot, plugin.await?)) }))
}

fn put<P: Plugin>(slot: &Slot<P>, plugin: P) -> Made {
    let dep = Dep(Arc::new(plugin));
    let running = P::running(&dep);
    slot.set(dep);
    running
}

/// The declaration of a flavor's field, known from its type alone. Generated code requires it of the type itself, so
/// that an error reports nothing else.
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<Plugin>`, of an optional plugin `Option<Dep<Plugin>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
pub trait Declared {
    const ITEM: Item;
    /// The plugin that `#[provides(..)]` on the field is about.
    type Plugin;
    /// Cannot be determined for a flavor that contains itself.
    type Ends;
}
#[diagnostic::do_not_recommend]
impl<P: Plugin> Declared for Dep<P> {
    const ITEM: Item = Item::Plugin(P::PLUGIN);
    type Plugin = P;
    type Ends = ();
}
#[diagnostic::do_not_recommend]
impl<P: Plugin> Declared for Option<Dep<P>> {
    const ITEM: Item = Item::Optional(P::PLUGIN);
    type Plugin = P;
    type Ends = ();
}

#[diagnostic::do_not_recommend]
impl<F: Nested> Declared for F {
    const ITEM: Item = Item::Flavor(F::TREE);
    type Plugin = F;
    type Ends = F::Ends;
}

/// Like [`Declared`], but the compiler reports nothing if it does not know the type `E`, since the error has been
/// reported then.
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<Plugin>`, of an optional plugin `Option<Dep<Plugin>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
pub trait DeclaredIf<E> {
    const ITEM: Item;
}
#[diagnostic::do_not_recommend]
impl<T: Declared, E> DeclaredIf<E> for T {
    const ITEM: Item = T::ITEM;
}

/// Used by generated code to write a type as the argument of another one.
pub type Argument<T> = T;

/// Used by generated code for items that need no variant around them.
pub const fn declared(item: Item) -> Item {
    item
}

/// The plugin in the slots of a field.
pub trait Provider: Part {
    type Plugin;
    fn plugin(slots: &Self::Slots) -> Option<Arc<Self::Plugin>>;
}
#[diagnostic::do_not_recommend]
impl<P: Plugin<Deps: DepSet> + Send + Sync> Provider for Dep<P> {
    type Plugin = P;
    fn plugin(slot: &Slot<P>) -> Option<Arc<P>> {
        slot.get().map(|dep| dep.0)
    }
}
#[diagnostic::do_not_recommend]
impl<P: Plugin<Deps: DepSet> + Send + Sync> Provider for Option<Dep<P>> {
    type Plugin = P;
    fn plugin(slot: &Slot<P>) -> Option<Arc<P>> {
        slot.get().map(|dep| dep.0)
    }
}
