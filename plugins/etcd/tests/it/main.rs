//! etcd as a store, against a real etcd.

mod calls;
mod cluster;
mod faults;
mod lost_data;
mod plugin;
mod secure;
mod slow;
mod support;
mod watch;
