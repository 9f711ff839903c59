//! Identity.

use super::trie::{Digits, Outcome};
use crate::graph::KeyMeta;

/// What has an identity in a graph: a plugin, an interface, a qualifier, a flavor.
///
/// It is implemented by `#[plugin]`, `#[interface]`, `#[derive(Qualifier)]` and `#[derive(Flavor)]`. As a bound it is
/// needed by impls for generic plugins: `impl<R: Role + Key> Lifecycle for Etcd<R>`.
#[diagnostic::on_unimplemented(
    message = "CN006: `{Self}` is not a plugin",
    label = "neither a plugin nor an interface",
    note = "put `#[plugin]` on the struct, `#[interface]` on the trait, or `#[derive(Qualifier)]` on a type that only names an instance"
)]
pub trait Key: 'static {
    /// Name, module and id.
    #[doc(hidden)]
    const META: &'static KeyMeta;
    /// This key's digits, then `Tail`: a generic plugin appends the digits of its parameters.
    #[doc(hidden)]
    type Digits<Tail: Digits + ?Sized>: Digits + ?Sized;
}

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
    /// What a binding at `Path` adds to a flavor: `Found<Path>`, or `Many<One<Path>>`.
    #[doc(hidden)]
    type Bound<Path>: Outcome;
}

/// An interface that several plugins of one flavor may provide: `#[interface(many)]`.
#[diagnostic::on_unimplemented(
    message = "CN012: `{Self}` is bound to one plugin at most",
    label = "`Vec<Dep<..>>` needs an interface with `#[interface(many)]`",
    note = "take `Dep<{Self}>` or `Option<Dep<{Self}>>`, or declare the trait with `#[interface(many)]`"
)]
pub trait ManyInterface: Interface {
    /// The interface as a dependency. (Here, so that generated code can ask the type itself.)
    #[doc(hidden)]
    const ALL: crate::graph::DepMeta = crate::graph::DepMeta { key: Self::META, need: crate::graph::Need::All };
}
