//! A server with limits that a test chooses, and clients with plain sockets.

use axum::Router;
use cninfra_rest::{Handle, Limits, Server};
use cninfra_testbed::DEADLINE;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

pub struct Served {
    pub addr: SocketAddr,
    pub handle: Handle,
    /// The incidents that the server has reported.
    pub told: Arc<Mutex<Vec<String>>>,
}

/// Serves until the test ends.
pub async fn serve(router: Router, limits: Limits) -> Served {
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap().limits(limits);
    let (addr, handle) = (server.local_addr(), server.handle());
    let told = Arc::<Mutex<Vec<String>>>::default();
    let tell = told.clone();
    tokio::spawn(server.report_to(move |incident| tell.lock().unwrap().push(incident.to_string())).serve());
    Served { addr, handle, told }
}

/// Runs a client on a thread of its own.
pub async fn client<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// A client with a plain socket.
pub struct Raw {
    stream: TcpStream,
    /// Received bytes that were not returned yet.
    rest: Vec<u8>,
    /// Whether the connection was reset instead of closed.
    was_reset: bool,
}

impl Raw {
    pub fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Raw { stream, rest: Vec::new(), was_reset: false }
    }

    /// Sends the bytes. Returns whether the server has accepted them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends one byte after the other, until the server accepts no more.
    pub fn trickle(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) {
        for byte in bytes.as_ref() {
            if !self.send([*byte]) {
                break;
            }
            std::thread::sleep(pause);
        }
    }

    pub fn send_no_more(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    fn read(&mut self) -> bool {
        let mut room = [0; 65536];
        match self.stream.read(&mut room) {
            Ok(0) => false,
            Ok(read) => {
                self.rest.extend_from_slice(&room[..read]);
                true
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                self.was_reset = true;
                false
            }
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }

    /// The next response, with its head; it must have a length.
    pub fn answer(&mut self) -> String {
        loop {
            let text = String::from_utf8_lossy(&self.rest).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let lower = head.to_lowercase();
                let length = lower
                    .split("content-length: ")
                    .nth(1)
                    .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
                if body.len() >= length {
                    let whole = head.len() + 4 + length;
                    return String::from_utf8(self.rest.drain(..whole).collect()).unwrap();
                }
            }
            assert!(self.read(), "it closed after {text:?}");
        }
    }

    /// Everything that arrives until the server closes the connection, and how long that takes.
    pub fn until_closed(&mut self) -> (String, Duration) {
        let began = Instant::now();
        while self.read() {}
        (String::from_utf8_lossy(&std::mem::take(&mut self.rest)).into_owned(), began.elapsed())
    }

    /// Whether the connection was reset instead of closed. Then other systems discard received data.
    pub fn was_reset(&self) -> bool {
        // If a reset follows an orderly close, Linux reports it only as the error of the socket.
        std::thread::sleep(Duration::from_millis(5));
        self.was_reset || self.stream.take_error().unwrap().is_some()
    }

    /// The number of bytes that arrive until the server closes the connection, or within this time.
    pub fn count_until_closed(&mut self, most: Duration) -> usize {
        let (began, mut count) = (Instant::now(), 0);
        while began.elapsed() < most && self.read() {
            count += std::mem::take(&mut self.rest).len();
        }
        count
    }
}

impl Raw {
    /// Reads some of what has arrived.
    pub fn take_some(&mut self) -> usize {
        self.stream.read(&mut [0; 65536]).unwrap()
    }

    /// Whether anything arrives within this time.
    pub fn answers_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(Some(DEADLINE)).unwrap();
        peeked.is_ok()
    }
}
