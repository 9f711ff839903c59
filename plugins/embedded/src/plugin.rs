//! [`EmbeddedKv`]: the store as a plugin.

use crate::{EmbeddedConfig, EmbeddedStore, Health, config::FLAGS};
use cninfra::{
    BoxFuture,
    keyval::{
        At, Bytes, Capabilities, Coordination, Entry, KeyRange, KvError, LeaseId, Leases, Page, PageRequest, Reason,
        Revision, Revisions, Store, Txn, TxnOutcome, Watch, WatchOptions,
    },
    prelude::*,
    status::State,
};
use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// A store in one file, for an agent without a server: it provides [`KeyVal`](cninfra::keyval::KeyVal), [`Revisions`], [`Leases`] and [`Coordination`].
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
/// It opens its file in its `init`, and fails where another process has it. While the disk is full it is degraded, since reads and deletes go on; it is in error while writes fail for another reason.
#[plugin(name = "embedded", flags = FLAGS)]
pub struct EmbeddedKv {
    #[config(check = EmbeddedConfig::check)]
    config: EmbeddedConfig,
    store: RwLock<Option<Arc<EmbeddedStore>>>,
}

impl EmbeddedKv {
    /// The store, for who wants it without the agent; `None` before it is open, and after it was closed.
    #[must_use]
    pub fn store(&self) -> Option<Arc<EmbeddedStore>> {
        self.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn opened(&self, op: &'static str) -> Result<Arc<EmbeddedStore>, KvError> {
        self.store().ok_or_else(|| {
            let error = KvError::new(op, Reason::Unavailable).not_applied();
            error.at("embedded").with_help("depend on the plugin: it is open from the end of its `init` to its `close`")
        })
    }

    fn put(&self, store: Option<Arc<EmbeddedStore>>) -> Option<Arc<EmbeddedStore>> {
        std::mem::replace(&mut *self.store.write().unwrap_or_else(PoisonError::into_inner), store)
    }
}

impl Lifecycle for EmbeddedKv {
    async fn init(&self, cx: &Context) -> Result<()> {
        let mut config = self.config.clone();
        if config.path.is_none() {
            config.path = Some(PathBuf::from(format!("data/{}.redb", cx.label())));
        }
        // an attempt that has failed after all may have left one, which has the file
        self.close(cx).await?;
        let store = EmbeddedStore::open(&config).await.map_err(told)?;
        cx.log().debug(format_args!("has opened {store}"));
        let mut health = store.health();
        self.put(Some(Arc::new(store)));
        let context = cx.clone();
        cx.spawn_until_close("health", async move {
            loop {
                let now = health.borrow_and_update().clone();
                match now {
                    Health::Well => context.status().report(State::Ok),
                    Health::Full => context.status().report_because(State::Degraded, "the disk is full"),
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
        match self.put(None) {
            Some(store) => store.close().await.map_err(told),
            None => Ok(()),
        }
    }
}

/// The mend goes with it.
fn told(error: KvError) -> Error {
    let help = error.help().map(str::to_string);
    let error = Error::from(error);
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

impl Store for EmbeddedKv {
    fn capabilities(&self) -> Capabilities {
        crate::store::capabilities(&self.config)
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>, KvError> {
        Store::get(&*self.opened("get")?, key, at).await
    }

    async fn page(&self, request: PageRequest) -> Result<Page, KvError> {
        Store::page(&*self.opened("list")?, request).await
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome, KvError> {
        Store::commit(&*self.opened("transaction")?, txn).await
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch, KvError> {
        Store::watch(&*self.opened("watch")?, ranges, options).await
    }
}

impl Revisions for EmbeddedKv {
    fn revision(&self) -> BoxFuture<'_, Result<Revision, KvError>> {
        Box::pin(async { self.opened("revision")?.revision().await })
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<(), KvError>> {
        Box::pin(async move { self.opened("compact")?.compact(upto).await })
    }
}

impl Leases for EmbeddedKv {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration), KvError>> {
        Box::pin(async move { self.opened("grant")?.grant(ttl).await })
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration, KvError>> {
        Box::pin(async move { self.opened("keep alive")?.keep_alive(lease).await })
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<(), KvError>> {
        Box::pin(async move { self.opened("revoke")?.revoke(lease).await })
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>, KvError>> {
        Box::pin(async move { self.opened("time left")?.time_left(lease).await })
    }
}

impl Coordination for EmbeddedKv {}
