//! [`Server`]: an HTTP/1 server around an axum router.

use crate::{
    Access, BindError, Endpoint, Incident, Limits,
    accept::{Connections, Order, ordered},
    clock::Clock,
    metrics::{RequestMetrics, Series},
    shared::{Shared, Table, Tables},
};
use arc_swap::ArcSwap;
use axum::Router;
use cninfra::http::{RouteError, RouteIndex, RouteTable, Routes};
use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Weak},
};
use tokio::{net::TcpListener, sync::watch};

/// An HTTP/1 server that has bound its port, around an axum router.
///
/// [`Server::bind`] makes it, [`Server::serve`] runs it, and a [`Handle`] drains and ends it. The future of `serve` owns all its
/// connections: there is no task that outlives it.
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
    /// Binds the endpoint. Connections are taken from then on by the kernel, and answered by [`Server::serve`].
    ///
    /// # Errors
    /// The endpoint can not be had.
    pub async fn bind(endpoint: Endpoint, router: Router) -> Result<Self, BindError> {
        let bound = async {
            let listener = listen(&endpoint).await?;
            let local_addr = listener.local_addr()?;
            Ok((listener, local_addr))
        };
        let (listener, local_addr) = bound.await.map_err(|source| BindError::new(endpoint, source))?;
        let (orders, order) = watch::channel(Order::Serve);
        Ok(Server { listener, local_addr, shared: Shared::new(router), orders, order })
    }

    /// Sets what it bears of its clients and handlers.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.shared.limits = limits;
        self
    }

    /// Tells it the routes of its router, so that incidents and the access log can name their owners.
    pub fn routes(self, index: RouteIndex) -> Self {
        let router = self.shared.tables.load().router.clone();
        self.switch().put(router, index);
        self
    }

    /// Counts its requests in these metrics, by the routes of [`Server::routes`].
    pub fn metrics(mut self, metrics: &RequestMetrics) -> Self {
        self.shared.metrics = Some(metrics.clone());
        let table = self.shared.tables.load_full();
        self.switch().put(table.router.clone(), table.index.clone());
        self
    }

    /// What gives it other routes while it serves.
    pub(crate) fn switch(&self) -> Switch {
        Switch { tables: self.shared.tables.clone(), metrics: self.shared.metrics.clone() }
    }

    /// Tells incidents to `report`, which must not block, instead of logging them.
    pub fn report_to(mut self, report: impl Fn(&Incident) + Send + Sync + 'static) -> Self {
        self.shared.report = Arc::new(report);
        self
    }

    /// Tells each request with its answer to `log`, which must not block. Without this none is.
    pub fn access_to(mut self, log: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        self.shared.access = Some(Arc::new(log));
        self
    }

    /// The address that it has bound.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What drains and ends it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle { orders: self.orders.clone(), clock: self.shared.clock.clone() }
    }

    /// Serves until a [`Handle`] has drained or ended it. Returns how many requests were in flight when it was ended, and are cut off.
    ///
    /// # Cancel safety
    /// Dropped, it takes its connections with it, requests in flight too.
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

/// Gives a server other routes while it serves. It holds their handlers.
pub(crate) struct Switch {
    tables: Tables,
    metrics: Option<RequestMetrics>,
}

impl Switch {
    /// The next request is answered by these.
    pub(crate) fn put(&self, router: Router, index: RouteIndex) {
        self.store(router, index, RouteTable::new());
    }

    /// All routes are known. From now on the server holds them alone.
    pub(crate) fn complete(self, routes: RouteTable) -> LateSwitch {
        self.store(routes.router(), routes.index().clone(), routes);
        LateSwitch { tables: Arc::downgrade(&self.tables), metrics: self.metrics }
    }

    fn store(&self, router: Router, index: RouteIndex, routes: RouteTable) {
        let series = self.metrics.as_ref().map(|metrics| Series::new(metrics, &index));
        self.tables.store(Arc::new(Table { router, index, routes, series }));
    }
}

/// Gives a server that serves the routes of a plugin that comes late. It holds no handlers: they go with the server.
pub(crate) struct LateSwitch {
    tables: Weak<ArcSwap<Table>>,
    metrics: Option<RequestMetrics>,
}

impl LateSwitch {
    /// The next request is answered by these, too. Returns all routes; `None` where the server has ended.
    pub(crate) fn add(&self, owner: &str, routes: Routes) -> Option<Result<RouteIndex, RouteError>> {
        let switch = Switch { tables: self.tables.upgrade()?, metrics: self.metrics.clone() };
        let mut all = switch.tables.load().routes.clone();
        Some(all.renew(owner, routes).map(|()| {
            let index = all.index().clone();
            switch.complete(all);
            index
        }))
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
    /// Takes no more connections, finishes the requests in flight, and waits until that is done. Clients are told by their answers to ask
    /// elsewhere; those that have kept their connection have 100 ms for a request that is on its way.
    ///
    /// # Cancel safety
    /// Dropped, it no longer waits; the server drains on.
    pub async fn drain(&self) {
        self.order(Order::Drain).await;
    }

    /// Ends the server and all its connections where they are, and waits until that is done.
    ///
    /// # Cancel safety
    /// Dropped, it no longer waits; the server ends all the same.
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

async fn listen(endpoint: &Endpoint) -> io::Result<TcpListener> {
    let hosts = endpoint.hosts();
    for host in hosts {
        match TcpListener::bind((*host, endpoint.port())).await {
            // the machine has no IPv6
            Err(error) if !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => {}
            bound => return bound,
        }
    }
    TcpListener::bind((endpoint.host(), endpoint.port())).await
}
