//! [`Series`]: the series of the routes of a server, and [`Counted`]: a request that is counted in them.

use super::{RequestMetrics, statuses::Statuses};
use axum::http::{Method, StatusCode};
use cninfra::{
    http::{Route, RouteIndex},
    metrics::Durations,
};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};
use tokio::time::Instant;

/// The upper bounds of the histogram's buckets, in nanoseconds: from a handler that only returns a value to one that is
/// stuck.
static BUCKETS: [u64; 12] = [
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    5_000_000_000,
    30_000_000_000,
];

/// What is counted for one route and method.
#[derive(Debug)]
pub(super) struct Slot {
    /// Requests that have arrived.
    arrived: AtomicU64,
    /// Those of them that ended without a response.
    lost: AtomicU64,
    pub(super) statuses: Statuses,
    pub(super) durations: Durations<{ BUCKETS.len() }>,
}

impl Default for Slot {
    fn default() -> Self {
        let durations = Durations::new(&BUCKETS);
        Slot { arrived: AtomicU64::default(), lost: AtomicU64::default(), statuses: Statuses::default(), durations }
    }
}

impl Slot {
    /// Requests whose responses are not complete: those that have arrived, less those that have ended. So this needs no
    /// counter of its own.
    pub(super) fn in_flight(&self) -> u64 {
        // The ended ones are read first: a request that arrives meanwhile is in flight.
        let ended = self.durations.count() + self.lost.load(Acquire);
        self.arrived.load(Acquire).saturating_sub(ended)
    }

    fn count(&self, status: StatusCode, took: Duration) {
        self.statuses.count(status);
        self.durations.record(took);
    }
}

/// The series of the routes of a server.
pub(crate) struct Series {
    metrics: RequestMetrics,
    /// One for each route of the index. Each is created at the first request for its route: most routes are not
    /// requested while an agent starts.
    routes: Vec<OnceLock<Arc<Slot>>>,
    /// One for each path of these routes, for methods that no route of the path has.
    others: Vec<OnceLock<Arc<Slot>>>,
    none: OnceLock<Arc<Slot>>,
}

impl Series {
    pub(crate) fn new(metrics: &RequestMetrics, index: &RouteIndex) -> Self {
        let none = || index.routes().iter().map(|_| OnceLock::new()).collect();
        Series { metrics: metrics.clone(), routes: none(), others: none(), none: OnceLock::new() }
    }

    /// A request has arrived, for the route at this index.
    pub(crate) fn count_request(&self, index: &RouteIndex, at: Option<usize>, method: &Method) -> Counted {
        let slot = match at {
            Some(at) => {
                let route = &index.routes()[at];
                let own = || self.routes[at].get_or_init(|| self.metrics.slot(&route.path, route.method.as_str()));
                let other = || self.others[at].get_or_init(|| self.metrics.slot(&route.path, "other"));
                if serves_method(route, method) { own() } else { other() }
            }
            None => self.none.get_or_init(|| self.metrics.slot("none", "other")),
        };
        slot.arrived.fetch_add(1, Relaxed);
        Counted { slot: slot.clone(), began: Instant::now(), ended: None, status: None }
    }
}

fn serves_method(route: &Route, method: &Method) -> bool {
    route.method == *method || (route.method == Method::GET && *method == Method::HEAD)
}

/// A request that is in flight, as long as the value lives. It is counted as answered at its end, if there was a
/// response.
pub(crate) struct Counted {
    slot: Arc<Slot>,
    began: Instant,
    ended: Option<Instant>,
    status: Option<StatusCode>,
}

impl Counted {
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    pub(crate) fn set_status(&mut self, status: StatusCode) {
        self.status = Some(status);
    }

    /// Marks the response as complete. Returns when that was: at `then`, or now if that is not known.
    pub(crate) fn end_at(&mut self, then: Option<Instant>) -> Instant {
        *self.ended.get_or_insert_with(|| then.unwrap_or_else(Instant::now))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        match self.status {
            Some(status) => {
                let took = self.end_at(None) - self.began;
                self.slot.count(status, took);
            }
            None => drop(self.slot.lost.fetch_add(1, Release)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_answered_is_in_flight_no_more() {
        let (metrics, index) = (RequestMetrics::new(), RouteIndex::default());
        let series = Series::new(&metrics, &index);
        let ask = || series.count_request(&index, None, &Method::GET);
        let (mut answered, lost) = (ask(), ask());
        let slot = metrics.slot("none", "other");
        assert_eq!(slot.in_flight(), 2);
        drop(lost);
        assert_eq!((slot.in_flight(), slot.statuses.counts().len()), (1, 0));
        answered.set_status(StatusCode::OK);
        assert_eq!(slot.in_flight(), 1, "its answer is not at its end");
        drop(answered);
        assert_eq!((slot.in_flight(), slot.statuses.counts().len()), (0, 1));
    }
}
