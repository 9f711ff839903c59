//! Replacement in tests: a plugin or an interface's provider is put into its slot before the start.

use super::{
    flavor::{ByItself, Held, Wired},
    key::Key,
    plugin::Plugin,
    slot::{Get, Slot},
    trie::{Find, Found, RootOf},
};
use crate::Dep;
use std::sync::Arc;

/// The slot of a replacement. It exists only for what the flavor contains.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN018: this flavor has no `{K}` to replace",
    label = "only a plugin of the flavor can be replaced, and `{K}` is not one"
)]
pub trait Seat<S, K: ?Sized> {
    fn seat(root: &S) -> &Slot<K>;
}
#[diagnostic::do_not_recommend]
impl<S: Get<P, Slot<K>>, P, K: ?Sized> Seat<S, K> for Found<P> {
    fn seat(root: &S) -> &Slot<K> {
        root.get()
    }
}

/// Where the flavor `F` holds `P`. As with [`Runs`](super::flavor::Runs), it is not implemented for the flavor itself,
/// so that nothing more is reported about a wrong one.
#[doc(hidden)]
pub trait Place<F, P> {
    /// The slots of the whole flavor.
    type Slots;
    /// A [`Seat`], if the flavor contains `P`.
    type At;
    fn slots(held: &dyn Held<F>) -> &Self::Slots;
}
#[diagnostic::do_not_recommend]
impl<F: Wired, P: Key> Place<F, P> for ByItself<F> {
    type Slots = F::Slots;
    type At = Find<RootOf<F>, P>;
    fn slots(held: &dyn Held<F>) -> &F::Slots {
        held.slots()
    }
}

/// The flavor `F` binds a plugin to the interface `K`. As with [`Runs`](super::flavor::Runs), this is not a trait of
/// the interface: for a struct, rustc would also show where it is defined.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN018: flavor `{F}` binds no plugin to `{K}` that could be replaced",
    label = "`bind::<dyn Trait>(..)` takes an interface from a `#[provides(..)]` of the flavor; use `with` to replace the providers of an `#[interface(many)]`"
)]
pub trait Binds<F, K: ?Sized> {
    /// The id of the interface.
    const ID: u64;
    fn seat(held: &dyn Held<F>) -> &Slot<K>;
}
#[diagnostic::do_not_recommend]
impl<F: Wired, K: Key + ?Sized> Binds<F, K> for ByItself<F>
where
    Find<RootOf<F>, K>: Seat<F::Slots, K>,
{
    const ID: u64 = K::META.id;
    fn seat(held: &dyn Held<F>) -> &Slot<K> {
        <Find<RootOf<F>, K> as Seat<F::Slots, K>>::seat(held.slots())
    }
}

/// `T` is a plugin or a handle of one; `As` says which, and is inferred. The trait is implemented for [`Replacement`]
/// rather than for the plugin, since rustc would also show where that is defined. `As` comes first: if the first
/// parameter were the type of an argument, rustc would also show the argument and the call, in two more lines.
#[diagnostic::on_unimplemented(
    message = "CN006: `{T}` is not a plugin",
    label = "add `#[plugin]` to its struct; use `bind` for a value that provides an interface"
)]
pub trait Instance<As, T> {
    /// The plugin.
    type Plugin;
    /// A handle of the plugin.
    #[doc(hidden)]
    fn dep(of: T) -> Dep<Self::Plugin>;
}
/// What [`Builder::with`](crate::agent::Builder::with) takes.
#[derive(Debug)]
pub struct Replacement;
/// The replacement is the plugin itself.
#[doc(hidden)]
#[derive(Debug)]
pub struct Itself;
#[diagnostic::do_not_recommend]
impl<P: Plugin> Instance<Itself, P> for Replacement {
    type Plugin = P;
    fn dep(of: P) -> Dep<P> {
        Dep(Arc::new(of))
    }
}
/// The replacement is a handle of the plugin.
#[doc(hidden)]
#[derive(Debug)]
pub struct Handle;
#[diagnostic::do_not_recommend]
impl<P> Instance<Handle, Dep<P>> for Replacement {
    type Plugin = P;
    fn dep(of: Dep<P>) -> Dep<P> {
        of
    }
}
// Applies to no type. If there were only one impl that could apply, the compiler would choose it before it knows that
// it does: it would treat `T` as a plugin even if it is none, and also report that the flavor has no such plugin.
#[diagnostic::do_not_recommend]
impl<T: Nothing> Instance<(), T> for Replacement {
    type Plugin = T;
    fn dep(of: T) -> Dep<T> {
        Dep(Arc::new(of))
    }
}
trait Nothing: Sized {}
