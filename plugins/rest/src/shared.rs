//! [`Shared`]: what all connections of a server have in common.

use crate::{
    Access, Incident, Limits,
    clock::{Clock, Millis},
    metrics::{RequestMetrics, Series},
};
use arc_swap::ArcSwap;
use axum::{Router, http::Method};
use cninfra::http::{Route, RouteIndex, RouteTable};
use std::{
    fmt,
    sync::{Arc, atomic::AtomicUsize},
};

pub(crate) type Report = Arc<dyn Fn(&Incident) + Send + Sync>;
pub(crate) type Log = Arc<dyn Fn(&Access) + Send + Sync>;

/// What answers requests.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) router: Router,
    /// Empty where the server was not told.
    pub(crate) index: RouteIndex,
    /// What the router is made of, where a plugin may come late.
    pub(crate) routes: RouteTable,
    /// Of the index; none where requests are not counted.
    pub(crate) series: Option<Series>,
}

/// The table of a server, which may be another one for the next request.
pub(crate) type Tables = Arc<ArcSwap<Table>>;

/// What all connections of a server have in common.
pub(crate) struct Shared {
    pub(crate) tables: Tables,
    pub(crate) limits: Limits,
    pub(crate) report: Report,
    pub(crate) access: Option<Log>,
    /// None where requests are not counted.
    pub(crate) metrics: Option<RequestMetrics>,
    pub(crate) clock: Arc<Clock>,
    /// How many requests were in flight when their connections were ended.
    pub(crate) cut: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(router: Router) -> Self {
        Shared {
            tables: Arc::new(ArcSwap::from_pointee(Table { router, ..Table::default() })),
            limits: Limits::default(),
            report: Arc::new(|incident| tracing::error!("{incident}")),
            access: None,
            metrics: None,
            clock: Arc::default(),
            cut: AtomicUsize::new(0),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Whose request this is, where that is known.
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<Route> {
        self.tables.load().index.find(method, path).cloned()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("limits", &self.limits).finish_non_exhaustive()
    }
}
