//! [`RequestMetrics`]: what a server counts about its requests.

mod collect;
mod series;
mod statuses;

pub(crate) use series::{Counted, Series};

use axum::http::StatusCode;
use cninfra::{
    Result,
    metrics::{Collector, Metrics},
};
use series::Slot;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
};

/// The metrics of a server's requests.
///
/// | metric | labels | meaning |
/// | --- | --- | --- |
/// | `http_requests_total` | `method`, `route`, `status` | requests that were answered |
/// | `http_request_duration_seconds` | `method`, `route` | from the end of a request's head to the end of its response, as a histogram |
/// | `http_requests_in_flight` | | requests whose response is not complete |
/// | `http_connections` | | open connections |
/// | `http_connections_accepted_total` | | connections that were accepted |
///
/// `route` is the pattern of the path (`/contacts/{name}`), so that clients cannot create an unbounded number of
/// series. It is `none` if no route has the path, and `malformed` for what was not a valid request, which the server
/// answers itself without measuring a duration. `method` is that of the route, so that a `HEAD` that a `GET` route
/// answers counts as `GET`; it is `other` if no route has the method. Clones share the metrics.
///
/// A request costs a few atomic operations: the series of a route are looked up by their labels only at its first
/// request.
#[derive(Clone, Default)]
pub struct RequestMetrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// By route and method. Counts are kept when the routes change.
    slots: Mutex<BTreeMap<(String, String), Arc<Slot>>>,
    connections: AtomicI64,
    accepted: AtomicU64,
}

/// The name under which they are registered.
const NAME: &str = "http";

impl RequestMetrics {
    /// Metrics that have counted nothing yet.
    #[must_use]
    pub fn new() -> Self {
        RequestMetrics::default()
    }

    /// Registers all of them. They replace those of a former server of the same owner.
    ///
    /// # Errors
    /// Another owner has registered such metrics.
    pub fn register(&self, metrics: &Metrics) -> Result<()> {
        metrics.register_collector(NAME, RequestCollector(self.clone()))
    }

    /// The series of a route, which is reported from now on.
    fn slot(&self, route: &str, method: &str) -> Arc<Slot> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry((route.to_string(), method.to_string())).or_default().clone()
    }

    /// Counts something that was not a valid request.
    pub(crate) fn count_malformed(&self, status: StatusCode) {
        self.slot("malformed", "other").statuses.count(status);
    }

    /// Counts a connection, which is open as long as the value lives.
    pub(crate) fn count_connection(&self) -> Connected {
        self.0.accepted.fetch_add(1, Relaxed);
        self.0.connections.fetch_add(1, Relaxed);
        Connected(self.clone())
    }
}

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMetrics").finish_non_exhaustive()
    }
}

/// Counts a connection as open as long as it lives.
pub(crate) struct Connected(RequestMetrics);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Relaxed);
    }
}

#[derive(Debug)]
struct RequestCollector(RequestMetrics);

impl Collector for RequestCollector {
    fn encode(&self, encoder: cninfra::metrics::prometheus_client::encoding::DescriptorEncoder<'_>) -> fmt::Result {
        collect::encode(&self.0.0, encoder)
    }
}
