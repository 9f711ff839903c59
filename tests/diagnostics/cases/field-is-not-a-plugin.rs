use cninfra::prelude::*;

struct Settings {
    port: u16,
}
#[plugin]
struct A;

#[derive(Flavor)]
struct All {
    a: Dep<A>,
    settings: Dep<Settings>, //~ CN006
}
