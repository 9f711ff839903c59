//! The traits of a store: [`Store`] for its authors, [`KeyVal`] for plugins that use it, and the interfaces that only
//! some stores have.

use super::{
    At, Capabilities, Entry, Holder, KeyRange, LeaseId, Op, Page, PageRequest, Put, Result, Revision, Txn, TxnOutcome,
    Watch, WatchOptions, Written,
};
use crate::{BoxFuture, boxed, interface};
use bytes::Bytes;
use std::{future::Future, time::Duration};

/// A store, for its authors, and for users of a store without an agent. Its futures are not boxed. What is injected is
/// [`KeyVal`], which every store implements.
///
/// Each call ends by itself, with an answer or with an error that says whether it was applied. A store retries what was
/// not applied and what is idempotent (a read, a grant, a revocation, a compaction), and nothing else. It refuses what
/// it cannot do before anything is sent ([`Capabilities::refuse`] helps).
pub trait Store: Send + Sync + 'static {
    /// What it supports, and its limits.
    fn capabilities(&self) -> Capabilities;

    /// Reads a key.
    ///
    /// # Errors
    /// Those of the store; `Unsupported` for a revision if the store has none.
    fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send;

    /// Reads one page of a range.
    ///
    /// # Errors
    /// Those of the store; `Compacted` if the revision of the previous pages is no longer kept.
    fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send;

    /// Executes a transaction. A transaction with a single operation is equivalent to that operation.
    ///
    /// # Errors
    /// Those of the store; `TooLarge` and `Unsupported` before anything is done.
    fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send;

    /// Writes a value unconditionally. It is equivalent to [`commit`](Self::commit) with only this put, with the same
    /// answer and the same errors, and is implemented so by default. A store that can do it without making a
    /// transaction overrides it.
    ///
    /// # Errors
    /// As `commit`.
    fn put(&self, put: Put) -> impl Future<Output = Result<Written>> + Send {
        async move { Written::of(&self.commit(Txn::one(Op::Put(put))).await?) }
    }

    /// Watches ranges.
    ///
    /// # Errors
    /// The store was closed, or cannot watch such a range. It is no error if the store is away: the watch begins when
    /// it is back.
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send;
}

/// A store, as plugins see it: `Dep<dyn KeyVal>`. Its calls are low-level; use them through a view ([`Kv`](super::Kv)).
/// Every [`Store`] implements it.
#[interface]
pub trait KeyVal: Send + Sync + 'static {
    /// What it supports, and its limits.
    fn capabilities(&self) -> Capabilities;

    /// Reads a key.
    fn get(&self, key: Bytes, at: At) -> BoxFuture<'_, Result<Option<Entry>>>;

    /// Reads one page of a range.
    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page>>;

    /// Executes a transaction.
    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>>;

    /// Writes a value unconditionally, like a transaction with only this put.
    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written>> {
        boxed(move || async move { Written::of(&self.commit(Txn::one(Op::Put(put))).await?) })
    }

    /// Watches ranges.
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> BoxFuture<'_, Result<Watch>>;
}

// Each future is created inside its box: moving a future into a box costs more than the box itself.
impl<S: Store> KeyVal for S {
    fn capabilities(&self) -> Capabilities {
        Store::capabilities(self)
    }

    fn get(&self, key: Bytes, at: At) -> BoxFuture<'_, Result<Option<Entry>>> {
        boxed(|| Store::get(self, key, at))
    }

    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page>> {
        boxed(|| Store::page(self, request))
    }

    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>> {
        boxed(|| Store::commit(self, txn))
    }

    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written>> {
        boxed(|| Store::put(self, put))
    }

    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> BoxFuture<'_, Result<Watch>> {
        boxed(|| Store::watch(self, ranges, options))
    }
}

/// A store with a history: it has revisions, can be read as of one, and discards old ones on request.
#[interface]
pub trait Revisions: KeyVal {
    /// The newest revision.
    fn revision(&self) -> BoxFuture<'_, Result<Revision>>;

    /// Discards the history before this revision: it can no longer be read, and changes before it can no longer be
    /// watched. It is no error if that was discarded already, by anyone.
    ///
    /// # Errors
    /// Those of the store; `Future` for a revision that does not exist yet, and then nothing is discarded.
    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>>;
}

/// A store with leases: keys that expire together.
#[interface]
pub trait Leases: KeyVal {
    /// Grants a lease. Returns its time to live, which may be longer than requested. A request for more than
    /// [`LONGEST_LIFE`](super::LONGEST_LIFE) is granted that.
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>>;

    /// Renews a lease. Returns the time that is left.
    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>>;

    /// Ends a lease, and deletes its keys. It is no error if it has ended already.
    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>>;

    /// The time that is left of a lease; `None` if it has ended.
    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>>;
}

/// A store with which agents can coordinate: it has leases, transactions on any keys with conditions on their
/// revisions, and a watch that reports every change in order. [`Election`](super::Election) and [`Lock`](super::Lock)
/// use it.
#[interface]
pub trait Coordination: Leases + Revisions {
    /// Held by a leader or the owner of a lock until it has given that up: see [`Holders`](super::Holders). A store
    /// that does not implement this does not wait for them when it is closed.
    fn holder(&self) -> Holder {
        Holder::default()
    }
}
