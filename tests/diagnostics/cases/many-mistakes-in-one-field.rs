//! A message shows as many mistakes as find room, and counts the rest: here four, five, three beside a cycle, and these beside another.
use cninfra::prelude::*;

macro_rules! plugins {
    ($($name:ident)*) => {
        $(
            #[plugin]
            pub struct $name;
        )*
    };
}
plugins!(A B C D E F G H I J K L M N O P);

#[plugin]
pub struct Four {
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    d: Dep<D>,
}

#[plugin]
pub struct Five {
    e: Dep<E>,
    f: Dep<F>,
    g: Dep<G>,
    h: Dep<H>,
    i: Dep<I>,
}

#[plugin]
pub struct ThreeAndACycle {
    j: Dep<J>,
    k: Dep<K>,
    l: Dep<L>,
    me: Dep<ThreeAndACycle>,
}

#[plugin]
pub struct Round {
    m: Dep<M>,
    n: Dep<N>,
    o: Dep<O>,
    me: Dep<Round>,
}
#[plugin]
pub struct Last {
    p: Dep<P>,
}
/// The last line of room goes to the count: the cycle gives way to it.
#[derive(Flavor)]
#[flavor(open)]
pub struct Inner {
    round: Dep<Round>,
    last: Dep<Last>,
}

#[derive(Flavor)]
pub struct Flawed {
    four: Dep<Four>, //~ CN001+CN001+CN001
    five: Dep<Five>, //~ CN001+CN001+CN001
    cycle: Dep<ThreeAndACycle>, //~ CN001+CN001+CN001+CN005
    inner: Inner, //~ CN001+CN001+CN001
}
