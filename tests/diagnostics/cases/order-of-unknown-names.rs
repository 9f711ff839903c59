use cninfra::prelude::*;
use fixture_base::Rpc;

const _: () = assert!(Rpc::GRAPH.before("Journal", "Htpp")); //~ CN024
const _: usize = Rpc::GRAPH.position("journal"); //~ CN024
const _: usize = Rpc::GRAPH.position("Logger"); //~ CN024

#[derive(Qualifier)]
struct Backup;
#[plugin(name = "kv", no_lifecycle)]
struct Etcd<R> {
    role: std::marker::PhantomData<R>,
}
#[derive(Flavor)]
struct Stores {
    second: Dep<Etcd<Backup>>,
}
// the type without its parameters, the instance, the field
const _: usize = Stores::GRAPH.position("Etcd"); //~ CN024
const _: usize = Stores::GRAPH.position("kv-backup"); //~ CN024
const _: usize = Stores::GRAPH.position("second"); //~ CN024

#[derive(Flavor)]
struct Empty {}
const _: usize = Empty::GRAPH.position("Store"); //~ CN024
