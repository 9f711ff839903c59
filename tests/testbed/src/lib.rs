//! What the tests of several crates share: agents as processes, real servers on demand ([`Etcd`], [`EtcdCluster`],
//! [`Redis`], [`RedisSentinel`], [`RedisCluster`]), a plain HTTP/1 client that uses none of the server's libraries, the
//! graph of the fault matrices, a checker for the events of a watch ([`history`]), and a plugin that watches a store
//! whose server comes later (`Watcher`). Everything that waits has a deadline, and fails with what was seen until then.
//!
//! A test that needs a server begins with [`require!`]. A `cninfra::testing::Link` to the server's address can be put
//! in front of each server.

mod certs;
mod etcd;
mod folder;
mod http;
#[cfg(feature = "keyval")]
mod late;
mod process;
mod promtool;
mod redis;
mod server;
mod silent;
mod ten;

pub mod history;

pub use certs::{CLIENT, Certs};
pub use etcd::{Etcd, Etcd36, EtcdCluster, EtcdOptions};
pub use folder::Folder;
pub use http::{Answer, request, request_json, request_with, send};
#[cfg(feature = "keyval")]
pub use late::Watcher;
pub use process::{Ended, Process, Program, wait_for_signal_handlers};
pub use promtool::Promtool;
pub use redis::{Migration, Redis, RedisCluster, RedisOptions, RedisSentinel, Reply};
pub use server::{Installed, Port, Server, is_strict, skip};
pub use silent::Silent;
pub use ten::{TEN_EDGES, TEN_LEVELS, level_of_ten};

use std::time::Duration;

/// How long anything may take before a test fails: much more than it takes on a loaded machine.
pub const DEADLINE: Duration = Duration::from_secs(60);
