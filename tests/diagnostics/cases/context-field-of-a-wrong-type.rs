use cninfra::prelude::*;

#[plugin]
struct A {
    #[context]
    cx: Context,
    #[context]
    log: Logger,
    #[context]
    name: String, //~ CN027
}
