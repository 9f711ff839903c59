//! Tests of the status in a store: what is published, and what happens while the store is unreachable.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod unanswered;

use cninfra::{
    config::Config,
    keyval::{Capabilities, Delegate, KeyVal, Kv, KvError, Reason},
    prelude::*,
    status::State,
    testing::Conformance,
};
use cninfra_embedded::EmbeddedStore;
use cninfra_statuscheck::{AgentRecord, PluginRecord, StatusCheck};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// A store in memory that can be made unreachable.
#[plugin]
struct Away {
    store: OnceLock<Arc<EmbeddedStore>>,
    is_away: AtomicBool,
    /// The number of writes that were requested.
    asked: AtomicUsize,
}

impl Lifecycle for Away {
    async fn init(&self, _: &Context) -> Result<()> {
        let _ = self.store.set(Arc::new(EmbeddedStore::in_memory().await?));
        Ok(())
    }

    async fn close(&self, _: &Context) -> Result<()> {
        match self.store.get() {
            Some(store) => Ok(store.close().await?),
            None => Ok(()),
        }
    }
}

impl Delegate for Away {
    type Store = EmbeddedStore;

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    fn store(&self, op: &'static str) -> Result<Arc<EmbeddedStore>, KvError> {
        self.asked.fetch_add(usize::from(matches!(op, "put" | "transaction")), Ordering::Relaxed);
        let is_there = !self.is_away.load(Ordering::Relaxed);
        let store = self.store.get().filter(|_| is_there).cloned();
        store.ok_or_else(|| KvError::new(op, Reason::Unavailable).not_applied().at("away"))
    }
}

/// A store that is not configured.
#[plugin]
struct Unset;

impl Delegate for Unset {
    type Store = EmbeddedStore;

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    fn store(&self, op: &'static str) -> Result<Arc<EmbeddedStore>, KvError> {
        Err(KvError::new(op, Reason::NOT_CONFIGURED).not_applied())
    }
}

#[derive(Flavor)]
struct Unconfigured {
    #[provides(dyn KeyVal)]
    store: Dep<Unset>,
    status_check: Dep<StatusCheck>,
}

#[tokio::test]
async fn without_a_store_that_is_configured_it_is_off() {
    let agent = Agent::<Unconfigured>::start().await.unwrap();
    let state = || agent.status().plugins.iter().find(|plugin| plugin.name == "statuscheck").map(|plugin| plugin.state);
    until("it is not disabled", async || state() == Some(State::Disabled)).await;
    agent.close().await.unwrap();
}

/// Reports what the test wants.
#[plugin]
struct Demo {
    #[context]
    cx: Context,
}

impl Lifecycle for Demo {}

#[derive(Flavor)]
struct Watched {
    #[provides(dyn KeyVal)]
    store: Dep<Away>,
    status_check: Dep<StatusCheck>,
    demo: Dep<Demo>,
}

#[derive(Flavor)]
struct Storeless {
    status_check: Dep<StatusCheck>,
}

fn agent(interval: &str) -> cninfra::agent::Builder<Watched> {
    let config =
        Config::new().set("agent", "microservice-label", "rest1").set("statuscheck", "publish-interval", interval);
    Agent::<Watched>::builder().config(config)
}

async fn published<T: serde::de::DeserializeOwned>(agent: &Agent<Watched>, key: &str) -> Option<T> {
    // Directly, since the plugin may be unreachable.
    let kv = Kv::new(agent.store.store.get().unwrap().clone());
    let entry = kv.get(format!("/vnf-agent/rest1/check/status/v1/{key}")).await.ok()??;
    Some(serde_json::from_slice(&entry.value).unwrap())
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// An agent that has published something.
async fn publishing(interval: &str) -> Agent<Watched> {
    let agent = agent(interval).start().await.unwrap();
    until("nothing is published", async || published::<PluginRecord>(&agent, "plugin/demo").await.is_some()).await;
    agent
}

#[tokio::test]
async fn what_changes_is_published_at_once() {
    let agent = agent("0").start().await.unwrap();
    until("the agent is not published as ready", async || {
        published::<AgentRecord>(&agent, "agent").await.is_some_and(|record| record.state == 1)
    })
    .await;
    let record: AgentRecord = published(&agent, "agent").await.unwrap();
    let names: Vec<&str> = record.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    assert_eq!(names, ["away", "demo", "statuscheck"]);
    agent.demo.cx.status().report_because(State::Error, "demo failed");
    until("the error is not published", async || {
        published::<PluginRecord>(&agent, "plugin/demo").await.is_some_and(|record| record.state == 2)
    })
    .await;
    let demo: PluginRecord = published(&agent, "plugin/demo").await.unwrap();
    assert_eq!((demo.error.as_str(), demo.last_update >= demo.last_change), ("demo failed", true));
    until("the agent is not published as in error", async || {
        published::<AgentRecord>(&agent, "agent").await.is_some_and(|record| record.state == 2)
    })
    .await;
    agent.close().await.unwrap();
}

#[tokio::test]
async fn all_is_published_anew_so_that_others_see_that_it_lives() {
    let agent = agent("50ms").start().await.unwrap();
    until("nothing is published anew", async || agent.store.asked.load(Ordering::Relaxed) > 20).await;
    agent.close().await.unwrap();
}

#[tokio::test]
async fn while_the_store_is_away_nothing_piles_up() {
    let agent = publishing("0").await;
    agent.store.is_away.store(true, Ordering::Relaxed);
    let (before, began) = (agent.store.asked.load(Ordering::Relaxed), Instant::now());
    for round in 0..200 {
        agent.demo.cx.status().report_because(State::Error, format!("round {round}"));
        sleep(Duration::from_millis(2)).await;
    }
    let asked = agent.store.asked.load(Ordering::Relaxed) - before;
    // After the first few, each pause is at least a quarter of a second.
    let most = 6 + began.elapsed().as_millis() / 250;
    assert!(asked as u128 <= most, "200 changes were tried {asked} times, and {most} are allowed");
    until("it does not say that it does not publish", async || {
        let status = agent.status().plugins.into_iter().find(|plugin| plugin.name == "statuscheck").unwrap();
        status.state == State::Degraded && status.reason.is_some_and(|reason| reason.contains("away"))
    })
    .await;
    agent.store.is_away.store(false, Ordering::Relaxed);
    until("what is so now is not published", async || {
        published::<PluginRecord>(&agent, "plugin/demo").await.is_some_and(|record| record.error == "round 199")
    })
    .await;
    until("it does not say that it publishes again", async || {
        agent.status().plugins.iter().any(|plugin| plugin.name == "statuscheck" && plugin.state == State::Ok)
    })
    .await;
    agent.close().await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_back_has_the_status_soon() {
    let agent = publishing("0").await;
    agent.store.is_away.store(true, Ordering::Relaxed);
    agent.demo.cx.status().report_because(State::Error, "demo failed");
    // Longer than the pauses between the first attempts.
    sleep(Duration::from_millis(3300)).await;
    agent.store.is_away.store(false, Ordering::Relaxed);
    let back = Instant::now();
    until("what is so now is not published", async || {
        published::<PluginRecord>(&agent, "plugin/demo").await.is_some_and(|record| record.error == "demo failed")
    })
    .await;
    assert!(back.elapsed() < Duration::from_millis(1500), "{:?}", back.elapsed());
    agent.close().await.unwrap();
}

#[tokio::test]
async fn an_interval_beyond_all_time_is_none() {
    let agent = publishing("18446744073709551615s").await;
    agent.demo.cx.status().report_because(State::Error, "demo failed");
    until("the error is not published", async || {
        published::<PluginRecord>(&agent, "plugin/demo").await.is_some_and(|record| record.state == 2)
    })
    .await;
    agent.close().await.unwrap();
}

#[tokio::test]
async fn without_a_store_it_does_nothing() {
    let agent = Agent::<Storeless>::builder().start().await.unwrap();
    assert_eq!(agent.status().plugins[0].state, State::Ok);
    agent.close().await.unwrap();
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    Conformance::of("statuscheck", || agent("1s")).check();
}
