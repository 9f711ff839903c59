use cninfra::keyval::Connector;
use cninfra_etcd::Etcd;                       // from the crate `cninfra-etcd`, which needs `protoc`
use cninfra_flavors::ConfiguredStore;         // with the feature `etcd`, or `redis`

#[derive(Flavor)]
struct PeeringAnywhere {
    #[provides(dyn Connector)]
    etcd: Dep<Etcd>,                          // used if configured, by `etcd.conf` or ETCD_ENDPOINTS
    #[provides(dyn Connector)]
    embedded: Option<Dep<EmbeddedKv>>,        // last, since it is always configured unless disabled
    #[provides(dyn KeyVal)]
    store: Dep<ConfiguredStore>,
    peers: Dep<Peers>,
}
