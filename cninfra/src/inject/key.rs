//! The identity of plugins, interfaces, qualifiers and flavors.

use super::trie::{Digits, Outcome};
use crate::graph::{Binding, DepMeta, KeyMeta, Need};
use std::sync::Arc;

/// A type with an identity in a graph: a plugin, an interface, a qualifier.
///
/// `#[plugin]`, `#[interface]` and `#[derive(Qualifier)]` implement it. (The public [`Key`](crate::Key) adds `Send` and
/// `Sync`, for bounds.)
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "a plugin is a struct with `#[plugin]`, which `{Self}` does not have",
    note = "there are three common causes: `#[plugin]` is missing on your own struct; or it is a flavor: depend on its plugins, one by one; or it should not be a plugin: hold the value itself, without `Dep`, and remove it from lists of dependencies (behind an alias, the type arguments may be wrong instead)"
)]
pub trait Key: 'static {
    /// Name, module and id.
    #[doc(hidden)]
    const META: &'static KeyMeta;
    /// The key as a dependency. These are constants of the library, so that generated code need not build them.
    #[doc(hidden)]
    const ONE: DepMeta = DepMeta { key: Self::META, need: Need::One };
    #[doc(hidden)]
    const OPTIONAL: DepMeta = DepMeta { key: Self::META, need: Need::Optional };
    /// This key's digits, then `Tail`: a generic plugin appends the digits of its parameters.
    #[doc(hidden)]
    type Digits<Tail: Digits + ?Sized>: Digits + ?Sized;
}

/// [`Key`], as generated code requires it of a type with parameters. It has a message of its own, since a parameter may
/// be what is wrong.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is neither a plugin nor an interface",
    label = "either the type itself or one of its type arguments is neither",
    note = "there are two common causes: a type argument is not a plugin, an interface or a type with `#[derive(Qualifier)]` (which must be `Send` and `Sync`); or `#[plugin]` is missing on the struct, or `#[interface]` on the trait"
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

/// [`Key`], as generated code requires it of a type with the name of a plain std type. It has a message of its own.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "hold a value without `Dep`, as a field of the plugin that needs it; a list of dependencies cannot contain it"
)]
pub trait ValueKey {
    const ONE: DepMeta;
    const OPTIONAL: DepMeta;
}

/// [`Key`], as generated code requires it of a type with the name of something that cninfra gives to plugins in another
/// way. It has a message of its own.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "if this is cninfra's type: a `Context` or `Logger` is a field with `#[context]`, without `Dep`, and a `Kv` is created from a `Dep<dyn KeyVal>`",
    note = "if this is your own struct: a plugin is a struct with `#[plugin]`, which `{Self}` does not have"
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
    note = "add `#[interface]` to the trait, and write `dyn Trait`"
)]
pub trait Interface: Key {
    /// Whether several plugins of one flavor may be bound to it.
    #[doc(hidden)]
    const MANY: bool;
    /// The interface as a dependency. Defined here as well, so that generated code can use the type itself.
    #[doc(hidden)]
    const ONE: DepMeta = DepMeta { key: Self::META, need: Need::One };
    #[doc(hidden)]
    const OPTIONAL: DepMeta = DepMeta { key: Self::META, need: Need::Optional };
    /// What a binding at `Path` adds to a flavor: `Found<Path>`, or `Many<One<Path>>`.
    #[doc(hidden)]
    type Bound<Path>: Outcome;
    /// The type of a field that depends on the interface depends on this constant.
    #[doc(hidden)]
    const ASKED: usize = 0;
    /// `Self`. Another type does not have it, so nothing more is reported about it.
    #[doc(hidden)]
    type Itself: ?Sized;
}

/// The types that may be bound to an interface: all that implement the trait. `#[interface]` implements it for each
/// trait, since a coercion can only be written for a concrete one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN011: `{P}` does not implement the interface that it should provide",
    label = "implement it for `{P}`, or remove this `#[provides]`"
)]
pub trait Accepts<P>: Interface {
    /// The binding in the graph.
    const BINDING: Binding = Binding { key: Self::META, many: Self::MANY };
    /// The coercion.
    fn accept(plugin: Arc<P>) -> Arc<Self>;
}

/// [`Accepts`], as generated code requires it for a field that is not written as a plugin's, so mostly a nested flavor.
/// It has a message of its own.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN011: `{P}` does not implement the interface that it should provide",
    label = "a flavor itself provides nothing: move this `#[provides]` into `{P}`, to the field of a plugin",
    note = "if `{P}` is a plugin, whose field has an alias as its type: implement the interface for it"
)]
pub trait AcceptsField<P> {
    const BINDING: Binding;
}
#[diagnostic::do_not_recommend]
impl<P, I: Accepts<P> + ?Sized> AcceptsField<P> for I {
    const BINDING: Binding = <I as Accepts<P>>::BINDING;
}

/// An interface that several plugins of one flavor may provide: `#[interface(many)]`.
#[diagnostic::on_unimplemented(
    message = "CN012: `{Self}` is not an interface that several plugins can provide",
    label = "`Vec<Dep<..>>` needs an interface with `#[interface(many)]`",
    note = "declare the trait with `#[interface(many)]`, or use `Dep<{Self}>` or `Option<Dep<{Self}>>`"
)]
pub trait ManyInterface: Interface {
    /// The interface as a dependency on all its providers. Defined here, so that generated code can use the type
    /// itself.
    #[doc(hidden)]
    const ALL: DepMeta = DepMeta { key: Self::META, need: Need::All };
    /// The type of a field that depends on all providers depends on this constant.
    #[doc(hidden)]
    const ASKED: usize = 0;
}
