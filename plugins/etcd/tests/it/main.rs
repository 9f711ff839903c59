//! etcd as a store, against a real etcd.

mod calls;
mod support;
mod watch;
