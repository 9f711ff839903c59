//! What a watch reports when the server or the network fails: it converges to the true state, and reports nothing that
//! never was.

use crate::{
    history::{Observed, is_begin, is_lost},
    support::{SOON, eventually, kv},
};
use cninfra::{
    keyval::{Applied, Reason, WatchOptions},
    testing::Link,
};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, history::rounds, require};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

fn at(addr: impl ToString) -> RedisConfig {
    RedisConfig::at(addr.to_string())
}

/// Waits until the loss of the connection was reported this often.
async fn lost(observed: &Observed, times: usize) -> Duration {
    let began = Instant::now();
    while observed.told(is_lost) < times {
        assert!(began.elapsed() < SOON, "the loss is not told");
        sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

/// Waits until this many snapshots were reported.
async fn snapshots(observed: &Observed, times: usize) -> Duration {
    let began = Instant::now();
    while observed.told(is_begin) < times {
        assert!(began.elapsed() < SOON, "the snapshot is not told");
        sleep(Duration::from_millis(5)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_comes_back() {
    require!(Redis);
    let redis = Redis::start();
    let observed = Observed::begin(at(redis.addr()), at(redis.addr()), "h/").await;
    let mut noticed = Vec::new();
    let rounds = rounds();
    for round in 1..=rounds {
        observed.more(50).await;
        redis.kill();
        noticed.push(lost(&observed, round).await);
        redis.restart();
        let back = snapshots(&observed, round + 1).await;
        println!("told {back:?} after it was back");
        observed.more(20).await;
    }
    noticed.sort();
    // A reset is noticed at once, not only by the ping that is sent each second.
    assert!(noticed[rounds / 2] < Duration::from_millis(250), "{noticed:?}");
    let told = observed.check().await;
    assert!(told.snapshots > rounds && told.changes > 0, "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs() {
    require!(Redis);
    let redis = Redis::start();
    let observed = Observed::begin(at(redis.addr()), at(redis.addr()), "h/").await;
    for round in 1..=rounds() {
        observed.more(50).await;
        redis.pause();
        let noticed = lost(&observed, round).await;
        println!("noticed after {noticed:?}");
        assert!(noticed < Duration::from_secs(3), "{noticed:?}");
        redis.resume();
        let back = snapshots(&observed, round + 1).await;
        assert!(back < Duration::from_secs(3), "{back:?}");
        observed.more(20).await;
    }
    observed.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_half_open() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let observed = Observed::begin(at(redis.addr()), at(link.addr()), "h/").await;
    for round in 1..=rounds() {
        observed.more(50).await;
        link.pause();
        let noticed = lost(&observed, round).await;
        println!("noticed after {noticed:?}");
        assert!(noticed < Duration::from_secs(3), "{noticed:?}");
        observed.more(50).await;
        link.restore();
        let back = snapshots(&observed, round + 1).await;
        assert!(back < Duration::from_secs(3), "{back:?}");
    }
    observed.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_cut() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let observed = Observed::begin(at(redis.addr()), at(link.addr()), "h/").await;
    for round in 1..=rounds() {
        observed.more(30).await;
        link.cut();
        lost(&observed, round).await;
        observed.more(10).await;
        link.restore();
        snapshots(&observed, round + 1).await;
    }
    observed.check().await;
}

/// A call in flight, or one that waits for the server, does not hold up a close, and its error says whether it may have
/// been applied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_breaks_off_what_waits() {
    require!(Redis);
    for (is_sent, applied) in [(true, Applied::Unknown), (false, Applied::No)] {
        let redis = Redis::start();
        let store = RedisStore::connect(at(redis.addr())).await.unwrap();
        let kv = kv(&store);
        if is_sent {
            redis.pause();
        } else {
            redis.kill();
            // Until the loss of the connection is noticed.
            sleep(Duration::from_millis(100)).await;
        }
        let calling = tokio::spawn(async move { kv.put("k", "v").await });
        sleep(Duration::from_millis(300)).await;
        assert!(!calling.is_finished(), "it waits");
        let began = Instant::now();
        store.close().await.unwrap();
        let error = calling.await.unwrap().unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert_eq!((error.reason(), error.applied()), (&Reason::Closed, applied), "{error}");
    }
}

/// Each attempt is refused at once while the server is down, so none has to run into the limit for connecting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_is_used_without_waiting_for_an_attempt_before() {
    require!(Redis);
    let server = Redis::start();
    let config =
        RedisConfig { dial_timeout: Duration::from_secs(30).into(), ..RedisConfig::at(server.addr().to_string()) };
    let store = RedisStore::connect(config).await.unwrap();
    let kv = kv(&store);
    for _ in 0..4 {
        server.kill();
        let away = Instant::now();
        while away.elapsed() < Duration::from_millis(600) {
            let _ = timeout(Duration::from_millis(50), kv.put("k", "v")).await;
        }
        server.restart();
        crate::support::eventually("well", async || {
            matches!(timeout(Duration::from_secs(1), kv.put("k", "v")).await, Ok(Ok(_)))
        })
        .await;
    }
    store.close().await.unwrap();
}

/// Nobody waits any more for a connection that was being made, and what is left of the store does not keep it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_dropped_leaves_no_connection_that_was_being_made() {
    require!(Redis);
    let redis = Redis::start();
    redis.pause();
    let config = RedisConfig {
        dial_timeout: Duration::from_secs(60).into(),
        read_timeout: Duration::from_millis(300).into(),
        ..at(redis.addr())
    };
    let store = RedisStore::open(config).await.unwrap();
    let watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    // The server is connected, and has not answered yet.
    assert!(kv(&store).get("k").await.is_err());
    let handle = watch.handle().clone();
    drop((watch, store));
    redis.resume();
    let connected = async || redis.call(&["CLIENT", "LIST"]).text().unwrap_or_default().lines().count() - 1;
    eventually("that nobody is left", async || connected().await == 0).await;
    // No connection is made later either.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(connected().await, 0);
    drop(handle);
}
