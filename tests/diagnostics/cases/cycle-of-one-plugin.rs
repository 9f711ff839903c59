use cninfra::prelude::*;

#[interface]
trait Store {}
#[interface(many)]
trait Routes {}

#[plugin]
struct Cached {
    inner: Dep<dyn Store>,
}
impl Store for Cached {}
#[derive(Flavor)]
struct Decorated {
    #[provides(dyn Store)]
    cached: Dep<Cached>, //~ CN005
}

#[plugin]
struct Index {
    routes: Vec<Dep<dyn Routes>>,
}
impl Routes for Index {}
#[derive(Flavor)]
struct Indexed {
    #[provides(dyn Routes)]
    index: Dep<Index>, //~ CN005
}

#[plugin]
struct Alone {
    alone: Option<Dep<Alone>>,
}
#[derive(Flavor)]
struct Single {
    alone: Dep<Alone>, //~ CN005
}
