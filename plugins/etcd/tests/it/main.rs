//! etcd as a store, against a real etcd.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod calls;
mod cluster;
mod faults;
mod history;
mod limits;
mod lost_data;
mod many;
mod outage;
mod overtaken;
mod plugin;
mod refused;
mod secure;
mod slow;
mod support;
mod watch;
mod with_client;
