use cninfra::prelude::*;
use fixture_connectors::Etcd;

#[plugin]
struct App {
    etcd: Dep<Etcd>,
}

#[derive(Flavor)]
struct All {
    rpc: fixture_base::Rpc,
    app: Dep<App>, //~ CN001
}
