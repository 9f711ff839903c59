//! Finds a plugin or an interface of a running flavor by its type.

use super::{
    deps::Inject,
    flavor::{ByItself, Held, Wired},
    key::Key,
    trie::{Find, RootOf},
};
use crate::Dep;

/// Finds `K` in the flavor `F`. As with [`Runs`](super::flavor::Runs), it is implemented for another type than `K`:
/// rustc would also show where a struct is defined.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "CN006: `{K}` is neither a plugin nor an interface",
    label = "a plugin is a struct with `#[plugin]`, an interface is `dyn Trait` of a trait with `#[interface]`; both are written without `Dep` here"
)]
pub trait Finds<F, K: ?Sized> {
    fn find(held: &dyn Held<F>) -> Option<Dep<K>>;
}
#[diagnostic::do_not_recommend]
impl<F: Wired, K: Key + ?Sized> Finds<F, K> for ByItself<F>
where
    Option<Dep<K>>: Inject<F::Slots, Find<RootOf<F>, K>>,
{
    fn find(held: &dyn Held<F>) -> Option<Dep<K>> {
        <Option<Dep<K>> as Inject<F::Slots, Find<RootOf<F>, K>>>::inject(held.slots())
    }
}
