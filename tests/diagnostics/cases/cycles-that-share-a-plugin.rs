//! Of cycles that share plugins the first is told of, as it is.
use cninfra::prelude::*;

#[plugin]
pub struct A {
    b: Dep<B>,
}
#[plugin]
pub struct B {
    c: Dep<C>,
    d: Dep<D>,
}
#[plugin]
pub struct C {
    a: Dep<A>,
}
#[plugin]
pub struct D {
    b: Dep<B>,
}

#[derive(Flavor)]
pub struct Entangled {
    a: Dep<A>, //~ CN005
    b: Dep<B>,
    c: Dep<C>,
    d: Dep<D>,
}
