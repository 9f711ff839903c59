//! A key-value store for agents without a server: in one file, or in memory. It has etcd's semantics: revisions, transactions, leases, watches in the order of the revisions
//! and from any that is kept, compaction. [`EmbeddedStore`] is the library, [`EmbeddedKv`] the plugin.
//!
//! What is answered is on the disk: it survives the end of the process at any moment, and a power cut. A transaction is there whole or not at all. What was being written
//! when the process ended may be there, too: its caller had no answer.
//!
//! Keys that [end with the client](cninfra::keyval::Expiry::WithClient) end when the store is closed; after a crash, when it is opened. Leases go on while nobody has the
//! file open, by the clock of the system: what is left of them when it is opened is what was left before, less that time.
//!
//! When the disk is full, a put fails with [`Reason::Full`](cninfra::keyval::Reason::Full); reads, deletes and compactions go on, by a reserve of 4 MiB beside the file, and puts do when
//! there is room.
//!
//! Writes that wait together are one transaction of the file. What can not be done of them fails alone: what the store does not take is refused before, and where some need data that is damaged the others are
//! done without them. An error of the file itself is told to each of them, with its path, and whether it [was applied](cninfra::keyval::KvError::applied).
//!
//! One process has the file open at a time.

mod changes;
mod clock;
mod committer;
mod config;
mod control;
mod deadlines;
mod disk;
mod engine;
#[cfg(test)]
mod faults;
mod health;
mod medium;
mod plugin;
mod read;
mod readers;
mod shared;
mod store;
mod tables;
mod teller;
mod unfinished;
mod watchers;
mod work;
mod write;

pub use config::EmbeddedConfig;
pub use health::Health;
pub use plugin::EmbeddedKv;
pub use store::EmbeddedStore;
