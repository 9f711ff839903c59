//@ lines: 17 because it is rustc's: only the last field of a struct may have no size
use cninfra::prelude::*;

#[derive(Flavor)]
struct App {
    first: dyn Send, //~ E0277
    last: str, //~ CN007
}
#[derive(Deps)]
struct Set {
    first: [u8], //~ E0277
    last: dyn Send, //~ CN036
}
