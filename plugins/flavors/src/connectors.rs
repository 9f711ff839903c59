//! [`Connectors`] and [`AllConnectors`]: flavors for agents that keep data in other systems.

use crate::{ConfiguredStore, Local};
#[cfg(feature = "etcd")]
use cninfra::keyval::{Coordination, Leases, Revisions};
use cninfra::{
    keyval::{Connector, KeyVal},
    prelude::*,
};
#[cfg(feature = "etcd")]
use cninfra_etcd::Etcd;
#[cfg(feature = "redis")]
use cninfra_redis::Redis;
use cninfra_statuscheck::StatusCheck;

/// An agent with key-value stores: those whose features are on, `etcd` and `redis`. A store that is not configured is
/// disabled, so the agent starts without any config and without any server.
///
/// The config, and not the features, decides which store the plugins get as `dyn KeyVal`: the first that is configured,
/// etcd before Redis ([`ConfiguredStore`]). So nothing changes if another crate switches on one more feature. The
/// status of the agent is published in that store. What only etcd has, `dyn Revisions`, `dyn Leases` and
/// `dyn Coordination`, is always provided by etcd: if etcd is not configured, these calls fail, and say what to set. To
/// use a certain store, whatever else is configured, depend on its type: `Dep<Redis>`.
///
/// ```
/// use cninfra::{keyval::{KeyVal, Kv}, prelude::*};
/// use cninfra_flavors::Connectors;
///
/// #[plugin]
/// struct Phonebook {
///     store: Dep<dyn KeyVal>,
/// }
///
/// impl Lifecycle for Phonebook {
///     async fn after_init(&self, cx: &Context) -> Result<()> {
///         let contacts = Kv::of_agent(&self.store, cx.service_label()).scoped("contacts/");
///         contacts.put("alice", "555-0100").await?;
///         Ok(())
///     }
/// }
///
/// #[derive(Flavor)]
/// struct PhonebookAgent {
///     connectors: Connectors,
///     phonebook: Dep<Phonebook>,
/// }
///
/// const _: () = assert!(PhonebookAgent::GRAPH.before("ConfiguredStore", "Phonebook"));
/// ```
///
/// The embedded store is not among them: it needs no config, so it would create a file for each agent without a
/// configured store. An agent that wants it, or always the same store, has a flavor of its own, whose wiring the
/// compiler checks: `Local`, and a line such as `#[provides(dyn KeyVal)] store: Dep<EmbeddedKv>`; or, for the embedded
/// store unless another one is configured, the lines at [`ConfiguredStore`]. (An `EmbeddedKv` that provides
/// `dyn KeyVal` beside `Connectors` is an error, since then both provide it.)
#[derive(Flavor)]
pub struct Connectors {
    /// What needs no network.
    pub local: Local,
    /// etcd: `etcd.conf`, `ETCD_ENDPOINTS`. With the feature `etcd`, which needs `protoc` to build.
    #[cfg(feature = "etcd")]
    #[provides(dyn Connector, dyn Revisions, dyn Leases, dyn Coordination)]
    pub etcd: Dep<Etcd>,
    /// Redis: `redis.conf`. With the feature `redis`, which needs a C compiler to build.
    #[cfg(feature = "redis")]
    #[provides(dyn Connector)]
    pub redis: Dep<Redis>,
    /// The configured one of them.
    #[provides(dyn KeyVal)]
    pub store: Dep<ConfiguredStore>,
    /// Publishes the status of the agent in that store.
    pub status: Dep<StatusCheck>,
}

/// All connectors of the platform, like the predecessor's flavor of this name: at present the key-value stores. Kafka
/// and Cassandra will be added here; [`Connectors`] will not have them.
///
/// ```
/// use cninfra::prelude::*;
/// use cninfra_flavors::{AllConnectors, Rpc};
///
/// #[derive(Flavor)]
/// struct FullAgent {
///     rpc: Rpc,
///     connectors: AllConnectors,
/// }
/// ```
#[cfg(feature = "all-connectors")]
#[derive(Flavor)]
pub struct AllConnectors {
    /// The key-value stores.
    pub stores: Connectors,
}
