//! [`EmbeddedKv`]: the store as a plugin.

use crate::{EmbeddedConfig, EmbeddedStore, Health, config::FLAGS};
use cninfra::{
    keyval::{Capabilities, Delegate, KvError, OpenStore, StoreMetrics},
    prelude::*,
    status::State,
};
use std::{path::PathBuf, sync::Arc};

/// A store in one file, for an agent without a server: it provides [`KeyVal`](cninfra::keyval::KeyVal),
/// [`Revisions`](cninfra::keyval::Revisions), [`Leases`](cninfra::keyval::Leases) and
/// [`Coordination`](cninfra::keyval::Coordination).
///
/// ```
/// use cninfra::{keyval::{KeyVal, Kv}, prelude::*};
/// use cninfra_embedded::EmbeddedKv;
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
///     store: Dep<EmbeddedKv>,
///     phonebook: Dep<Phonebook>,
/// }
/// ```
///
/// Its config section is `embedded`, in the file `embedded.conf`: see [`EmbeddedConfig`].
///
/// Since it needs no config, it can be the default store of an agent that may get another one by config: as the last
/// [`Connector`](cninfra::keyval::Connector) of a flavor with `cninfra_flavors::ConfiguredStore`, which has an example.
/// There it opens its file, with the reserve on the disk, whichever store is used. As `Option<Dep<EmbeddedKv>>` it can
/// be switched off by `enabled: false` in `embedded.conf`.
///
/// It opens its file in its `init`, and fails if another process has it open. While the disk is full it is degraded,
/// since reads and deletes continue to work. It is also degraded if old revisions that should be discarded are damaged
/// in the file, since writes continue to work. It is in error while writes fail for another reason.
#[plugin(name = "embedded", flags = FLAGS)]
pub struct EmbeddedKv {
    #[config(check = EmbeddedConfig::check)]
    config: EmbeddedConfig,
    store: OpenStore<EmbeddedStore>,
    metrics: StoreMetrics,
}

impl EmbeddedKv {
    /// The store, to use it without the agent; `None` before it is open, and after it was closed.
    #[must_use]
    pub fn store(&self) -> Option<Arc<EmbeddedStore>> {
        self.store.get()
    }

    /// Closes the store, if it is open, and then calls `then`.
    async fn leave(&self, then: impl FnOnce(&OpenStore<EmbeddedStore>)) -> Result<()> {
        let closed = match self.store.get() {
            Some(store) => store.close().await,
            None => Ok(()),
        };
        then(&self.store);
        self.metrics.set_up(false);
        Ok(closed?)
    }
}

impl Lifecycle for EmbeddedKv {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.metrics.register(cx);
        let mut config = self.config.clone();
        if config.path.is_none() {
            config.path = Some(PathBuf::from(format!("data/{}.redb", cx.label())));
        }
        // A failed attempt to start may have left a store that has the file open.
        self.leave(OpenStore::reopen).await?;
        let store = EmbeddedStore::open(&config).await?;
        cx.log().debug(format_args!("has opened {store}"));
        let mut health = store.health();
        self.store.open(Arc::new(store));
        let (context, metrics) = (cx.clone(), self.metrics.clone());
        cx.spawn_until_close("health", async move {
            loop {
                let now = health.borrow_and_update().clone();
                metrics.set_up(!matches!(now, Health::Failed(_)));
                match now {
                    Health::Well => context.status().report(State::Ok),
                    Health::Full => context.status().report_because(State::Degraded, "the disk is full"),
                    Health::Damaged(why) => context.status().report_because(State::Degraded, why),
                    Health::Failed(why) => context.status().report_because(State::Error, why),
                }
                if health.changed().await.is_err() {
                    return;
                }
            }
        });
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        self.leave(OpenStore::close).await
    }
}

impl Delegate for EmbeddedKv {
    type Store = EmbeddedStore;

    fn capabilities(&self) -> Capabilities {
        crate::store::capabilities(&self.config)
    }

    fn describe(&self) -> String {
        match (self.store.get(), &self.config.path) {
            _ if self.config.in_memory => "embedded in memory".to_string(),
            (Some(store), _) => format!("embedded at {store}"),
            (_, Some(path)) => format!("embedded at {}", path.display()),
            // The default path contains the agent's label, which is not known here before `init`.
            (_, None) => "embedded".to_string(),
        }
    }

    fn metrics(&self) -> Option<&StoreMetrics> {
        Some(&self.metrics)
    }

    fn store(&self, op: &'static str) -> Result<Arc<EmbeddedStore>, KvError> {
        self.store.for_call(op).map_err(|not_open| not_open.at("embedded"))
    }
}
