use cninfra::prelude::*;
use fixture_connectors::{Etcd, KvStore};

#[plugin]
struct A {
    b: Dep<B>,
}
#[plugin]
struct B {
    a: Dep<A>,
    journal: Dep<fixture_base::Journal>,
}
#[plugin]
struct C {
    http: Dep<fixture_base::Http>,
    kv: Dep<dyn KvStore>,
}
#[plugin(deps = (Etcd, A))]
struct D;
impl Create for D {
    async fn create(_: Self::Deps, _: &Context) -> Result<Self> {
        Ok(D)
    }
}

#[derive(Flavor)]
struct All {
    a: Dep<A>, //~ CN005
    b: Dep<B>, //~ CN001
    c: Dep<C>, //~ CN001+CN002
    d: Dep<D>, //~ CN001
    again: Dep<C>, //~ CN004
}
