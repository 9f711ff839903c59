use cninfra::prelude::*;

#[derive(Flavor)]
struct All {
    #[provides(dyn fixture_connectors::KvStore)]
    connectors: fixture_connectors::Connectors, //~ CN011
}
