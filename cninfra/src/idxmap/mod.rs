//! [`IdxMap`]: a concurrent map with secondary indexes and watchers.
//!
//! It is for what a plugin knows and others look up, by key or by some other value. A watcher first receives all
//! entries, and then each change, in order and with the previous value.
//!
//! ```
//! use cninfra::idxmap::{Event, IdxMap};
//! use std::net::IpAddr;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! struct Interface {
//!     addresses: Vec<IpAddr>,
//! }
//!
//! let interfaces: IdxMap<String, Interface> = IdxMap::new("interfaces");
//! let by_address = interfaces.index(|_, interface| interface.addresses.clone());
//! let mut changes = interfaces.watch();
//!
//! let loopback: IpAddr = "127.0.0.1".parse().unwrap();
//! interfaces.put("lo".to_string(), Interface { addresses: vec![loopback] });
//! assert_eq!(by_address.keys(&loopback), ["lo"]);
//!
//! assert!(matches!(changes.next().await, Some(Event::All(all)) if all.is_empty()));
//! let Some(Event::Change(change)) = changes.next().await else { panic!("no change") };
//! assert!(change.key() == "lo" && change.previous().is_none());
//! # }
//! ```
//!
//! A reader never waits for a watcher, and a writer does not wait for a slow one. Changes are kept in one bounded queue
//! for all watchers. A watcher that falls behind the queue receives all entries again, and the number of changes it
//! missed ([`Changes::missed`]). While these entries are collected, as for a new watcher, writers wait.

mod change;
mod changes;
mod index;
#[cfg(feature = "keyval")]
mod left;
mod log;
mod map;
#[cfg(feature = "keyval")]
mod mirror;
mod parts;
mod shared;
#[cfg(feature = "keyval")]
mod synced;

pub use change::Change;
pub use changes::{Changes, Event};
pub use index::Index;
pub use map::{IdxMap, Reader};
#[cfg(feature = "keyval")]
pub use mirror::{mirror, mirror_typed};
