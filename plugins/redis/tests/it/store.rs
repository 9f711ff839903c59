//! The contract of stores.

use crate::support::{Opened, sentinels};
use cninfra::keyval::{At, Expiry, Put, Store, Txn};
use cninfra::testing::StoreConformance;
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, RedisCluster, RedisSentinel, require};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_keeps_the_contract() {
    require!(Redis);
    let redis = Redis::start();
    StoreConformance::of(Opened(RedisConfig::at(redis.addr().to_string()))).check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_sentinels_keeps_the_contract() {
    require!(RedisSentinel);
    let redis = RedisSentinel::start();
    StoreConformance::of(Opened(sentinels(&redis))).check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_contract() {
    require!(RedisCluster);
    let redis = RedisCluster::start();
    StoreConformance::of(Opened(RedisConfig::cluster(redis.endpoints().split(',')))).check().await;
}

/// Through `dyn KeyVal` each call has a box of its own: for less than a kilobyte the allocator finds room at once.
#[tokio::test]
async fn the_future_of_a_call_is_small() {
    let store = RedisStore::open(RedisConfig::at("127.0.0.1:1")).await.unwrap();
    let sizes = [
        size_of_val(&Store::get(&store, "k".into(), At::Latest)),
        size_of_val(&Store::put(&store, Put::new("k", "v", Expiry::Never))),
        size_of_val(&Store::commit(&store, Txn::new().put("k", "v"))),
    ];
    assert!(sizes.iter().all(|size| *size < 1000), "{sizes:?}");
    store.close().await.unwrap();
}
