//! Tests of the contents of the flavors, and of their start order.

use crate::support::Full;
use cninfra::prelude::*;
use cninfra_flavors::{AllConnectors, Connectors};

const _: () = assert!(Full::GRAPH.before("Etcd", "ConfiguredStore"));
const _: () = assert!(Full::GRAPH.before("Redis", "ConfiguredStore"));
const _: () = assert!(Full::GRAPH.before("ConfiguredStore", "Phonebook"));

#[test]
fn each_connector_is_there_once_and_before_the_store() {
    let names = ["LogManager", "Etcd", "Redis", "ConfiguredStore", "StatusCheck"];
    assert_eq!((Connectors::GRAPH.names(), AllConnectors::GRAPH.names()), (&names[..], &names[..]));
    let text = AllConnectors::GRAPH.text();
    for line in [
        "Etcd as Connectors::etcd provides dyn Connector, dyn Revisions, dyn Leases, dyn Coordination",
        "Redis as Connectors::redis provides dyn Connector",
        "ConfiguredStore as Connectors::store provides dyn KeyVal; needs Etcd, Redis",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
