//! [`Connectors`] and [`AllConnectors`]: agents that keep data in other systems.

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

/// An agent with key-value stores: those whose features are on, `etcd` and `redis`. Each that is not configured is disabled: the agent starts without any config and any server.
///
/// Which one is the `dyn KeyVal` of the agent's plugins is a matter of its config, not of its features: the first that is configured, etcd before Redis ([`ConfiguredStore`]). So another crate that
/// switches on one more feature changes nothing. The status of the agent is published there. What only etcd has, `dyn Revisions`, `dyn Leases` and `dyn Coordination`, is always etcd's: where that is not configured, its
/// calls fail, and say what to set. Who means one store, whatever else is configured, depends on its type: `Dep<Redis>`.
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
/// The embedded store is none of them: it needs no config, so it would make a file for each agent that has nothing configured. An agent that wants it, or one store for certain, has a flavor of its own, whose wiring the
/// compiler checks: `Local`, and a line such as `#[provides(dyn KeyVal)] store: Dep<EmbeddedKv>`; or, for the embedded store unless another one is configured, the lines at [`ConfiguredStore`]. (Beside `Connectors`, an `EmbeddedKv` that
/// provides `dyn KeyVal` is an error: both would.)
#[derive(Flavor)]
pub struct Connectors {
    /// What needs no network.
    pub local: Local,
    /// etcd: `etcd.conf`, `ETCD_ENDPOINTS`. With the feature `etcd`, which needs `protoc` to be built.
    #[cfg(feature = "etcd")]
    #[provides(dyn Connector, dyn Revisions, dyn Leases, dyn Coordination)]
    pub etcd: Dep<Etcd>,
    /// Redis: `redis.conf`. With the feature `redis`, which needs a C compiler to be built.
    #[cfg(feature = "redis")]
    #[provides(dyn Connector)]
    pub redis: Dep<Redis>,
    /// The one of them that is configured.
    #[provides(dyn KeyVal)]
    pub store: Dep<ConfiguredStore>,
    /// Publishes the status of the agent there.
    pub status: Dep<StatusCheck>,
}

/// All connectors of the platform, as the predecessor's flavor of this name: the key-value stores today. Kafka and Cassandra have their place here when they come; [`Connectors`] will be without them.
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
