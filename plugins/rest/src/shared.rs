//! [`Shared`]: what all connections of a server have in common.

use crate::{
    Access, Incident, Limits,
    clock::{Clock, Millis},
};
use axum::{Router, http::Method};
use cninfra::http::{Route, RouteIndex};
use std::{
    fmt,
    sync::{Arc, atomic::AtomicUsize},
};

pub(crate) type Report = Arc<dyn Fn(&Incident) + Send + Sync>;
pub(crate) type Log = Arc<dyn Fn(&Access) + Send + Sync>;

/// What all connections of a server have in common.
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    /// Empty where the server was not told.
    pub(crate) index: RouteIndex,
    pub(crate) report: Report,
    pub(crate) access: Option<Log>,
    pub(crate) clock: Arc<Clock>,
    /// How many requests were in flight when their connections were ended.
    pub(crate) cut: AtomicUsize,
}

impl Shared {
    pub(crate) fn new(router: Router) -> Self {
        Shared {
            router,
            limits: Limits::default(),
            index: RouteIndex::default(),
            report: Arc::new(|incident| tracing::error!("{incident}")),
            access: None,
            clock: Arc::default(),
            cut: AtomicUsize::new(0),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Whose request this is, where that is known.
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<Route> {
        self.index.find(method, path).cloned()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("limits", &self.limits).finish_non_exhaustive()
    }
}
