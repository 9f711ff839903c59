use cninfra::prelude::*;
use fixture_connectors::{Etcd, KvStore};

#[plugin]
struct ByType {
    etcd: Dep<Etcd>,
}
#[plugin]
struct ByInterface {
    store: Dep<dyn KvStore>,
}
#[plugin]
struct Fine {
    etcd: Option<Dep<Etcd>>,
    store: Option<Dep<dyn KvStore>>,
}

#[derive(Flavor)]
struct All {
    local: fixture_base::Local,
    #[provides(dyn KvStore)]
    etcd: Option<Dep<Etcd>>,
    fine: Dep<Fine>,
    by_type: Dep<ByType>, //~ CN022
    by_interface: Dep<ByInterface>, //~ CN022
}
