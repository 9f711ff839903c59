use cninfra::prelude::*;

#[plugin]
struct A;

#[derive(Flavor)]
struct All {
    a: A, //~ CN007
}
