use cninfra::prelude::*;

#[derive(Flavor)]
struct All {
    rpc: fixture_base::Rpc,
    journal: Dep<fixture_base::Journal>, //~ CN004
}
