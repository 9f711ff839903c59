use cninfra::prelude::*;

#[plugin]
struct Memory;

#[derive(Flavor)]
struct All {
    #[provides(Memory)] //~ CN015
    memory: Dep<Memory>,
}
