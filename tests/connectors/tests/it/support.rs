//! What the tests share.

use cninfra::{
    keyval::{Coordination, KeyVal},
    prelude::*,
    status::State,
};
use cninfra_flavors::{AllConnectors, Rpc};
use std::time::{Duration, Instant};

/// A plugin that does not know which store it uses.
#[plugin]
pub(crate) struct Phonebook {
    pub(crate) store: Dep<dyn KeyVal>,
    pub(crate) elections: Dep<dyn Coordination>,
}

impl Lifecycle for Phonebook {}

/// An agent with all connectors and an HTTP server.
#[derive(Flavor)]
pub(crate) struct Full {
    pub(crate) rpc: Rpc,
    pub(crate) connectors: AllConnectors,
    pub(crate) phonebook: Dep<Phonebook>,
}

/// Waits until a plugin is in this state, and returns the reason.
pub(crate) async fn until(agent: &Agent<Full>, plugin: &str, wanted: State) -> String {
    let began = Instant::now();
    loop {
        let status = agent.status();
        let now = status.plugins.iter().find(|status| status.name == plugin).unwrap();
        if now.state == wanted {
            return now.reason.clone().unwrap_or_default().to_string();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{plugin} is {:?}: {:?}", now.state, now.reason);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
