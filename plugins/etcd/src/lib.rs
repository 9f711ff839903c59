//! etcd as a store of cninfra agents: [`EtcdStore`] is the library, [`Etcd`] the plugin around it.
//!
//! It supports everything in [`cninfra::keyval`]: revisions, leases, elections and locks, and watches that recover by
//! themselves.
//!
//! # A server that is restored from a backup
//!
//! Watches report all keys again. Keys that were written [with the client](cninfra::keyval::Expiry::WithClient) are
//! written again if the backup does not know the client's lease. If it does, a key that is missing, or that has an
//! older value of this client (one of the last 16), is restored as long as the server's revision is lower than that of
//! the last value.
//!
//! The client checks after each third of [`session_ttl`](EtcdConfig::session_ttl). If others have written so much by
//! then that the revision is as high again, an older value stays, and a missing key is taken for deleted, until the
//! client puts it. So if you restore a backup while agents run, either let nobody write for that long, or restart the
//! agents.

mod commit;
mod config;
mod convert;
mod core;
mod failure;
mod lease;
mod lives;
mod monitor;
mod ours;
mod plugin;
mod pulse;
mod read;
mod report;
mod seats;
mod session;
mod store;
mod terms;
mod tls;
mod txn;
mod watch;
mod wire;

pub use config::{Endpoints, EtcdConfig};
pub use etcd_client::Client;
pub use monitor::Connection;
pub use plugin::Etcd;
pub use store::EtcdStore;
