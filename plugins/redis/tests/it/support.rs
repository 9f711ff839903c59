//! Helpers for all tests.

use cninfra::{
    Result,
    keyval::{Change, Event, Kv, Watch},
    testing::Subject,
};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, RedisSentinel};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// The time limit for everything that should happen, on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// A store that the conformance kit opens.
pub(crate) struct Opened(pub(crate) RedisConfig);

impl Subject for Opened {
    type Store = RedisStore;

    async fn open(&self) -> Result<Arc<RedisStore>> {
        Ok(Arc::new(RedisStore::connect(self.0.clone()).await?))
    }

    async fn close(&self, store: Arc<RedisStore>) -> Result<()> {
        Ok(store.close().await?)
    }
}

/// All keys of a store.
pub(crate) fn kv(store: &RedisStore) -> Kv<RedisStore> {
    Kv::new(Arc::new(store.clone()))
}

/// Waits until a condition holds.
pub(crate) async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < SOON, "{what} is not so within {SOON:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The next event.
pub(crate) async fn next(watch: &mut Watch) -> Event {
    timeout(SOON, watch.next()).await.expect("no event in time").expect("the watch has ended")
}

/// The config of a master with sentinels.
pub(crate) fn sentinels(redis: &RedisSentinel) -> RedisConfig {
    RedisConfig::sentinels(RedisSentinel::MASTER, redis.sentinel_addrs().iter().map(ToString::to_string))
}

/// All events up to the first one that meets the condition.
pub(crate) async fn until(watch: &mut Watch, is_so: impl Fn(&Event) -> bool) -> Vec<Event> {
    let mut told = Vec::new();
    loop {
        let event = next(watch).await;
        let is_last = is_so(&event);
        told.push(event);
        if is_last {
            return told;
        }
        assert!(told.len() < 100_000, "it does not come: {:?}", &told[told.len() - 5..]);
    }
}

/// A store of a server, as the default user.
pub(crate) async fn connect(redis: &Redis) -> RedisStore {
    RedisStore::connect(RedisConfig::at(redis.addr().to_string())).await.unwrap()
}

/// Whether a snapshot has ended.
pub(crate) fn is_end(event: &Event) -> bool {
    matches!(event, Event::SnapshotEnd { .. })
}

/// The next event, which is a change of one key.
pub(crate) async fn change(watch: &mut Watch) -> Change {
    match next(watch).await {
        Event::Changes { mut changes, .. } if changes.len() == 1 => changes.remove(0),
        other => panic!("{other:?}"),
    }
}
