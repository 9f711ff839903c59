//! An agent with the server, and one plugin whose routes a test chooses.

use cninfra::{
    config::Config,
    http::{Http, Routes},
    prelude::*,
};
use cninfra_rest::Rest;
use cninfra_testbed::Answer;
use std::net::SocketAddr;
use tokio::sync::watch;

/// What a test passes to [`Web`].
#[plugin]
#[derive(Default)]
pub struct Source {
    pub routes: Routes,
}

/// Registers the given routes, and signals when it is closed.
#[plugin]
pub struct Web {
    http: Dep<dyn Http>,
    source: Dep<Source>,
    #[default(watch::Sender::new(false))]
    pub closed: watch::Sender<bool>,
}

impl Lifecycle for Web {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, self.source.routes.clone())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        self.closed.send_replace(true);
        Ok(())
    }
}

#[derive(Flavor)]
pub struct One {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub source: Dep<Source>,
    pub web: Dep<Web>,
}

/// Config for a free port of the loopback interface.
pub fn config() -> Config {
    Config::new().set("http", "endpoint", "127.0.0.1:0")
}

/// Starts the server with these routes.
pub async fn start(routes: Routes) -> (Agent<One>, SocketAddr) {
    let agent = Agent::<One>::builder().config(config()).with(Source { routes }).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    (agent, addr)
}

/// Sends a request from a thread of its own.
pub async fn request(addr: SocketAddr, method: &'static str, path: &'static str) -> Answer {
    tokio::task::spawn_blocking(move || cninfra_testbed::request(addr, method, path)).await.unwrap()
}
