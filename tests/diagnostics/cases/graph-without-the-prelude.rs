//! The trait alone is enough.
use cninfra::{Dep, Flavor, plugin};

#[plugin(no_lifecycle)]
struct Clock;
struct Bare {
    clock: Dep<Clock>,
}
#[derive(Flavor)]
struct Right {
    clock: Dep<Clock>,
}

const _: () = assert!(Bare::GRAPH.len() == 1); //~ CN019
const _: () = assert!(Right::GRAPH.len() == 1);
