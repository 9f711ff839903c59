//! A bound of one's own asks for a flavor.
//@ lines: 16 because rustc shows the struct, and the bound that asks for it
use cninfra::prelude::*;

struct Bare {
    count: usize,
}

fn of_any<F: Flavor>() -> usize {
    F::GRAPH.len()
}
fn of_bare() -> usize {
    of_any::<Bare>() //~ CN019
}
/// Where its constant is asked for, rustc takes a reference for what may have one (`inject/flavor`): a bound does not.
fn of_a_reference() -> usize {
    of_any::<&mut Bare>() //~ CN019
}
