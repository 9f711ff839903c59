use cninfra::prelude::*;

#[plugin]
struct A {
    #[dep]
    port: u16, //~ CN010
}
