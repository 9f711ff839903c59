//! Redis as a store of cninfra agents: a single server, one with sentinels, or a cluster.
//!
//! In an agent it is the plugin [`Redis`], which provides the interface [`KeyVal`](cninfra::keyval::KeyVal). Without an
//! agent, use the library: [`RedisStore`].

mod batch;
mod call;
mod command;
mod config;
mod core;
mod endpoint;
mod failure;
mod gather;
mod glob;
mod monitor;
mod node;
mod plugin;
mod portion;
mod report;
mod scan;
mod script;
mod session;
mod slots;
mod store;
mod tls;
mod topology;
mod txn;
mod watch;
mod wire;

pub use config::{Pool, RedisConfig, RedisTls};
pub use monitor::Connection;
pub use plugin::Redis;
pub use store::RedisStore;
