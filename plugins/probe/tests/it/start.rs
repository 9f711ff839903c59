//! Tests of the probes while the agent starts, and on a port of their own.

use crate::codes::{Probed, config, request};
use cninfra::{
    http::{Http, Routes},
    prelude::*,
};
use cninfra_probe::Probe;
use cninfra_rest::Rest;
use cninfra_testbed::{DEADLINE, send};
use std::net::SocketAddr;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

/// Its `init` waits until a test lets it continue.
#[plugin]
pub struct Slow {
    http: Dep<dyn Http>,
    gate: Dep<Gate>,
}

#[plugin]
#[derive(Default)]
pub struct Gate {
    go_on: std::sync::Arc<Notify>,
    addr: std::sync::Arc<watch::Sender<Option<SocketAddr>>>,
}

impl Lifecycle for Slow {
    async fn init(&self, cx: &Context) -> Result<()> {
        self.http.register(cx, Routes::new().get("/hello", async || "hello"))?;
        self.gate.addr.send_replace(self.http.local_addr());
        self.gate.go_on.notified().await;
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Slowly {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub gate: Dep<Gate>,
    pub probe: Dep<Probe>,
    pub slow: Dep<Slow>,
}

#[tokio::test(flavor = "multi_thread")]
async fn they_answer_while_the_agent_starts() {
    let (go_on, addr) = (std::sync::Arc::<Notify>::default(), std::sync::Arc::new(watch::Sender::new(None)));
    let gate = Gate { go_on: go_on.clone(), addr: addr.clone() };
    let starting = tokio::spawn(Agent::<Slowly>::builder().config(config()).with(gate).start());
    let addr = timeout(DEADLINE, addr.subscribe().wait_for(Option::is_some)).await.unwrap().unwrap().unwrap();
    // The probes are on the same level, and wait for nothing.
    let until = tokio::time::Instant::now() + DEADLINE;
    while request(addr, "GET", "/startup").await.body.contains("the agent is starting") {
        assert!(tokio::time::Instant::now() < until);
    }
    for (path, status) in
        [("/liveness", 200), ("/startup", 503), ("/readiness", 500), ("/health", 200), ("/metrics", 200)]
    {
        assert_eq!(request(addr, "GET", path).await.status, status, "{path}");
    }
    for path in ["/hello", "/", "/nosuch"] {
        let answer = request(addr, "GET", path).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{path}");
        assert_eq!(
            (&*answer.body, answer.header("content-type")),
            (r#"{"error":"the agent is starting"}"#, Some("application/json"))
        );
    }
    assert!(!starting.is_finished());
    go_on.notify_one();
    let agent = starting.await.unwrap().unwrap();
    for (path, status) in [("/startup", 200), ("/readiness", 200), ("/hello", 200), ("/", 200), ("/nosuch", 404)] {
        assert_eq!(request(addr, "GET", path).await.status, status, "{path}");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_their_own() {
    let apart = config().set("probe", "endpoint", "127.0.0.1:0");
    let agent = Agent::<Probed>::builder().config(apart).start().await.unwrap();
    let (http, own) = (agent.rest.local_addr().unwrap(), agent.probe.local_addr().unwrap());
    assert_ne!(http, own);
    for path in ["/startup", "/liveness", "/readiness", "/health", "/metrics"] {
        assert_eq!(request(own, "GET", path).await.status, 200, "{path}");
        assert_eq!(request(http, "GET", path).await.status, 404, "{path}");
    }
    assert_eq!(request(own, "GET", "/").await.status, 404);
    assert_eq!(request(own, "POST", "/liveness").await.status, 405);
    let probe = agent.probe.clone();
    agent.close().await.unwrap();
    assert!(probe.local_addr().is_none() && send(own, "GET", "/liveness").is_err());
}

#[tokio::test]
async fn a_port_in_use_is_told_with_the_mend() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let error = Agent::<Probed>::builder().config(config().set("probe", "port", port)).start().await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains(&format!("another process listens on 127.0.0.1:{port}")), "{error}");
    assert!(
        error.contains("help: choose another port by --probe-port, PROBE_PORT or `endpoint` in probe.conf"),
        "{error}"
    );
}
