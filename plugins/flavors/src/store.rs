//! [`ConfiguredStore`]: chooses the store of an agent that has several.

use cninfra::{
    BoxFuture,
    keyval::{
        At, Bytes, Capabilities, Connector, Entry, KeyRange, KeyVal, KvError, Page, PageRequest, Put, Reason, Result,
        Txn, TxnOutcome, Watch, WatchOptions, Written,
    },
    prelude::*,
    status::State,
};
use std::future::ready;

/// The store of an agent that has several: the first of its [`Connector`]s that is configured, in the order of the
/// flavor. The log says at the start which one it is. It has no connection and no config of its own.
///
/// If none is configured it is disabled, as they are, and its calls fail with [`Reason::NOT_CONFIGURED`].
///
/// The embedded store is always configured. Put last, it is the store of an agent whose config mentions no other:
///
/// ```
/// # #[cfg(feature = "etcd")]
/// # mod shown {
/// use cninfra::{keyval::{Connector, KeyVal}, prelude::*};
/// use cninfra_embedded::EmbeddedKv;
/// use cninfra_etcd::Etcd;
/// use cninfra_flavors::ConfiguredStore;
///
/// #[derive(Flavor)]
/// struct Stores {
///     #[provides(dyn Connector)]
///     etcd: Dep<Etcd>,                   // where `etcd.conf` or `ETCD_ENDPOINTS` says where it is
///     #[provides(dyn Connector)]
///     embedded: Option<Dep<EmbeddedKv>>, // else
///     #[provides(dyn KeyVal)]
///     store: Dep<ConfiguredStore>,
/// }
///
/// const _: () = assert!(Stores::GRAPH.before("EmbeddedKv", "ConfiguredStore"));
/// # }
/// ```
///
/// Each store starts by its own config, whichever is used: the embedded one opens its file even beside etcd, unless it
/// is switched off by `enabled: false` in `embedded.conf`. Nothing is copied from one store to another.
#[plugin]
pub struct ConfiguredStore {
    connectors: Vec<Dep<dyn Connector>>,
}

const HELP: &str = "set `endpoints` in etcd.conf, or `endpoint` in redis.conf";

impl ConfiguredStore {
    fn configured(&self) -> impl Iterator<Item = &dyn Connector> {
        self.connectors.iter().map(|connector| &**connector).filter(|connector| connector.is_configured())
    }

    fn store(&self) -> Option<&dyn Connector> {
        self.configured().next()
    }

    fn call<'a, T: Send + 'a>(
        &'a self,
        op: &'static str,
        call: impl FnOnce(&'a dyn Connector) -> BoxFuture<'a, Result<T>>,
    ) -> BoxFuture<'a, Result<T>> {
        match self.store() {
            Some(store) => call(store),
            None => {
                let error = KvError::new(op, Reason::NOT_CONFIGURED).not_applied();
                Box::pin(ready(Err(error.because("no store is configured").with_help(HELP))))
            }
        }
    }
}

impl Lifecycle for ConfiguredStore {
    async fn init(&self, cx: &Context) -> cninfra::Result<()> {
        let mut configured = self.configured().map(Connector::describe);
        match configured.next() {
            None => cx.status().report_because(State::Disabled, format!("no store is configured: {HELP}")),
            Some(store) => {
                let others: Vec<String> = configured.collect();
                let beside = if others.is_empty() { String::new() } else { format!(", and not {}", others.join(", ")) };
                cx.log().info(format_args!("the store of this agent is {store}{beside}"));
            }
        }
        Ok(())
    }
}

impl KeyVal for ConfiguredStore {
    fn capabilities(&self) -> Capabilities {
        self.store().map_or(Capabilities::all(), |store| store.capabilities())
    }

    fn get(&self, key: Bytes, at: At) -> BoxFuture<'_, Result<Option<Entry>>> {
        self.call("get", move |store| store.get(key, at))
    }

    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page>> {
        self.call("list", move |store| store.page(request))
    }

    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>> {
        self.call("transaction", move |store| store.commit(txn))
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written>> {
        self.call("put", move |store| store.put(put))
    }

    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> BoxFuture<'_, Result<Watch>> {
        self.call("watch", move |store| store.watch(ranges, options))
    }
}
