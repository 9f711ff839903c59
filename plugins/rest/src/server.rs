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
    /// Held until the end of `serve`: so a handle knows when that is.
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

    /// The same for an agent that starts. It answers those of these routes that are answered during the start, as they are when a request comes.
    pub(crate) async fn bind_early(endpoint: Endpoint, early: Early) -> Result<Self, BindError> {
        let server = Server::bound(endpoint, Routers::OfStart(OnceLock::new())).await?;
        let table = server.shared.tables.load().anew(RouteIndex::default(), None);
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
        self.knows(index);
        self
    }

    fn knows(&self, index: RouteIndex) {
        let table = self.shared.tables.load_full();
        let early = table.early.clone();
        self.shared.tables.store(Arc::new(Table { early, ..table.anew(index, self.shared.metrics.as_ref()) }));
    }

    /// Counts its requests in these metrics, by the routes of [`Server::routes`].
    pub fn metrics(mut self, metrics: &RequestMetrics) -> Self {
        self.shared.metrics = Some(metrics.clone());
        let index = self.shared.tables.load().index.clone();
        self.knows(index);
        self
    }

    /// What gives it other routes while it serves.
    pub(crate) fn switch(&self) -> Switch {
        Switch { tables: Arc::downgrade(&self.shared.tables), metrics: self.shared.metrics.clone() }
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

    /// Names what blocks its thread to the agent of this plugin, and makes way for its stop.
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
        // the sender is kept, too: without it and without a handle, waiting for an order would end at once
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

/// Gives a server other routes while it serves. It holds no handlers: they go with the server. Old ones are dropped here, so no lock should be held.
#[derive(Clone)]
pub(crate) struct Switch {
    tables: Weak<ArcSwap<Table>>,
    metrics: Option<RequestMetrics>,
}

impl Switch {
    /// The next request is answered by these routes, which are all that there are.
    pub(crate) fn put_all(&self, routes: RouteTable, version: u64) {
        let Some(tables) = self.tables.upgrade() else { return };
        Table::of(routes, (version, true), self.metrics.as_ref()).put(&tables);
    }

    /// The next request is answered by these, too, which come late. Returns all routes, and their version; `None` where the server has ended.
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

    /// No more are added.
    pub(crate) fn end(&mut self) {
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

    /// As [`drain`](Self::drain), but when so much time is over, no more requests begin. Who waits ends the server then.
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
        // before anybody is woken by the order
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

/// Clients that come at once wait here until they are accepted. The system may allow fewer (Linux by `net.core.somaxconn`).
const BACKLOG: u32 = 4096;

async fn listen(endpoint: &Endpoint) -> io::Result<TcpListener> {
    let hosts = endpoint.hosts();
    for host in hosts {
        match listen_at(host, endpoint.port()).await {
            // the machine has no IPv6
            Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {}
            bound => return bound,
        }
    }
    listen_at(endpoint.host(), endpoint.port()).await
}

/// As [`TcpListener::bind`] does, whose queue is a short one.
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
    // a program that is started again has its port at once; elsewhere the option would give it to two programs
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;

    /// A connection that finds no room in the queue waits for a second, until it is tried again.
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
            Table { age: (version, false), ..table }.put(&server.shared.tables);
        };
        put_early(&["/a", "/b"], 2);
        put_early(&["/a"], 1);
        assert!(answers("/b"));
        switch.put_all(routes(&["/a", "/b", "/"]), 2);
        put_early(&["/a", "/b"], 2);
        assert!(answers("/"), "all of them go over what is answered during the start");
        let late = |path: &str| Routes::new().get(path, async || "");
        let (index, version) = switch.add("late", 1, &late("/late")).unwrap().unwrap();
        assert_eq!((index.routes().len(), version), (4, 3));
        switch.put_all(routes(&["/a"]), 2);
        assert!(answers("/late") && answers("/"));
        assert!(switch.add("other", 1, &late("/late")).unwrap().is_err());
        switch.end();
        assert!(switch.add("late", 1, &late("/later")).is_none());
        assert!(!answers("/later"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn plugins_that_come_late_at_once_are_all_answered() {
        let server = Server::bind("127.0.0.1:0".parse().unwrap(), Router::new()).await.unwrap();
        let switch = server.switch();
        switch.put_all(routes(&["/"]), 1);
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
