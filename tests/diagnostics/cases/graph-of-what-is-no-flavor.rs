//! It is said of the type, as it is of one that an agent is to run, and not of the constant that it lacks.
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
enum Kind {
    One,
}
struct Around<T> {
    inner: T,
}

const _: () = assert!(Bare::GRAPH.len() == 1); //~ CN019
const _: () = assert!(Part::GRAPH.len() == 1); //~ CN019
fn depth() -> usize {
    Clock::GRAPH.depth() //~ CN019
}
fn of_an_enum() -> usize {
    Kind::GRAPH.len() //~ CN019
}
const _: () = assert!(Around::<Bare>::GRAPH.before("Clock", "Clock")); //~ CN019
fn of_a_generic_struct<T>() -> bool {
    Around::<T>::GRAPH.is_empty() //~ CN019
}
fn of_a_reference() -> usize {
    <&Bare>::GRAPH.len() //~ CN019
}
fn of_a_mutable_reference() -> usize {
    <&mut Bare>::GRAPH.len() //~ E0283
}
impl Bare {
    fn of_itself() -> usize {
        Self::GRAPH.len() //~ CN019
    }
}

fn of_any<T>() -> usize {
    T::GRAPH.len() //~ CN019
}
/// As it should be.
fn of_a_flavor<F: Flavor>() -> usize {
    F::GRAPH.len()
}
