use cninfra::prelude::*;

#[interface]
trait Store {}
trait Forgotten {}
#[plugin]
struct Memory;
impl Store for Memory {}
#[plugin]
struct Api {
    store: Dep<dyn Store>,
}

#[derive(Flavor)]
struct App {
    store: Dep<dyn Store>, //~ CN006
    api: Dep<Api>,
}
#[derive(Flavor)]
struct Provided {
    #[provides(dyn Store)]
    store: Option<Dep<dyn Store>>, //~ CN006
    forgotten: Dep<dyn Forgotten>, //~ CN006
    // the rest is told in the same run
    settings: u32, //~ CN007
}
#[derive(Flavor)]
struct Generic<P> {
    plugin: Dep<P>, //~ CN006
}
