//! etcd as a store of cninfra agents: [`EtcdStore`] is the library, [`Etcd`] the plugin around it.
//!
//! It has all that [`cninfra::keyval`] knows of: revisions, leases, elections and locks, and watches that come back by themselves.

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
