//! Redis as a store of cninfra agents: a single server, one with sentinels, or a cluster.
//!
//! Without an agent it is the library [`RedisStore`].

mod backoff;
mod config;
mod core;
mod failure;
mod glob;
mod monitor;
mod node;
mod scan;
mod script;
mod session;
mod slots;
mod store;
mod tasks;
mod tls;
mod topology;
mod txn;
mod watch;
mod wire;

pub use config::{Pool, RedisConfig, RedisTls};
pub use monitor::Connection;
pub use store::RedisStore;
