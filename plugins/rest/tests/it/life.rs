//! Tests of how it stops.

use crate::support::{One, Source, config, request, start};
use cninfra::{
    http::{
        Routes,
        axum::{Router, extract::Path, routing::get},
    },
    prelude::*,
};
use cninfra_rest::Server;
use cninfra_testbed::DEADLINE;
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};

/// A route that signals when it has a request, and answers when it is allowed to.
#[derive(Default)]
struct Gate {
    entered: Notify,
    open: Notify,
}

fn gated() -> (Arc<Gate>, Routes) {
    let gate = Arc::new(Gate::default());
    let inside = gate.clone();
    let routes = Routes::new()
        .get("/slow", async move || {
            inside.entered.notify_one();
            inside.open.notified().await;
            "done"
        })
        .get("/hello/{name}", async |Path(name): Path<String>| name);
    (gate, routes)
}

/// Waits until nobody listens there.
async fn refused(addr: SocketAddr) {
    while tokio::net::TcpStream::connect(addr).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_finished_while_new_connections_are_refused() {
    let (gate, routes) = gated();
    let (agent, addr) = start(routes).await;
    let web = agent.web.clone();
    let slow = tokio::spawn(request(addr, "GET", "/slow"));
    gate.entered.notified().await;
    let closing = tokio::spawn(agent.close());
    timeout(DEADLINE, refused(addr)).await.unwrap();
    // The handler's plugin is not closed as long as the handler runs.
    assert!(!*web.closed.borrow() && !closing.is_finished() && !slow.is_finished());
    gate.open.notify_one();
    let answer = slow.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    closing.await.unwrap().unwrap();
    assert!(*web.closed.borrow());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_cut_off() {
    let (gate, routes) = gated();
    let (agent, addr) = start(routes).await;
    let slow = tokio::task::spawn_blocking(move || cninfra_testbed::send(addr, "GET", "/slow"));
    gate.entered.notified().await;
    // Within the limits of the agent, so it is no error.
    agent.close().await.unwrap();
    let error = slow.await.unwrap().unwrap_err();
    // Closed or reset by the server; the client has not given up.
    assert!(!matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_drains_as_long_as_the_agent_lets_it() {
    // Half of it is for draining.
    for stop in [Duration::from_secs(3), Duration::from_secs(10)] {
        let (gate, routes) = gated();
        let limits = cninfra::agent::Limits::default().stop(stop).plugin_stop(stop);
        let builder = Agent::<One>::builder().config(config()).limits(limits).with(Source { routes });
        let agent = builder.start().await.unwrap();
        let addr = agent.rest.local_addr().unwrap();
        let slow = tokio::task::spawn_blocking(move || cninfra_testbed::send(addr, "GET", "/slow"));
        gate.entered.notified().await;
        let began = Instant::now();
        let closing = tokio::spawn(agent.close());
        if stop > Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_secs(3)).await;
            gate.open.notify_one();
            assert_eq!(slow.await.unwrap().unwrap().body, "done");
        } else {
            slow.await.unwrap().unwrap_err();
            assert!(began.elapsed() > stop / 3, "{:?}", began.elapsed());
        }
        closing.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_hold_nothing_up() {
    let router = Router::new().route("/hello/{name}", get(async |Path(name): Path<String>| name));
    let server = Server::bind("127.0.0.1:0".parse().unwrap(), router).await.unwrap();
    let (addr, handle) = (server.local_addr(), server.handle());
    let serving = tokio::spawn(server.serve());
    let silent = TcpStream::connect(addr).unwrap();
    let mut kept = TcpStream::connect(addr).unwrap();
    for stream in [&silent, &kept] {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
    }
    kept.write_all(b"GET /hello/bob HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"bob") {
        let mut some = [0; 512];
        let read = kept.read(&mut some).unwrap();
        assert_ne!(read, 0);
        answer.extend(&some[..read]);
    }
    // One more request, so that the silent connection has been accepted.
    assert_eq!(request(addr, "GET", "/hello/al").await.body, "al");
    // Half of the time that the server gives a client for its next request.
    timeout(Duration::from_secs(15), handle.drain()).await.unwrap();
    serving.await.unwrap();
    for mut stream in [silent, kept] {
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once() {
    let (_, routes) = gated();
    let (agent, addr) = start(routes).await;
    let asked: Vec<_> = (0..64).map(|_| tokio::spawn(request(addr, "GET", "/hello/bob"))).collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap().body, "bob");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_answered_with_400() {
    let (_, routes) = gated();
    let (agent, addr) = start(routes).await;
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(b"\x16\x03\x01\x02\x00\x01\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(request(addr, "GET", "/hello/bob").await.status, 200);
    agent.close().await.unwrap();
}
