use cninfra::prelude::*;
use std::marker::PhantomData;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
}
#[plugin(no_lifecycle)]
struct G<T> {
    t: PhantomData<T>,
}

#[derive(Flavor)]
struct All<T> {
    a: Dep<A>,
    g: Dep<G<T>>,
}

cninfra::check_flavor!(All<fixture_connectors::Primary>); //~ CN001
