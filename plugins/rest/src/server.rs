//! [`Server`]: an HTTP/1 server around an axum router.

use crate::{
    Access, BindError, Endpoint, Incident, Limits,
    accept::{Connections, Order, ordered},
    clock::Clock,
    early::Early,
    metrics::RequestMetrics,
    shared::{Routers, Shared, Table},
};
use arc_swap::ArcSwap;
use axum::Router;
use cninfra::{
    Context,
    http::{RouteError, RouteIndex, RouteTable, Routes},
};
use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    sync::watch,
};

/// An HTTP/1 server that has bound its port, around an axum router.
///
/// [`Server::bind`] makes it, [`Server::serve`] runs it, and a [`Handle`] drains and ends it. The future of `serve`
/// owns all its connections: no task outlives it.
///
/// ```
/// use axum::{Router, routing::get};
/// use cninfra_rest::Server;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let router = Router::new().route("/hello", get(async || "Hello!"));
/// let server = Server::bind("127.0.0.1:0".parse()?, router).await?;
/// println!("http://{}/hello", server.local_addr());
///
/// let handle = server.handle();
/// let serving = tokio::spawn(server.serve());
/// handle.drain().await; // takes nothing new, finishes what is in flight
/// serving.await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a server serves only while the future of `serve` is polled"]
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    shared: Shared,
    orders: watch::Sender<Order>,
    /// Held until the end of `serve`: so a handle notices when that is.
    order: watch::Receiver<Order>,
}

impl Server {
    /// Binds the endpoint. From then on the kernel accepts connections, which [`Server::serve`] answers.
    ///
    /// # Errors
    /// The endpoint cannot be bound.
    pub async fn bind(endpoint: Endpoint, router: Router) -> Result<Self, BindError> {
        Server::bound(endpoint, router.into()).await
    }

    /// The same for an agent that starts. It serves those routes of `early` that are marked to be served during the
    /// start, as they are when a request comes.
    pub(crate) async fn bind_early(endpoint: Endpoint, early: Early) -> Result<Self, BindError> {
        let server = Server::bound(endpoint, Routers::OfStart(OnceLock::new())).await?;
        let table = server.shared.tables.load().with_index(RouteIndex::default(), None);
        server.shared.tables.store(Arc::new(Table { early: Some(early), ..table }));
        Ok(server)
    }

    async fn bound(endpoint: Endpoint, routers: Routers) -> Result<Self, BindError> {
        let bound = async {
            let listener = listen(&endpoint).await?;
            let local_addr = listener.local_addr()?;
            Ok((listener, local_addr))
        };
        let (listener, local_addr) = bound.await.map_err(|source| BindError::new(endpoint, source))?;
        let (orders, order) = watch::channel(Order::Serve);
        Ok(Server { listener, local_addr, shared: Shared::new(routers), orders, order })
    }

    /// Sets the limits for its clients and handlers.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.shared.limits = limits;
        self
    }

    /// Sets the routes of its router, so that incidents and the access log can name their owners.
    pub fn routes(self, index: RouteIndex) -> Self {
        self.set_index(index);
        self
    }

    fn set_index(&self, index: RouteIndex) {
        let table = self.shared.tables.load_full();
        let early = table.early.clone();
        self.shared.tables.store(Arc::new(Table { early, ..table.with_index(index, self.shared.metrics.as_ref()) }));
    }

    /// Counts its requests in these metrics, by the routes of [`Server::routes`].
    pub fn metrics(mut self, metrics: &RequestMetrics) -> Self {
        self.shared.metrics = Some(metrics.clone());
        let index = self.shared.tables.load().index.clone();
        self.set_index(index);
        self
    }

    /// A handle that changes the routes while it serves.
    pub(crate) fn switch(&self) -> RouteSwitch {
        RouteSwitch { tables: Arc::downgrade(&self.shared.tables), metrics: self.shared.metrics.clone() }
    }

    /// Passes incidents to `report`, which must not block, instead of logging them.
    pub fn report_to(mut self, report: impl Fn(&Incident) + Send + Sync + 'static) -> Self {
        self.shared.report = Arc::new(report);
        self
    }

    /// Passes each request with its response to `log`, which must not block. Without this call there is no access log.
    pub fn access_to(mut self, log: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        self.shared.access = Some(Arc::new(log));
        self
    }

    /// Connects it to the agent of this plugin: handlers that block their thread are named to the agent, and requests
    /// wait while it has not yet noticed a stop.
    pub(crate) fn of(mut self, cx: &Context) -> Self {
        self.shared.context = Some(cx.clone());
        self.shared.stop = Some(cx.stop_handle());
        self
    }

    /// The address it has bound.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// A handle that drains and ends it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { orders: self.orders.clone(), clock: self.shared.clock.clone() }
    }

    /// Serves until a [`Handle`] has drained or ended it. Returns how many requests were in flight when it was ended,
    /// and were cut off.
    ///
    /// # Cancel safety
    /// If it is dropped, its connections are dropped too, including requests in flight.
    pub async fn serve(self) -> usize {
        // The sender is kept, too: without it and without a handle, waiting for an order would end at once.
        let Server { listener, shared, orders: _orders, order, .. } = self;
        let mut connections = Connections::new(Arc::new(shared), order.clone());
        connections.accept(&listener, ordered(order.clone(), Order::Drain)).await;
        connections.accept_rest(listener);
        tokio::select! {
            () = connections.finish() => {}
            () = ordered(order, Order::End) => {}
        }
        connections.end().await
    }
}

/// Changes the routes of a server while it serves. It owns no handlers: they are dropped with the server. Old handlers
/// are dropped here, so callers should hold no lock.
#[derive(Clone)]
pub(crate) struct RouteSwitch {
    tables: Weak<ArcSwap<Table>>,
    metrics: Option<RequestMetrics>,
}

impl RouteSwitch {
    /// Replaces all routes, from the next request on.
    pub(crate) fn replace_all(&self, routes: RouteTable, version: u64) {
        let Some(tables) = self.tables.upgrade() else { return };
        Table::of(routes, (version, true), self.metrics.as_ref()).install(&tables);
    }

    /// Adds routes of a plugin that comes late, from the next request on. Returns the index of all routes, and their
    /// version; `None` if the server has ended.
    pub(crate) fn add(
        &self,
        owner: &str,
        attempt: u32,
        routes: &Routes,
    ) -> Option<Result<(RouteIndex, u64), RouteError>> {
        let tables = self.tables.upgrade()?;
        loop {
            let now = tables.load_full();
            let mut all = now.routes.clone();
            if let Err(error) = all.renew(owner, attempt, routes) {
                return Some(Err(error));
            }
            let (index, version) = (all.index().clone(), now.age.0 + 1);
            let table = Table::of(all, (version, true), self.metrics.as_ref());
            let found = tables.compare_and_swap(&now, Arc::new(table));
            if Arc::ptr_eq(&found, &now) {
                return Some(Ok((index, version)));
            }
        }
    }

    /// Routes can no longer be added.
    pub(crate) fn detach(&mut self) {
        self.tables = Weak::new();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// Drains and ends a [`Server`]. Dropping it does neither.
#[derive(Clone, Debug)]
pub struct Handle {
    orders: watch::Sender<Order>,
    clock: Arc<Clock>,
}

impl Handle {
    /// Accepts no more connections, finishes the requests in flight, and waits until that is done. The responses tell
    /// clients to close their connections; clients that have kept theirs have 100 ms for a request that is on its way.
    ///
    /// # Cancel safety
    /// If it is dropped, it no longer waits; the server continues to drain.
    pub async fn drain(&self) {
        self.order(Order::Drain).await;
    }

    /// Like [`drain`](Self::drain), but no requests begin after this time. The caller ends the server then.
    pub(crate) async fn drain_within(&self, time: Duration) {
        self.clock.ends_in(time);
        self.drain().await;
    }

    /// Ends the server and all its connections at once, and waits until that is done.
    ///
    /// # Cancel safety
    /// If it is dropped, it no longer waits; the server ends all the same.
    pub async fn end(&self) {
        self.order(Order::End).await;
    }

    async fn order(&self, order: Order) {
        // Before the order wakes anyone.
        self.clock.drain();
        self.orders.send_if_modified(|now| {
            let is_more = order > *now;
            if is_more {
                *now = order;
            }
            is_more
        });
        self.orders.closed().await;
    }
}

/// Clients that connect at once wait in this queue until they are accepted. The system may allow fewer (Linux:
/// `net.core.somaxconn`).
const BACKLOG: u32 = 4096;

async fn listen(endpoint: &Endpoint) -> io::Result<TcpListener> {
    let hosts = endpoint.hosts();
    for host in hosts {
        match listen_at(host, endpoint.port()).await {
            // The machine has no IPv6.
            Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {}
            bound => return bound,
        }
    }
    listen_at(endpoint.host(), endpoint.port()).await
}

/// Like [`TcpListener::bind`], whose queue is short.
async fn listen_at(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the host has no address");
    for addr in lookup_host((host, port)).await? {
        match listen_on(addr) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listen_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restarted program gets its port at once. On other systems the option would let two programs bind the same port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;

    /// A connection that finds no room in the queue waits for a second until it is retried.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn many_clients_that_come_at_once_have_room_to_wait() {
        use std::{fs, net::TcpStream, time::Duration};
        let most = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse::<usize>().unwrap();
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Router::new()).await.unwrap();
        let connect = |_| TcpStream::connect_timeout(&server.local_addr(), Duration::from_millis(500)).unwrap();
        let _clients: Vec<_> = (0..most.min(400)).map(connect).collect();
    }

    fn routes(paths: &[&str]) -> RouteTable {
        let mut table = RouteTable::new();
        for path in paths {
            table.add("web", Routes::new().get(*path, async || "")).unwrap();
        }
        table
    }

    #[tokio::test]
    async fn newer_routes_are_answered_whoever_is_faster() {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Router::new()).await.unwrap();
        let mut switch = server.switch();
        let answers = |path: &str| server.shared.route(&Method::GET, path).is_some();
        let put_early = |paths, version| {
            let routes = routes(paths);
            let table = Table::new(routes.router_during_start(), routes.index().clone(), None);
            Table { age: (version, false), ..table }.install(&server.shared.tables);
        };
        put_early(&["/a", "/b"], 2);
        put_early(&["/a"], 1);
        assert!(answers("/b"));
        switch.replace_all(routes(&["/a", "/b", "/"]), 2);
        put_early(&["/a", "/b"], 2);
        assert!(answers("/"), "all of them go over what is answered during the start");
        let late = |path: &str| Routes::new().get(path, async || "");
        let (index, version) = switch.add("late", 1, &late("/late")).unwrap().unwrap();
        assert_eq!((index.routes().len(), version), (4, 3));
        switch.replace_all(routes(&["/a"]), 2);
        assert!(answers("/late") && answers("/"));
        assert!(switch.add("other", 1, &late("/late")).unwrap().is_err());
        switch.detach();
        assert!(switch.add("late", 1, &late("/later")).is_none());
        assert!(!answers("/later"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn plugins_that_come_late_at_once_are_all_answered() {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Router::new()).await.unwrap();
        let switch = server.switch();
        switch.replace_all(routes(&["/"]), 1);
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let switch = switch.clone();
                std::thread::spawn(move || {
                    for i in 0..8 {
                        let routes = Routes::new().get(format!("/{n}/{i}"), async || "");
                        switch.add("late", 1, &routes).unwrap().unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(server.shared.tables.load().index.routes().len(), 65);
        assert_eq!(server.shared.tables.load().age, (65, true));
    }
}
