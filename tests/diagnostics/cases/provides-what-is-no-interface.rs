use cninfra::prelude::*;

trait Store: Send + Sync {}
#[plugin]
struct Memory;
impl Store for Memory {}

#[derive(Flavor)]
struct All {
    #[provides(dyn Store)] //~ CN015
    memory: Dep<Memory>,
}
