//! Tests with one or two configured stores.

use crate::support::{Full, until};
use cninfra::{
    config::Config,
    keyval::{Applied, Election, Kv, Reason},
    prelude::*,
    status::State,
    testing::loopback,
};
use cninfra_testbed::{Etcd, Redis, require};
use std::time::Duration;

const STATUS: &str = "/vnf-agent/a1/check/status/v1/agent";

async fn start(config: Config) -> Agent<Full> {
    Agent::<Full>::builder().config(config.set("agent", "microservice-label", "a1")).start().await.unwrap()
}

fn with_etcd(config: Config, etcd: &Etcd) -> Config {
    config.set("etcd", "endpoints", etcd.addr().to_string()).set("etcd", "insecure-transport", true)
}

fn with_redis(config: Config, redis: &Redis) -> Config {
    config.set("redis", "endpoint", redis.addr().to_string())
}

/// Waits until it is there.
async fn eventually(mut is_there: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if is_there() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_stores_etcd_is_the_one_and_redis_is_there_by_its_type() {
    require!(Etcd);
    require!(Redis);
    let (etcd, redis) = (Etcd::start(), Redis::start());
    let agent = start(with_redis(with_etcd(loopback(), &etcd), &redis)).await;
    until(&agent, "etcd", State::Ok).await;
    until(&agent, "redis", State::Ok).await;
    Kv::of_all(&agent.phonebook.store).put("book", "alice").await.unwrap();
    Kv::of_all(&agent.connectors.stores.redis).erase().put("cache", "bob").await.unwrap();
    assert!(etcd.ctl(&["get", "book"]).contains("alice"));
    assert_eq!(redis.call(&["GET", "cache"]).text(), Some("bob"));
    assert_eq!(redis.call(&["EXISTS", "book"]).number(), Some(0));
    // The status is published in that store.
    eventually(|| etcd.ctl(&["get", STATUS]).contains("\"state\":1")).await;
    assert_eq!(redis.call(&["EXISTS", STATUS]).number(), Some(0));
    // Only etcd provides this.
    let election = Election::new(&Kv::of_all(&agent.phonebook.elections), "/election", Duration::from_secs(5));
    election.campaign("a1").await.unwrap().resign().await.unwrap();
    agent.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_only_redis_is_configured_it_is_the_store() {
    require!(Redis);
    let redis = Redis::start();
    let agent = start(with_redis(loopback(), &redis)).await;
    until(&agent, "redis", State::Ok).await;
    until(&agent, "etcd", State::Disabled).await;
    Kv::of_all(&agent.phonebook.store).put("book", "alice").await.unwrap();
    assert_eq!(redis.call(&["GET", "book"]).text(), Some("alice"));
    assert!(!agent.phonebook.store.capabilities().revisions);
    eventually(|| redis.call(&["GET", STATUS]).text().is_some_and(|status| status.contains("\"state\":1"))).await;
    // Calls that only etcd supports fail, and say what to set.
    let error = agent.phonebook.elections.grant(Duration::from_secs(5)).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::NOT_CONFIGURED, Applied::No));
    assert!(error.help().unwrap().contains("ETCD_ENDPOINTS"), "{error:?}");
    agent.close().await.unwrap();
}
