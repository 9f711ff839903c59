//! Keys that end with the client when its store is closed, also if it is not known whether they were put.

use crate::support::{eventually, kv};
use cninfra::keyval::{Applied, Expiry, Reason, Txn};
use cninfra::testing::Link;
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, require};
use std::time::Duration;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

const TTL: Duration = Duration::from_secs(3);

async fn connect(addr: impl ToString) -> RedisStore {
    let config = RedisConfig { session_ttl: TTL.into(), ..RedisConfig::at(addr.to_string()) };
    RedisStore::connect(config).await.unwrap()
}

/// Puts `count` keys that end with the client, a hundred at a time.
async fn put(store: &RedisStore, prefix: &str, count: usize) {
    for some in 0..count / 100 {
        let put = |txn: Txn, key| txn.put_with(format!("{prefix}{key}"), "v", Expiry::WithClient);
        kv(store).commit((some * 100..some * 100 + 100).fold(Txn::new(), put)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_there_is_no_connection_is_told_each_time() {
    // Nothing listens at this address.
    let nobody = RedisConfig { read_timeout: Duration::from_millis(300).into(), ..RedisConfig::at("127.0.0.1:1") };
    let mut told = 0;
    for _ in 0..60 {
        let error = RedisStore::connect(nobody.clone()).await.unwrap_err();
        // An attempt that is still running when the time is up is reported as a time-out.
        if *error.reason() == Reason::Unavailable {
            assert!(format!("{error:#}").contains("Connection refused"), "{error:#}");
            told += 1;
        }
    }
    assert!(told > 0, "it was refused, and never said so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_put_with_a_client_that_is_being_closed() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(redis.addr()).await;
    let mut tasks = JoinSet::new();
    for task in 0..8 {
        let kv = kv(&store);
        tasks.spawn(async move {
            for number in 0.. {
                let put = kv.put_with(format!("{task}/{number}"), "v", Expiry::WithClient).await;
                if let Err(error) = put {
                    return error;
                }
            }
            unreachable!("it is closed");
        });
    }
    eventually("they put", async || redis.call(&["DBSIZE"]).number() > Some(200)).await;
    store.close().await.unwrap();
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(0));
    for error in tasks.join_all().await {
        assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_in_the_place_of_a_key_is_somebody_elses() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(redis.addr()).await;
    put(&store, "k", 500).await;
    redis.call(&["DEL", "k5"]);
    redis.call(&["LPUSH", "k5", "w"]);
    store.close().await.unwrap();
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_can_not_be_deleted_holds_up_no_other_one() {
    require!(Redis);
    let redis = Redis::start();
    redis.call(&["ACL", "SETUSER", "default", "resetkeys", "~a*", "~b*"]);
    let store = connect(redis.addr()).await;
    for prefix in ["a", "b"] {
        put(&store, prefix, 300).await;
    }
    redis.call(&["ACL", "SETUSER", "default", "resetkeys", "~a*"]);
    let error = store.close().await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Denied, "{error:?}");
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_whose_answer_is_lost_lives_on_and_ends_with_the_client() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let config = RedisConfig {
        session_ttl: TTL.into(),
        write_timeout: Duration::from_millis(600).into(),
        ..RedisConfig::at(link.addr().to_string())
    };
    let store = RedisStore::connect(config).await.unwrap();
    let kv = kv(&store);
    kv.put_with("known", "1", Expiry::WithClient).await.unwrap();
    for key in ["known", "new"] {
        eventually("it is connected", async || kv.get("known").await.is_ok()).await;
        // The put reaches the server, but the answer comes too late.
        link.slow(Duration::from_millis(400));
        let error = kv.put_with(key, "2", Expiry::WithClient).await.unwrap_err();
        assert_eq!(error.applied(), Applied::Unknown, "{error:?}");
        link.restore();
    }
    let values = || ["known", "new"].map(|key| redis.call(&["GET", key]).text().map(str::to_string));
    let written = [Some("2".to_string()), Some("2".to_string())];
    eventually("they are there", async || values() == written).await;
    sleep(TTL * 2).await;
    assert_eq!(values(), written, "they live on");
    store.close().await.unwrap();
    assert_eq!(values(), [None, None]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_is_dropped_may_be_called_again() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let store = connect(link.addr()).await;
    put(&store, "k", 300).await;
    link.slow(Duration::from_millis(50));
    assert!(timeout(Duration::from_millis(120), store.close()).await.is_err());
    // The key still exists, and no new key can be put that would end with the client.
    kv(&store).put("other", "v").await.unwrap();
    let error = kv(&store).put_with("late", "v", Expiry::WithClient).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No), "{error:?}");
    store.close().await.unwrap();
    assert_eq!(redis.call(&["KEYS", "*"]).list().iter().map(|key| key.text()).collect::<Vec<_>>(), [Some("other")]);
}
