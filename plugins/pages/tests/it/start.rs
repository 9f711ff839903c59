//! Tests of the pages while the agent starts, and of the links between them.

use cninfra::{config::Config, http::Http, prelude::*, testing::loopback};
use cninfra_pages::Pages;
use cninfra_rest::Rest;
use cninfra_testbed::{Answer, DEADLINE, request_with};
use serde_json::Value;
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout},
};

/// Its `init` waits until a test lets it continue.
#[plugin]
pub struct Slow {
    pages: Dep<Pages>,
    http: Dep<dyn Http>,
    gate: Dep<Gate>,
}

#[plugin]
#[derive(Default)]
pub struct Gate {
    go_on: Arc<Notify>,
    addr: Arc<watch::Sender<Option<SocketAddr>>>,
}

impl Lifecycle for Slow {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = &self.pages;
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
    pub pages: Dep<Pages>,
    pub slow: Dep<Slow>,
}

async fn get(addr: SocketAddr, path: &'static str, accept: &'static str) -> Answer {
    tokio::task::spawn_blocking(move || request_with(addr, "GET", path, accept)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_answer_while_the_agent_starts() {
    let (go_on, addr) = (Arc::<Notify>::default(), Arc::new(watch::Sender::new(None)));
    let gate = Gate { go_on: go_on.clone(), addr: addr.clone() };
    let starting = tokio::spawn(Agent::<Slowly>::builder().config(loopback()).record_events(true).with(gate).start());
    let addr = timeout(DEADLINE, addr.subscribe().wait_for(Option::is_some)).await.unwrap().unwrap().unwrap();
    let until = Instant::now() + DEADLINE;
    let status: Value = loop {
        let answer = get(addr, "/agent/status", "Accept: */*").await;
        if answer.status == 200 {
            break serde_json::from_str(&answer.body).unwrap();
        }
        assert!(Instant::now() < until, "{answer:?}");
    };
    assert_eq!((&status["state"], &status["ready"]), (&"init".into(), &false.into()), "{status}");
    let timeline: Value = serde_json::from_str(&get(addr, "/agent/timeline", "Accept: */*").await.body).unwrap();
    assert_eq!(timeline["complete"], false);
    // The steps that are done, and those that have not ended.
    let has = |key: &str, instance: &str, phase: &str| {
        let is_it = |step: &&Value| step["instance"] == instance && step["phase"] == phase;
        timeline[key].as_array().unwrap().iter().find(is_it).is_some()
    };
    assert!(
        has("steps", "http", "init") && has("steps", "pages", "init") && !has("steps", "slow", "init"),
        "{timeline}"
    );
    assert!(has("running", "slow", "init") && timeline["running"].as_array().unwrap().len() == 1, "{timeline}");
    assert!(timeline["running"][0]["so_far_us"].as_u64().unwrap() > 0, "{timeline}");
    assert!(timeline["steps"].as_array().unwrap().iter().all(|step| step["critical"] == false), "{timeline}");
    let page = get(addr, "/agent/timeline", "Accept: text/html").await.body;
    for part in
        ["<strong>It goes on</strong>", "<i class=\"bar init running\"", "<strong class=\"busy\">goes on</strong>"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(get(addr, "/agent/graph", "Accept: text/html").await.status, 200);
    assert_eq!(get(addr, "/agent/config", "Accept: text/html").await.status, 200);
    go_on.notify_one();
    let agent = starting.await.unwrap().unwrap();
    let status: Value = serde_json::from_str(&get(addr, "/agent/status", "Accept: */*").await.body).unwrap();
    assert_eq!(status["state"], "ok");
    agent.close().await.unwrap();
}

#[derive(Flavor)]
struct Lone {
    #[provides(dyn Http)]
    rest: Dep<Rest>,
    pages: Option<Dep<Pages>>,
}

async fn lone(config: Config) -> (Agent<Lone>, SocketAddr) {
    let agent = Agent::<Lone>::builder().config(config).start().await.unwrap();
    let addr = agent.rest.local_addr().unwrap();
    (agent, addr)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_and_the_index_link_to_each_other() {
    let (agent, addr) = lone(loopback()).await;
    let index = get(addr, "/", "Accept: text/html").await.body;
    for path in ["graph", "timeline", "status", "config"] {
        assert!(index.contains(&format!("<a href=\"/agent/{path}\">")), "{index}");
    }
    let page = get(addr, "/agent/graph", "Accept: text/html").await.body;
    for link in ["status", "timeline", "config", "../"] {
        assert!(page.contains(&format!("<a href=\"{link}\">")), "{link}: {page}");
    }
    assert!(page.contains("<a href=\"graph\" aria-current=\"page\">Graph</a>"), "{page}");
    // And to the list of the pages, whose links lead down.
    assert!(page.contains("<strong><a href=\"../agent\">"), "{page}");
    let top = get(addr, "/agent", "Accept: text/html").await.body;
    for link in ["agent", "agent/status", "agent/graph", "agent/timeline", "agent/config", "./"] {
        assert!(top.contains(&format!("<a href=\"{link}\">")), "{link}: {top}");
    }
    // Also those in its header, beside those in its list.
    assert!(!top.contains("<a href=\"status\">"), "{top}");
    let list: Value = serde_json::from_str(&get(addr, "/agent", "Accept: */*").await.body).unwrap();
    let paths: Vec<_> = list["pages"].as_array().unwrap().iter().map(|page| page["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/agent/graph", "/agent/timeline", "/agent/status", "/agent/config"]);
    assert_eq!(list["flavor"], "Lone");
    agent.close().await.unwrap();
    // There is no link to a page that does not exist.
    let (agent, addr) = lone(loopback().set("http", "index", false)).await;
    assert!(!get(addr, "/agent/graph", "Accept: text/html").await.body.contains("href=\"../\""));
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_there_are_none() {
    let (agent, addr) = lone(loopback().set("pages", "enabled", false)).await;
    assert!(agent.pages.is_none() || agent.rest.local_addr().is_some());
    for path in ["/agent/graph", "/agent/timeline", "/agent/status", "/agent/config"] {
        assert_eq!(get(addr, path, "Accept: text/html").await.status, 404, "{path}");
    }
    agent.close().await.unwrap();
}
