//! [`Link`]: a connection to a server that a test can cut, pause and slow down.

mod carry;
mod serve;

use serve::{Mode, Order, Seen, bound, serve};
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// The way from a plugin to a server: a TCP proxy on a free port of the loopback interface, in front of the real
/// server, which a test can break in the ways in which networks and servers break.
///
/// | | connections | new connections |
/// | --- | --- | --- |
/// | [`cut`](Link::cut) | are reset | are refused |
/// | [`pause`](Link::pause) | stay, and nothing goes through | are accepted, and nothing is read: half-open |
/// | [`slow`](Link::slow) | each piece that goes through is delayed | the same |
/// | [`restore`](Link::restore) | continue | go through |
///
/// Each change is in force when the call returns. The link keeps its port while it is cut, so that nothing else answers
/// there. It has a thread of its own, so it keeps working whatever the test does to its runtime. The thread ends when
/// the link is dropped, and the connections with it. At most 256 are open at once.
///
/// ```
/// use cninfra::testing::Link;
/// use std::{
///     io::Read as _,
///     net::{TcpListener, TcpStream},
/// };
///
/// # fn main() -> std::io::Result<()> {
/// let server = TcpListener::bind("127.0.0.1:0")?;
/// let link = Link::to(server.local_addr()?)?;
/// let mut client = TcpStream::connect(link.addr())?;
/// let (_taken, _) = server.accept()?;
/// link.cut();
/// assert!(client.read(&mut [0]).is_err(), "it is reset");
/// assert!(TcpStream::connect(link.addr()).is_err(), "it is refused");
/// link.restore();
/// TcpStream::connect(link.addr())?;
/// server.accept()?;
/// # Ok(())
/// # }
/// ```
pub struct Link {
    server: SocketAddr,
    addr: SocketAddr,
    orders: watch::Sender<Order>,
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// A link to the server at this address, which need not be running yet.
    ///
    /// # Errors
    /// There is no free port, or no thread.
    pub fn to(server: SocketAddr) -> io::Result<Link> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let holder = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let addr = holder.local_addr()?;
        let (orders, seen) = (watch::Sender::new(Order::default()), Arc::new(Seen::default()));
        let serving = serve(addr, server, orders.clone(), seen.clone());
        let thread = std::thread::Builder::new().name("link".to_string()).spawn(move || {
            let _holder = holder;
            runtime.block_on(serving);
        })?;
        let link = Link { server, addr, orders, seen, thread: Some(thread) };
        link.seen.wait_for(0).map_err(io::Error::other)?;
        Ok(link)
    }

    /// Where the link listens. The plugin's config has to point there.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Resets all connections, and refuses new ones, as if the server were gone.
    ///
    /// # Panics
    /// The link does not execute the command. This holds for all its commands.
    pub fn cut(&self) {
        self.order(|order| order.cut());
    }

    /// Lets nothing through: connections stay, new ones are accepted, and nothing is read from either, as if the server
    /// hung, or the network dropped everything.
    ///
    /// # Panics
    /// See [`Link::cut`].
    pub fn pause(&self) {
        self.order(|order| *order = Order { mode: Mode::Paused, until: None, ..*order });
    }

    /// The same, but the link is cut after this time, in case the test cannot restore it.
    pub(super) fn pause_at_most(&self, time: Duration) {
        let until = Instant::now() + time;
        self.order(|order| *order = Order { mode: Mode::Paused, until: Some(until), ..*order });
    }

    /// Delays each piece by this time, in both directions.
    ///
    /// # Panics
    /// See [`Link::cut`].
    pub fn slow(&self, by: Duration) {
        self.order(|order| *order = Order { mode: Mode::Open(by), until: None, ..*order });
    }

    /// Lets everything through, as at first.
    ///
    /// # Panics
    /// See [`Link::cut`].
    pub fn restore(&self) {
        self.slow(Duration::ZERO);
    }

    /// The number of bytes forwarded to the server so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.seen.sent()
    }

    /// The number of bytes forwarded from the server so far.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.seen.received()
    }

    /// The number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.connections()
    }

    fn order(&self, change: impl FnOnce(&mut Order)) {
        let mut number = 0;
        self.orders.send_modify(|order| {
            change(order);
            order.number += 1;
            number = order.number;
        });
        if let Err(error) = self.seen.wait_for(number) {
            panic!("the link at {}: {error}", self.addr);
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({} to {})", self.addr, self.server)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.orders.send_modify(|order| order.mode = Mode::Gone);
        if let Some(thread) = self.thread.take() {
            // The thread never panics, and a drop could not report it anyway.
            let _ = thread.join();
        }
    }
}
