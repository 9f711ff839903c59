//! rustc knows whose attributes these are, and the name that it tells is the one of the attribute that is missing.
use cninfra::prelude::*;

struct Greeter {
    #[config] //~ none
    config: u32,
    #[context] //~ none
    log: Logger,
    #[dep] //~ none
    other: Dep<Other>,
}

#[plugin]
struct Other;
