//! [`Etcd`]: the store as a plugin.

use crate::{Client, EtcdConfig, EtcdStore, report};
use cninfra::{
    Flag,
    keyval::{Capabilities, Delegate, KvError, OpenStore, Reason, StoreMetrics},
    prelude::*,
    status::State,
};
use std::{sync::Arc, time::Duration};

const HELP: &str = "the members of etcd, with commas: 10.0.0.1:2379,10.0.0.2:2379";

const FLAGS: &[Flag] = &[
    Flag::new("etcd-endpoints", "endpoints").env("ETCD_ENDPOINTS").help(HELP),
    Flag::new("etcdv3-endpoints", "endpoints").env("ETCDV3_ENDPOINTS").help("the same, by the predecessor's name"),
];

/// etcd as the store of an agent: it provides [`KeyVal`](cninfra::keyval::KeyVal),
/// [`Revisions`](cninfra::keyval::Revisions), [`Leases`](cninfra::keyval::Leases) and
/// [`Coordination`](cninfra::keyval::Coordination).
///
/// ```
/// use cninfra::{keyval::{KeyVal, Kv}, prelude::*};
/// use cninfra_etcd::Etcd;
///
/// #[plugin]
/// struct Phonebook {
///     store: Dep<dyn KeyVal>,
/// }
///
/// impl Lifecycle for Phonebook {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         let contacts = Kv::of_agent(&self.store, cx.service_label()).scoped("contacts/");
///         contacts.put("alice", "555-0100").await?;
///         Ok(())
///     }
/// }
///
/// #[derive(Flavor)]
/// struct App {
///     #[provides(dyn KeyVal)]
///     etcd: Dep<Etcd>,
///     phonebook: Dep<Phonebook>,
/// }
/// ```
///
/// Its config section is `etcd`, in the file `etcd.conf`, or `etcdv3.conf`, as the predecessor first called it: see
/// [`EtcdConfig`]. If there is no such file, and nothing is set in another way (by `ETCD_ENDPOINTS`), the plugin is
/// off: its status says so, and its calls fail at once. A file that is empty, or that sets only defaults, counts: then
/// etcd is at `127.0.0.1:2379`.
///
/// Its `init` waits until etcd answers, and fails if it does not: see the start policies. With `allow-delayed-start` it
/// does not wait. (The section "When etcd is away" in GUIDE.md has a table of the choices.) An agent that starts
/// without etcd, by its start policy, can use the store all the same: calls wait for etcd within their limits, and
/// watches begin when it is there. From the first answer on, even if the failure of its start was ignored, its status
/// is error while etcd does not answer, and ok while it does.
#[plugin(name = "etcd", alias = "etcdv3", flags = FLAGS)]
pub struct Etcd {
    #[config(check = EtcdConfig::check)]
    config: EtcdConfig,
    #[context]
    cx: Context,
    store: OpenStore<EtcdStore>,
    metrics: StoreMetrics,
}

impl Etcd {
    /// The store, to use it without the agent; `None` if the plugin is off, before its first `init`, and after it was
    /// closed.
    #[must_use]
    pub fn store(&self) -> Option<Arc<EtcdStore>> {
        self.store.get()
    }

    /// The underlying client, for what the interface does not offer. Its calls have no limits except those you set.
    ///
    /// # Errors
    /// The plugin is off, or the server cannot be reached.
    pub async fn client(&self) -> Result<Client> {
        Ok(Delegate::store(self, "connect")?.client().await?)
    }

    /// Whether there is a config file, whatever it contains, or anything is set in another way.
    fn is_wanted(&self) -> bool {
        self.config.is_set() || self.cx.has_config_file()
    }
}

const SET: &str = "set `endpoints` in etcd.conf, or ETCD_ENDPOINTS";

impl Lifecycle for Etcd {
    async fn init(&self, cx: &Context) -> Result<()> {
        if !self.is_wanted() {
            cx.status().report_because(State::Disabled, format!("no endpoints are configured: {SET}"));
            return Ok(());
        }
        self.metrics.register(cx);
        let store = match self.store.get() {
            // The store of an attempt that failed is kept, since others may already be using it.
            Some(store) => store,
            None => {
                let store = Arc::new(EtcdStore::open(self.config.clone()).await?);
                self.store.open(store.clone());
                report::begin(&store, cx.clone(), self.metrics.clone());
                store
            }
        };
        if !self.config.allow_delayed_start {
            store.ping().await?;
        }
        if !self.config.auto_compact.is_zero() && *self.config.auto_compact < Duration::from_secs(3600) {
            let often = format_args!(
                "the history is thrown away each {}: who was away longer has to read all anew",
                self.config.auto_compact
            );
            cx.log().warn(often);
        }
        Ok(())
    }

    async fn close(&self, cx: &Context) -> Result<()> {
        if let Some(store) = self.store.get()
            && let Err(error) = store.close().await
        {
            let ttl = self.config.session_ttl;
            cx.log().warn(format_args!("what ends with this agent ends by itself, {ttl} after it: {error:#}"));
        }
        self.store.close();
        Ok(())
    }
}

impl Delegate for Etcd {
    type Store = EtcdStore;

    fn capabilities(&self) -> Capabilities {
        self.config.capabilities()
    }

    fn is_configured(&self) -> bool {
        self.is_wanted()
    }

    fn describe(&self) -> String {
        format!("etcd at {}", self.config.addresses().join(","))
    }

    fn metrics(&self) -> Option<&StoreMetrics> {
        Some(&self.metrics)
    }

    fn store(&self, op: &'static str) -> Result<Arc<EtcdStore>, KvError> {
        let not_open = match self.store.for_call(op) {
            Ok(store) => return Ok(store),
            Err(error) if self.is_wanted() => error,
            Err(_) => {
                let error = KvError::new(op, Reason::NOT_CONFIGURED).not_applied();
                error.because("the plugin `etcd` is off, since nothing is set for it").with_help(SET)
            }
        };
        Err(not_open.at(self.config.addresses().join(",")))
    }
}
