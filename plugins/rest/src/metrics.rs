//! [`RequestMetrics`]: what a server counts of its requests.

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

/// What a server counts of its requests, as metrics.
///
/// | metric | labels | |
/// | --- | --- | --- |
/// | `http_requests_total` | `method`, `route`, `status` | requests that were answered |
/// | `http_request_duration_seconds` | `method`, `route` | from the end of a request's head to the end of its answer, as a histogram |
/// | `http_requests_in_flight` | | requests whose answers are not at their end |
/// | `http_connections` | | connections that are open |
/// | `http_connections_accepted_total` | | connections that were taken in |
///
/// `route` is the pattern of the path (`/contacts/{name}`), so that clients can not make series without end; it is `none` where no route has the path, and
/// `malformed` where what came was no request: the server answers it by itself, in no time. `method` is that of
/// the route, so that a `HEAD` that a `GET` route answers counts there; it is `other` where no route has the method. Clones are the same metrics.
///
/// A request costs few atomic operations: the series of a route are looked up by their labels at its first request only.
#[derive(Clone, Default)]
pub struct RequestMetrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// By route and method: what was counted stays when the routes change.
    slots: Mutex<BTreeMap<(String, String), Arc<Slot>>>,
    connections: AtomicI64,
    accepted: AtomicU64,
}

/// The name by which they are registered.
const NAME: &str = "http";

impl RequestMetrics {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new() -> Self {
        RequestMetrics::default()
    }

    /// Registers them all, in the place of those of a former server of the same owner.
    ///
    /// # Errors
    /// Another owner has such metrics.
    pub fn register(&self, metrics: &Metrics) -> Result<()> {
        metrics.register_collector(NAME, Told(self.clone()))
    }

    /// The series of a route, from now on told.
    fn slot(&self, route: &str, method: &str) -> Arc<Slot> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry((route.to_string(), method.to_string())).or_default().clone()
    }

    /// What came was no request.
    pub(crate) fn is_malformed(&self, status: StatusCode) {
        self.slot("malformed", "other").statuses.count(status);
    }

    /// A connection is open, as long as the value lives.
    pub(crate) fn connects(&self) -> Connected {
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

/// A connection that is open.
pub(crate) struct Connected(RequestMetrics);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.0.connections.fetch_sub(1, Relaxed);
    }
}

#[derive(Debug)]
struct Told(RequestMetrics);

impl Collector for Told {
    fn encode(&self, encoder: cninfra::metrics::prometheus_client::encoding::DescriptorEncoder<'_>) -> fmt::Result {
        collect::encode(&self.0.0, encoder)
    }
}
