//! An agent with default settings: an HTTP server, the Kubernetes probes, and one plugin of its own.
//!
//! ```sh
//! cargo run -p simple-agent
//! curl localhost:9191/liveness      # the agent's state, in JSON
//! curl localhost:9191/hello/world   # the plugin below
//! ```
//!
//! `cargo run -p simple-agent -- --help` lists what can be set, and `-- --graph text` the plugins in start order.
//! Ctrl-C stops it.

use cninfra::{
    http::{Http, Path, Routes},
    prelude::*,
};
use cninfra_flavors::Rpc;
use std::process::ExitCode;

/// A plugin is a struct. Its `Dep` fields are its dependencies, and the compiler finds who provides them.
#[plugin]
struct Greeter {
    http: Dep<dyn Http>, // an interface; the flavor `Rpc` has the server behind it
}

/// What a plugin does in the life of the agent. Every method has a default, so write only those you need.
impl Lifecycle for Greeter {
    async fn init(&self, cx: &Context) -> Result<()> {
        // A handler is any async function whose arguments are extractors, which are axum's.
        let routes = Routes::new()
            .get("/hello", async || "Hello, agent!\n")
            .summary("greets")
            .get("/hello/{name}", async |Path(name): Path<String>| format!("Hello, {name}!\n"))
            .summary("greets by name");
        self.http.register(cx, routes)
    }
}

/// A flavor is a set of plugins and other flavors, in any order: the compiler finds the start order.
#[derive(Flavor)]
struct SimpleAgent {
    rpc: Rpc,
    greeter: Dep<Greeter>,
}

/// The platform handles the command line, config files, logs, signals and the exit code.
fn main() -> ExitCode {
    Agent::<SimpleAgent>::main()
}
