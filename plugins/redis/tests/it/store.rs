//! The contract of stores.

use crate::support::Opened;
use cninfra::testing::StoreConformance;
use cninfra_redis::RedisConfig;
use cninfra_testbed::{Redis, require};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_server_keeps_the_contract() {
    require!(Redis);
    let redis = Redis::start();
    StoreConformance::of(Opened(RedisConfig::at(redis.addr().to_string()))).check().await;
}
