//! The store, against real servers.

mod plugin;
mod store;
mod support;
mod watch;
