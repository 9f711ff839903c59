//! What the field of a flavor can be, and a plugin's field.

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
// (not `Send` and `Sync`: these are asked of the plugins, and would be told of again for each flavor that holds one that is not)
pub trait Part: Sized + 'static {
    /// Where the agent keeps what is below, while it starts.
    #[doc(hidden)]
    type Slots: Default + Send + Sync + 'static;
    /// Everything below, by key.
    #[doc(hidden)]
    type Trie<Pre: Prefix>: Trie + ?Sized;
    /// Where the root `R` holds each dependency of each plugin below.
    #[doc(hidden)]
    type Places<R: Root>;
    /// Number of plugins below, those of a shared flavor counted each time.
    #[doc(hidden)]
    const LEN: usize;
}

/// A part wired to the root's slots `S`, with every place known: nothing is searched after type checking.
pub trait Wire<S, Places>: Part {
    fn create<'a>(index: usize, root: &'a S, mine: &'a Self::Slots, cx: &Context) -> Creation<'a>;
    fn handles(root: &S, mine: &Self::Slots) -> Self;
}

/// A plugin on its way: what is left of it is its lifecycle, if it has one.
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

// A plugin that may be switched off: its slot stays empty then.
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

/// A plugin whose fields are filled in goes into its slot.
pub fn created<P: Plugin>(slot: &Slot<P>, plugin: P) -> Creation<'_> {
    Creation::Now(Ok(put(slot, plugin)))
}

/// A plugin that builds itself goes into its slot when it is done.
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

/// What a field of a flavor declares, known from its type alone: asked by generated code, on the type itself, so that a
/// message has no more to tell than this.
#[diagnostic::on_unimplemented(
    message = "CN007: `{Self}` cannot be a field of a flavor",
    label = "neither `Dep<Plugin>` nor a flavor",
    note = "the field of a plugin is `Dep<Plugin>`, of an optional plugin `Option<Dep<Plugin>>`; a nested flavor needs `#[derive(Flavor)]`, and each of its type arguments must be a plugin or an interface, or have `#[derive(Qualifier)]`"
)]
pub trait Declared {
    const ITEM: Item;
    /// What `#[provides(..)]` on the field speaks of.
    type Plugin;
    /// Can not be known of a flavor that contains itself.
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

/// [`Declared`], where the compiler speaks of nothing if it does not know the type `E`: what is wrong has been told.
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

/// As it stands: in generated code, a type as the argument of another.
pub type Argument<T> = T;

/// As it stands: in generated code, a function for the items that need no variant around them.
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
