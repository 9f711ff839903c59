//! [`Early`]: the routes that are served while the agent starts, put in place when a request comes.

use crate::registered::{Registered, lock};
use cninfra::http::RouteTable;
use std::sync::{Mutex, Weak};

/// The source of the routes that are served while the agent starts. Each plugin adds some, and building a router of
/// them takes a good part of a short start, in which there is usually no request. So the router is built for the first
/// request after the routes have changed.
///
/// It owns no handlers: they are dropped with the server.
#[derive(Clone)]
pub(crate) struct Early(Weak<Mutex<Registered>>);

impl Early {
    pub(crate) fn new(registered: Weak<Mutex<Registered>>) -> Self {
        Early(registered)
    }

    /// The routes with their version, if it is newer than `version` and the table is still open.
    pub(crate) fn newer_than(&self, version: u64) -> Option<(RouteTable, u64)> {
        let registered = self.0.upgrade()?;
        lock(&registered).newer_than(version)
    }
}
