use cninfra::prelude::*;

#[plugin]
struct A {
    log: Logger, //~ CN013
}
