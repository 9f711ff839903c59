//! The contract of stores.

use crate::support::{Opened, sentinels};
use cninfra::testing::StoreConformance;
use cninfra_redis::RedisConfig;
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
