//@ repeated because the struct asks for the interface, as the plugin's constant does, in the same words
use cninfra::prelude::*;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
    stores: Vec<Dep<dyn fixture_connectors::KvStore>>, //~ CN012
}
