//! [`CurrentRequest`]: which request a connection is serving, for incidents and the watchdog.

use crate::{Incident, shared::Shared};
use axum::http::Method;
use cninfra::{
    agent::Panic,
    http::{Failure, Route},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A request as it is reported: its method, its path without the query, and its route, if that is known.
pub(crate) type ReportedRequest = (Method, String, Option<Route>);

/// The request that a connection is serving now. The next one begins when its response is done. Clones share the value.
#[derive(Clone, Default, Debug)]
pub(crate) struct CurrentRequest(Arc<Mutex<Now>>);

/// Copies of the texts: the request's own are slices of hyper's buffer, which cannot be reused as long as someone holds
/// one.
#[derive(Default, Debug)]
struct Now {
    method: Method,
    /// Empty if the request has none (`CONNECT`).
    path: String,
}

impl CurrentRequest {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has begun.
    pub(crate) fn set(&self, method: &Method, path: &str) {
        let mut now = self.now();
        now.method.clone_from(method);
        now.path.clear();
        now.path.push_str(path);
    }

    pub(crate) fn reported(&self, shared: &Shared) -> ReportedRequest {
        let (method, path) = {
            let now = self.now();
            (now.method.clone(), now.path.clone())
        };
        let route = shared.route(&method, &path);
        (method, path, route)
    }

    pub(crate) fn report_too_slow(&self, shared: &Shared, after: Duration) {
        let (method, path, route) = self.reported(shared);
        shared.report_incident(&Incident::NotAnswered { method, path, route, after });
    }

    /// The handler has returned an error.
    pub(crate) fn report_failure(&self, shared: &Shared, failure: &Failure) {
        let (method, path, route) = self.reported(shared);
        shared.report_incident(&Incident::Failed { method, path, route, message: failure.to_string() });
    }

    /// The handler blocked its thread for this long.
    pub(crate) fn report_blocked(&self, shared: &Shared, took: Duration) {
        let (method, path, route) = self.reported(shared);
        shared.report_incident(&Incident::Blocked { method, path, route, took });
    }

    /// The handler panicked, or the destructor of something it left.
    pub(crate) fn report_panic(&self, shared: &Shared, panic: &Panic) {
        let (method, path, route) = self.reported(shared);
        let (message, logged) = (panic.to_string(), panic.is_logged());
        shared.report_incident(&Incident::Panicked { method, path, route, message, logged });
    }

    /// The response's body panicked.
    pub(crate) fn report_broken_off(&self, shared: &Shared, panic: &Panic) {
        let (method, path, route) = self.reported(shared);
        let (message, logged) = (panic.to_string(), panic.is_logged());
        shared.report_incident(&Incident::BrokenOff { method, path, route, message, logged });
    }
}
