//! Type-level lookup.
//!
//! An id is a list of sixteen digits of two bits, each digit a type; a flavor's plugins form a 4-way trie over them.
//! (Wider nodes cost the compiler more: each projection on a node instantiates a bound for each of its children.) Walking it
//! yields [`Found`], [`Many`] or [`Missing`], whatever the key: a total function, which is what optional dependencies
//! and generic code need.
//!
//! The same digit types serve twice: ended by [`End`] they are a key, ended by [`Leaf`] they are a trie with one entry.

use super::{key::Key, part::Part};
use std::marker::PhantomData;

/// A list of digits: the rest of a key, and a trie with one branch.
pub trait Digits: Trie {
    /// What `T` knows about this key.
    type Get<T: Trie + ?Sized>: Outcome;
}

/// A set of keys, each with what is known about it.
pub trait Trie {
    type C0: Trie + ?Sized;
    type C1: Trie + ?Sized;
    type C2: Trie + ?Sized;
    type C3: Trie + ?Sized;
    type Value: Outcome;
    /// `Self` united with `O`; on a conflict `Self` wins.
    type Union<O: Trie + ?Sized>: Trie + ?Sized;
    /// `X` united with `Self`; on a conflict `X` wins.
    type Under<X: Trie + ?Sized>: Trie + ?Sized;
}

pub struct Nil;
pub struct Leaf<V>(PhantomData<V>);
pub struct End;
pub struct Branch<C0: ?Sized, C1: ?Sized, C2: ?Sized, C3: ?Sized>(
    PhantomData<C0>,
    PhantomData<C1>,
    PhantomData<C2>,
    PhantomData<C3>,
);

/// `type C0 = ..; .. type C3 = ..;`
macro_rules! children {
    ($a:ty, $b:ty, $c:ty, $d:ty) => {
        type C0 = $a;
        type C1 = $b;
        type C2 = $c;
        type C3 = $d;
    };
}

impl Trie for Nil {
    children!(Nil, Nil, Nil, Nil);
    type Value = Missing;
    type Union<O: Trie + ?Sized> = O;
    type Under<X: Trie + ?Sized> = X;
}
impl<V: Outcome> Trie for Leaf<V> {
    children!(Nil, Nil, Nil, Nil);
    type Value = V;
    type Union<O: Trie + ?Sized> = O::Under<Self>;
    type Under<X: Trie + ?Sized> = Leaf<<X::Value as Outcome>::Join<V>>;
}
impl<V: Outcome> Digits for Leaf<V> {
    type Get<T: Trie + ?Sized> = Missing;
}
impl Trie for End {
    children!(Nil, Nil, Nil, Nil);
    type Value = Missing;
    type Union<O: Trie + ?Sized> = O;
    type Under<X: Trie + ?Sized> = X;
}
impl Digits for End {
    type Get<T: Trie + ?Sized> = T::Value;
}

// Unions are written out, without `Self::C0` or a union with `Nil`: each projection costs.
macro_rules! digit {
    ($d:ident $c:ident; $($child:ty),*; $($under:ty),*) => {
        pub struct $d<T: ?Sized>(PhantomData<T>);
        impl<T: Digits + ?Sized> Digits for $d<T> {
            type Get<X: Trie + ?Sized> = T::Get<X::$c>;
        }
        impl<T: Digits + ?Sized> Trie for $d<T> {
            children!($($child),*);
            type Value = Missing;
            type Union<O: Trie + ?Sized> = O::Under<Self>;
            type Under<X: Trie + ?Sized> = Branch<$($under),*>;
        }
    };
}
digit!(D0 C0; T, Nil, Nil, Nil; <X::C0 as Trie>::Union<T>, X::C1, X::C2, X::C3);
digit!(D1 C1; Nil, T, Nil, Nil; X::C0, <X::C1 as Trie>::Union<T>, X::C2, X::C3);
digit!(D2 C2; Nil, Nil, T, Nil; X::C0, X::C1, <X::C2 as Trie>::Union<T>, X::C3);
digit!(D3 C3; Nil, Nil, Nil, T; X::C0, X::C1, X::C2, <X::C3 as Trie>::Union<T>);

impl<C0: Trie + ?Sized, C1: Trie + ?Sized, C2: Trie + ?Sized, C3: Trie + ?Sized> Trie for Branch<C0, C1, C2, C3> {
    children!(C0, C1, C2, C3);
    type Value = Missing;
    type Union<O: Trie + ?Sized> = O::Under<Self>;
    type Under<X: Trie + ?Sized> = Branch<
        <X::C0 as Trie>::Union<C0>,
        <X::C1 as Trie>::Union<C1>,
        <X::C2 as Trie>::Union<C2>,
        <X::C3 as Trie>::Union<C3>,
    >;
}

// === what a lookup yields ===

pub trait Outcome {
    /// Two flavors know the key: the first wins, collections are joined.
    type Join<V: Outcome>: Outcome;
    type AfterMany<L>: Outcome;
}
/// The key is not in the flavor.
pub struct Missing;
/// It is, at `Path`.
pub struct Found<Path>(PhantomData<Path>);
/// It is a collection: a tree of `One` and `Both`.
pub struct Many<L>(PhantomData<L>);
pub struct One<Path>(PhantomData<Path>);
pub struct Both<A, B>(PhantomData<(A, B)>);

impl Outcome for Missing {
    type Join<V: Outcome> = V;
    type AfterMany<L> = Many<L>;
}
impl<P> Outcome for Found<P> {
    type Join<V: Outcome> = Self;
    type AfterMany<L> = Many<L>;
}
impl<L> Outcome for Many<L> {
    type Join<V: Outcome> = V::AfterMany<L>;
    type AfterMany<A> = Many<Both<A, L>>;
}

// === paths ===

/// The value itself.
pub struct Here;
/// In child `N`, at `P`.
pub struct In<const N: usize, P>(PhantomData<P>);

/// A way down from the root, to be completed: `Top`, or `Down<Outer, N>`.
pub trait Prefix {
    type Then<P>;
}
pub struct Top;
pub struct Down<Outer: ?Sized, const N: usize>(PhantomData<Outer>);
impl Prefix for Top {
    type Then<P> = P;
}
impl<O: Prefix + ?Sized, const N: usize> Prefix for Down<O, N> {
    type Then<P> = O::Then<In<N, P>>;
}

// === roots ===

/// A root is known by its trie in normal form: rustc carries the obligations of every projection along with it, so
/// a trie that were computed in each lookup would make the cost of all lookups quadratic.
pub trait Root {
    type Find<K: Key + ?Sized>: Outcome;
}
pub struct Known<T: ?Sized>(PhantomData<T>);
impl<T: Trie + ?Sized> Root for Known<T> {
    type Find<K: Key + ?Sized> = <K::Digits<End> as Digits>::Get<T>;
}

/// The root that a flavor is.
pub(crate) type RootOf<F> = Known<<F as Part>::Trie<Top>>;
/// Where the root `R` holds `K`.
pub(crate) type Find<R, K> = <R as Root>::Find<K>;
/// A trie with the one entry `K`.
pub(crate) type Entry<K, V> = <K as Key>::Digits<Leaf<V>>;
pub(crate) type Union<A, B> = <A as Trie>::Union<B>;
