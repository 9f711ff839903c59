//! The interface to a key-value store: what a plugin with data needs, and what the plugin of a store provides.
//!
//! A plugin depends on `Dep<dyn KeyVal>`, and makes views of it: [`Kv`] for bytes, and [`Typed`] for values of a type.
//! A view has the keys below a prefix, such as those of the agent. What only some stores have is an interface of its
//! own ([`Revisions`], [`Leases`], [`Coordination`]), so that a flavor whose store lacks it does not compile. Smaller
//! differences between stores are in [`Capabilities`]: a request that a store cannot fulfil is refused before anything
//! is sent.
//!
//! An error says whether the operation was applied ([`KvError::applied`]): a put that was not answered in time may have
//! been. A store itself retries what was not applied.
//!
//! A [`Watch`] is a stream of [`Event`]s that never leaves its subscriber with a stale view of the store. It begins
//! with a snapshot and then reports the changes. If some changes may have been missed, because the store was away or
//! the subscriber slow, it reports another snapshot, with its cause.
//!
//! Agents coordinate with an [`Election`] or a [`Lock`].
//!
//! Authors of stores implement [`Store`], whose futures are not boxed, and get [`KeyVal`] from that. A plugin that
//! opens a store becomes one with [`Delegate`]. [`Feed`] is the queue between a store and a subscriber. This module
//! contains no store: each store is a plugin.

mod access;
mod asked;
mod capabilities;
mod codec;
mod coordination;
mod delegate;
mod deletes;
mod diffed;
mod entry;
mod error;
mod event;
mod feed;
mod interface;
mod kv;
mod listing;
mod metrics;
mod open_store;
mod page;
mod paging;
mod range;
#[cfg(test)]
pub(crate) mod testing;
mod txn;
mod typed;
mod typed_watch;
mod watch;
mod written;

pub use access::Access;
pub use asked::Asked;
pub use bytes::Bytes;
pub use capabilities::{Capabilities, Delivery, TxnScope};
pub use codec::{Codec, CodecError, SerdeJson};
pub use coordination::{Election, Held, Holder, Holders, Leadership, Lock, LockGuard, Loss, Observed};
pub use delegate::{Connector, Delegate};
pub use deletes::{Deletes, Deleting, WritingAgain};
pub(crate) use diffed::Inherited;
pub use diffed::{Diffed, Update};
pub use entry::{Entry, Expiry, LONGEST_LIFE, LeaseId, Revision};
pub use error::{Applied, KvError, Reason, Result};
pub use event::{Cause, Change, ChangeKind, Event, Link, Previous};
pub use feed::{Events, Feed, Pushed};
pub use interface::{Coordination, KeyVal, Leases, Revisions, Store};
pub use kv::Kv;
pub use listing::Listing;
pub use metrics::StoreMetrics;
pub(crate) use metrics::Stores;
pub use open_store::OpenStore;
pub use page::{At, Cursor, Page, PageRequest};
pub use paging::{Missed, Paging};
pub use range::KeyRange;
pub use txn::{Compare, Condition, Op, OpResult, Put, Txn, TxnOutcome};
pub use typed::Typed;
pub use typed_watch::{TypedUpdate, TypedWatch};
pub use watch::{Overflow, Watch, WatchControl, WatchHandle, WatchOptions, WatchStats};
pub use written::Written;
