use cninfra::prelude::*;

struct Settings {
    port: u16,
}
#[plugin]
struct A;

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    settings: Settings, //~ CN007
}

#[derive(Flavor)]
struct Inner {
    a: Dep<A>,
}
#[derive(Flavor)]
struct Wrapped {
    inner: Option<Inner>, //~ CN007
    all: Vec<Dep<A>>, //~ CN007
}
