use cninfra::prelude::*;

#[derive(Flavor)]
struct All {
    #[provides(dyn fixture_connectors::KvStore)] //~ CN011
    connectors: fixture_connectors::Connectors,
}
