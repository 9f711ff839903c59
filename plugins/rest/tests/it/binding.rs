//! Tests of the endpoint.

use crate::support::{One, Source, request};
use cninfra::{config::Config, http::Routes, prelude::*};
use std::net::{SocketAddr, TcpListener};

async fn start(config: Config) -> Result<Agent<One>, String> {
    let routes = Routes::new().get("/hello", async || "hello");
    let builder = Agent::<One>::builder().config(config).with(Source { routes });
    builder.start().await.map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_of_all_kinds() {
    let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    for (endpoint, hosts) in [
        ("127.0.0.1:0", &["127.0.0.1"] as &[&str]),
        ("localhost:0", &[]),
        ("0.0.0.0:0", &["127.0.0.1"]),
        (":0", &["127.0.0.1", "::1"]),
        ("[::1]:0", &["::1"]),
        ("[::]:0", &["::1", "127.0.0.1"]),
    ] {
        if endpoint.starts_with('[') && !has_ipv6 {
            eprintln!("skipped: {endpoint}, since this machine has no IPv6");
            continue;
        }
        let agent = start(Config::new().set("http", "Endpoint", endpoint)).await.unwrap();
        let addr = agent.rest.local_addr().unwrap();
        assert_ne!(addr.port(), 0);
        for host in hosts.iter().filter(|host| has_ipv6 || !host.contains(':')) {
            let addr = SocketAddr::new(host.parse().unwrap(), addr.port());
            assert_eq!(request(addr, "GET", "/hello").await.body, "hello", "{endpoint} by {addr}");
        }
        let rest = agent.rest.clone();
        agent.close().await.unwrap();
        assert_eq!(rest.local_addr(), None);
    }
}

#[tokio::test]
async fn the_port_goes_over_that_of_the_endpoint() {
    // Bound, so that nobody else takes it: the error shows which port the server tried.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let config = Config::new().set("http", "endpoint", "127.0.0.1:1").set("http", "port", taken.port());
    let error = start(config).await.unwrap_err();
    assert!(error.contains(&format!("another process listens on {taken}")), "{error}");
}

#[tokio::test]
async fn a_port_in_use_is_told_with_endpoint_and_mend() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = other.local_addr().unwrap().to_string();
    let error = start(Config::new().set("http", "endpoint", &endpoint)).await.unwrap_err();
    for part in [
        format!("plugin `Rest (http)` failed in init: another process listens on {endpoint}"),
        "help: choose another port by --http-port, HTTP_PORT or `endpoint` in http.conf".to_string(),
    ] {
        assert!(error.contains(&part), "{error}");
    }
}

#[tokio::test]
async fn an_address_of_another_machine_is_told() {
    // An address block that is reserved for documentation.
    let error = start(Config::new().set("http", "endpoint", "192.0.2.1:0")).await.unwrap_err();
    assert!(error.contains("this machine has no address `192.0.2.1` to listen on"), "{error}");
    assert!(error.contains("help: choose another `endpoint` in http.conf"), "{error}");
}

#[tokio::test]
async fn a_bad_endpoint_is_a_mistake_in_the_config() {
    let builder = Agent::<One>::builder().config(Config::new().set("http", "endpoint", "localhost"));
    let error = builder.start().await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_config() && text.contains("key `http.endpoint`") && text.contains("`localhost:9191`"), "{text}");
}
