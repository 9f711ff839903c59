//! Identity.

use super::trie::{Digits, Outcome};
use crate::graph::{Binding, DepMeta, KeyMeta, Need};
use std::sync::Arc;

/// A type with an identity in a graph: a plugin, an interface, a qualifier.
///
/// `#[plugin]`, `#[interface]` and `#[derive(Qualifier)]` implement it. (The public [`Key`](crate::Key) adds `Send` and
/// `Sync`, for bounds.)
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "a plugin is a struct with `#[plugin]`, and `{Self}` has none",
    note = "three reasons are usual: `#[plugin]` was forgotten on a struct of your own; or it is a flavor: ask for its plugins, one by one; or it is to be no plugin at all: then hold the value itself, without `Dep`, and take it out of lists of dependencies (behind an alias, the parameters may be what is wrong)"
)]
pub trait Key: 'static {
    /// Name, module and id.
    #[doc(hidden)]
    const META: &'static KeyMeta;
    /// As a dependency. (Constants of the library, so that generated code need not build them.)
    #[doc(hidden)]
    const ONE: DepMeta = DepMeta { key: Self::META, need: Need::One };
    #[doc(hidden)]
    const OPTIONAL: DepMeta = DepMeta { key: Self::META, need: Need::Optional };
    /// This key's digits, then `Tail`: a generic plugin appends the digits of its parameters.
    #[doc(hidden)]
    type Digits<Tail: Digits + ?Sized>: Digits + ?Sized;
}

/// [`Key`], as generated code asks for it of what has parameters: for the words, since one of these may be what is wrong.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is neither a plugin nor an interface",
    label = "it is none itself, or what stands for its parameter is none",
    note = "two reasons are usual: what stands for a parameter is no plugin, no interface and no type with `#[derive(Qualifier)]` (all are `Send` and `Sync`); or `#[plugin]` was forgotten on the struct, `#[interface]` on the trait"
)]
pub trait GenericKey {
    const META: &'static KeyMeta;
    const ONE: DepMeta;
    const OPTIONAL: DepMeta;
}
#[diagnostic::do_not_recommend]
impl<K: Key + ?Sized> GenericKey for K {
    const META: &'static KeyMeta = K::META;
    const ONE: DepMeta = K::ONE;
    const OPTIONAL: DepMeta = K::OPTIONAL;
}

/// [`Key`], as generated code asks for it of what is called as a plain type of std is: for the words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "a value is held without `Dep`, as a field of the plugin that needs it, and stands in no list of dependencies"
)]
pub trait ValueKey {
    const ONE: DepMeta;
    const OPTIONAL: DepMeta;
}

/// [`Key`], as generated code asks for it of what is called as what cninfra gives to plugins in another way: for the words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "if it is cninfra's: a `Context` or `Logger` is a field with `#[context]`, without `Dep`, and a `Kv` is made of a `Dep<dyn KeyVal>`",
    note = "if it is a struct of your own: a plugin is one with `#[plugin]`, and `{Self}` has none"
)]
pub trait GivenKey {
    const ONE: DepMeta;
    const OPTIONAL: DepMeta;
}

macro_rules! as_key {
    ($($asked:ident)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<K: Key + ?Sized> $asked for K {
            const ONE: DepMeta = K::ONE;
            const OPTIONAL: DepMeta = K::OPTIONAL;
        }
    )*};
}
as_key!(GivenKey ValueKey);

/// An interface: `dyn Trait` of a trait with `#[interface]`.
#[diagnostic::on_unimplemented(
    message = "CN015: `{Self}` is not an interface",
    label = "not an interface",
    note = "put `#[interface]` on the trait, and write `dyn Trait`"
)]
pub trait Interface: Key {
    /// May several plugins of one flavor be bound to it?
    #[doc(hidden)]
    const MANY: bool;
    /// As a dependency. (Here too, so that generated code can ask the type itself.)
    #[doc(hidden)]
    const ONE: DepMeta = DepMeta { key: Self::META, need: Need::One };
    #[doc(hidden)]
    const OPTIONAL: DepMeta = DepMeta { key: Self::META, need: Need::Optional };
    /// What a binding at `Path` adds to a flavor: `Found<Path>`, or `Many<One<Path>>`.
    #[doc(hidden)]
    type Bound<Path>: Outcome;
    /// On what a field's type depends that asks for the interface.
    #[doc(hidden)]
    const ASKED: usize = 0;
    /// `Self`. (What is not an interface has none: so no more is said of it than that.)
    #[doc(hidden)]
    type Itself: ?Sized;
}

/// What may stand behind an interface: every type that implements the trait. `#[interface]` says so for the trait, since a
/// coercion can be written for a concrete one only.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN011: `{P}` does not implement the interface that it is to provide",
    label = "implement it for `{P}`, or take this `#[provides]` away"
)]
pub trait Accepts<P>: Interface {
    /// For the graph.
    const BINDING: Binding = Binding { key: Self::META, many: Self::MANY };
    /// The coercion.
    fn accept(plugin: Arc<P>) -> Arc<Self>;
}

/// An interface that several plugins of one flavor may provide: `#[interface(many)]`.
#[diagnostic::on_unimplemented(
    message = "CN012: `{Self}` is no interface that several plugins may provide",
    label = "`Vec<Dep<..>>` needs an interface with `#[interface(many)]`",
    note = "declare the trait with `#[interface(many)]`, or take `Dep<{Self}>` or `Option<Dep<{Self}>>`"
)]
pub trait ManyInterface: Interface {
    /// The interface as a dependency. (Here, so that generated code can ask the type itself.)
    #[doc(hidden)]
    const ALL: DepMeta = DepMeta { key: Self::META, need: Need::All };
    /// On what a field's type depends that asks for all.
    #[doc(hidden)]
    const ASKED: usize = 0;
}
