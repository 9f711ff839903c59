//! The dependencies of a plugin: handles, optional handles, collections, and sets of these.

use super::{
    key::{Key, ManyInterface},
    slot::{Get, Slot},
    trie::{Both, Find, Found, Many, Missing, One, Root},
};
use crate::{
    Dep,
    graph::{DepMeta, Need},
};

/// One dependency: `Dep<P>`, `Option<Dep<P>>`, or `Vec<Dep<dyn Many>>`.
#[diagnostic::on_unimplemented(
    message = "CN010: `{Self}` cannot be injected",
    label = "not a dependency",
    note = "a dependency is `Dep<Plugin>`, `Dep<dyn Interface>`, `Option<Dep<..>>` or, for an `#[interface(many)]`, `Vec<Dep<dyn Interface>>`"
)]
pub trait DepItem {
    /// The dependency in the graph.
    #[doc(hidden)]
    const META: DepMeta;
    /// Where the root `R` holds it.
    #[doc(hidden)]
    type At<R: Root>;
}
#[diagnostic::do_not_recommend]
impl<K: Key + ?Sized> DepItem for Dep<K> {
    const META: DepMeta = DepMeta { key: K::META, need: Need::One };
    type At<R: Root> = Find<R, K>;
}
#[diagnostic::do_not_recommend]
impl<K: Key + ?Sized> DepItem for Option<Dep<K>> {
    const META: DepMeta = DepMeta { key: K::META, need: Need::Optional };
    type At<R: Root> = Find<R, K>;
}
#[diagnostic::do_not_recommend]
impl<K: ManyInterface + ?Sized> DepItem for Vec<Dep<K>> {
    const META: DepMeta = K::ALL;
    type At<R: Root> = Find<R, K>;
}

/// A dependency whose type is named like one of std's. Generated code requires this where it recognises a field by that
/// name, since another type may have the same one.
#[diagnostic::on_unimplemented(
    message = "CN010: `{Self}` cannot be injected",
    label = "not the type of the standard library",
    note = "a dependency is `Dep<Plugin>`, `Dep<dyn Interface>`, `Option<Dep<..>>` or, for an `#[interface(many)]`, `Vec<Dep<dyn Interface>>`; use `#[default(..)]` for any other field of a plugin"
)]
pub trait Worded {
    type Is;
}
#[diagnostic::do_not_recommend]
impl<K: ?Sized> Worded for Option<Dep<K>> {
    type Is = ();
}
#[diagnostic::do_not_recommend]
impl<K: ?Sized> Worded for Vec<Dep<K>> {
    type Is = ();
}

/// A set of dependencies: a tuple, or a struct with `#[derive(Deps)]`.
pub trait DepSet: Sized + Send {
    /// The dependencies in the graph.
    #[doc(hidden)]
    const DEPS: &'static [DepMeta];
    /// Where the root `R` holds each of them.
    #[doc(hidden)]
    type At<R: Root>;
}

/// Implemented by `#[derive(Deps)]` for a struct. It has no bound, as in [`Nested`](super::flavor::Nested), so that a
/// wrong field is reported once, where it is written.
#[diagnostic::on_unimplemented(
    message = "CN010: `{Self}` is not a set of dependencies",
    label = "neither a tuple nor a struct with `#[derive(Deps)]`",
    note = "add `#[derive(Deps)]` to the struct, or list what the plugin needs: `deps = (A, dyn B, Option<C>)`"
)]
pub trait Listed {
    type Tuple;
    const DEPS: &'static [DepMeta];
    // An unsized set is reported as such, and not also as no set of dependencies.
    fn build(tuple: Self::Tuple) -> Self
    where
        Self: Sized;
}
#[diagnostic::do_not_recommend]
impl<T: Listed<Tuple: DepSet> + Send> DepSet for T {
    const DEPS: &'static [DepMeta] = <T as Listed>::DEPS;
    type At<R: Root> = <T::Tuple as DepSet>::At<R>;
}
impl<S, V, T: Listed<Tuple: Inject<S, V>>> Inject<S, V> for T {
    fn inject(root: &S) -> Self {
        T::build(T::Tuple::inject(root))
    }
}

/// Takes dependencies from the root's slots `S`, at the places `V`.
pub trait Inject<S, V>: Sized {
    fn inject(root: &S) -> Self;
}
impl<S: Get<P, Slot<K>>, P, K: ?Sized> Inject<S, Found<P>> for Dep<K> {
    fn inject(root: &S) -> Self {
        root.get().dep()
    }
}
impl<S: Get<P, Slot<K>>, P, K: ?Sized> Inject<S, Found<P>> for Option<Dep<K>> {
    fn inject(root: &S) -> Self {
        root.get().get()
    }
}
impl<S, K: ?Sized> Inject<S, Missing> for Option<Dep<K>> {
    fn inject(_: &S) -> Self {
        None
    }
}
impl<S, K: ?Sized> Inject<S, Missing> for Vec<Dep<K>> {
    fn inject(_: &S) -> Self {
        Vec::new()
    }
}
impl<S, L: Collect<S, K>, K: ?Sized> Inject<S, Many<L>> for Vec<Dep<K>> {
    fn inject(root: &S) -> Self {
        let mut all = Vec::new();
        L::collect(root, &mut all);
        all
    }
}
/// A dependency on one provider of a collection: the graph has checked that there is exactly one.
impl<S, L: Collect<S, K>, K: ?Sized> Inject<S, Many<L>> for Dep<K> {
    fn inject(root: &S) -> Self {
        match <Option<Dep<K>> as Inject<S, Many<L>>>::inject(root) {
            Some(dep) => dep,
            None => unreachable!("cninfra: the graph has checked that it is there"),
        }
    }
}
impl<S, L: Collect<S, K>, K: ?Sized> Inject<S, Many<L>> for Option<Dep<K>> {
    fn inject(root: &S) -> Self {
        let mut all = Vec::new();
        L::collect(root, &mut all);
        all.pop()
    }
}
/// Never runs, since the graph's check fails first. This impl makes that check's error the only one.
impl<S, K: ?Sized> Inject<S, Missing> for Dep<K> {
    fn inject(_: &S) -> Self {
        unreachable!("cninfra: the graph has checked that it is there")
    }
}

/// Collects the providers in declaration order. There are no repeats, since the slots of a shared flavor are filled
/// only once, at its first place.
pub trait Collect<S, K: ?Sized> {
    fn collect(root: &S, all: &mut Vec<Dep<K>>);
}
impl<S: Get<P, Slot<K>>, P, K: ?Sized> Collect<S, K> for One<P> {
    fn collect(root: &S, all: &mut Vec<Dep<K>>) {
        all.extend(root.get().get());
    }
}
impl<S, K: ?Sized, A: Collect<S, K>, B: Collect<S, K>> Collect<S, K> for Both<A, B> {
    fn collect(root: &S, all: &mut Vec<Dep<K>>) {
        A::collect(root, all);
        B::collect(root, all);
    }
}

macro_rules! tuples {
    ($($t:ident $v:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<$($t: DepItem + Send),*> DepSet for ($($t,)*) {
            const DEPS: &'static [DepMeta] = &[$($t::META),*];
            type At<R0: Root> = ($($t::At<R0>,)*);
        }
        #[allow(unused_variables, clippy::unused_unit, reason = "the empty tuple")]
        impl<Slots, $($v, $t: Inject<Slots, $v>),*> Inject<Slots, ($($v,)*)> for ($($t,)*) {
            fn inject(root: &Slots) -> Self {
                ($($t::inject(root),)*)
            }
        }
    };
}
tuples!();
tuples!(A Va);
tuples!(A Va B Vb);
tuples!(A Va B Vb C Vc);
tuples!(A Va B Vb C Vc D Vd);
tuples!(A Va B Vb C Vc D Vd E Ve);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf G Vg);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf G Vg H Vh);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf G Vg H Vh I Vi);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf G Vg H Vh I Vi J Vj);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf G Vg H Vh I Vi J Vj K Vk);
tuples!(A Va B Vb C Vc D Vd E Ve F Vf G Vg H Vh I Vi J Vj K Vk L Vl);

/// More than twelve dependencies, as a list of tuples.
pub struct More<A, B>(pub A, pub B);
#[diagnostic::do_not_recommend]
impl<A: DepSet, B: DepSet> DepSet for More<A, B> {
    // The attribute lists them in `Plugin::PLUGIN`.
    const DEPS: &'static [DepMeta] = &[];
    type At<R: Root> = (A::At<R>, B::At<R>);
}
impl<S, V, W, A: Inject<S, V>, B: Inject<S, W>> Inject<S, (V, W)> for More<A, B> {
    fn inject(root: &S) -> Self {
        More(A::inject(root), B::inject(root))
    }
}
