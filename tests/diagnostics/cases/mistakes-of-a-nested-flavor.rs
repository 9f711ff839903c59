//! What is wrong with a flavor that is checked by itself is told there, and not again by each flavor that holds it.

use cninfra::prelude::*;

#[plugin]
struct Store;
#[plugin]
struct Api {
    store: Dep<Store>,
}
#[plugin]
struct Page {
    api: Dep<Api>,
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
#[interface(many)]
trait Routes {}
impl Routes for Api {}
impl Routes for Store {}
#[plugin]
struct OneOfMany {
    routes: Dep<dyn Routes>,
}
#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Section {
    port: u16,
}
const PORT: &[Flag] = &[Flag::new("port", "port")];
#[plugin(flags = PORT)]
struct One {
    #[config]
    config: Section,
}
#[plugin(flags = PORT)]
struct Other {
    #[config]
    config: Section,
}

#[derive(Flavor)]
struct Misses {
    api: Dep<Api>, //~ CN001
}
#[derive(Flavor)]
struct Circular {
    hen: Dep<Hen>, //~ CN005
    egg: Dep<Egg>,
}
#[derive(Flavor)]
struct Twice {
    store: Dep<Store>,
    again: Dep<Store>, //~ CN004
}
#[derive(Flavor)]
struct Optional {
    api: Dep<Api>, //~ CN022
    store: Option<Dep<Store>>,
}
#[derive(Flavor)]
struct Several {
    #[provides(dyn Routes)]
    api: Dep<Api>,
    #[provides(dyn Routes)]
    store: Dep<Store>,
    one: Dep<OneOfMany>, //~ CN017
}
#[derive(Flavor)]
struct Flags { //~ CN025
    one: Dep<One>,
    other: Dep<Other>,
}

#[derive(Flavor)]
struct HoldsMisses {
    misses: Misses,
    // needs it, too: added there, it is here
    page: Dep<Page>,
}
#[derive(Flavor)]
struct HoldsCircular {
    circular: Circular,
}
#[derive(Flavor)]
struct HoldsTwice {
    twice: Twice,
}
#[derive(Flavor)]
struct HoldsOptional {
    optional: Optional,
}
#[derive(Flavor)]
struct HoldsSeveral {
    several: Several,
}
#[derive(Flavor)]
struct HoldsFlags {
    flags: Flags,
}
#[derive(Flavor)]
struct HoldsTwiceInTwoWays {
    holds: HoldsTwice,
    twice: Twice,
}

// of an open one, and of one that is generic, nobody has told
#[derive(Flavor)]
#[flavor(open)]
struct Open {
    api: Dep<Api>,
}
#[derive(Flavor)]
struct HoldsOpen {
    open: Open, //~ CN001
}
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
#[derive(Flavor)]
struct HoldsGeneric {
    generic: Generic<Backup>, //~ CN001
}

// what comes about only here is told here
#[derive(Flavor)]
struct Whole {
    store: Dep<Store>,
}
#[derive(Flavor)]
struct HoldsBoth {
    whole: Whole,
    store: Dep<Store>, //~ CN004
    misses: Misses,
}
