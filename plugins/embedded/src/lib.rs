//! A key-value store for agents without a server: in one file, or in memory. It has etcd's semantics: revisions,
//! transactions, leases, compaction, and watches in the order of the revisions and from any that is kept.
//! [`EmbeddedStore`] is the library, [`EmbeddedKv`] the plugin.
//!
//! What is answered is on the disk: it survives the end of the process at any moment, and a power cut. A transaction is
//! applied as a whole or not at all. What was being written when the process ended may have been applied, too: its
//! caller had no answer.
//!
//! Keys that [end with the client](cninfra::keyval::Expiry::WithClient) are deleted when the store is closed; after a
//! crash, when it is opened. Leases continue while no process has the file open, by the system's clock: the time left
//! when it is opened is the time that was left before, less the time in between.
//!
//! When the disk is full, a put fails with [`Reason::Full`](cninfra::keyval::Reason::Full). Reads, deletes and
//! compactions continue to work, thanks to a reserve of 4 MiB beside the file. Puts work again when there is room.
//!
//! Writes that wait at the same time become one transaction of the file. If one of them cannot be done, only that one
//! fails: what the store does not accept is refused before, and if some need data that is damaged, the others are done
//! without them. An error of the file itself is returned to each of them, with the path, and whether the write [was
//! applied](cninfra::keyval::KvError::applied).
//!
//! A file that was damaged from outside is refused where redb notices it. It verifies all checksums only after a crash,
//! so damage inside a file that was closed properly can go unnoticed: keep copies of what must not be lost.
//!
//! Only one process can have the file open.

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
