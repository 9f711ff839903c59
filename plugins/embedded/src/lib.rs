//! The embedded key-value store of cninfra agents.

mod changes;
mod clock;
mod committer;
mod config;
mod control;
mod engine;
mod deadlines;
mod disk;
mod medium;
mod read;
mod readers;
mod shared;
mod store;
mod tables;
mod teller;
mod watchers;
mod work;
mod write;

pub use config::EmbeddedConfig;
pub use store::EmbeddedStore;
