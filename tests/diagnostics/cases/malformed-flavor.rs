use cninfra::prelude::*;

#[plugin]
struct A;

#[derive(Flavor)]
#[flavor(opened)] //~ CN010
struct All {
    #[flavor] //~ CN010
    local: fixture_base::Local,
    #[provides] //~ CN010
    a: Dep<A>,
    #[provides(dyn)] //~ CN010
    b: Dep<A>,
}

#[derive(Flavor)]
struct Tuple(Dep<A>); //~ CN010

#[interface(lots)] //~ CN010
trait I {}
