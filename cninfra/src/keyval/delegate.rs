//! [`Delegate`]: a store by another one that may not be open.

use super::{
    At, Capabilities, Coordination, Entry, Holder, KeyRange, KeyVal, LeaseId, Leases, Page, PageRequest, Result,
    Revision, Revisions, Store, Txn, TxnOutcome, Watch, WatchOptions,
};
use crate::{BoxFuture, interface};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// For authors of plugins: a store by another one, which is open only from the plugin's `init` to its `close`: until it has closed, since what has to be given back is given back by the plugin. All that the other one is, this one is, too.
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

    /// What it can do, also while it is not open.
    fn capabilities(&self) -> Capabilities;

    /// Does the config say where it is? One of which it does not is off, and its calls fail with [`Reason::NOT_CONFIGURED`](super::Reason::NOT_CONFIGURED).
    fn is_configured(&self) -> bool {
        true
    }

    /// The other store, for a call of this name.
    ///
    /// # Errors
    /// It is not open: why, and what is to be done.
    fn store(&self, op: &'static str) -> Result<Arc<Self::Store>>;
}

/// A store that an agent has if its config says where it is. Every [`Delegate`] is one. A flavor may have several, and choose among them by what is configured.
#[interface(many)]
pub trait Connector: KeyVal {
    /// Does the config say where it is?
    fn is_configured(&self) -> bool;
}

impl<D: Delegate> Connector for D {
    fn is_configured(&self) -> bool {
        Delegate::is_configured(self)
    }
}

impl<D: Delegate> Store for D {
    fn capabilities(&self) -> Capabilities {
        Delegate::capabilities(self)
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        Store::get(&*self.store("get")?, key, at).await
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        Store::page(&*self.store("list")?, request).await
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        Store::commit(&*self.store("transaction")?, txn).await
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        Store::watch(&*self.store("watch")?, ranges, options).await
    }
}

impl<D: Delegate<Store: Revisions>> Revisions for D {
    fn revision(&self) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async { self.store("revision")?.revision().await })
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.store("compact")?.compact(upto).await })
    }
}

impl<D: Delegate<Store: Leases>> Leases for D {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        Box::pin(async move { self.store("grant")?.grant(ttl).await })
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(async move { self.store("keep alive")?.keep_alive(lease).await })
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.store("revoke")?.revoke(lease).await })
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(async move { self.store("time left")?.time_left(lease).await })
    }
}

impl<D: Delegate<Store: Coordination>> Coordination for D {
    fn holder(&self) -> Holder {
        // of one that is not open nothing can be had
        self.store("hold").map(|store| store.holder()).unwrap_or_default()
    }
}
