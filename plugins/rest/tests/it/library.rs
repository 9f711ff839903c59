//! Tests of the server without an agent.

use crate::{
    raw::{Raw, client},
    support::request,
};
use axum::{Router, routing::get};
use cninfra::http::{RouteTable, Routes};
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
    // Again, and after its end.
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
    // Closed or reset: the connection is gone.
    assert!(ended.map_or_else(|error| error.kind() == std::io::ErrorKind::ConnectionReset, |read| read == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_told_with_the_owners_of_their_routes() {
    let mut table = RouteTable::new();
    let bad = async || if true { panic!("on purpose") } else { "" };
    table.add("web", Routes::new().get("/bad/{id}", bad).get("/fine", async || "fine")).unwrap();
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), table.router()).await.unwrap();
    let (addr, handle) = (server.local_addr(), server.handle());
    let (told, logged) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (tell, log) = (told.clone(), logged.clone());
    let server = server
        .routes(table.index().clone())
        .report_to(move |incident| tell.lock().unwrap().push(incident.to_string()))
        .access_to(move |access| log.lock().unwrap().push(access.clone()));
    let serving = tokio::spawn(server.serve());
    for (method, path) in [("GET", "/fine?secret=1"), ("HEAD", "/fine"), ("GET", "/bad/7"), ("GET", "/nosuch")] {
        let _ = request(addr, method, path).await;
    }
    handle.drain().await;
    assert_eq!(serving.await.unwrap(), 0, "nothing is cut off");
    assert_eq!(*told.lock().unwrap(), ["the handler of GET /bad/7 (`/bad/{id}` of `web`) panicked: on purpose"]);
    let logged = logged.lock().unwrap();
    let lines: Vec<_> = logged
        .iter()
        .map(|access| {
            let owner = access.route.as_ref().map_or("-", |route| &*route.owner);
            format!("{} {} {} {owner}", access.method, access.path, access.status.as_u16())
        })
        .collect();
    assert_eq!(lines, ["GET /fine 200 web", "HEAD /fine 200 web", "GET /bad/7 500 web", "GET /nosuch 404 -"]);
    assert!(logged.iter().all(|access| access.peer.ip() == addr.ip()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_how_many_requests_it_has_cut_off() {
    let (entered, mut wait) = tokio::sync::mpsc::unbounded_channel();
    let never = async move || {
        entered.send(()).unwrap();
        std::future::pending::<&str>().await
    };
    let router = Router::new().route("/never", get(never)).route("/hello", get(async || "hello"));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap();
    let (addr, handle) = (server.local_addr(), server.handle());
    let serving = tokio::spawn(server.serve());
    let mut answered = Raw::connect(addr);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = Raw::connect(addr);
        stream.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
        streams.push(stream);
        timeout(DEADLINE, wait.recv()).await.unwrap().unwrap();
    }
    // A request that is answered, and whose connection is kept.
    let answered = client(move || {
        answered.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(answered.answer().ends_with("hello"));
        answered
    });
    streams.push(answered.await);
    handle.end().await;
    assert_eq!(serving.await.unwrap(), 3);
    drop(streams);
}
