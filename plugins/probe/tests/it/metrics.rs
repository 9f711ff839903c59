//! Tests of `/health` and `/metrics`.

use crate::codes::{Probed, config, request};
use cninfra::{
    BuildInfo,
    metrics::{Collector, prometheus_client::encoding::DescriptorEncoder},
    prelude::*,
    status::State,
};
use cninfra_testbed::request_with;

/// The predecessor's (1.7.0) response to `/health` with a plugin in error.
const RECORDED: &str = r#"# HELP service_dependency_health The health of the DependencyLabel 0 = INIT, 1 = OK, 2 = ERROR
# TYPE service_dependency_health gauge
service_dependency_health{dependency="demo",service="rest1"} 2
service_dependency_health{dependency="etcd",service="rest1"} 1
# HELP service_health The health of the ServiceLabel 0 = INIT, 1 = OK, 2 = ERROR
# TYPE service_health gauge
service_health{service="rest1"} 2
# HELP service_info Build info for the service.  Value is always 1, build info is in the tags.
# TYPE service_info gauge
service_info{build_date="2026-11-23T00:00:00Z",build_version="v9.8.7",service="rest1"} 1
"#;

const OPEN: &str = "Accept: application/openmetrics-text; version=1.0.0";

/// The lines about these plugins, and those about no plugin.
fn of(text: &str, plugins: &[&str]) -> String {
    let is_of = |line: &&str| {
        !line.contains("dependency=\"") || plugins.iter().any(|name| line.contains(&format!("dependency=\"{name}\"")))
    };
    text.lines().filter(is_of).map(|line| format!("{line}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_as_the_predecessor_told_it() {
    let build = BuildInfo::new("v9.8.7").commit("abcdef0").date("2026-11-23T00:00:00Z");
    let builder =
        Agent::<Probed>::builder().config(config().set("agent", "microservice-label", "rest1")).build_info(build);
    let agent = builder.start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    agent.store.cx.status().report_because(State::Error, "lost");
    let answer = request(addr, "GET", "/health").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    // Of these two plugins, sorted by name, one is in error and one is ok.
    let ours = of(&answer.body, &["probe", "store"]);
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    let theirs = RECORDED.replace("\"demo\"", "\"store\"").replace("\"etcd\"", "\"probe\"");
    assert_eq!(lines(&ours), lines(&theirs));
    let families =
        |text: &str| text.lines().filter(|line| line.starts_with('#')).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(families(&ours), families(RECORDED), "in the same order");

    let open = request_with(addr, "GET", "/health", OPEN);
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert_eq!(open.body, format!("{}# EOF\n", answer.body));
    agent.close().await.unwrap();
}

#[derive(Debug)]
struct Panics;

impl Collector for Panics {
    fn encode(&self, _: DescriptorEncoder<'_>) -> std::fmt::Result {
        panic!("on purpose")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_those_of_the_agent() {
    let agent = Agent::<Probed>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    agent.store.cx.metrics().register_collector("wrong", Panics).unwrap();
    for _ in 0..3 {
        assert_eq!(request(addr, "GET", "/liveness").await.status, 200);
    }
    assert_eq!(request(addr, "GET", "/nosuch").await.status, 404);
    let answer = request(addr, "GET", "/metrics").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")));
    for line in [
        "agent_ready 1",
        "plugin_state{plugin=\"probe\",state=\"ok\"} 1",
        "http_requests_total{method=\"GET\",route=\"/liveness\",status=\"200\"} 4", // One of them while it started.
        "http_requests_total{method=\"other\",route=\"none\",status=\"404\"} 1",
    ] {
        assert!(answer.body.contains(&format!("\n{line}\n")), "{line} in\n{}", answer.body);
    }
    // The families that the predecessor (1.7.0) reported about its process.
    for family in [
        "cpu_seconds_total counter",
        "max_fds gauge",
        "network_receive_bytes_total counter",
        "network_transmit_bytes_total counter",
        "open_fds gauge",
        "resident_memory_bytes gauge",
        "start_time_seconds gauge",
        "virtual_memory_bytes gauge",
        "virtual_memory_max_bytes gauge",
    ] {
        let (name, _) = family.split_once(' ').unwrap();
        for line in [format!("\n# TYPE process_{family}\n"), format!("\nprocess_{name} ")] {
            assert!(answer.body.contains(&line), "{line} in\n{}", answer.body);
        }
    }
    let open = request_with(addr, "GET", "/metrics", OPEN);
    assert_eq!(open.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(open.body.ends_with("# EOF\n") && open.body.contains("\n# UNIT http_request_duration_seconds seconds\n"));
    agent.close().await.unwrap();
}
