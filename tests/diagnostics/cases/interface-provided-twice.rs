use cninfra::prelude::*;
use fixture_connectors::*;

#[derive(Flavor)]
struct All {
    journal: Dep<fixture_base::Journal>,
    #[provides(dyn KvStore)]
    a: Dep<Etcd<Primary>>,
    #[provides(dyn KvStore)]
    b: Dep<Etcd<Backup>>, //~ CN003
}
