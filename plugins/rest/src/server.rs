//! [`Server`]: an HTTP/1 server around an axum router.

use crate::{BindError, Endpoint, Incident, service};
use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use std::{fmt, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// How long a client may take for a request's head, and for its next request on the same connection.
const HEAD: Duration = Duration::from_secs(30);
/// How many connections are served at once; the next ones wait in the kernel's queue.
const CONNECTIONS: usize = 4096;
/// How long to wait when the process can not open another file.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);

pub(crate) type Report = Arc<dyn Fn(&Incident) + Send + Sync>;

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
    router: Router,
    orders: watch::Sender<Order>,
    /// Held until the end of `serve`: so a handle knows when that is.
    order: watch::Receiver<Order>,
    report: Report,
}

/// What a server is told to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
enum Order {
    Serve,
    Drain,
    End,
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
        let report: Report = Arc::new(|incident| tracing::error!("{incident}"));
        Ok(Server { listener, local_addr, router, orders, order, report })
    }

    /// Tells incidents to `report`, which must not block, instead of logging them.
    pub fn report_to(mut self, report: impl Fn(&Incident) + Send + Sync + 'static) -> Self {
        self.report = Arc::new(report);
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
        Handle(self.orders.clone())
    }

    /// Serves until a [`Handle`] has drained or ended it.
    ///
    /// # Cancel safety
    /// Dropped, it takes its connections with it, requests in flight too.
    pub async fn serve(self) {
        // the sender is kept, too: without it and without a handle, waiting for an order would end at once
        let Server { listener, router, orders: _orders, mut order, report, .. } = self;
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD);
        let mut ending = order.clone();
        let mut draining = pin!(ordered(&mut order, Order::Drain));
        loop {
            tokio::select! {
                () = &mut draining => break,
                accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        let connection = connection(&http, stream, router.clone(), report.clone());
                        let connection = graceful.watch(connection);
                        // it fails when the client goes away: that is no incident
                        connections.spawn(async { drop(connection.await) });
                    }
                    Err(error) if is_of_the_connection(&error) => {}
                    Err(error) => {
                        report(&Incident::NotAccepted { error, again: ACCEPT_AGAIN });
                        tokio::select! {
                            () = &mut draining => break,
                            () = tokio::time::sleep(ACCEPT_AGAIN) => {}
                        }
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
        // from here on the kernel refuses connections
        drop(listener);
        let finish = async {
            tokio::join!(graceful.shutdown(), async { while connections.join_next().await.is_some() {} });
        };
        tokio::select! {
            () = finish => {}
            () = ordered(&mut ending, Order::End) => {}
        }
        connections.shutdown().await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

/// Drains and ends a [`Server`]. Dropping it does neither.
#[derive(Clone, Debug)]
pub struct Handle(watch::Sender<Order>);

impl Handle {
    /// Takes no more connections, finishes the requests in flight, and waits until that is done.
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
        self.0.send_if_modified(|now| {
            let is_more = order > *now;
            if is_more {
                *now = order;
            }
            is_more
        });
        self.0.closed().await;
    }
}

/// Waits for this order, or for one that goes further.
async fn ordered(orders: &mut watch::Receiver<Order>, order: Order) {
    // an error says that the sender is gone, but the server itself keeps one
    let _ = orders.wait_for(|given| *given >= order).await;
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

fn connection(
    http: &http1::Builder,
    stream: TcpStream,
    router: Router,
    report: Report,
) -> impl GracefulConnection<Error = hyper::Error> + Send + 'static {
    // answers are small: they should not wait for more
    let _ = stream.set_nodelay(true);
    http.serve_connection(
        TokioIo::new(stream),
        service_fn(move |request| service::answer(router.clone(), request, report.clone())),
    )
}

/// The client went away before it was served: nothing is wrong here.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset | Interrupted)
}
