//! Keys that end with the client.

use crate::support::{eventually, kv};
use cninfra::keyval::{Expiry, Reason, Txn};
use cninfra::testing::Link;
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, RedisCluster, RedisOptions, RedisSentinel, require};
use futures_util::{FutureExt as _, future::try_join_all};
use std::{pin::pin, time::Duration};
use tokio::time::sleep;

fn config(redis: &Redis) -> RedisConfig {
    RedisConfig { session_ttl: Duration::from_secs(1).into(), ..RedisConfig::at(redis.addr().to_string()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_live_as_long_as_it_does_and_a_bit() {
    require!(Redis);
    let redis = Redis::start();
    let (store, other) =
        (RedisStore::connect(config(&redis)).await.unwrap(), RedisStore::connect(config(&redis)).await.unwrap());
    let (mine, all) = (kv(&store), kv(&other));
    mine.put_with("put", "v", Expiry::WithClient).await.unwrap();
    assert!(mine.put_if_absent_with("absent", "v", Expiry::WithClient).await.unwrap());
    let both = Txn::new().put_with("a", "v", Expiry::WithClient).put_with("b", "v", Expiry::WithClient);
    mine.commit(both).await.unwrap();
    mine.put_with("swapped", "v", Expiry::WithClient).await.unwrap();
    assert!(mine.compare_and_swap("swapped", "v", "w").await.unwrap());
    // Keys that others have written, or that were deleted, are not renewed.
    mine.put_with("others", "v", Expiry::WithClient).await.unwrap();
    all.put("others", "w").await.unwrap();
    mine.put_with("shorter", "v", Expiry::WithClient).await.unwrap();
    all.put_with("shorter", "w", Expiry::After(Duration::from_millis(800))).await.unwrap();
    for key in ["same", "longer"] {
        mine.put_with(key, "v", Expiry::WithClient).await.unwrap();
    }
    all.put("same", "v").await.unwrap();
    all.put_with("longer", "v", Expiry::After(Duration::from_secs(60))).await.unwrap();
    // Nor is a key that the client has put again with a time to live.
    mine.put_with("again", "v", Expiry::WithClient).await.unwrap();
    mine.put_with("again", "v", Expiry::After(Duration::from_millis(800))).await.unwrap();
    mine.put_with("deleted", "v", Expiry::WithClient).await.unwrap();
    all.delete("deleted").await.unwrap();
    sleep(Duration::from_millis(2500)).await;
    for key in ["put", "absent", "a", "b", "swapped", "others"] {
        assert!(all.get(key).await.unwrap().is_some(), "{key} is gone");
    }
    assert_eq!(all.get("deleted").await.unwrap(), None);
    for key in ["shorter", "again"] {
        assert_eq!(all.get(key).await.unwrap(), None, "{key} was kept alive");
    }
    for key in ["others", "same"] {
        assert_eq!(redis.call(&["PTTL", key]).number(), Some(-1), "{key}");
    }
    assert!(redis.call(&["PTTL", "longer"]).number() > Some(50_000));
    // The client ends without closing its store.
    drop((mine, store));
    for key in ["put", "absent", "a", "b", "swapped"] {
        eventually("it ends", async || all.get(key).await.unwrap().is_none()).await;
    }
    for key in ["others", "same", "longer"] {
        assert!(all.get(key).await.unwrap().is_some(), "{key} is gone");
    }
    other.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_one_has_put_meanwhile_is_not_deleted_at_the_close() {
    require!(Redis);
    let redis = Redis::start();
    let store = RedisStore::connect(config(&redis)).await.unwrap();
    for key in ["mine", "same", "longer"] {
        kv(&store).put_with(key, "v", Expiry::WithClient).await.unwrap();
    }
    redis.call(&["SET", "same", "v"]);
    redis.call(&["SET", "longer", "v", "PX", "60000"]);
    store.close().await.unwrap();
    let left = ["mine", "same", "longer"].map(|key| redis.call(&["GET", key]).text().is_some());
    assert_eq!(left, [false, true, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_still_there_says_so_when_the_server_is_back() {
    require!(Redis);
    let redis = Redis::start();
    let store = RedisStore::connect(config(&redis)).await.unwrap();
    kv(&store).put_with("there", "v", Expiry::WithClient).await.unwrap();
    redis.kill();
    sleep(Duration::from_millis(1500)).await;
    redis.restart();
    eventually("it is there", async || redis.call(&["GET", "there"]).text() == Some("v")).await;
    store.close().await.unwrap();
    assert_eq!(redis.call(&["GET", "there"]).text(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_still_there_says_so_to_a_server_that_has_lost_its_data() {
    require!(Redis);
    let redis = RedisOptions::default().line("appendonly no").start();
    let config =
        RedisConfig { session_ttl: Duration::from_secs(6).into(), ..RedisConfig::at(redis.addr().to_string()) };
    let store = RedisStore::connect(config).await.unwrap();
    for key in ["there", "deleted", "changed"] {
        kv(&store).put_with(key, "v", Expiry::WithClient).await.unwrap();
    }
    redis.call(&["DEL", "deleted"]);
    // The change is noticed when the keys are renewed.
    sleep(Duration::from_millis(2500)).await;
    // The key is there again before it would have expired.
    redis.kill();
    redis.restart();
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(0), "it has lost nothing");
    redis.call(&["SET", "changed", "w"]);
    eventually("it is there", async || redis.call(&["GET", "there"]).text() == Some("v")).await;
    // It stays.
    sleep(Duration::from_secs(7)).await;
    let there = ["there", "deleted", "changed"].map(|key| redis.call(&["GET", key]).text().map(str::to_string));
    assert_eq!(there, [Some("v".to_string()), None, Some("w".to_string())]);
    store.close().await.unwrap();
    assert_eq!(redis.call(&["GET", "there"]).text(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_right_after_it_is_back_stays_deleted() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let endpoint = link.addr().to_string();
    let store = RedisStore::connect(RedisConfig { endpoint: Some(endpoint), ..config(&redis) }).await.unwrap();
    // Whether the renewal of the key makes the connection is random.
    for round in 0..8 {
        kv(&store).put_with("there", "v", Expiry::WithClient).await.unwrap();
        link.cut();
        eventually("it ends", async || redis.call(&["GET", "there"]).text().is_none()).await;
        link.restore();
        eventually("it is back", async || redis.call(&["GET", "there"]).text().is_some()).await;
        // Renewals in progress have ended by then.
        sleep(Duration::from_millis(100)).await;
        redis.call(&["DEL", "there"]);
        sleep(Duration::from_millis(700)).await;
        assert_eq!(redis.call(&["GET", "there"]).text(), None, "round {round}");
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_close_it_wait_for_the_same() {
    require!(Redis);
    let redis = Redis::start();
    let (store, _link) = many(&redis, 300).await;
    let close = async || (store.close().await.is_ok(), redis.call(&["DBSIZE"]).number());
    assert_eq!(tokio::join!(close(), close()), ((true, Some(0)), (true, Some(0))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_not_without_bound() {
    require!(Redis);
    let redis = Redis::start();
    let store = RedisStore::connect(RedisConfig::at(redis.addr().to_string())).await.unwrap();
    let all = kv(&store);
    let put = |keys: std::ops::Range<usize>| {
        let txn = |txn: Txn, number| txn.put_with(format!("k{number}"), "", Expiry::WithClient);
        all.commit(keys.fold(Txn::new(), txn))
    };
    for some in 0..100 {
        put(some * 100..some * 100 + 100).await.unwrap();
    }
    // Keys that already exist do not count again.
    put(9_990..10_000).await.unwrap();
    let error = put(10_000..10_001).await.unwrap_err();
    assert_eq!(*error.reason(), Reason::TooLarge, "{error:?}");
    // Deleting so many may take longer than the limit of a close.
    let _ = store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_floods_the_store_does_not_end_them() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let mut config = RedisConfig::at(link.addr().to_string());
    (config.session_ttl, config.write_timeout) = (Duration::from_secs(3).into(), Duration::from_secs(30).into());
    let store = RedisStore::connect(config).await.unwrap();
    kv(&store).put_with("mine", "v", Expiry::WithClient).await.unwrap();
    link.slow(Duration::from_millis(50));
    let mut flood = tokio::task::JoinSet::new();
    for number in 0..8000 {
        let all = kv(&store);
        flood.spawn(async move {
            loop {
                // Most calls wait for their turn for longer than such a key lives.
                let _ = all.put(format!("k{number}"), "v").await;
            }
        });
    }
    for _ in 0..80 {
        sleep(Duration::from_millis(100)).await;
        assert_eq!(redis.call(&["GET", "mine"]).text(), Some("v"));
    }
    flood.shutdown().await;
    store.close().await.unwrap();
}

/// A store with so many keys that end with the client, whose network becomes slow afterwards.
async fn many(redis: &Redis, count: usize) -> (RedisStore, Link) {
    let link = Link::to(redis.addr()).unwrap();
    let config = RedisConfig { session_ttl: Duration::from_secs(3).into(), ..RedisConfig::at(link.addr().to_string()) };
    let store = RedisStore::connect(config).await.unwrap();
    for some in 0..count / 100 {
        let txn = |txn: Txn, number| txn.put_with(format!("k{number}"), "v", Expiry::WithClient);
        kv(&store).commit((some * 100..some * 100 + 100).fold(Txn::new(), txn)).await.unwrap();
    }
    link.slow(Duration::from_millis(10));
    (store, link)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_live_on_and_end_over_a_slow_network() {
    require!(Redis);
    let redis = Redis::start();
    let (store, _link) = many(&redis, 300).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(300));
    store.close().await.unwrap();
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_deleted_is_told() {
    require!(Redis);
    let redis = Redis::start();
    let (store, link) = many(&redis, 100).await;
    link.pause();
    let error = store.close().await.unwrap_err();
    assert!(error.to_string().contains(&link.addr().to_string()), "{error:?}");
    // Everything else is closed.
    assert_eq!(*kv(&store).get("k1").await.unwrap_err().reason(), Reason::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_ends_those_of_no_other_one() {
    require!(RedisCluster);
    let options = RedisOptions::default().line("cluster-require-full-coverage no");
    let redis = RedisCluster::behind(&options, false, |addr| addr);
    let config = RedisConfig::cluster(redis.endpoints().split(','));
    let config = RedisConfig { session_ttl: Duration::from_secs(2).into(), ..config };
    let store = RedisStore::connect(config).await.unwrap();
    let all = kv(&store);
    let keys: Vec<String> = (0..900).map(|number| format!("k{number}")).collect();
    try_join_all(keys.iter().map(|key| all.put_with(key, "v", Expiry::WithClient))).await.unwrap();
    let there = |node: usize| redis.nodes()[node].call(&["DBSIZE"]).number();
    let before = [there(1), there(2)];
    redis.nodes()[0].kill();
    for _ in 0..50 {
        sleep(Duration::from_millis(100)).await;
        assert_eq!([there(1), there(2)], before);
    }
    // The keys that can be deleted are deleted, and the error reports the others.
    assert!(store.close().await.is_err());
    assert_eq!([there(1), there(2)], [Some(0); 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_live_on_at_another_master_and_in_another_node() {
    require!(RedisSentinel);
    require!(RedisCluster);
    let ttl = Duration::from_secs(6);
    let redis = RedisSentinel::start();
    let config = RedisConfig { session_ttl: ttl.into(), ..crate::support::sentinels(&redis) };
    let store = RedisStore::connect(config).await.unwrap();
    let before = redis.master().unwrap();
    // From now on the replica does not get what is written.
    redis.servers()[1 - before].call(&["REPLICAOF", "NO", "ONE"]);
    kv(&store).put_with("there", "v", Expiry::WithClient).await.unwrap();
    redis.servers()[before].kill();
    redis.wait_for_failover(before);
    let other = &redis.servers()[1 - before];
    eventually("it is there", async || other.call(&["GET", "there"]).text() == Some("v")).await;
    sleep(ttl + Duration::from_secs(2)).await;
    assert_eq!(other.call(&["GET", "there"]).text(), Some("v"));
    store.close().await.unwrap();
    assert_eq!(other.call(&["GET", "there"]).text(), None);

    let redis = RedisCluster::start();
    let config = RedisConfig::cluster(redis.endpoints().split(','));
    let store = RedisStore::connect(RedisConfig { session_ttl: ttl.into(), ..config }).await.unwrap();
    kv(&store).put_with("{h}there", "v", Expiry::WithClient).await.unwrap();
    kv(&store).put_with("{h}deleted", "v", Expiry::WithClient).await.unwrap();
    redis.call("{h}deleted", &["DEL", "{h}deleted"]);
    sleep(ttl / 2).await;
    let slot = redis.slot("{h}there");
    for _ in 0..2 {
        let to = (redis.owner(slot) + 1) % 3;
        redis.migrate_slot(slot, to);
        for _ in 0..30 {
            sleep(Duration::from_millis(100)).await;
            let owner = &redis.nodes()[redis.owner(slot)];
            assert_eq!(owner.call(&["GET", "{h}there"]).text(), Some("v"));
            assert_eq!(owner.call(&["GET", "{h}deleted"]).text(), None);
        }
    }
    store.close().await.unwrap();
    assert_eq!(redis.call("{h}there", &["GET", "{h}there"]).text(), None);
}

/// The answer of an earlier call is taken only after a later call has put the key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_taken_late_ends_nothing_that_was_put_since() {
    require!(Redis);
    let redis = Redis::start();
    let store = RedisStore::connect(config(&redis)).await.unwrap();
    let all = kv(&store);
    let is = |key: &str, value: Option<&str>| redis.call(&["GET", key]).text() == value;
    let put_since = async |key: &str| all.put_with(key, "new", Expiry::WithClient).await.unwrap();
    put_since("other").await;

    let mut earlier = pin!(all.put_with("put", "old", Expiry::WithClient));
    assert!(earlier.as_mut().now_or_never().is_none());
    eventually("it is put", async || is("put", Some("old"))).await;
    put_since("put").await;
    earlier.await.unwrap();

    let mut earlier = pin!(all.put("plain", "old"));
    assert!(earlier.as_mut().now_or_never().is_none());
    eventually("it is put", async || is("plain", Some("old"))).await;
    put_since("plain").await;
    earlier.await.unwrap();

    redis.call(&["SET", "deleted", "old"]);
    let mut earlier = pin!(all.delete("deleted"));
    assert!(earlier.as_mut().now_or_never().is_none());
    eventually("it is deleted", async || is("deleted", None)).await;
    put_since("deleted").await;
    assert!(earlier.await.unwrap());

    put_since("swapped").await;
    // From then on the server knows the script, so that one request is enough.
    assert!(!all.compare_and_swap("swapped", "other", "old").await.unwrap());
    let mut earlier = pin!(all.compare_and_swap("swapped", "new", "old"));
    assert!(earlier.as_mut().now_or_never().is_none());
    eventually("it is swapped", async || is("swapped", Some("old"))).await;
    assert!(all.compare_and_swap("swapped", "old", "new").await.unwrap());
    assert!(earlier.await.unwrap());

    sleep(Duration::from_millis(2500)).await;
    for key in ["put", "plain", "deleted", "swapped"] {
        assert!(is(key, Some("new")), "{key} has ended");
    }
    store.close().await.unwrap();
    for key in ["put", "plain", "deleted", "swapped"] {
        assert!(is(key, None), "{key} is left");
    }
}

/// The client deletes the keys while they are put again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_deletes_while_it_is_written_again_stays_deleted() {
    require!(Redis);
    const MANY: usize = 300;
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let config = RedisConfig { session_ttl: Duration::from_secs(6).into(), ..RedisConfig::at(link.addr().to_string()) };
    let (store, other) =
        (RedisStore::connect(config).await.unwrap(), RedisStore::connect(self::config(&redis)).await.unwrap());
    let (mine, all) = (kv(&store), kv(&other));
    try_join_all((0..MANY).map(|i| mine.put_with(format!("{i:03}"), "v", Expiry::WithClient))).await.unwrap();
    link.cut();
    redis.call(&["FLUSHALL"]);
    link.restore();
    link.slow(Duration::from_millis(100));
    eventually("the first ones are there", async || {
        all.get("000").await.unwrap().is_some() || redis.call(&["DBSIZE"]).number() > Some(0)
    })
    .await;
    try_join_all((0..MANY).map(|i| mine.delete(format!("{i:03}")))).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!(redis.call(&["DBSIZE"]).number(), Some(0));
}
