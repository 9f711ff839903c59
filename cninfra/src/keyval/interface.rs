//! [`Store`] and [`KeyVal`]: a store as its authors and as its users see it; and what only some stores have.

use super::{
    At, Capabilities, Entry, Holder, KeyRange, LeaseId, Op, Page, PageRequest, Put, Result, Revision, Txn, TxnOutcome,
    Watch, WatchOptions, Written,
};
use crate::{BoxFuture, boxed, interface};
use bytes::Bytes;
use std::{future::Future, time::Duration};

/// A store, for its authors, and for who uses one without an agent: its futures are in no box. What is injected is [`KeyVal`], which every store is.
///
/// Each call ends by itself, by an answer or by an error that says whether it was applied. A store tries again what was not applied, and what is the same when it is done twice (a read, a grant, a revocation, a compaction), and nothing else. What it
/// can not do, it refuses before anything is sent ([`Capabilities::refuse`] helps).
pub trait Store: Send + Sync + 'static {
    /// What it can do, where that is a matter of degree.
    fn capabilities(&self) -> Capabilities;

    /// Reads a key.
    ///
    /// # Errors
    /// The store's; `Unsupported` for a revision where there are none.
    fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send;

    /// Reads a part of a range.
    ///
    /// # Errors
    /// The store's; `Compacted` if the state of the pages before is no longer kept.
    fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send;

    /// Does a transaction. One of a single operation is that operation.
    ///
    /// # Errors
    /// The store's; `TooLarge` and `Unsupported` before anything is done.
    fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send;

    /// Writes a value, whatever was there. It is what [`commit`](Self::commit) does of this put alone, with the same answer and the same errors, and by that unless it is said: a store that can do it without
    /// making a transaction of it says so.
    ///
    /// # Errors
    /// As of `commit`.
    fn put(&self, put: Put) -> impl Future<Output = Result<Written>> + Send {
        async move { Written::of(&self.commit(Txn::one(Op::Put(put))).await?) }
    }

    /// Watches ranges.
    ///
    /// # Errors
    /// The store was closed, or can not watch such a range. That it is away is no error: the watch begins when it is there.
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send;
}

/// A store, as plugins see it: `Dep<dyn KeyVal>`. Its calls are low ones; a view ([`Kv`](super::Kv)) has those that are used. Every [`Store`] is one.
#[interface]
pub trait KeyVal: Send + Sync + 'static {
    /// What it can do, where that is a matter of degree.
    fn capabilities(&self) -> Capabilities;

    /// Reads a key.
    fn get(&self, key: Bytes, at: At) -> BoxFuture<'_, Result<Option<Entry>>>;

    /// Reads a part of a range.
    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page>>;

    /// Does a transaction.
    fn commit(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome>>;

    /// Writes a value, whatever was there: what a transaction of this put alone does.
    fn put(&self, put: Put) -> BoxFuture<'_, Result<Written>> {
        boxed(move || async move { Written::of(&self.commit(Txn::one(Op::Put(put))).await?) })
    }

    /// Watches ranges.
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> BoxFuture<'_, Result<Watch>>;
}

// each future is made inside of its box: to move one into it costs more than the box
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

/// A store with a history: it has revisions, can be read as it was, and throws away what is old when it is asked to.
#[interface]
pub trait Revisions: KeyVal {
    /// The newest state.
    fn revision(&self) -> BoxFuture<'_, Result<Revision>>;

    /// Throws away what was before this state: it can no longer be read, nor changes before it be watched. What is thrown away already, by whomever, is no error: it is as it was asked for.
    ///
    /// # Errors
    /// The store's; `Future` for a state that is not there yet, and then nothing is thrown away.
    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>>;
}

/// A store with leases: keys that end together.
#[interface]
pub trait Leases: KeyVal {
    /// Grants a lease. Returns the life that it has, which may be longer than what was asked for; whoever asks for more than [`LONGEST_LIFE`](super::LONGEST_LIFE) is granted that.
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>>;

    /// Has a lease begin its life anew. Returns what is left of it then.
    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>>;

    /// Ends a lease, and its keys with it. One that has ended already is no error.
    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>>;

    /// What is left of a lease; `None` if it has ended.
    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>>;
}

/// A store on which agents can come to an agreement: it has leases, transactions of any keys with conditions on their revisions, and a watch that tells each
/// change in its order. [`Election`](super::Election) and [`Lock`](super::Lock) stand on it.
#[interface]
pub trait Coordination: Leases + Revisions {
    /// Taken by who leads or has a lock, until he has given it up: see [`Holders`](super::Holders). A store without that does not wait for him when it is closed.
    fn holder(&self) -> Holder {
        Holder::default()
    }
}
