//! A message shows as many mistakes as find room, and counts the rest: here four, five, three beside a cycle, and these beside another.
use cninfra::prelude::*;

#[plugin]
pub struct A;
#[plugin]
pub struct B;
#[plugin]
pub struct C;
#[plugin]
pub struct D;
#[plugin]
pub struct E;

#[plugin]
pub struct Four {
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    d: Dep<D>,
}

#[plugin]
pub struct Five {
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    d: Dep<D>,
    e: Dep<E>,
}

#[plugin]
pub struct ThreeAndACycle {
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    me: Dep<ThreeAndACycle>,
}

#[plugin]
pub struct Round {
    a: Dep<A>,
    b: Dep<B>,
    c: Dep<C>,
    me: Dep<Round>,
}
#[plugin]
pub struct Last {
    d: Dep<D>,
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
