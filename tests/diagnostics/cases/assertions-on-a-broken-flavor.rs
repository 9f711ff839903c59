//! What is asserted of a flavor that is not right adds no error to the mistake itself.

use cninfra::prelude::*;

#[plugin]
struct Store;
#[plugin]
struct Api {
    store: Dep<Store>,
}
#[plugin]
struct Hen {
    egg: Dep<Egg>,
}
#[plugin]
struct Egg {
    hen: Dep<Hen>,
}

#[derive(Flavor)]
struct Misses {
    api: Dep<Api>, //~ CN001
}
const _: () = assert!(Misses::GRAPH.before("Store", "Api"));
const _: () = assert!(Misses::GRAPH.position("Store") <= Misses::GRAPH.position("Api"));

#[derive(Flavor)]
struct Circular {
    hen: Dep<Hen>, //~ CN005
    egg: Dep<Egg>,
    store: Dep<Store>,
}
const _: () = assert!(Circular::GRAPH.before("Hen", "Egg") && Circular::GRAPH.before("Egg", "Hen"));
const _: () = assert!(Circular::GRAPH.len() == 3 && !Circular::GRAPH.is_empty());
const _: () = assert!(Circular::GRAPH.names().len() == 3 && Circular::GRAPH.nodes().len() == 3);
const _: () = assert!(Circular::GRAPH.edges().len() == 2 && Circular::GRAPH.order().len() == 3);

#[derive(Flavor)]
struct Twice {
    store: Dep<Store>,
    again: Dep<Store>, //~ CN004
    api: Dep<Api>,
}
const _: () = assert!(Twice::GRAPH.before("Store", "Api") && Twice::GRAPH.depth() == 2);
const _: () = assert!(Twice::GRAPH.level(1).len() == 1 && Twice::GRAPH.deps_of(1)[0] == 0);

#[plugin(no_lifecycle)]
struct Cache<R> {
    role: std::marker::PhantomData<R>,
    store: Dep<Store>,
}
#[derive(Qualifier)]
struct Backup;
#[derive(Flavor)]
struct Generic<R> {
    cache: Dep<Cache<R>>,
}
cninfra::check_flavor!(Generic<Backup>); //~ CN001
const _: () = assert!(Generic::<Backup>::GRAPH.before("Store", "Cache<Backup>"));
