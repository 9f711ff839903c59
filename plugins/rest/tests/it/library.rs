//! The server without an agent.

use crate::support::request;
use axum::{Router, routing::get};
use cninfra_rest::Server;
use cninfra_testbed::DEADLINE;
use std::sync::{Arc, Mutex};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_drains_and_ends() {
    let router = Router::new().route("/hello", get(async || "hello"));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap();
    let (addr, handle) = (server.local_addr(), server.handle());
    let serving = tokio::spawn(server.serve());
    assert_eq!(request(addr, "GET", "/hello").await.body, "hello");
    timeout(DEADLINE, handle.drain()).await.unwrap();
    timeout(DEADLINE, serving).await.unwrap().unwrap();
    // again, and after its end
    handle.drain().await;
    handle.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn incidents_are_told() {
    let router = Router::new().route("/bad", get(async || if true { panic!("on purpose") } else { "" }));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap();
    let (addr, handle) = (server.local_addr(), server.handle());
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let serving =
        tokio::spawn(server.report_to(move |incident| tell.lock().unwrap().push(incident.to_string())).serve());
    assert_eq!(request(addr, "GET", "/bad?secret=1").await.status, 500);
    assert_eq!(*told.lock().unwrap(), ["the handler of GET /bad panicked: on purpose"]);
    handle.end().await;
    serving.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_it_takes_its_connections_with_it() {
    let router = Router::new().route("/never", get(async || std::future::pending::<&str>().await));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap();
    let addr = server.local_addr();
    let serving = tokio::spawn(server.serve());
    let mut stream = std::net::TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    let ended = tokio::task::spawn_blocking(move || std::io::Read::read(&mut stream, &mut [0])).await.unwrap();
    // closed or reset: gone
    assert!(ended.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |read| read == 0));
}
