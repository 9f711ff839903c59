//! etcd as a store of cninfra agents: [`EtcdStore`] is the library, [`Etcd`] the plugin around it.
//!
//! It has all that [`cninfra::keyval`] knows of: revisions, leases, elections and locks, and watches that come back by themselves.
//!
//! # A server that is put back to a backup
//!
//! Watches tell all keys anew. What was written [with the client](cninfra::keyval::Expiry::WithClient) is written again where the backup does not know the lease of the client. Where it does, a key that is not there, or that has an older value of this client's (one of the last 16), is mended as long as
//! the server's revision is lower than that of the last value. The client looks each third of [`session_ttl`](EtcdConfig::session_ttl): where others have written so much before that the revision is as high again, an older value stays, and a missing key is taken for deleted, until the client puts it. So
//! whoever puts back a backup while agents run lets nobody write for as long as that, or restarts the agents.

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
