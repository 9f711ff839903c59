//! The plugin keeps the contract of plugins, and reports its state.

use crate::support::{SOON, eventually, kv};
use cninfra::{
    agent::{Backoff, StartPolicy},
    config::Config,
    keyval::{Applied, Event, Expiry, KeyVal, Kv, Reason},
    prelude::*,
    status::State,
    testing::{Conformance, Link, Outside},
};
use cninfra_redis::{Redis, RedisConfig, RedisStore};
use cninfra_testbed::{Folder, Redis as Server, RedisOptions, Watcher, require};
use std::time::{Duration, Instant};

#[derive(Flavor)]
struct Lone {
    #[provides(dyn KeyVal)]
    redis: Dep<Redis>,
}

#[derive(Flavor)]
struct Watching {
    #[provides(dyn KeyVal)]
    redis: Dep<Redis>,
    watcher: Dep<Watcher>,
}

fn config(endpoint: impl ToString) -> Config {
    Config::new().set("redis", "endpoint", endpoint.to_string())
}

#[test]
fn it_keeps_the_contract_of_plugins() {
    require!(Server);
    let server = RedisOptions::default().password("hunter2").start();
    let link = Link::to(server.addr()).unwrap();
    let endpoint = link.addr();
    let agent = move || {
        let config = config(endpoint).set("redis", "password", "hunter2");
        let config = config.set("redis", "read-timeout", "600ms").set("redis", "dial-timeout", "500ms");
        Agent::<Lone>::builder().config(config)
    };
    let call = |flavor: &Lone| {
        let redis = flavor.redis.clone();
        async move { Kv::of_all(&redis).put("conformance", "v").await }
    };
    let outside = Outside::behind(link, call).call_within(Duration::from_secs(2)).start_within(Duration::from_secs(4));
    Conformance::of("redis", agent).secret("hunter2").outside(outside).check();
}

async fn until(agent: &Agent<Lone>, wanted: State) -> String {
    let began = Instant::now();
    loop {
        let status = agent.status();
        let redis = status.plugins.iter().find(|plugin| plugin.name == "redis").unwrap();
        if redis.state == wanted {
            return redis.reason.clone().unwrap_or_default().to_string();
        }
        assert!(began.elapsed() < SOON, "it is {:?}, not {wanted:?}: {:?}", redis.state, redis.reason);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_that_the_server_is_gone_and_back() {
    require!(Server);
    let server = Server::start();
    let agent = Agent::<Lone>::builder().config(config(server.addr())).start().await.unwrap();
    until(&agent, State::Ok).await;
    for round in 0..2 {
        server.kill();
        let reason = until(&agent, State::Error).await;
        assert!(reason.contains(&server.addr().to_string()), "{round}: {reason}");
        server.restart();
        until(&agent, State::Ok).await;
        Kv::of_all(&agent.redis).put("k", "v").await.unwrap();
    }
    let told = agent.metrics().expose(cninfra::metrics::Format::Text).text;
    for line in ["keyval_up{plugin=\"redis\"} 1", "keyval_reconnects_total{plugin=\"redis\"} 2"] {
        assert!(told.lines().any(|told| told == line), "{line} is not in {told}");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ignored_is_told_as_it_is_when_the_server_comes() {
    require!(Server);
    let server = Server::start();
    server.kill();
    let config = config(server.addr()).set("redis", "read-timeout", "300ms").set("redis", "start-policy", "ignore");
    let agent = Agent::<Lone>::builder().config(config).start().await.unwrap();
    let why = until(&agent, State::Degraded).await;
    assert!(why.ends_with("; ignored"), "{why}");
    for _ in 0..2 {
        server.restart();
        assert_eq!(until(&agent, State::Ok).await, "");
        Kv::of_all(&agent.redis).put("k", "v").await.unwrap();
        server.kill();
        let why = until(&agent, State::Error).await;
        assert!(why.contains(&server.addr().to_string()), "{why}");
    }
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_disabled_where_nothing_says_where_redis_is() {
    let agent = Agent::<Lone>::start().await.unwrap();
    let why = until(&agent, State::Disabled).await;
    assert!(why.contains("set `endpoint`") && why.contains("redis.conf"), "it says how to switch it on: {why}");
    let error = Kv::of_all(&agent.redis).put("k", "v").await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::NOT_CONFIGURED, Applied::No));
    assert!(error.help().unwrap().contains("`endpoint`"), "{error:?}");
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_server_the_start_policy_says_what_follows() {
    require!(Server);
    let server = Server::start();
    let endpoint = server.addr();
    server.kill();
    let begin = |policy| Agent::<Lone>::builder().config(config(endpoint).set("redis", "start-policy", policy)).start();
    let error = begin("fail").await.unwrap_err().to_string();
    assert!(error.contains(&endpoint.to_string()), "{error}");
    let agent = begin("retry").await.unwrap();
    // The start is tried again.
    until(&agent, State::Degraded).await;
    let error = Kv::of_all(&agent.redis).get("k").await.unwrap_err();
    assert!(error.to_string().contains(&endpoint.to_string()), "{error}");
    server.restart();
    until(&agent, State::Ok).await;
    Kv::of_all(&agent.redis).put("k", "v").await.unwrap();
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_with_the_client_ends_with_its_agent() {
    require!(Server);
    let server = Server::start();
    let agent = Agent::<Lone>::builder().config(config(server.addr())).start().await.unwrap();
    let all = Kv::of_all(&agent.redis);
    all.put_with("there", "v", Expiry::WithClient).await.unwrap();
    let other = RedisStore::connect(RedisConfig::at(server.addr().to_string())).await.unwrap();
    assert!(kv(&other).get("there").await.unwrap().is_some());
    agent.close().await.unwrap();
    assert_eq!(kv(&other).get("there").await.unwrap(), None);
    // The calls fail as closed, not as unavailable.
    let error = all.get("there").await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Closed, "{error:?}");
    other.close().await.unwrap();
}

/// As the predecessor wrote them, with times in nanoseconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_of_the_predecessor_are_read() {
    require!(Server);
    let server = Server::start();
    let folder = Folder::new();
    let text = format!(
        "endpoint: {}\ndb: 2\nenable-query-on-slave: false\ntls:\n  enabled: false\n  skip-verify: false\n  ca-file: \"\"\n  cert-file: \"\"\n  key-file: \"\"\n\
         master-name: \"\"\nendpoints: []\nusername: \"\"\npassword: \"\"\ndial-timeout: 0\n\
         read-timeout: 3000000000\nwrite-timeout: 0\npool:\n  max-connections: 0\n  busy-timeout: 0\n  idle-timeout: 0\n  idle-check-frequency: -1\n",
        server.addr()
    );
    folder.write("redis.conf", &text);
    let agent = Agent::<Lone>::builder().config_dir(folder.path()).start().await.unwrap();
    until(&agent, State::Ok).await;
    Kv::of_all(&agent.redis).put("k", "v").await.unwrap();
    assert_eq!(server.cli(&["-n", "2", "GET", "k"]).unwrap(), "v");
    let mut watch = Kv::of_all(&agent.redis).watch([""], Default::default()).await.unwrap();
    crate::support::until(&mut watch, |event| matches!(event, Event::SnapshotEnd { .. })).await;
    server.cli(&["-n", "2", "SET", "k", "w"]).unwrap();
    crate::support::next(&mut watch).await;
    agent.close().await.unwrap();
    // Empty keys do not determine the kind of Redis.
    let nodes = "endpoint: \"\"\nmaster-name: \"\"\nendpoints: [\"127.0.0.1:1\"]\nread-timeout: 100ms\n";
    folder.write("redis.conf", nodes);
    let error = Agent::<Lone>::builder().config_dir(folder.path()).start().await.unwrap_err();
    assert!(format!("{error:?}").contains("cannot be reached"), "{error:?}");
    for (wrong, key) in
        [("endpoint: a:1\nenable-query-on-slave: true\n", "enable-query-on-slave"), ("endpoint: a\n", "endpoint")]
    {
        folder.write("redis.conf", wrong);
        let error = Agent::<Lone>::builder().config_dir(folder.path()).start().await.unwrap_err();
        assert!(format!("{error:?}").contains(key), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_watches_starts_without_the_server_and_is_told_when_it_comes() {
    require!(Server);
    let server = Server::start();
    server.kill();
    let policy = StartPolicy::Retry(Backoff::new(Duration::from_millis(50), Duration::from_millis(100)));
    let config = config(server.addr()).set("redis", "read-timeout", "300ms");
    let agent = Agent::<Watching>::builder().config(config).start_policy("redis", policy).start().await.unwrap();
    let mut watch = agent.watcher.take();
    // The watch outlives failed attempts.
    let why = || agent.status().plugins.iter().find(|plugin| plugin.name == "redis").unwrap().reason.clone();
    eventually("a third attempt", async || why().is_some_and(|why| why.contains("attempt 3"))).await;
    let status = agent.status();
    assert!(status.state == State::Degraded && status.is_ready(), "{status:?}");
    server.restart();
    let is_well = |state| {
        assert_ne!(state, State::Error, "what was said of it while it was away holds no more");
        state == State::Ok
    };
    eventually("well", async || is_well(agent.status().state)).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(is_well(agent.status().state));
    server.cli(&["SET", "w/k", "told"]).unwrap();
    crate::support::until(&mut watch, |event| match event {
        Event::Item(entry) => entry.value == "told",
        Event::Changes { changes, .. } => changes[0].key == "w/k",
        _ => false,
    })
    .await;
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_stops_in_order_without_the_server() {
    require!(Server);
    let server = Server::start();
    let agent = Agent::<Lone>::builder().config(config(server.addr())).start().await.unwrap();
    // The key expires by itself.
    Kv::of_all(&agent.redis).put_with("there", "v", Expiry::WithClient).await.unwrap();
    server.kill();
    agent.close().await.unwrap();
}
