//! The store, against real servers.

mod faults;
mod history;
mod plugin;
mod secure;
mod session;
mod several;
mod store;
mod support;
mod watch;
