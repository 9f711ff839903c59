//! What is wrong with the struct itself is rustc's to tell.
use cninfra::prelude::*;

#[plugin]
struct Clock;

#[derive(Flavor)]
struct Lent {
    clock: &Clock, //~ E0106
}

#[derive(Flavor)]
struct Endless { //~ E0072
    again: Endless,
}
