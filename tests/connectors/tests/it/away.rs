//! Tests with an etcd that is unreachable, at the start or later. Each row of the table in GUIDE.md is tested, with a
//! real etcd.

use cninfra::{
    config::Config,
    keyval::{KeyVal, Kv},
    prelude::*,
    status::State,
    testing::{http_addr, loopback},
};
use cninfra_etcd::Etcd as Plugin;
use cninfra_flavors::Rpc;
use cninfra_testbed::{Etcd, request, require};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

#[plugin]
struct Clerk {
    store: Dep<dyn KeyVal>,
}

impl Lifecycle for Clerk {}

#[derive(Flavor)]
struct Office {
    rpc: Rpc,
    #[provides(dyn KeyVal)]
    etcd: Dep<Plugin>,
    clerk: Dep<Clerk>,
}

/// A plugin whose `init` needs the store.
#[plugin]
struct Reader {
    store: Dep<dyn KeyVal>,
}

impl Lifecycle for Reader {
    async fn init(&self, _: &Context) -> Result<()> {
        Kv::of_all(&self.store).get("k").await?;
        Ok(())
    }
}

#[derive(Flavor)]
struct Library {
    rpc: Rpc,
    #[provides(dyn KeyVal)]
    etcd: Dep<Plugin>,
    reader: Dep<Reader>,
}

/// Short limits, so that the tests wait only briefly.
fn config(etcd: &Etcd) -> Config {
    loopback().set("etcd", "endpoints", vec![etcd.endpoint()]).set("etcd", "operation-timeout", "500ms").set(
        "etcd",
        "reconnect-interval",
        "50ms",
    )
}

fn policy(config: Config, policy: &str) -> Config {
    config.set("etcd", "start-policy", policy)
}

/// Waits until the plugin is in this state, and `/readiness` of the agent has this code.
async fn is_soon<F>((agent, addr): (&Agent<F>, SocketAddr), what: &str, plugin: &str, state: State, readiness: u16) {
    let began = Instant::now();
    loop {
        let status = agent.status();
        let now = status.plugins.iter().find(|status| status.name == plugin).unwrap();
        let code = request(addr, "GET", "/readiness").status;
        if (now.state, code) == (state, readiness) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{what}: {code}, and not {readiness} {state}: {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Checks the state of etcd and `/readiness` if etcd is unreachable from the start, and `/readiness` if it becomes
/// unreachable later.
async fn goes_through(what: &str, config: impl Fn(&Etcd) -> Config, at_first: (State, u16), later: u16) {
    let etcd = Etcd::start();
    etcd.kill();
    let agent = Agent::<Office>::builder().config(config(&etcd)).start().await.unwrap();
    let addr = http_addr(&agent);
    is_soon((&agent, addr), what, "etcd", at_first.0, at_first.1).await;
    let kv = Kv::of_all(&agent.clerk.store);
    let began = Instant::now();
    let error = kv.put("k", "v").await.unwrap_err();
    assert!(
        error.to_string().contains(&etcd.endpoint()) && began.elapsed() < Duration::from_secs(5),
        "{what}: {error}"
    );
    // It stays in that state.
    is_soon((&agent, addr), what, "etcd", at_first.0, at_first.1).await;
    etcd.restart();
    is_soon((&agent, addr), what, "etcd", State::Ok, 200).await;
    kv.put("k", "v").await.unwrap();
    etcd.kill();
    is_soon((&agent, addr), what, "etcd", State::Error, later).await;
    assert!(kv.get("k").await.is_err(), "{what}");
    // That is no reason for a restart.
    assert_eq!(request(addr, "GET", "/liveness").status, 200, "{what}");
    etcd.restart();
    is_soon((&agent, addr), what, "etcd", State::Ok, 200).await;
    kv.get("k").await.unwrap();
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_there_is_no_start_without_it() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.kill();
    let error = Agent::<Office>::builder().config(config(&etcd)).start().await.unwrap_err();
    assert!(error.to_string().contains("plugin `Etcd` failed in init") && error.exit_code() == 1, "{error}");
    etcd.restart();
    Agent::<Office>::builder().config(config(&etcd)).start().await.unwrap().close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_retry_and_ignore_the_agent_is_ready_without_it() {
    require!(Etcd);
    for word in ["retry", "ignore"] {
        goes_through(word, |etcd| policy(config(etcd), word), (State::Degraded, 200), 500).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_allow_delayed_start_the_agent_starts_and_is_ready_when_it_comes() {
    require!(Etcd);
    let delayed = |etcd: &Etcd| config(etcd).set("etcd", "allow-delayed-start", true);
    goes_through("allow-delayed-start", delayed, (State::Error, 500), 500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_non_fatal_makes_the_agent_never_unready() {
    require!(Etcd);
    let tolerant = |config: Config| config.set("probe", "non-fatal", vec!["etcd"]);
    let delayed = |etcd: &Etcd| tolerant(config(etcd).set("etcd", "allow-delayed-start", true));
    goes_through("non-fatal and delayed", delayed, (State::Error, 200), 200).await;
    let retried = |etcd: &Etcd| tolerant(policy(config(etcd), "retry"));
    goes_through("non-fatal and retried", retried, (State::Degraded, 200), 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_whose_init_needs_it_is_retried_with_it() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.kill();
    let start = async |config: Config| Agent::<Library>::builder().config(config).start().await;
    // The start policy of etcd does not apply to plugins that need it.
    let error = start(policy(config(&etcd), "retry")).await.unwrap_err().to_string();
    assert!(error.contains("plugin `Reader` failed in init"), "{error}");
    let agent = start(policy(config(&etcd), "retry").set("reader", "start-policy", "retry")).await.unwrap();
    let addr = http_addr(&agent);
    is_soon((&agent, addr), "both", "reader", State::Degraded, 200).await;
    etcd.restart();
    is_soon((&agent, addr), "both", "reader", State::Ok, 200).await;
    agent.close().await.unwrap();
}
