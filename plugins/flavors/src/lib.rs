//! The predefined flavors of cninfra: sets of platform plugins, to be put into an application's own flavor.
//!
//! | flavor | feature | contents |
//! | --- | --- | --- |
//! | [`Local`] | | what needs no network |
//! | [`Rpc`] | `rpc`, on by default | `Local`, the HTTP server, the probes, the pages |
//! | `Connectors` | `etcd`, `redis`: each adds its store | `Local`, the key-value stores, of which a configured one is `dyn KeyVal`, and the status of the agent published there |
//! | `AllConnectors` | `all-connectors` | `Connectors` with all stores; later also Kafka and Cassandra |
//!
//! An application links only the flavors whose features are on.

#[cfg(any(feature = "etcd", feature = "redis"))]
mod connectors;
mod local;
#[cfg(feature = "rpc")]
mod rpc;
#[cfg(any(feature = "etcd", feature = "redis"))]
mod store;

#[cfg(feature = "all-connectors")]
pub use connectors::AllConnectors;
#[cfg(any(feature = "etcd", feature = "redis"))]
pub use connectors::Connectors;
pub use local::Local;
#[cfg(feature = "rpc")]
pub use rpc::Rpc;
#[cfg(any(feature = "etcd", feature = "redis"))]
pub use store::ConfiguredStore;
