//! The store, against real servers.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod ends;
mod faults;
mod gather;
mod history;
mod lines;
mod many;
mod missed;
mod plugin;
mod rights;
mod secure;
mod session;
mod several;
mod store;
mod support;
mod watch;
