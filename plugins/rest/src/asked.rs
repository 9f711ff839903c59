//! [`Asked`]: what a request asks for, for those who tell of it.

use crate::{Incident, shared::Shared};
use axum::http::{Method, uri::PathAndQuery};
use cninfra::{
    agent::Panic,
    http::{Failure, Route},
};
use std::time::Duration;

/// A request as it is told: its method, its path without the query, and its route, where that is known.
pub(crate) type Request = (Method, String, Option<Route>);

/// What a request asks for.
#[derive(Clone, Default, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// None where a request has no path: `CONNECT`.
    pub(crate) target: Option<PathAndQuery>,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.target.as_ref().map_or("", PathAndQuery::path)
    }

    pub(crate) fn request(&self, shared: &Shared) -> Request {
        let path = self.path();
        (self.method.clone(), path.to_string(), shared.route(&self.method, path))
    }

    pub(crate) fn too_slow(&self, shared: &Shared, after: Duration) {
        let (method, path, route) = self.request(shared);
        shared.tell(&Incident::NotAnswered { method, path, route, after });
    }

    /// The handler has returned an error.
    pub(crate) fn failed(&self, shared: &Shared, failure: &Failure) {
        let (method, path, route) = self.request(shared);
        shared.tell(&Incident::Failed { method, path, route, message: failure.to_string() });
    }

    /// The handler has kept its thread for so long.
    pub(crate) fn blocked(&self, shared: &Shared, took: Duration) {
        let (method, path, route) = self.request(shared);
        shared.tell(&Incident::Blocked { method, path, route, took });
    }

    /// The handler, or the destructor of what it has left.
    pub(crate) fn panicked(&self, shared: &Shared, panic: &Panic) {
        let (method, path, route) = self.request(shared);
        shared.tell(&Incident::Panicked { method, path, route, message: panic.to_string() });
    }

    /// The body of the answer panicked.
    pub(crate) fn broke_off(&self, shared: &Shared, panic: &Panic) {
        let (method, path, route) = self.request(shared);
        shared.tell(&Incident::BrokenOff { method, path, route, message: panic.to_string() });
    }
}
