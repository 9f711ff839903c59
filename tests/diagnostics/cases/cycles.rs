use cninfra::prelude::*;

#[plugin]
struct A {
    b: Dep<B>,
}
#[plugin]
struct B {
    journal: Dep<fixture_base::Journal>,
    c: Dep<C>,
}
#[plugin]
struct C {
    a: Option<Dep<A>>,
}
#[plugin]
struct Own {
    own: Dep<Own>,
}

#[derive(Flavor)]
struct All {
    local: fixture_base::Local,
    c: Dep<C>, //~ CN005
    b: Dep<B>,
    a: Dep<A>,
    own: Dep<Own>, //~ CN005
}
