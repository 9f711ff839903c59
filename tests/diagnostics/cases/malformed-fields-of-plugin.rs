use cninfra::prelude::*;

#[plugin]
struct A {
    #[config(strict)] //~ CN010
    a: u8,
}
#[plugin]
struct B {
    #[context = 7] //~ CN010
    a: Context,
}
#[plugin]
struct C {
    #[default()] //~ CN010
    a: u8,
    #[default = 7] //~ CN010
    b: u8,
    #[default(7 8)] //~ CN010
    c: u8,
}
#[plugin]
struct D {
    #[dep(optional)] //~ CN010
    a: Dep<fixture_base::Journal>,
}
#[plugin]
struct E {
    #[config]
    #[context] //~ CN010
    a: u8,
}
#[plugin]
struct F {
    #[context] //~ CN010
    a: Dep<fixture_base::Journal>,
}
#[plugin(deps = ())]
struct G { //~ CN009
    #[config] //~ CN010
    a: u8,
    #[default(7)] //~ CN010
    b: u8,
}
