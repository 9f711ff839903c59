//! A plugin that is asked for its state, and one that watches the state of the agent.
//!
//! ```sh
//! cargo run -p statuscheck-plugin -- --backend-address 127.0.0.1:2379
//! curl localhost:9191/readiness
//! ```
//!
//! Start and stop what listens there: `/readiness` follows. `/liveness` does not, since a restart of this process would
//! fix nothing.

use cninfra::{
    prelude::*,
    status::{Probing, State},
};
use cninfra_flavors::Rpc;
use serde::{Deserialize, Serialize};
use std::{process::ExitCode, time::Duration};
use tokio::net::TcpStream;

const FLAGS: &[Flag] =
    &[Flag::new("backend-address", "address").env("BACKEND_ADDRESS").help("where the backend listens")];

#[derive(Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
struct BackendConfig {
    address: String,
    probe_interval: cninfra::config::Duration,
}

impl Default for BackendConfig {
    fn default() -> Self {
        BackendConfig { address: "127.0.0.1:2379".to_string(), probe_interval: Duration::from_secs(1).into() }
    }
}

/// A server that listens elsewhere.
#[plugin(flags = FLAGS)]
struct Backend {
    #[config]
    config: BackendConfig,
}

impl Lifecycle for Backend {
    async fn init(&self, cx: &Context) -> Result<()> {
        let address = self.config.address.clone();
        let probing = Probing::new().every(self.config.probe_interval.into()).within(Duration::from_secs(2));
        cx.probe(probing, move || {
            let address = address.clone();
            async move {
                TcpStream::connect(&address).await.context(format!("{address} does not answer"))?;
                Ok(())
            }
        });
        Ok(())
    }
}

/// Logs each change of the agent's state.
#[plugin]
struct Watcher;

impl Lifecycle for Watcher {
    async fn init(&self, cx: &Context) -> Result<()> {
        let (mut changes, log) = (cx.status_changes(), cx.log());
        cx.spawn("watch", async move {
            let mut before = None;
            while let Some(status) = changes.next().await {
                let now = (status.state, status.is_ready());
                if before.replace(now) != Some(now) {
                    info!(log, state = %status.state, ready = status.is_ready(), "the agent's state has changed");
                }
                if status.phase == State::Stopped {
                    break;
                }
            }
        });
        Ok(())
    }
}

#[derive(Flavor)]
struct StatusCheck {
    rpc: Rpc,
    backend: Dep<Backend>,
    watcher: Dep<Watcher>,
}

fn main() -> ExitCode {
    Agent::<StatusCheck>::main()
}
