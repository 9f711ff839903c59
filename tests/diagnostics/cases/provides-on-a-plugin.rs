//! What a plugin provides is said where it is chosen, in the flavor; rustc would say that a `derive` is missing.

use cninfra::prelude::*;

#[interface]
trait Store {
    fn get(&self) -> u32;
}

#[plugin]
#[provides(dyn Store)] //~ CN010
struct Memory;
impl Store for Memory {
    fn get(&self) -> u32 {
        1
    }
}

#[derive(Flavor)]
struct App {
    #[provides(dyn Store)]
    memory: Dep<Memory>,
}
