//! [`Connections`]: accepts and owns the connections of a server until it drains.

use crate::{
    Incident, connection,
    files::{FEW, Files},
    shared::Shared,
};
use cninfra::agent::Panic;
use hyper::server::conn::http1;
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::Instant,
};

/// How long to wait when the process cannot open another file.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);
/// The minimum interval between two reports that connections are not accepted.
const REPORT_AGAIN: Duration = Duration::from_secs(10);

/// What a server is ordered to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
pub(crate) enum Order {
    Serve,
    Drain,
    End,
}

/// Waits for this order, or for a later one.
pub(crate) async fn ordered(mut orders: watch::Receiver<Order>, order: Order) {
    // An error means that the sender is gone, but the server itself keeps one.
    let _ = orders.wait_for(|given| *given >= order).await;
}

/// The connections of one server, each on a task of its own.
pub(crate) struct Connections {
    shared: Arc<Shared>,
    http: http1::Builder,
    orders: watch::Receiver<Order>,
    tasks: JoinSet<()>,
    /// When it was last reported that none can be accepted.
    last_reported: Option<Instant>,
    /// Read only when there are more than a few connections: most agents never have that many, and a start does not
    /// wait for it.
    files: Option<Files>,
    /// Whether it was reported that there are too few files: reported once.
    has_reported_files: bool,
}

impl Connections {
    pub(crate) fn new(shared: Arc<Shared>, orders: watch::Receiver<Order>) -> Self {
        let http = connection::protocol(&shared);
        Connections {
            shared,
            http,
            orders,
            tasks: JoinSet::new(),
            last_reported: None,
            files: None,
            has_reported_files: false,
        }
    }

    /// Whether there is room for another connection.
    fn has_room(&mut self) -> bool {
        let (open, most) = (self.tasks.len(), self.shared.limits.connections.max(1));
        if open < FEW || open >= most {
            return open < most;
        }
        match self.files.get_or_insert_with(Files::read).fewer_than(most) {
            Some((connections, files)) if open >= connections => {
                if !self.has_reported_files {
                    self.has_reported_files = true;
                    self.shared.report_incident(&Incident::FewFiles { connections, files });
                }
                false
            }
            _ => true,
        }
    }

    fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        let drained = ordered(self.orders.clone(), Order::Drain);
        self.tasks.spawn(connection::serve(self.http.clone(), stream, peer, self.shared.clone(), drained));
    }

    /// Accepts connections until `drained`. Those for which there is no room wait in the system's queue.
    pub(crate) async fn accept(&mut self, listener: &TcpListener, drained: impl Future<Output = ()>) {
        let mut drained = pin!(drained);
        loop {
            tokio::select! {
                () = &mut drained => return,
                accepted = listener.accept(), if self.has_room() => match accepted {
                    Ok((stream, peer)) => {
                        self.last_reported = None;
                        self.serve(stream, peer);
                    }
                    Err(error) if is_of_the_connection(&error) => {}
                    Err(error) => {
                        self.report_not_accepted(error);
                        tokio::select! {
                            () = &mut drained => return,
                            () = tokio::time::sleep(ACCEPT_AGAIN) => {}
                        }
                    }
                },
                Some(ended) = self.tasks.join_next() => self.report_panic(ended),
            }
        }
    }

    fn report_not_accepted(&mut self, error: io::Error) {
        if self.last_reported.is_none_or(|last| last.elapsed() >= REPORT_AGAIN) {
            self.last_reported = Some(Instant::now());
            self.shared.report_incident(&Incident::NotAccepted { error, again: ACCEPT_AGAIN });
        }
    }

    /// Accepts the clients that are already connected, as far as there is room, and closes the listener: from then on
    /// the system refuses connections.
    pub(crate) fn accept_rest(&mut self, listener: TcpListener) {
        // Not through the runtime, which may not have noticed these connections yet.
        let Ok(listener) = listener.into_std() else { return };
        while self.has_room() {
            match listener.accept() {
                Ok((stream, peer)) => {
                    if stream.set_nonblocking(true).is_ok()
                        && let Ok(stream) = TcpStream::from_std(stream)
                    {
                        self.serve(stream, peer);
                    }
                }
                Err(error) if is_of_the_connection(&error) => {}
                // No more are waiting, or they cannot be accepted.
                Err(_) => return,
            }
        }
    }

    /// Waits until all connections have ended.
    pub(crate) async fn finish(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            self.report_panic(ended);
        }
    }

    /// Reports a connection's task that has panicked, which should not happen.
    fn report_panic(&self, ended: Result<(), JoinError>) {
        let Err(error) = ended else { return };
        let panicking = self.shared.take_panicking(error.id());
        if let Ok(payload) = error.try_into_panic() {
            let (request, route) =
                panicking.map_or((None, None), |(method, path, route)| (Some((method, path)), route));
            let message = Panic::of(payload).to_string();
            self.shared.report_incident(&Incident::ConnectionPanicked { request, route, message });
        }
    }

    /// Ends all connections at once. Returns how many requests were cut off.
    pub(crate) async fn end(mut self) -> usize {
        self.tasks.abort_all();
        self.finish().await;
        self.shared.cut.load(Relaxed)
    }
}

/// The client went away before it was served, which is no fault of the server.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset | Interrupted)
}
