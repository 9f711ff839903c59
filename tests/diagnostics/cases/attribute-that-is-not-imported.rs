//! Nothing is offered in its place that is no attribute to be written.

use cninfra::{Dep, Flavor};

#[plugin] //~ none
struct Store;

#[derive(Flavor)]
struct App {
    store: Dep<Store>, //~ CN006
}
