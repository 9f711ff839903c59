//! Tests with clusters, and with servers that have sentinels.

use crate::{
    history::{Observed, is_begin, is_lost},
    support::{SOON, eventually, kv, sentinels},
};
use cninfra::keyval::{Applied, KeyRange, Kv, PageRequest, Reason, Store as _, Txn};
use cninfra::testing::Link;
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{
    Redis, RedisCluster, RedisOptions, RedisSentinel,
    history::{Step, rounds},
    require,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

fn cluster(redis: &RedisCluster) -> RedisConfig {
    RedisConfig::cluster(redis.endpoints().split(','))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_moved_under_load_loses_nothing() {
    require!(RedisCluster);
    let redis = RedisCluster::start();
    let slot = redis.slot("{h}k1");
    // Many keys that do not change, but are moved too.
    let quiet = RedisStore::connect(cluster(&redis)).await.unwrap();
    let still: Vec<String> = (0..200).map(|number| format!("{{h}}still{number}")).collect();
    for key in &still {
        kv(&quiet).put(key, "v").await.unwrap();
    }
    let observed = Observed::begin(cluster(&redis), cluster(&redis), "{h}k").await;
    let mut others = kv(&quiet).watch(["{h}still"], Default::default()).await.unwrap().diffed();
    let mut known = std::collections::BTreeSet::new();
    for round in 0..rounds() {
        observed.more(30).await;
        let to = (redis.owner(slot) + 1) % 3;
        let migration = redis.begin_migration(slot, to);
        observed.more(20).await;
        // Key by key, with writes and reads in between.
        while migration.move_keys(7) > 0 {
            observed.more(2).await;
            assert!(
                kv(&quiet).get(&still[round * 7 % still.len()]).await.unwrap().is_some(),
                "a key on its way is not found"
            );
        }
        observed.more(20).await;
        migration.finish();
        observed.more(30).await;
    }
    assert_eq!(kv(&quiet).list_keys("{h}still").all().await.unwrap().len(), still.len());
    while let Ok(Some(update)) = tokio::time::timeout(Duration::from_secs(1), others.next()).await {
        match update {
            cninfra::keyval::Update::Put(entry) => assert!(known.insert(entry.key.clone()), "{entry:?} twice"),
            cninfra::keyval::Update::Deleted { key, .. } => panic!("{key:?} was never deleted"),
            _ => {}
        }
    }
    assert_eq!(known.len(), still.len());
    // No server was lost, so nothing but changes was reported.
    assert_eq!((observed.told(is_lost), observed.told(is_begin)), (0, 1));
    observed.check().await;
    quiet.close().await.unwrap();
}

/// The node that is asked first has forgotten the others, so that it knows only its own slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_is_not_believed() {
    require!(RedisCluster);
    let redis = RedisCluster::start();
    let first = (0..3).min_by_key(|node| redis.nodes()[*node].endpoint()).unwrap();
    let cut_off = &redis.nodes()[first];
    for other in (0..3).filter(|node| *node != first) {
        let id = redis.nodes()[other].call(&["CLUSTER", "MYID"]).text().unwrap().to_string();
        cut_off.call(&["CLUSTER", "FORGET", &id]);
    }
    let store = RedisStore::open(cluster(&redis)).await.unwrap();
    // The others have their keys, as far as they know of each other.
    let keys = (0..20).map(|number| format!("k{number}")).filter(|key| redis.owner(redis.slot(key)) != first);
    for key in keys {
        kv(&store).put(key, "v").await.unwrap();
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_killed_is_replaced() {
    require!(RedisCluster);
    let redis = RedisCluster::with_replicas();
    let observed = Observed::begin(cluster(&redis), cluster(&redis), "h/").await;
    observed.more(100).await;
    // What the replica has not received yet is lost.
    observed.note(Step::RolledBack);
    redis.nodes()[0].kill();
    let began = Instant::now();
    while observed.told(is_begin) < 2 {
        assert!(began.elapsed() < 2 * SOON, "no snapshot follows");
        sleep(Duration::from_millis(20)).await;
    }
    println!("back after {:?}", began.elapsed());
    observed.more(100).await;
    observed.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_is_gone_is_replaced() {
    require!(RedisSentinel);
    let redis = RedisSentinel::start();
    let observed = Observed::begin(sentinels(&redis), sentinels(&redis), "h/").await;
    observed.more(100).await;
    let before = redis.master().unwrap();
    observed.note(Step::RolledBack);
    redis.servers()[before].kill();
    let began = Instant::now();
    redis.wait_for_failover(before);
    println!("another master after {:?}", began.elapsed());
    let began = Instant::now();
    observed.more(50).await;
    println!("writes after {:?}", began.elapsed());
    while observed.told(is_begin) < 2 {
        assert!(began.elapsed() < SOON, "no snapshot follows");
        sleep(Duration::from_millis(20)).await;
    }
    // The former master comes back as a replica.
    redis.servers()[before].restart();
    observed.more(100).await;
    observed.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_several_slots_are_no_transaction() {
    require!(RedisCluster);
    let redis = RedisCluster::start();
    let store = RedisStore::connect(cluster(&redis)).await.unwrap();
    let all: Kv<RedisStore> = kv(&store);
    let error = all.commit(Txn::new().put("a", "1").put("b", "2")).await.unwrap_err();
    assert!(matches!(error.reason(), Reason::Unsupported(_)), "{error:?}");
    assert_eq!((error.applied(), error.help().unwrap().contains("{tag}")), (Applied::No, true));
    assert_eq!(all.get("a").await.unwrap(), None);
    assert!(all.commit(Txn::new().put("{t}a", "1").put("{t}b", "2")).await.unwrap().succeeded);
    // Keys in all slots are found, on whichever node.
    for number in 0..100 {
        all.put(format!("p/{number}"), "v").await.unwrap();
    }
    assert_eq!(all.list("p/").all().await.unwrap().len(), 100);
    assert_eq!(all.delete_prefix("p/").await.unwrap(), 100);
    eventually("nothing is left", async || all.list("p/").all().await.unwrap().is_empty()).await;
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_takes_no_longer_than_its_limit() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let store = RedisStore::connect(RedisConfig::at(link.addr().to_string())).await.unwrap();
    for some in 0..10 {
        let txn = |txn: Txn, number| txn.put(format!("p/{number}"), "v");
        kv(&store).commit((some * 100..some * 100 + 100).fold(Txn::new(), txn)).await.unwrap();
    }
    link.slow(Duration::from_millis(450));
    let began = Instant::now();
    let page = store.page(PageRequest::new(KeyRange::prefix("p/"))).await;
    // It returns what it has read until then, and a cursor.
    assert!(began.elapsed() < Duration::from_millis(3500), "{:?}: {page:?}", began.elapsed());
    let page = page.unwrap();
    assert!(page.next.is_some() && !page.entries.is_empty(), "{page:?}");
    link.restore();
    assert_eq!(kv(&store).list("p/").all().await.unwrap().len(), 1000);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_leads_to_no_other_server() {
    require!(Redis);
    let (redis, other) = (Redis::start(), Redis::start());
    let [store, others] = [&redis, &other].map(|redis| RedisStore::connect(RedisConfig::at(redis.addr().to_string())));
    let (store, others) = (store.await.unwrap(), others.await.unwrap());
    // So many keys that the first page does not reach the end.
    let keys: Vec<String> = (0..5000).map(|number| format!("p/{number}")).collect();
    let command: Vec<&str> = ["MSET"].into_iter().chain(keys.iter().flat_map(|key| [key.as_str(), "v"])).collect();
    other.call(&command);
    let mut request = PageRequest::new(KeyRange::prefix("p/"));
    request.max_items = 1;
    request.cursor = others.page(request.clone()).await.unwrap().next;
    assert!(request.cursor.is_some());
    let error = store.page(request.clone()).await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Invalid, "{error:?}");
    assert!(error.help().unwrap().contains(&other.addr().to_string()), "{error:?}");
    assert_eq!(others.page(request.clone()).await.unwrap().entries.len(), 1);
    // Nor may it be used for another range.
    request.range = KeyRange::prefix("q/");
    assert_eq!(*others.page(request).await.unwrap_err().reason(), Reason::Invalid);
    store.close().await.unwrap();
    others.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_know_its_name_is_the_one_that_was_asked() {
    require!(RedisCluster);
    let options = RedisOptions::default().line("cluster-preferred-endpoint-type unknown-endpoint");
    let redis = RedisCluster::behind(&options, false, |addr| addr);
    let store = RedisStore::connect(cluster(&redis)).await.unwrap();
    kv(&store).put("{h}k", "v").await.unwrap();
    let slot = redis.slot("{h}k");
    let migration = redis.begin_migration(slot, (redis.owner(slot) + 1) % 3);
    assert_eq!(migration.move_keys(1), 1);
    assert_eq!(kv(&store).get("{h}k").await.unwrap().unwrap().value, "v");
    migration.finish();
    assert_eq!(kv(&store).get("{h}k").await.unwrap().unwrap().value, "v");
    store.close().await.unwrap();
}
