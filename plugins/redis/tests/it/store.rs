//! The contract of stores.

use crate::support::{Opened, is_end, kv, sentinels, until};
use cninfra::keyval::{At, Expiry, KeyRange, PageRequest, Put, Store, Txn, WatchOptions};
use cninfra::testing::{Link, StoreConformance};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_values_are_read_once() {
    const LARGE: usize = 256 << 10;
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let store = RedisStore::connect(RedisConfig::at(link.addr().to_string())).await.unwrap();
    let all = kv(&store).scoped("large/");
    for number in 0..64 {
        all.put(format!("{number}"), vec![b'x'; LARGE]).await.unwrap();
    }
    let before = link.received();
    let mut request = PageRequest::new(KeyRange::prefix(""));
    request.max_bytes = 8 * LARGE;
    let mut listing = all.list_with(request);
    let mut pages = Vec::new();
    while let Some(page) = listing.next_page().await.unwrap() {
        pages.push(page.len());
    }
    assert_eq!((pages.iter().sum::<usize>(), pages.iter().all(|page| *page <= 9)), (64, true), "{pages:?}");
    let read = link.received() - before;
    assert!(read < (64 * LARGE * 5 / 4) as u64, "{read} bytes, for {}", 64 * LARGE);
    let mut watch = all.watch([""], WatchOptions::default()).await.unwrap();
    assert_eq!(until(&mut watch, is_end).await.len(), 66);
    store.close().await.unwrap();
}

/// Through `dyn KeyVal` each call allocates its future: less than a kilobyte is cheap to allocate.
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
