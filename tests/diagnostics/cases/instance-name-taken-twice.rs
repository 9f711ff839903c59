use cninfra::prelude::*;

#[plugin(name = "http")]
struct Server;

#[derive(Flavor)]
struct All {
    rpc: fixture_base::Rpc,
    server: Dep<Server>, //~ CN020
}
