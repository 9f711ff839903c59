use cninfra::prelude::*;

#[plugin]
struct A;
type Alias = A;

#[derive(Flavor)]
struct All {
    one: Dep<A>,
    two: Dep<Alias>, //~ CN004
}
