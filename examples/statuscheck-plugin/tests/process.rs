//! Tests of the agent as a process whose backend comes and goes, as its users run it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra_testbed::{Program, request};
use std::net::TcpListener;

#[test]
fn readiness_follows_the_backend_and_liveness_does_not() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    let mut agent = Program::new(env!("CARGO_BIN_EXE_statuscheck-plugin"))
        .env("HTTP_PORT", "0")
        .arg("--backend-address")
        .arg(&address.to_string())
        .arg("--set")
        .arg("backend.probe-interval=20ms")
        .start();
    let addr = agent.http_addr();
    let codes = || ["/liveness", "/readiness"].map(|path| request(addr, "GET", path).status);
    agent.wait_for("state=ok ready=true");
    assert_eq!(codes(), [200, 200]);

    drop(backend);
    agent.wait_for("state=error ready=false");
    assert_eq!(codes(), [200, 500]);
    let body = request(addr, "GET", "/readiness").body;
    assert!(body.contains(&format!("{address} does not answer")), "{body}");

    let _backend = TcpListener::bind(address).unwrap();
    agent.wait_for("state=ok ready=true");
    assert_eq!(codes(), [200, 200]);
    agent.signal("TERM");
    let ended = agent.wait();
    assert!(ended.code == Some(0) && !ended.stderr.contains("still ran"), "{}", ended.stderr);
}
