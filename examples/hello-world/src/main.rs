//! The smallest agent: one plugin that says hello when the agent starts and goodbye when it stops.
//!
//! `cargo run -p hello-world`, then Ctrl-C.

use cninfra::prelude::*;
use std::process::ExitCode;

/// A plugin without dependencies. Others could have it as a field: `hello: Dep<HelloWorld>`.
#[plugin]
struct HelloWorld;

impl Lifecycle for HelloWorld {
    async fn init(&self, cx: &Context) -> Result<()> {
        cx.log().info("Hello World!");
        Ok(())
    }

    async fn close(&self, cx: &Context) -> Result<()> {
        cx.log().info("Goodbye World!");
        Ok(())
    }
}

/// The set of plugins that the agent runs.
#[derive(Flavor)]
struct HelloAgent {
    hello: Dep<HelloWorld>,
}

fn main() -> ExitCode {
    Agent::<HelloAgent>::main()
}
