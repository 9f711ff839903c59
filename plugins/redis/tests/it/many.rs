//! Many watches.

use crate::support::kv;
use cninfra::keyval::WatchOptions;
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis as Server, require};
use std::time::{Duration, Instant};

/// How long a watch takes to begin beside so many others: the shortest of several times.
async fn begins(store: &RedisStore, others: usize, all: &mut Vec<cninfra::keyval::Watch>) -> Duration {
    let mut least = Duration::MAX;
    while all.len() < others + 20 {
        let began = Instant::now();
        let prefix = format!("w{}/", all.len());
        all.push(kv(store).watch([prefix], WatchOptions::default()).await.unwrap());
        if all.len() > others {
            least = least.min(began.elapsed());
        }
    }
    least
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_more_watch_costs_little_beside_many_others() {
    require!(Server);
    let server = Server::start();
    let store = RedisStore::connect(RedisConfig::at(server.addr().to_string())).await.unwrap();
    let mut all = Vec::new();
    let first = begins(&store, 0, &mut all).await;
    let last = begins(&store, 1000, &mut all).await;
    assert!(last < first * 4, "beside a thousand it takes {last:?}, alone {first:?}");
    store.close().await.unwrap();
}
