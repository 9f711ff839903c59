//! Tests of the metrics with Prometheus itself: its checker, and a server that scrapes them. Both are in Debian's
//! package `prometheus`, which `tests/run` installs. Without it these tests are skipped with a message; with `CI=true`
//! that is a failure.

use crate::codes::{Probed, config, request};
use cninfra::{metrics::prometheus_client::metrics::histogram::Histogram, prelude::*};
use cninfra_testbed::{Folder, Promtool, is_strict, request_with, require, send, skip};
use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// It may start slowly on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let missing = || format!("{program} is not installed: run tests/run, or install Debian's prometheus");
    !skip("prometheus", (!found).then(missing), is_strict())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_is_content() {
    require!(Promtool);
    let agent = Agent::<Probed>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    assert_eq!(request(addr, "GET", "/nosuch").await.status, 404);
    for path in ["/health", "/metrics"] {
        let text = request(addr, "GET", path).await.body;
        assert_eq!(Promtool::check(&text), Ok(()), "{path}:\n{text}");
    }
    // The checker only reads the text format. Without counters, that is the same as OpenMetrics.
    let open = request_with(addr, "GET", "/health", "Accept: application/openmetrics-text");
    assert_eq!(Promtool::check(&open.body), Ok(()), "{}", open.body);
    assert!(
        Promtool::check("no_help 1\n").is_err() && Promtool::check("wrong{ 1\n").is_err(),
        "it is one that can fail"
    );
    agent.close().await.unwrap();
}

/// The process is ended when this is dropped.
struct Server {
    child: Child,
    addr: SocketAddr,
    _folder: Folder,
}

impl Server {
    /// It scrapes both paths, once a second.
    fn start(target: SocketAddr) -> Self {
        let folder = Folder::new();
        let job = |name: &str| {
            format!(
                "  - job_name: {name}\n    metrics_path: /{name}\n    static_configs: [{{targets: [\"{target}\"]}}]\n"
            )
        };
        let jobs = job("metrics") + &job("health");
        let global = "global: {scrape_interval: 1s, scrape_timeout: 1s}";
        folder.write("prometheus.yml", &format!("{global}\nscrape_configs:\n{jobs}"));
        // The port was free a moment ago; Prometheus cannot report which port it has chosen.
        let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("prometheus");
        command.current_dir(folder.path()).env_clear();
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"]);
        command.arg(format!("--web.listen-address={addr}")).stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        Server { child, addr, _folder: folder }
    }

    /// Sends requests until the condition holds.
    fn wait_for(&self, path: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = send(self.addr, "GET", path).ok().and_then(|answer| serde_json::from_str(&answer.body).ok());
            match answer {
                Some(answer) if is_it(&answer) => return answer,
                answer if Instant::now() > until => panic!("{path}: {answer:?}"),
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The only value of the query, once there is one.
    fn value(&self, query: &str) -> String {
        let path = format!("/api/v1/query?query={query}");
        let answer = self.wait_for(&path, |answer| answer["data"]["result"][0]["value"][1].is_string());
        assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 1, "{answer}");
        answer["data"]["result"][0]["value"][1].as_str().unwrap().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_scrapes_them() {
    if !is_there("prometheus") {
        return;
    }
    let agent = Agent::<Probed>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    let odd = Histogram::new([0.1, 1.0]);
    odd.observe(0.5);
    agent.store.cx.metrics().register("store_odd", r#"What is "odd" in C:\nowhere"#, odd).unwrap();
    for _ in 0..3 {
        assert_eq!(request(addr, "GET", "/startup").await.status, 200);
    }
    let scraped = tokio::task::spawn_blocking(move || {
        let server = Server::start(addr);
        let are_up = |answer: &Value| {
            let targets = answer["data"]["activeTargets"].as_array();
            targets.is_some_and(|targets| {
                targets.len() == 2 && targets.iter().all(|target| target["health"] == "up" && target["lastError"] == "")
            })
        };
        server.wait_for("/api/v1/targets", are_up);
        assert_eq!(server.value("agent_ready"), "1");
        assert_eq!(server.value("service_health{service=%22vpp1%22}"), "1");
        assert_eq!(server.value("store_odd_count"), "1");
        let about =
            server.wait_for("/api/v1/metadata?metric=store_odd", |answer| answer["data"]["store_odd"].is_array());
        assert_eq!(about["data"]["store_odd"][0]["help"], r#"What is "odd" in C:\nowhere."#);
        // One of them while it started.
        assert_eq!(server.value("http_requests_total{route=%22/startup%22,status=%22200%22}"), "3");
        assert_eq!(server.value("http_request_duration_seconds_bucket{route=%22/startup%22,le=%22%2BInf%22}"), "4");
    });
    scraped.await.unwrap();
    agent.close().await.unwrap();
}
