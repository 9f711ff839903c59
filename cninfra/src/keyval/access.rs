//! [`Access`]: what a view needs of its store, whether that is a concrete type or an injected interface.

use super::{
    At, Capabilities, Coordination, Entry, KeyRange, KeyVal, Leases, Op, Page, PageRequest, Put, Result, Revisions,
    Store, Txn, TxnOutcome, Watch, WatchOptions, Written,
};
use bytes::Bytes;
use std::future::Future;

/// What a view needs from its store. It is implemented through [`Store`] for each store, at no cost, and through
/// [`KeyVal`] for the interfaces, so that a view has the same methods for both.
pub trait Access: Send + Sync {
    /// See [`KeyVal::capabilities`].
    fn capabilities(&self) -> Capabilities;
    /// See [`Store::get`].
    fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send;
    /// See [`Store::page`].
    fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send;
    /// See [`Store::commit`].
    fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send;
    /// See [`Store::put`].
    fn put(&self, put: Put) -> impl Future<Output = Result<Written>> + Send {
        async move { Written::of(&self.commit(Txn::one(Op::Put(put))).await?) }
    }
    /// See [`Store::watch`].
    fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send;
}

macro_rules! access {
    ($interface:ident: $($head:tt)*) => {
        $($head)* {
            fn capabilities(&self) -> Capabilities {
                $interface::capabilities(self)
            }
            fn get(&self, key: Bytes, at: At) -> impl Future<Output = Result<Option<Entry>>> + Send {
                $interface::get(self, key, at)
            }
            fn page(&self, request: PageRequest) -> impl Future<Output = Result<Page>> + Send {
                $interface::page(self, request)
            }
            fn commit(&self, txn: Txn) -> impl Future<Output = Result<TxnOutcome>> + Send {
                $interface::commit(self, txn)
            }
            fn put(&self, put: Put) -> impl Future<Output = Result<Written>> + Send {
                $interface::put(self, put)
            }
            fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> impl Future<Output = Result<Watch>> + Send {
                $interface::watch(self, ranges, options)
            }
        }
    };
}

access!(Store: impl<S: Store> Access for S);
// Implemented for any lifetime: rustc forgets the lifetime when it checks whether a future is `Send`.
access!(KeyVal: impl Access for dyn KeyVal + '_);
access!(KeyVal: impl Access for dyn Revisions + '_);
access!(KeyVal: impl Access for dyn Leases + '_);
access!(KeyVal: impl Access for dyn Coordination + '_);
