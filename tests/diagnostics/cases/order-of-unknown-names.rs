use cninfra::prelude::*;
use fixture_base::Rpc;

const _: () = assert!(Rpc::GRAPH.before("Journal", "Htpp")); //~ CN024
const _: usize = Rpc::GRAPH.position("Logger"); //~ CN024
