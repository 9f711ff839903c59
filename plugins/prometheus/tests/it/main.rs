//! Tests of registries with paths of their own.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use cninfra::{
    config::Config,
    http::Http,
    metrics::{Collector, Counter, prometheus_client::encoding::DescriptorEncoder},
    prelude::*,
    testing::Conformance,
};
use cninfra_prometheus::Prometheus;
use cninfra_rest::Rest;
use cninfra_testbed::Answer;
use std::net::SocketAddr;

#[plugin]
struct First {
    #[context]
    cx: Context,
    prometheus: Dep<Prometheus>,
    counted: Counter,
}

impl Lifecycle for First {
    async fn init(&self, cx: &Context) -> Result<()> {
        let custom = self.prometheus.registry(cx, "/custom")?;
        custom.register("first_counted", "What the first one counts", self.counted.clone())?;
        custom.register_collector("first_broken", Broken)?;
        assert!(self.prometheus.registry(cx, "custom").unwrap_err().help().is_some());
        Ok(())
    }
}

/// Uses the same registry.
#[plugin]
struct Second {
    _first: Dep<First>,
    prometheus: Dep<Prometheus>,
}

impl Lifecycle for Second {
    async fn init(&self, cx: &Context) -> Result<()> {
        let custom = self.prometheus.registry(cx, "/custom")?;
        let error = custom.register("first_counted", "..", Counter::<u64>::default()).unwrap_err();
        assert_eq!(error.to_string(), "metric `first_counted` of `second` is registered already, by `first`");
        custom.register("second_counted", "What the second one counts", Counter::<u64>::default())
    }
}

#[derive(Debug)]
struct Broken;

impl Collector for Broken {
    fn encode(&self, _: DescriptorEncoder<'_>) -> std::fmt::Result {
        Err(std::fmt::Error)
    }
}

#[derive(Flavor)]
struct Counting {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    prometheus: Dep<Prometheus>,
    first: Dep<First>,
    _second: Dep<Second>,
}

fn config() -> Config {
    Config::new().set("http", "endpoint", "127.0.0.1:0")
}

async fn get(addr: SocketAddr, path: &'static str) -> Answer {
    tokio::task::spawn_blocking(move || cninfra_testbed::request(addr, "GET", path)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_registry_has_its_path() {
    let agent = Agent::<Counting>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    agent.first.counted.inc();
    let answer = get(addr, "/custom").await;
    let expected = "# HELP first_counted_total What the first one counts.\n# TYPE first_counted_total counter\nfirst_counted_total 1\n\
                    # HELP second_counted_total What the second one counts.\n# TYPE second_counted_total counter\nsecond_counted_total 0\n";
    assert_eq!((answer.status, answer.body.as_str()), (200, expected));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    // After the start, a registry can be found, and a metric removed.
    let custom = agent.prometheus.find(&agent.first.cx, "/custom").unwrap();
    assert!(custom.unregister("first_counted") && !custom.unregister("second_counted"));
    assert!(!get(addr, "/custom").await.body.contains("first_counted"));
    assert!(agent.prometheus.find(&agent.first.cx, "/other").is_none());
    // The agent's own registry does not contain them.
    let own = agent.metrics().expose(cninfra::metrics::Format::Text).text;
    assert!(!own.contains("second_counted") && own.contains("agent_ready 1"));
    agent.close().await.unwrap();
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    Conformance::of("prometheus", || Agent::<Counting>::builder().config(config())).check();
}
