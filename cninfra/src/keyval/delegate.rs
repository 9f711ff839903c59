//! [`Delegate`]: a plugin that is a store by delegating to another store, which is open only while the plugin runs.

use super::{
    At, Capabilities, Coordination, Entry, Holder, KeyRange, KeyVal, LeaseId, Leases, Page, PageRequest, Put, Result,
    Revision, Revisions, Store, StoreMetrics, Txn, TxnOutcome, Watch, WatchOptions, Written,
    metrics::{Counted, Operation},
};
use crate::{BoxFuture, interface};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// For authors of plugins: a plugin that is a store by delegating to another one, which is open only from the plugin's
/// `init` until the end of its `close` (leaderships and locks are released through the plugin while it closes). The
/// plugin implements all interfaces that the other store implements.
///
/// ```
/// use cninfra::keyval::{Capabilities, Delegate, KvError, Reason, Result, Store};
/// use std::sync::{Arc, OnceLock};
///
/// struct Later<S>(OnceLock<Arc<S>>);
///
/// impl<S: Store> Delegate for Later<S> {
///     type Store = S;
///
///     fn capabilities(&self) -> Capabilities {
///         Capabilities::all()
///     }
///
///     fn store(&self, op: &'static str) -> Result<Arc<S>> {
///         self.0.get().cloned().ok_or_else(|| KvError::new(op, Reason::Unavailable).not_applied())
///     }
/// }
///
/// fn is_a_store<S: Store>() {}
/// fn check<S: Store>() {
///     is_a_store::<Later<S>>();
/// }
/// ```
pub trait Delegate: Send + Sync + 'static {
    /// The other store.
    type Store: Store;

    /// What it supports and its limits, also while it is not open.
    fn capabilities(&self) -> Capabilities;

    /// Whether the config says where the store is. If it does not, the store is off, and its calls fail with
    /// [`Reason::NOT_CONFIGURED`](super::Reason::NOT_CONFIGURED).
    fn is_configured(&self) -> bool {
        true
    }

    /// Which store it is, and where, for the log, without secrets. Default: the name of its type.
    fn describe(&self) -> String {
        let name = std::any::type_name::<Self::Store>();
        name.split('<').next().and_then(|name| name.rsplit("::").next()).unwrap_or(name).to_string()
    }

    /// Counts its calls and watches, whoever makes them through this plugin; `None` if nothing is counted.
    fn metrics(&self) -> Option<&StoreMetrics> {
        None
    }

    /// The other store, for a call of this name.
    ///
    /// # Errors
    /// It is not open: why, and what to do.
    fn store(&self, op: &'static str) -> Result<Arc<Self::Store>>;
}

/// A store that an agent has if its config says where the store is. Every [`Delegate`] is one. A flavor may have
/// several, and choose the one that is configured.
#[interface(many)]
pub trait Connector: KeyVal {
    /// Whether the config says where the store is.
    fn is_configured(&self) -> bool;

    /// Which store it is, and where, for the log.
    fn describe(&self) -> String;
}

impl<D: Delegate> Connector for D {
    fn is_configured(&self) -> bool {
        Delegate::is_configured(self)
    }

    fn describe(&self) -> String {
        Delegate::describe(self)
    }
}

/// Calls the other store, if that is open, and counts the call.
macro_rules! counted {
    ($this:ident, $operation:ident, $op:literal, |$store:ident| $call:expr) => {{
        let counted = begin($this, Operation::$operation);
        let result = match $this.store($op) {
            Ok($store) => $call.await,
            Err(error) => Err(error),
        };
        if let Some(counted) = counted {
            counted.end(&result);
        }
        result
    }};
}

fn begin<D: Delegate>(store: &D, operation: Operation) -> Option<Counted<'_>> {
    store.metrics().map(|metrics| metrics.calls().begin(operation))
}

impl<D: Delegate> Store for D {
    fn capabilities(&self) -> Capabilities {
        Delegate::capabilities(self)
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        counted!(self, Get, "get", |store| Store::get(&*store, key, at))
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        counted!(self, List, "list", |store| Store::page(&*store, request))
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        counted!(self, Transaction, "transaction", |store| Store::commit(&*store, txn))
    }

    // Counted as a transaction, since a put is a transaction with one operation.
    async fn put(&self, put: Put) -> Result<Written> {
        counted!(self, Transaction, "put", |store| Store::put(&*store, put))
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        let watch = counted!(self, Watch, "watch", |store| Store::watch(&*store, ranges, options))?;
        Ok(match Delegate::metrics(self) {
            Some(metrics) => metrics.watched(watch),
            None => watch,
        })
    }
}

impl<D: Delegate<Store: Revisions>> Revisions for D {
    fn revision(&self) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async { counted!(self, Revision, "revision", |store| store.revision()) })
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { counted!(self, Compact, "compact", |store| store.compact(upto)) })
    }
}

impl<D: Delegate<Store: Leases>> Leases for D {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        Box::pin(async move { counted!(self, Grant, "grant", |store| store.grant(ttl)) })
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(async move { counted!(self, KeepAlive, "keep alive", |store| store.keep_alive(lease)) })
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { counted!(self, Revoke, "revoke", |store| store.revoke(lease)) })
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(async move { counted!(self, TimeLeft, "time left", |store| store.time_left(lease)) })
    }
}

impl<D: Delegate<Store: Coordination>> Coordination for D {
    fn holder(&self) -> Holder {
        // While the store is not open, nothing can be held.
        self.store("hold").map(|store| store.holder()).unwrap_or_default()
    }
}
