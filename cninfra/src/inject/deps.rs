//! What a plugin asks for: handles, optional handles, collections, and sets of them.

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
    /// For the graph.
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

/// A dependency whose words are std's: generated code asks where a field is known by them, since another type may be
/// called so.
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
    /// For the graph.
    #[doc(hidden)]
    const DEPS: &'static [DepMeta];
    /// Where the root `R` holds each.
    #[doc(hidden)]
    type At<R: Root>;
}

/// What `#[derive(Deps)]` says of a struct. (As with [`Nested`](super::flavor::Nested): no bound, so that a wrong field
/// is reported once, where it stands.)
#[diagnostic::on_unimplemented(
    message = "CN010: `{Self}` is not a set of dependencies",
    label = "neither a tuple nor a struct with `#[derive(Deps)]`",
    note = "add `#[derive(Deps)]` to the struct, or list what the plugin needs: `deps = (A, dyn B, Option<C>)`"
)]
pub trait Listed {
    type Tuple;
    const DEPS: &'static [DepMeta];
    // (A set that has no size is told of as such, and is one all the same.)
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
/// One of several: the graph has checked that there is just one.
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
/// Never runs, since the graph's check fails first. It is there so that the check's error is the only one.
impl<S, K: ?Sized> Inject<S, Missing> for Dep<K> {
    fn inject(_: &S) -> Self {
        unreachable!("cninfra: the graph has checked that it is there")
    }
}

/// A collection, in declaration order. A shared flavor's slots are filled once, at its first place: no repeats.
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

/// More than twelve: a list of tuples.
pub struct More<A, B>(pub A, pub B);
#[diagnostic::do_not_recommend]
impl<A: DepSet, B: DepSet> DepSet for More<A, B> {
    // the attribute lists them in `Plugin::PLUGIN`
    const DEPS: &'static [DepMeta] = &[];
    type At<R: Root> = (A::At<R>, B::At<R>);
}
impl<S, V, W, A: Inject<S, V>, B: Inject<S, W>> Inject<S, (V, W)> for More<A, B> {
    fn inject(root: &S) -> Self {
        More(A::inject(root), B::inject(root))
    }
}
