//! [`Early`]: the routes of an agent that still starts, put in place when somebody asks.

use crate::registered::{Registered, lock};
use cninfra::http::RouteTable;
use std::sync::{Mutex, Weak};

/// Where the routes come from that are answered while the agent starts. Each plugin adds some, and a router of them costs a good part of a short start,
/// in which nobody asks. So it is made for the first request after they have changed.
///
/// It holds no handlers: they go with the server.
#[derive(Clone)]
pub(crate) struct Early(Weak<Mutex<Registered>>);

impl Early {
    pub(crate) fn new(registered: Weak<Mutex<Registered>>) -> Self {
        Early(registered)
    }

    /// The routes and their version, if it is newer than this one, and more may still come.
    pub(crate) fn newer_than(&self, version: u64) -> Option<(RouteTable, u64)> {
        let registered = self.0.upgrade()?;
        lock(&registered).newer_than(version)
    }
}
