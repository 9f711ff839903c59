//! The thread of a link: listens, and executes the link's orders.

use super::carry::connection;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::JoinSet,
    time::{sleep, sleep_until},
};

/// The maximum number of open connections. Further clients wait to be accepted.
const MOST: usize = 256;
/// Orders are executed at once. If one takes longer than this, the link is broken.
const DONE_WITHIN: Duration = Duration::from_secs(10);
/// The pause after a failed accept, for example if there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(10);

/// What the link has to do.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// Differs for each order.
    pub(super) number: u64,
    /// How often the link was cut.
    pub(super) cuts: u64,
    pub(super) mode: Mode,
    /// When the link is to be cut by itself.
    pub(super) until: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// Everything goes through, after this delay.
    Open(Duration),
    Paused,
    Cut,
    Gone,
}

impl Default for Order {
    fn default() -> Self {
        Order { number: 0, cuts: 0, mode: Mode::Open(Duration::ZERO), until: None }
    }
}

impl Order {
    pub(super) fn cut(&mut self) {
        *self = Order { cuts: self.cuts + 1, mode: Mode::Cut, until: None, ..*self };
    }
}

/// What other threads can observe of the link.
#[derive(Default)]
pub(super) struct Seen {
    /// The last order that was executed, or the error.
    done: Mutex<Option<Result<u64, String>>>,
    done_changed: Condvar,
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicUsize,
}

impl Seen {
    fn set_done(&self, done: Result<u64, String>) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        self.done_changed.notify_all();
    }

    /// Waits until the order with this number has been executed.
    pub(super) fn wait_for(&self, number: u64) -> Result<(), String> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |done: &mut Option<Result<u64, String>>| {
            done.as_ref().is_none_or(|done| done.as_ref().is_ok_and(|done| *done < number))
        };
        let waited = self.done_changed.wait_timeout_while(done, DONE_WITHIN, is_open);
        match &*waited.unwrap_or_else(PoisonError::into_inner).0 {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(done)) if *done >= number => Ok(()),
            _ => Err(format!("it has not done what it was told within {DONE_WITHIN:?}")),
        }
    }

    pub(super) fn add_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub(super) fn add_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    fn set_connections(&self, connections: &JoinSet<()>) {
        self.connections.store(connections.len(), Relaxed);
    }
}

/// Reserves the link's port: the socket is bound, but never listens. Only sockets that share ports can be bound there.
pub(super) fn bound(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

fn listen(addr: SocketAddr) -> Result<TcpListener, String> {
    let listen = || {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseport(true)?;
        // Connections from before a cut may linger.
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(1024)
    };
    listen().map_err(|error: io::Error| format!("it cannot listen: {error}"))
}

/// Serves until the link is gone.
pub(super) async fn serve(addr: SocketAddr, server: SocketAddr, orders: watch::Sender<Order>, seen: Arc<Seen>) {
    let (mut listener, mut connections, mut ordered) = (None, JoinSet::new(), orders.subscribe());
    loop {
        let order = *ordered.borrow_and_update();
        match order.mode {
            // Dropping the connections closes them.
            Mode::Gone => return,
            Mode::Cut => {
                listener = None;
                // Each connection has noticed the cut.
                while connections.join_next().await.is_some() {}
            }
            Mode::Open(_) | Mode::Paused if listener.is_none() => match listen(addr) {
                Ok(listens) => listener = Some(listens),
                Err(error) => return seen.set_done(Err(error)),
            },
            Mode::Open(_) | Mode::Paused => {}
        }
        seen.set_connections(&connections);
        seen.set_done(Ok(order.number));
        loop {
            tokio::select! {
                _ = ordered.changed() => break,
                () = at(order.until) => {
                    orders.send_modify(Order::cut);
                }
                Some(_) = connections.join_next() => {}
                client = accept(listener.as_ref()), if connections.len() < MOST => {
                    // The cuts known here: a later one then applies to this connection, too.
                    connections.spawn(connection(client, server, orders.subscribe(), order.cuts, seen.clone()));
                }
            }
            seen.set_connections(&connections);
        }
    }
}

async fn at(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

async fn accept(listener: Option<&TcpListener>) -> tokio::net::TcpStream {
    let Some(listener) = listener else { return std::future::pending().await };
    loop {
        match listener.accept().await {
            Ok((client, _)) => return client,
            Err(_) => sleep(PAUSE).await,
        }
    }
}
