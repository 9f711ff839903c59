//@ repeated because the struct asks for the interface, as the plugin's constant does, in the same words
use cninfra::prelude::*;

trait Store: Send + Sync {}

#[plugin]
struct A {
    store: Dep<dyn Store>, //~ CN015
}
