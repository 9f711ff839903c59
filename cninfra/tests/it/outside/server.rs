//! A real server, which receives lines over TCP and answers each with a line.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
};

/// The line that it expects first.
pub const PASSWORD: &str = "hunter2";

/// Serves on threads of its own until it is dropped.
pub struct Server {
    pub addr: SocketAddr,
    // Dropping the runtime ends all connections.
    _runtime: Runtime,
}

impl Server {
    pub fn start() -> Server {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(answer(client));
            }
        });
        Server { addr, _runtime: runtime }
    }
}

async fn answer(mut client: TcpStream) -> std::io::Result<()> {
    let (reads, mut writes) = client.split();
    let mut lines = BufReader::new(reads).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match line.split_once(' ') {
            Some(("password", password)) if password == PASSWORD => "welcome".to_string(),
            Some(("get", key)) => format!("value of {key}"),
            _ => "what?".to_string(),
        };
        writes.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}
