//! [`Access`]: what a view needs of its store, be that a type of its own or an injected interface.

use super::{
    At, Capabilities, Entry, KeyRange, KeyVal, Leases, Page, PageRequest, Result, Revisions, Store, Txn, TxnOutcome,
    Watch, WatchOptions,
};
use bytes::Bytes;
use std::future::Future;

/// What a view needs of its store. It is that of [`Store`] for each store, which costs nothing, and that of [`KeyVal`] for the interfaces: so a view has the same
/// methods of both.
pub trait Access: Send + Sync {
    /// See [`KeyVal::capabilities`].
    fn capabilities(&self) -> Capabilities;
    /// See [`Store::get`].
    fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send;
    /// See [`Store::page`].
    fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send;
    /// See [`Store::commit`].
    fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send;
    /// See [`Store::watch`].
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send;
}

impl<S: Store> Access for S {
    fn capabilities(&self) -> Capabilities {
        Store::capabilities(self)
    }
    fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send {
        Store::get(self, key, at)
    }
    fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send {
        Store::page(self, request)
    }
    fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send {
        Store::commit(self, txn)
    }
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send {
        Store::watch(self, ranges, options)
    }
}

macro_rules! of_interface {
    ($($interface:ident)*) => {$(
        // for any lifetime: rustc forgets it where it asks whether a future is `Send`
        impl Access for dyn $interface + '_ {
            fn capabilities(&self) -> Capabilities {
                KeyVal::capabilities(self)
            }
            fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send {
                KeyVal::get(self, key, at)
            }
            fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send {
                KeyVal::page(self, request)
            }
            fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send {
                KeyVal::commit(self, txn)
            }
            fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send {
                KeyVal::watch(self, ranges, options)
            }
        }
    )*};
}

of_interface!(KeyVal Revisions Leases);
