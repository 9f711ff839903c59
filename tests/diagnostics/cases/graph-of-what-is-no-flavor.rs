//! Our words, but rustc's list of all that it tried.
//@ lines: 24 because rustc says of the struct, and of references to it, which trait they lack, and shows that trait
use cninfra::prelude::*;

#[plugin]
struct Clock;
struct Bare {
    clock: Dep<Clock>,
}
#[derive(Flavor)]
#[flavor(open)]
struct Part {
    clock: Dep<Clock>,
}

const _: () = assert!(Bare::GRAPH.len() == 1); //~ CN019
const _: () = assert!(Part::GRAPH.len() == 1); //~ CN019
fn depth() -> usize {
    Clock::GRAPH.depth() //~ CN019
}

fn of_any<F: Flavor>() -> usize {
    F::GRAPH.len()
}
fn of_bare() -> usize {
    of_any::<Bare>() //~ CN019
}
