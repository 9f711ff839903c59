//! The macros of `log` and `tracing` take no logger, those of cninfra do.
use cninfra::prelude::*;

#[plugin]
struct Greeter;

impl Lifecycle for Greeter {
    async fn init(&self, cx: &Context) -> Result<()> {
        let peer = "10.0.0.1";
        info!("hello"); //~ CN038
        warn!("hello, {}", peer); //~ CN038
        error!(peer = %peer, "hello"); //~ CN038
        debug!(cx.log(), peer, "hello");
        Ok(())
    }
}
