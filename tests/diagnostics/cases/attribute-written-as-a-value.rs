use cninfra::prelude::*;

#[plugin = "store"] //~ none
struct Store;

#[interface = "many"] //~ none
trait Routes {}

#[plugin("store")] //~ CN010
struct Named;

#[derive(Flavor)]
struct App {
    store: Dep<Store>,
    named: Dep<Named>,
}
