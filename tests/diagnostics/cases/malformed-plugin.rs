use cninfra::prelude::*;

#[plugin(dep = (A), no_lifecycle, ids = 3, id = 7)] //~ CN010 CN010 CN010
struct A;

#[plugin(deps(fixture_base::Journal))] //~ CN010
struct B;

#[plugin(deps = [A])] //~ CN010
struct C<'a, const N: usize> { //~ CN014 CN014
    a: &'a str,
}

#[plugin]
struct D {
    #[config] //~ CN010
    journal: Dep<fixture_base::Journal>,
    #[config]
    a: u8,
    #[config] //~ CN010
    b: u8,
    #[default] //~ CN010
    c: u8,
}

#[plugin]
enum E { //~ CN010
    F,
}
