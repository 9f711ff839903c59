use cninfra::prelude::*;

#[plugin]
struct A {
    journal: Dep<fixture_base::Journal>,
    stores: Vec<Dep<dyn fixture_connectors::KvStore>>, //~ CN012
}
