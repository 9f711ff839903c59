//! A link's own thread: it listens, and does what it is told.

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

/// So many connections are open at once; who comes beyond that waits to be taken.
const MOST: usize = 256;
/// What is ordered is done at once: if it is not by then, the link is broken.
const DONE_WITHIN: Duration = Duration::from_secs(10);
/// After an accept that failed, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(10);

/// What the link is to do.
#[derive(Clone, Copy)]
pub(super) struct Order {
    /// Another one each time.
    pub(super) number: u64,
    /// How often it was cut.
    pub(super) cuts: u64,
    pub(super) mode: Mode,
    /// It is cut then.
    pub(super) until: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// All goes through, after this time.
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

/// What of it is to be seen from outside.
#[derive(Default)]
pub(super) struct Seen {
    /// The last order that was done; or what went wrong.
    done: Mutex<Option<Result<u64, String>>>,
    told: Condvar,
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicUsize,
}

impl Seen {
    fn has_done(&self, done: Result<u64, String>) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        self.told.notify_all();
    }

    /// Waits until the order of this number was done.
    pub(super) fn wait_for(&self, number: u64) -> Result<(), String> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let is_open = |done: &mut Option<Result<u64, String>>| {
            done.as_ref().is_none_or(|done| done.as_ref().is_ok_and(|done| *done < number))
        };
        let waited = self.told.wait_timeout_while(done, DONE_WITHIN, is_open);
        match &*waited.unwrap_or_else(PoisonError::into_inner).0 {
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(done)) if *done >= number => Ok(()),
            _ => Err(format!("it has not done what it was told within {DONE_WITHIN:?}")),
        }
    }

    pub(super) fn has_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    pub(super) fn has_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Relaxed);
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    fn has(&self, connections: &JoinSet<()>) {
        self.connections.store(connections.len(), Relaxed);
    }
}

/// What keeps a port for the link: it is bound, and never listens. Only who shares ports is bound there beside it.
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
        // connections of before may linger
        socket.set_reuseaddr(true)?;
        socket.bind(addr)?;
        socket.listen(1024)
    };
    listen().map_err(|error: io::Error| format!("it cannot listen: {error}"))
}

/// Listens, until it is gone.
pub(super) async fn serve(addr: SocketAddr, server: SocketAddr, orders: watch::Sender<Order>, seen: Arc<Seen>) {
    let (mut listener, mut connections, mut ordered) = (None, JoinSet::new(), orders.subscribe());
    loop {
        let order = *ordered.borrow_and_update();
        match order.mode {
            // dropped, they are gone with it
            Mode::Gone => return,
            Mode::Cut => {
                listener = None;
                // each has heard of it
                while connections.join_next().await.is_some() {}
            }
            Mode::Open(_) | Mode::Paused if listener.is_none() => match listen(addr) {
                Ok(listens) => listener = Some(listens),
                Err(error) => return seen.has_done(Err(error)),
            },
            Mode::Open(_) | Mode::Paused => {}
        }
        seen.has(&connections);
        seen.has_done(Ok(order.number));
        loop {
            tokio::select! {
                _ = ordered.changed() => break,
                () = at(order.until) => {
                    orders.send_modify(Order::cut);
                }
                Some(_) = connections.join_next() => {}
                client = accept(listener.as_ref()), if connections.len() < MOST => {
                    // of what was ordered last here: what has been ordered since then is for this one, too
                    connections.spawn(connection(client, server, orders.subscribe(), order.cuts, seen.clone()));
                }
            }
            seen.has(&connections);
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
