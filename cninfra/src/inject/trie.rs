//! Type-level lookup.
//!
//! An id is a list of seven digits of four bits, each digit a type; a flavor's plugins form a trie over them. Walking
//! it yields [`Found`], [`Many`] or [`Missing`] for any key: a total function, which optional dependencies and generic
//! code need.
//!
//! The same digit types have two uses: ended by [`End`] they are a key, ended by [`Leaf`] they are a trie with one
//! entry. Where entries diverge, a trie has nodes of half a digit, two bits, with four children. With wider nodes each
//! projection would cost more, since it instantiates a bound for each child.
//!
//! This design is measured (`tests/bench`): rustc pays for each projection, and walks a whole type each time that it
//! matches it. So a node is taken apart by matching it once, and its children are never projected one by one while
//! tries are united.

use super::{key::Key, part::Part};
use std::marker::PhantomData;

/// A key: a list of digits.
pub trait Digits: Trie {
    /// What `T` contains for this key.
    type Get<T: Trie + ?Sized>: Outcome;
}

/// A set of keys, each with a value.
pub trait Trie {
    /// The children for the two bits 0, 1, 2 and 3.
    type C0: Trie + ?Sized;
    type C1: Trie + ?Sized;
    type C2: Trie + ?Sized;
    type C3: Trie + ?Sized;
    /// The children for the digits 0 to f.
    type H0: Trie + ?Sized;
    type H1: Trie + ?Sized;
    type H2: Trie + ?Sized;
    type H3: Trie + ?Sized;
    type H4: Trie + ?Sized;
    type H5: Trie + ?Sized;
    type H6: Trie + ?Sized;
    type H7: Trie + ?Sized;
    type H8: Trie + ?Sized;
    type H9: Trie + ?Sized;
    type Ha: Trie + ?Sized;
    type Hb: Trie + ?Sized;
    type Hc: Trie + ?Sized;
    type Hd: Trie + ?Sized;
    type He: Trie + ?Sized;
    type Hf: Trie + ?Sized;
    /// The value of a key that ends here.
    type Value: Outcome;
    /// `Self` united with `O`; if both have a value, that of `Self` wins.
    type Union<O: Trie + ?Sized>: Trie + ?Sized;
    /// A node whose only child is `T`, at 0 (1, 2, 3), united with `Self`; if both have a value, that of `T` wins.
    type Under0<T: Trie + ?Sized>: Trie + ?Sized;
    type Under1<T: Trie + ?Sized>: Trie + ?Sized;
    type Under2<T: Trie + ?Sized>: Trie + ?Sized;
    type Under3<T: Trie + ?Sized>: Trie + ?Sized;
    /// A node with the children `A` to `D`, united with `Self`; if both have a value, that of the node wins.
    type UnderBranch<A: Trie + ?Sized, B: Trie + ?Sized, C: Trie + ?Sized, D: Trie + ?Sized>: Trie + ?Sized;
    /// The value `V`, united with `Self`.
    type UnderLeaf<V: Outcome>: Trie + ?Sized;
}

/// The empty trie.
pub struct Nil;
/// The end of a key in a trie, with its value.
pub struct Leaf<V>(PhantomData<V>);
/// The end of a key that is looked up.
pub struct End;
/// A node of two bits with four children.
pub struct Branch<C0: ?Sized, C1: ?Sized, C2: ?Sized, C3: ?Sized>(
    PhantomData<C0>,
    PhantomData<C1>,
    PhantomData<C2>,
    PhantomData<C3>,
);

/// `type C0 = ..; .. type C3 = ..; type H0 = ..; .. type Hf = ..;`
macro_rules! children {
    ($c0:ty, $c1:ty, $c2:ty, $c3:ty; $h0:ty, $h1:ty, $h2:ty, $h3:ty, $h4:ty, $h5:ty, $h6:ty, $h7:ty, $h8:ty, $h9:ty, $ha:ty, $hb:ty, $hc:ty, $hd:ty, $he:ty, $hf:ty) => {
        type C0 = $c0;
        type C1 = $c1;
        type C2 = $c2;
        type C3 = $c3;
        type H0 = $h0;
        type H1 = $h1;
        type H2 = $h2;
        type H3 = $h3;
        type H4 = $h4;
        type H5 = $h5;
        type H6 = $h6;
        type H7 = $h7;
        type H8 = $h8;
        type H9 = $h9;
        type Ha = $ha;
        type Hb = $hb;
        type Hc = $hc;
        type Hd = $hd;
        type He = $he;
        type Hf = $hf;
    };
    (none) => {
        children!(
            Nil, Nil, Nil, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil
        );
    };
}
/// The unions of other nodes with this one.
macro_rules! under {
    ($a:ty, $b:ty, $c:ty, $d:ty; $branch:ty) => {
        type Under0<T: Trie + ?Sized> = $a;
        type Under1<T: Trie + ?Sized> = $b;
        type Under2<T: Trie + ?Sized> = $c;
        type Under3<T: Trie + ?Sized> = $d;
        type UnderBranch<A: Trie + ?Sized, B: Trie + ?Sized, C: Trie + ?Sized, D: Trie + ?Sized> = $branch;
    };
    // A node whose only child is `U`, at 0.
    (0 $u:ty) => {
        under!(D0<T::Union<$u>>, Branch<$u, T, Nil, Nil>, Branch<$u, Nil, T, Nil>, Branch<$u, Nil, Nil, T>; Branch<A::Union<$u>, B, C, D>);
    };
    (1 $u:ty) => {
        under!(Branch<T, $u, Nil, Nil>, D1<T::Union<$u>>, Branch<Nil, $u, T, Nil>, Branch<Nil, $u, Nil, T>; Branch<A, B::Union<$u>, C, D>);
    };
    (2 $u:ty) => {
        under!(Branch<T, Nil, $u, Nil>, Branch<Nil, T, $u, Nil>, D2<T::Union<$u>>, Branch<Nil, Nil, $u, T>; Branch<A, B, C::Union<$u>, D>);
    };
    (3 $u:ty) => {
        under!(Branch<T, Nil, Nil, $u>, Branch<Nil, T, Nil, $u>, Branch<Nil, Nil, T, $u>, D3<T::Union<$u>>; Branch<A, B, C, D::Union<$u>>);
    };
}

impl Trie for Nil {
    children!(none);
    under!(D0<T>, D1<T>, D2<T>, D3<T>; Branch<A, B, C, D>);
    type Value = Missing;
    type Union<O: Trie + ?Sized> = O;
    type UnderLeaf<V: Outcome> = Leaf<V>;
}
// Keys with the same prefix have the same length, so nothing is put below a value.
impl<V: Outcome> Trie for Leaf<V> {
    children!(none);
    under!(Self, Self, Self, Self; Self);
    type Value = V;
    type Union<O: Trie + ?Sized> = O::UnderLeaf<V>;
    type UnderLeaf<W: Outcome> = Leaf<W::Join<V>>;
}
impl<V: Outcome> Digits for Leaf<V> {
    type Get<T: Trie + ?Sized> = Missing;
}
impl Trie for End {
    children!(none);
    under!(Self, Self, Self, Self; Self);
    type Value = Missing;
    type Union<O: Trie + ?Sized> = O;
    type UnderLeaf<V: Outcome> = Leaf<V>;
}
impl Digits for End {
    type Get<T: Trie + ?Sized> = T::Value;
}

impl<C0: Trie + ?Sized, C1: Trie + ?Sized, C2: Trie + ?Sized, C3: Trie + ?Sized> Trie for Branch<C0, C1, C2, C3> {
    children!(C0, C1, C2, C3;
        C0::C0, C0::C1, C0::C2, C0::C3, C1::C0, C1::C1, C1::C2, C1::C3,
        C2::C0, C2::C1, C2::C2, C2::C3, C3::C0, C3::C1, C3::C2, C3::C3);
    under!(Branch<T::Union<C0>, C1, C2, C3>, Branch<C0, T::Union<C1>, C2, C3>,
        Branch<C0, C1, T::Union<C2>, C3>, Branch<C0, C1, C2, T::Union<C3>>;
        Branch<A::Union<C0>, B::Union<C1>, C::Union<C2>, D::Union<C3>>);
    type Value = Missing;
    type Union<O: Trie + ?Sized> = O::UnderBranch<C0, C1, C2, C3>;
    type UnderLeaf<V: Outcome> = Self;
}

/// A node of two bits with one child.
macro_rules! half {
    ($d:ident $n:tt $under:ident; $($children:tt)*) => {
        pub struct $d<T: ?Sized>(PhantomData<T>);
        impl<U: Trie + ?Sized> Trie for $d<U> {
            children!($($children)*);
            under!($n U);
            type Value = Missing;
            type Union<O: Trie + ?Sized> = O::$under<U>;
            type UnderLeaf<V: Outcome> = Self;
        }
    };
}
half!(D0 0 Under0; U, Nil, Nil, Nil; U::C0, U::C1, U::C2, U::C3, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
half!(D1 1 Under1; Nil, U, Nil, Nil; Nil, Nil, Nil, Nil, U::C0, U::C1, U::C2, U::C3, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
half!(D2 2 Under2; Nil, Nil, U, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U::C0, U::C1, U::C2, U::C3, Nil, Nil, Nil, Nil);
half!(D3 3 Under3; Nil, Nil, Nil, U; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U::C0, U::C1, U::C2, U::C3);

/// A digit before the rest of a key, or a node of four bits with one child.
macro_rules! digit {
    ($x:ident $h:ident $n:tt $under:ident $half:ident; $($children:tt)*) => {
        pub struct $x<T: ?Sized>(PhantomData<T>);
        impl<U: Digits + ?Sized> Digits for $x<U> {
            type Get<T: Trie + ?Sized> = U::Get<T::$h>;
        }
        impl<U: Trie + ?Sized> Trie for $x<U> {
            children!($($children)*);
            under!($n $half<U>);
            type Value = Missing;
            type Union<O: Trie + ?Sized> = O::$under<$half<U>>;
            type UnderLeaf<V: Outcome> = Self;
        }
    };
}
digit!(X0 H0 0 Under0 D0; D0<U>, Nil, Nil, Nil; U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X1 H1 0 Under0 D1; D1<U>, Nil, Nil, Nil; Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X2 H2 0 Under0 D2; D2<U>, Nil, Nil, Nil; Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X3 H3 0 Under0 D3; D3<U>, Nil, Nil, Nil; Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X4 H4 1 Under1 D0; Nil, D0<U>, Nil, Nil; Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X5 H5 1 Under1 D1; Nil, D1<U>, Nil, Nil; Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X6 H6 1 Under1 D2; Nil, D2<U>, Nil, Nil; Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X7 H7 1 Under1 D3; Nil, D3<U>, Nil, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X8 H8 2 Under2 D0; Nil, Nil, D0<U>, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(X9 H9 2 Under2 D1; Nil, Nil, D1<U>, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil, Nil);
digit!(Xa Ha 2 Under2 D2; Nil, Nil, D2<U>, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil, Nil);
digit!(Xb Hb 2 Under2 D3; Nil, Nil, D3<U>, Nil; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil, Nil);
digit!(Xc Hc 3 Under3 D0; Nil, Nil, Nil, D0<U>; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil, Nil);
digit!(Xd Hd 3 Under3 D1; Nil, Nil, Nil, D1<U>; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil, Nil);
digit!(Xe He 3 Under3 D2; Nil, Nil, Nil, D2<U>; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U, Nil);
digit!(Xf Hf 3 Under3 D3; Nil, Nil, Nil, D3<U>; Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, Nil, U);

// === what a lookup yields ===

pub trait Outcome {
    /// The value if two flavors have the key: the first wins, collections are joined.
    type Join<V: Outcome>: Outcome;
    type AfterMany<L>: Outcome;
}
/// The key is not in the flavor.
pub struct Missing;
/// The key is in the flavor, at `Path`.
pub struct Found<Path>(PhantomData<Path>);
/// The key is a collection: a tree of `One` and `Both`.
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
/// At `P` in child `N`.
pub struct In<const N: usize, P>(PhantomData<P>);

/// A path down from the root that is to be completed: `Top`, or `Down<Outer, N>`.
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

/// A root is given by its trie in normal form. rustc keeps the obligations of every projection with it, so if each
/// lookup computed the trie, the cost of all lookups would be quadratic.
pub trait Root {
    type Find<K: Key + ?Sized>: Outcome;
}
pub struct Known<T: ?Sized>(PhantomData<T>);
impl<T: Trie + ?Sized> Root for Known<T> {
    type Find<K: Key + ?Sized> = <K::Digits<End> as Digits>::Get<T>;
}

/// The root of a flavor.
pub(crate) type RootOf<F> = Known<<F as Part>::Trie<Top>>;
/// Where the root `R` holds `K`.
pub(crate) type Find<R, K> = <R as Root>::Find<K>;
/// A trie with the single entry `K`.
pub(crate) type Entry<K, V> = <K as Key>::Digits<Leaf<V>>;
pub(crate) type Union<A, B> = <A as Trie>::Union<B>;
