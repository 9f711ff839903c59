//! [`Shared`]: what all connections of a server share.

use crate::{
    Access, Incident, Limits,
    asked::{CurrentRequest, ReportedRequest},
    budget::Budget,
    clock::{Clock, Millis},
    early::Early,
    metrics::{RequestMetrics, Series},
};
use arc_swap::{ArcSwap, Guard};
use axum::{
    Router,
    http::{Method, StatusCode},
};
use cninfra::{
    Context,
    agent::{Panic, StopHandle},
    http::{Route, RouteIndex, RouteTable},
};
use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize},
    },
    time::Duration,
};
use tokio::task;

pub(crate) type Report = Arc<dyn Fn(&Incident) + Send + Sync>;
pub(crate) type Log = Arc<dyn Fn(&Access) + Send + Sync>;

/// The routers that answer requests, with the index of their routes.
pub(crate) struct Table {
    pub(crate) routers: Arc<Routers>,
    /// Empty if the server does not know its routes.
    pub(crate) index: RouteIndex,
    /// The routes of which the routers are made, to which those of a late plugin are added.
    pub(crate) routes: RouteTable,
    /// The series of the index; `None` if requests are not counted.
    pub(crate) series: Option<Series>,
    pub(crate) age: Age,
    /// The source of newer routes, while the agent starts.
    pub(crate) early: Option<Early>,
}

/// The routers of a table.
pub(crate) enum Routers {
    /// One router for all requests.
    One(Router),
    /// The router of an agent that starts, while no routes are known; made at the first request.
    OfStart(OnceLock<Router>),
    /// One for each route, which has only its path, and a last one for requests that no route matches. Each is made at
    /// its first request: making all of them would be a good part of a start, and most are not needed.
    EachPath(Box<[OnceLock<Router>]>),
}

impl From<Router> for Routers {
    fn from(router: Router) -> Self {
        Routers::One(router)
    }
}

/// Orders two tables: by the version of their routes, then by whether all routes are served, or only those of the
/// start.
pub(crate) type Age = (u64, bool);

impl Table {
    pub(crate) fn new(routers: impl Into<Routers>, index: RouteIndex, metrics: Option<&RequestMetrics>) -> Self {
        Table::with(Arc::new(routers.into()), index, metrics)
    }

    fn with(routers: Arc<Routers>, index: RouteIndex, metrics: Option<&RequestMetrics>) -> Self {
        let series = metrics.map(|metrics| Series::new(metrics, &index));
        Table { routers, index, series, routes: RouteTable::new(), age: Age::default(), early: None }
    }

    /// The same routers, with another index or other metrics.
    pub(crate) fn with_index(&self, index: RouteIndex, metrics: Option<&RequestMetrics>) -> Self {
        Table::with(self.routers.clone(), index, metrics)
    }

    /// A table of all these routes.
    pub(crate) fn of(routes: RouteTable, age: Age, metrics: Option<&RequestMetrics>) -> Self {
        let index = routes.index().clone();
        let series = metrics.map(|metrics| Series::new(metrics, &index));
        let routers = Routers::EachPath((0..=index.routes().len()).map(|_| OnceLock::new()).collect());
        Table { routers: Arc::new(routers), index, series, routes, age, early: None }
    }

    /// The router for a request that the index assigns to the route at this index. This may clone handlers, which is
    /// foreign code.
    pub(crate) fn router(&self, at: Option<usize>) -> Router {
        let routers = match &*self.routers {
            Routers::One(router) => return router.clone(),
            Routers::OfStart(router) => return router.get_or_init(|| RouteTable::new().router_during_start()).clone(),
            Routers::EachPath(routers) => routers,
        };
        let router = &routers[at.unwrap_or(routers.len() - 1)];
        router.get().cloned().unwrap_or_else(|| {
            // Two threads may make it at once, so that none waits for foreign code.
            let made = self.routes.router_at(at);
            router.get_or_init(|| made).clone()
        })
    }

    /// Replaces the current table, unless that is newer.
    pub(crate) fn install(self, tables: &ArcSwap<Table>) {
        let table = Arc::new(self);
        tables.rcu(|now| if now.age < table.age { table.clone() } else { now.clone() });
    }
}

/// The table of a server, which may be replaced between two requests.
pub(crate) type Tables = Arc<ArcSwap<Table>>;

/// What all connections of a server share.
pub(crate) struct Shared {
    pub(crate) tables: Tables,
    pub(crate) limits: Limits,
    pub(crate) report: Report,
    pub(crate) access: Option<Log>,
    /// `None` if requests are not counted.
    pub(crate) metrics: Option<RequestMetrics>,
    pub(crate) clock: Arc<Clock>,
    /// The memory that the bodies of all requests use.
    pub(crate) bodies: Budget,
    /// How many requests were in flight when their connections were ended.
    pub(crate) cut: AtomicUsize,
    /// The context of the plugin that runs the server, if there is one.
    pub(crate) context: Option<Context>,
    /// The stop handle of the agent of that plugin.
    pub(crate) stop: Option<StopHandle>,
    /// Connections need not wait for the start any more.
    pub(crate) has_settled: AtomicBool,
    /// The requests that were in flight in tasks that are panicking.
    panicking: Mutex<Vec<(task::Id, ReportedRequest)>>,
}

impl Shared {
    pub(crate) fn new(routers: impl Into<Routers>) -> Self {
        Shared {
            tables: Arc::new(ArcSwap::from_pointee(Table::new(routers, RouteIndex::default(), None))),
            limits: Limits::default(),
            report: Arc::new(|incident| tracing::error!("{incident}")),
            access: None,
            metrics: None,
            clock: Arc::default(),
            bodies: Budget::default(),
            cut: AtomicUsize::new(0),
            context: None,
            stop: None,
            has_settled: AtomicBool::new(false),
            panicking: Mutex::default(),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The table that answers a request that has arrived.
    pub(crate) fn table(&self) -> Guard<Arc<Table>> {
        let table = self.tables.load();
        let Some(early) = &table.early else { return table };
        let Some((routes, version)) = early.newer_than(table.age.0) else { return table };
        // Handlers are cloned, and older ones dropped, which is foreign code.
        let renewed = Panic::catch(|| {
            let newer = Table::new(routes.router_during_start(), routes.index().clone(), self.metrics.as_ref());
            Table { age: (version, false), early: Some(early.clone()), ..newer }.install(&self.tables);
        });
        if let Err(panic) = renewed {
            self.report_incident(&Incident::NotRenewed { message: panic.to_string() });
        }
        self.tables.load()
    }

    /// Whether a stop was requested that the agent has not noticed yet.
    pub(crate) fn is_stop_unheard(&self) -> bool {
        self.stop.as_ref().is_some_and(StopHandle::is_stopping)
            && self.context.as_ref().is_some_and(|context| !context.is_stopping())
    }

    /// Reports an incident. The receiver is foreign code.
    pub(crate) fn report_incident(&self, incident: &Incident) {
        if let Err(panic) = Panic::catch(|| (self.report)(incident)) {
            // The log may panic, too; then there is nobody left to report to.
            let _ =
                Panic::catch(|| tracing::error!("the incident handler panicked: {panic}; the incident: {incident}"));
        }
    }

    /// Logs a request with its response, if there is an access log.
    pub(crate) fn log(&self, access: impl FnOnce() -> Access) {
        if let Some(log) = &self.access
            && let Err(panic) = Panic::catch(|| log(&access()))
        {
            self.report_incident(&Incident::NotLogged { message: panic.to_string() });
        }
    }

    /// Counts and logs an invalid request, as far as its data is known.
    pub(crate) fn count_malformed(&self, status: StatusCode, peer: SocketAddr) {
        if let Some(metrics) = &self.metrics {
            metrics.count_malformed(status);
        }
        self.log(|| Access {
            method: Method::from_bytes(b"-").unwrap_or_default(),
            path: "-".to_string(),
            status,
            took: Duration::ZERO,
            peer,
            route: None,
        });
    }

    /// Notes that the current task panics while this request is in flight.
    pub(crate) fn note_panicking(&self, request: &CurrentRequest) {
        if let Some(id) = task::try_id() {
            let request = request.reported(self);
            self.panicking.lock().unwrap_or_else(PoisonError::into_inner).push((id, request));
        }
    }

    /// The request that was in flight when this task panicked, if there was one.
    pub(crate) fn take_panicking(&self, id: task::Id) -> Option<ReportedRequest> {
        let mut panicking = self.panicking.lock().unwrap_or_else(PoisonError::into_inner);
        let at = panicking.iter().position(|(of, _)| *of == id)?;
        Some(panicking.swap_remove(at).1)
    }

    /// The route of a request, if it is known.
    pub(crate) fn route(&self, method: &Method, path: &str) -> Option<Route> {
        self.tables.load().index.find(method, path).cloned()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cninfra::http::{Routes, testing::Client};
    use std::sync::atomic::Ordering::Relaxed;

    /// Counts its clones.
    struct Counted(Arc<AtomicUsize>);

    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, Relaxed);
            Counted(self.0.clone())
        }
    }

    #[tokio::test]
    async fn each_path_has_a_router_when_somebody_asks_for_it() {
        let count = Arc::<AtomicUsize>::default();
        let counted = Counted(count.clone());
        let mut routes = RouteTable::new();
        let some = Routes::new().get("/a", async || "a").get("/b/{c}", async || "b");
        routes.add("web", some.get("/counted", async move || drop(counted))).unwrap();
        let before = count.load(Relaxed);
        let table = Table::of(routes, Age::default(), None);
        for (path, found) in [("/a", "a"), ("/b/x", "b"), ("/a", "a"), ("/c", "")] {
            let router = table.router(table.index.position(&Method::GET, path));
            let answer = Client::new(router).get(path).await;
            assert!(answer.text().contains(found) && (answer.status == 200) != found.is_empty(), "{path}: {answer:?}");
        }
        assert_eq!(count.load(Relaxed), before, "nobody has asked for that one");
        let _ = table.router(table.index.position(&Method::GET, "/counted"));
        assert!(count.load(Relaxed) > before);
    }
}
