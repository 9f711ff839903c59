//! A field of a plugin asks for an interface; what provides it is said in the flavor. rustc would say that a `derive`
//! is missing.

use cninfra::prelude::*;

#[interface]
trait Store {
    fn get(&self) -> u32;
}

#[plugin]
/// Attributes that are no macros change nothing.
#[must_use]
struct Api {
    #[provides(dyn Store)] //~ CN010
    store: Dep<dyn Store>,
}

#[plugin]
struct Generic<T> {
    #[provides(dyn Store)] //~ CN010
    store: Dep<dyn Store>,
    of: std::marker::PhantomData<T>,
}
impl<T: Key> Lifecycle for Generic<T> {}

#[plugin]
struct WithConditions {
    #[provides(dyn Store)] //~ CN010
    store: Dep<dyn Store>,
    /// What is disabled may have any attribute.
    #[cfg(any())]
    #[provides(dyn Store)]
    other: Dep<dyn Store>,
}
