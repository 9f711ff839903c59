//! Tests of the status codes, from the start to the stop.

use cninfra::{
    BuildInfo,
    config::Config,
    http::Http,
    prelude::*,
    status::{AgentStatus, State},
};
use cninfra_probe::{Body, Probe};
use cninfra_rest::Rest;
use cninfra_testbed::Answer;
use std::{net::SocketAddr, sync::Mutex};

/// A plugin whose state a test reports.
#[plugin(no_lifecycle)]
pub struct Store {
    #[context]
    pub cx: Context,
}

/// The same, but optional.
#[plugin(no_lifecycle)]
pub struct Spare {
    #[context]
    pub cx: Context,
}

/// Sends requests while the agent still starts, and reads the status when it stops.
#[plugin]
pub struct Watcher {
    http: Dep<dyn Http>,
    #[context]
    cx: Context,
    starting: Mutex<Vec<Answer>>,
    stopping: Mutex<Option<AgentStatus>>,
}

impl Lifecycle for Watcher {
    async fn after_init(&self, _: &Context) -> Result<()> {
        let addr = self.http.local_addr().context("the server does not listen")?;
        for path in ["/liveness", "/readiness", "/startup"] {
            let answer = request(addr, "GET", path).await;
            self.starting.lock().unwrap().push(answer);
        }
        Ok(())
    }

    async fn drain(&self, cx: &Context) -> Result<()> {
        *self.stopping.lock().unwrap() = Some(cx.status().agent());
        Ok(())
    }
}

#[derive(Flavor)]
pub struct Probed {
    #[provides(dyn Http)]
    pub rest: Dep<Rest>,
    pub store: Dep<Store>,
    pub spare: Option<Dep<Spare>>,
    pub probe: Dep<Probe>,
    pub watcher: Dep<Watcher>,
}

pub fn config() -> Config {
    Config::new().set("http", "endpoint", "127.0.0.1:0")
}

pub async fn request(addr: SocketAddr, method: &'static str, path: &'static str) -> Answer {
    tokio::task::spawn_blocking(move || cninfra_testbed::request(addr, method, path)).await.unwrap()
}

fn state(answer: &Answer) -> u64 {
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    body["state"].as_u64().unwrap()
}

/// The codes of liveness and readiness, and the state in the body, which is the same in both.
async fn probe(addr: SocketAddr) -> (u16, u16, u64) {
    let (live, ready) = (request(addr, "GET", "/liveness").await, request(addr, "GET", "/readiness").await);
    assert_eq!(live.body, ready.body);
    for (path, answer) in [("/liveness", &live), ("/readiness", &ready)] {
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let head = request(addr, "HEAD", path).await;
        assert_eq!((head.status, head.body.as_str()), (answer.status, ""));
        assert_eq!(head.header("content-length"), answer.header("content-length"));
    }
    (live.status, ready.status, state(&live))
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_follow_the_states() {
    let agent = Agent::<Probed>::builder().config(config()).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    {
        let starting = agent.watcher.starting.lock().unwrap();
        let codes: Vec<_> = starting.iter().map(|answer| (answer.status, state(answer))).collect();
        assert_eq!(codes, [(200, 0), (500, 0), (503, 0)], "alive, but not ready while it starts");
    }
    assert_eq!(request(addr, "GET", "/startup").await.status, 200);
    let (store, spare) = (agent.store.cx.clone(), agent.spare.as_ref().unwrap().cx.clone());
    assert_eq!(probe(addr).await, (200, 200, 1));
    for (reported, expected) in [
        (State::Ok, (200, 200, 1)),
        (State::Error, (200, 500, 2)), // A failure outside of the agent is no reason to restart it.
        (State::Degraded, (200, 200, 1)),
        (State::Init, (200, 500, 0)),
        (State::Stopped, (200, 200, 1)), // Not configured.
    ] {
        store.status().report_because(reported, "reason");
        assert_eq!(probe(addr).await, expected, "{reported:?}");
    }
    store.status().report(State::Ok);
    spare.status().report_because(State::Error, "nobody needs it");
    assert_eq!(probe(addr).await, (200, 200, 1), "an optional plugin");
    store.status().report_broken("the index contradicts itself");
    assert_eq!(probe(addr).await, (500, 500, 2), "only a new start mends it");
    assert!(request(addr, "GET", "/readiness").await.body.contains("the index contradicts itself"));
    store.status().report(State::Ok);
    assert_eq!(probe(addr).await, (200, 200, 1));

    assert_eq!(request(addr, "POST", "/liveness").await.status, 405);
    assert_eq!(request(addr, "GET", "/liveness/").await.status, 404);

    let watcher = agent.watcher.clone();
    agent.close().await.unwrap();
    let stopping = watcher.stopping.lock().unwrap().take().unwrap();
    assert!(stopping.has_started, "`/startup` stays well");
    assert!(stopping.is_live() && !stopping.is_ready());
    assert_eq!(Body::new(&stopping, BuildInfo::new("1")).state, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_config_names_does_not_count() {
    let config = config().set("probe", "non-fatal", vec!["store"]);
    let agent = Agent::<Probed>::builder().config(config).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    let named: Vec<_> = agent.status().plugins.into_iter().filter(|plugin| plugin.non_fatal).collect();
    assert_eq!(named.iter().map(|plugin| plugin.name).collect::<Vec<_>>(), ["store"]);
    let store = agent.store.cx.clone();
    for state in [State::Error, State::Init] {
        store.status().report_because(state, "lost");
        assert_eq!(probe(addr).await, (200, 200, 1), "{state}");
    }
    store.status().report_broken("the index contradicts itself");
    assert_eq!(probe(addr).await, (200, 200, 1));
    let body: serde_json::Value = serde_json::from_str(&request(addr, "GET", "/readiness").await.body).unwrap();
    assert_eq!(body["NonFatalPlugins"], serde_json::json!(["store", "spare"]));
    assert_eq!(body["PluginStatus"]["store"]["error"], "the index contradicts itself");
    // The others still count.
    agent.watcher.cx.status().report_because(State::Error, "this one counts");
    assert_eq!(probe(addr).await, (200, 500, 2));
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_plugin_that_is_not_there_is_told() {
    let config = config().set("probe", "non-fatal", vec!["stroe"]);
    let error = Agent::<Probed>::builder().config(config).start().await.unwrap_err().to_string();
    let told = "set by the program: key `probe.non-fatal[0]` names `stroe`, but this agent has no such plugin";
    assert!(error.contains("its config is not valid") && error.contains(told), "{error}");
    let help = "help: did you mean `store`? its plugins are `http`, `store`, `spare`, `probe`, `watcher`";
    assert!(error.contains(help), "{error}");
}
