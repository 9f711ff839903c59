use cninfra::prelude::*;

#[plugin]
struct App {
    kv: Dep<dyn fixture_connectors::KvStore>,
}

#[derive(Flavor)]
struct All {
    app: Dep<App>, //~ CN002
    journal: Dep<fixture_base::Journal>,
    etcd: Dep<fixture_connectors::Etcd>,
}
