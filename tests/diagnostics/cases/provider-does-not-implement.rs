use cninfra::prelude::*;

#[derive(Flavor)]
struct All {
    #[provides(dyn fixture_connectors::KvStore)] //~ CN011
    journal: Dep<fixture_base::Journal>,
}
