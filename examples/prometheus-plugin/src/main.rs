//! A plugin with metrics on a path of their own: a countdown that is removed when it has ended, and a gauge for each of
//! two rooms.
//!
//! ```sh
//! cargo run -p prometheus-plugin
//! curl localhost:9191/custom
//! ```

use cninfra::{
    metrics::{Family, Gauge, Metrics},
    prelude::*,
};
use cninfra_flavors::Rpc;
use cninfra_prometheus::Prometheus;
use std::{process::ExitCode, sync::atomic::AtomicU64, time::Duration};

const PATH: &str = "/custom";
const COUNTDOWN: &str = "countdown";

#[plugin]
struct Exporter {
    prometheus: Dep<Prometheus>,
    /// One value for each room.
    temperature: Family<[(&'static str, &'static str); 1], Gauge<f64, AtomicU64>>,
    countdown: Gauge,
}

impl Lifecycle for Exporter {
    async fn init(&self, cx: &Context) -> Result<()> {
        let custom = self.prometheus.registry(cx, PATH)?;
        custom.register("room_temperature_celsius", "How warm it is", self.temperature.clone())?;
        self.temperature.get_or_create(&[("room", "kitchen")]).set(21.5);
        self.temperature.get_or_create(&[("room", "cellar")]).set(12.0);
        custom.register(COUNTDOWN, "What is left of the countdown", self.countdown.clone())?;
        self.countdown.set(10);
        cx.spawn("count down", count_down(self.countdown.clone(), custom, cx.log()));
        Ok(())
    }
}

async fn count_down(left: Gauge, metrics: Metrics, log: Logger) {
    while left.get() > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        left.dec();
    }
    metrics.unregister(COUNTDOWN);
    log.info("the countdown is over");
}

#[derive(Flavor)]
struct Metered {
    rpc: Rpc,
    prometheus: Dep<Prometheus>,
    exporter: Dep<Exporter>,
}

fn main() -> ExitCode {
    Agent::<Metered>::main()
}
