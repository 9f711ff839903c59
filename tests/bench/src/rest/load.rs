//! A client that keeps connections busy, each with one request after the other.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    runtime::{Builder, Runtime},
    task::JoinSet,
};

const REQUEST: &[u8] = b"GET /hello/bob HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";
const ANSWER: &str = "Hello, bob!";

/// The figures of one turn.
#[derive(Clone, Copy)]
pub struct Figures {
    pub requests: f64,
    pub rate: f64,
    /// In nanoseconds.
    pub p99: f64,
    /// In nanoseconds per request.
    pub cpu: f64,
}

/// The connections to one server, kept from turn to turn.
pub struct Load {
    runtime: Runtime,
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    /// The length of a response, which is always the same.
    length: usize,
}

impl Load {
    pub fn new(addr: SocketAddr, count: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connections = runtime.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..count {
                connections.push(Connection::new(addr).await?);
            }
            Ok::<_, io::Error>(connections)
        })?;
        Ok(Load { runtime, connections })
    }

    pub fn run(&mut self, turn: Duration) -> io::Result<Figures> {
        let connections = std::mem::take(&mut self.connections);
        let began = Instant::now();
        let (back, mut took) = self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for connection in connections {
                tasks.spawn(connection.ask(began + turn));
            }
            let (mut back, mut took) = (Vec::new(), Vec::new());
            while let Some(done) = tasks.join_next().await {
                let (connection, mut times) = done.map_err(io::Error::other)??;
                back.push(connection);
                took.append(&mut times);
            }
            Ok::<_, io::Error>((back, took))
        })?;
        self.connections = back;
        took.sort_unstable();
        let requests = took.len() as f64;
        let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or_default();
        Ok(Figures { requests, rate: requests / began.elapsed().as_secs_f64(), p99: p99 as f64, cpu: 0.0 })
    }
}

impl Connection {
    async fn new(addr: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        stream.write_all(REQUEST).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(ANSWER.as_bytes()) {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::Error::other(format!("no answer: {}", String::from_utf8_lossy(&answer))));
            }
        }
        Ok(Connection { stream, length: answer.len() })
    }

    /// Sends requests until then. Returns how long each of them took, in nanoseconds.
    async fn ask(mut self, until: Instant) -> io::Result<(Self, Vec<u64>)> {
        let (mut room, mut took) = (vec![0; self.length], Vec::new());
        loop {
            let began = Instant::now();
            if began >= until {
                return Ok((self, took));
            }
            self.stream.write_all(REQUEST).await?;
            self.stream.read_exact(&mut room).await?;
            took.push(began.elapsed().as_nanos() as u64);
        }
    }
}
