use cninfra::keyval::Connector;
use cninfra_etcd::Etcd;                       // of the crate `cninfra-etcd`, which needs `protoc`
use cninfra_flavors::ConfiguredStore;         // with the feature `etcd`, or `redis`

#[derive(Flavor)]
struct PeeringAnywhere {
    #[provides(dyn Connector)]
    etcd: Dep<Etcd>,                          // the first that is configured is taken: by `etcd.conf`, ETCD_ENDPOINTS
    #[provides(dyn Connector)]
    embedded: Option<Dep<EmbeddedKv>>,        // the last: it is always configured, unless it is off
    #[provides(dyn KeyVal)]
    store: Dep<ConfiguredStore>,
    peers: Dep<Peers>,
}
