//! The store, against real servers.

mod store;
mod support;
