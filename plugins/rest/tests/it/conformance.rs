//! The server fulfils the contract of plugins.

use crate::support::{One, Source, config};
use cninfra::{
    config::Config,
    http::Routes,
    prelude::*,
    testing::{Conformance, http_addr, loopback},
};
use std::net::TcpListener;

fn source() -> Source {
    Source { routes: Routes::new().get("/hello", async || "Hello!") }
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = taken.local_addr().unwrap().to_string();
    Conformance::of("http", || Agent::<One>::builder().config(config()).with(source()))
        .fails("a port that is taken", move || {
            let config = Config::new().set("http", "endpoint", endpoint.clone());
            Agent::<One>::builder().config(config).with(source())
        })
        .check();
}

#[tokio::test]
async fn a_test_finds_where_it_listens() {
    let agent = Agent::<One>::builder().config(loopback()).with(source()).start().await.unwrap();
    assert_eq!(Some(http_addr(&agent)), agent.rest.local_addr());
    agent.close().await.unwrap();
}
