//! What a watch of a single server reports.

use crate::support::{SOON, change, connect, eventually, is_end, kv, next, until};
use cninfra::keyval::{
    Applied, Cause, ChangeKind, Event, Expiry, KeyRange, Link as State, Op, OpResult, Overflow, Previous, Reason, Txn,
    WatchOptions,
};
use cninfra::testing::Link;
use cninfra_redis::{Connection, RedisConfig, RedisStore};
use cninfra_testbed::{Redis, RedisOptions, require};
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_write_in_any_way_is_told() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    for (command, key, value) in [
        (&["SET", "p/a", "1"][..], "p/a", Some("1")),
        (&["APPEND", "p/a", "2"], "p/a", Some("12")),
        (&["INCRBY", "p/a", "5"], "p/a", Some("17")),
        (&["SETRANGE", "p/a", "0", "x"], "p/a", Some("x7")),
        (&["COPY", "p/a", "p/c"], "p/c", Some("x7")),
        (&["RENAME", "p/c", "elsewhere"], "p/c", None),
        (&["RENAME", "elsewhere", "p/d"], "p/d", Some("x7")),
        (&["MSET", "p/d", "8", "beside", "9"], "p/d", Some("8")),
        (&["GETDEL", "p/d"], "p/d", None),
        (&["UNLINK", "p/a"], "p/a", None),
    ] {
        assert!(!redis.call(command).is_error());
        let change = change(&mut watch).await;
        assert_eq!((&*change.key, change.value().map(|value| &**value)), (key.as_bytes(), value.map(str::as_bytes)));
    }
    store.close().await.unwrap();
    assert_eq!(timeout(SOON, watch.next()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_time_is_over_is_told_as_such() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let all = kv(&store);
    let mut watch = all.watch(["p/"], WatchOptions::default().with_previous()).await.unwrap();
    until(&mut watch, is_end).await;
    all.put_with("p/k", "v", Expiry::After(Duration::from_millis(300))).await.unwrap();
    assert_eq!(change(&mut watch).await.previous, Previous::Absent);
    let ended = change(&mut watch).await;
    assert!(matches!(ended.kind, ChangeKind::Deleted { expired: Some(true), .. }), "{ended:?}");
    let Previous::Entry(previous) = ended.previous else { panic!("{:?}", ended.previous) };
    assert_eq!(previous.value, "v");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_never_tells_is_found_by_reading_all() {
    require!(Redis);
    let redis = Redis::start();
    let mut config = RedisConfig::at(redis.addr().to_string());
    config.rescan_interval = Duration::from_millis(300).into();
    let store = RedisStore::connect(config).await.unwrap();
    let all = kv(&store);
    for key in ["p/1", "p/2"] {
        all.put(key, "v").await.unwrap();
    }
    let mut watch = all.watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    redis.call(&["FLUSHDB"]);
    let mut gone = vec![change(&mut watch).await.key, change(&mut watch).await.key];
    gone.sort();
    assert_eq!(gone, ["p/1", "p/2"]);
    all.put("p/3", "v").await.unwrap();
    assert_eq!(change(&mut watch).await.key, "p/3");
    // Nothing is reported for what has not changed.
    assert!(timeout(Duration::from_millis(1000), watch.next()).await.is_err());
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_other_kinds_are_no_values_and_said_so() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let all = kv(&store);
    all.put("p/v", "1").await.unwrap();
    redis.call(&["HSET", "p/hash", "f", "v"]);
    let mut watch = all.watch(["p/"], WatchOptions::default()).await.unwrap();
    let told = until(&mut watch, is_end).await;
    assert_eq!(told.len(), 3, "{told:?}");
    // A key that held a string no longer does.
    redis.call(&["DEL", "p/v"]);
    redis.call(&["LPUSH", "p/v", "x"]);
    assert_eq!(change(&mut watch).await.value(), None);
    for error in [all.get("p/hash").await.unwrap_err(), all.compare_and_swap("p/hash", "v", "w").await.unwrap_err()] {
        assert_eq!(*error.reason(), Reason::Malformed, "{error:?}");
        assert!(error.help().unwrap().contains("hash"), "{error:?}");
    }
    // Such a key does not prevent others from being listed and deleted.
    all.put("p/w", "2").await.unwrap();
    let listed = all.list("p/").all().await.unwrap();
    assert_eq!(listed.iter().map(|entry| &entry.key).collect::<Vec<_>>(), ["p/w"]);
    assert_eq!(all.list_keys("p/").all().await.unwrap().len(), 1);
    assert_eq!(all.delete_prefix("p/").await.unwrap(), 1);
    assert_eq!(redis.call(&["EXISTS", "p/hash", "p/v"]).number(), Some(2));
    // Nor in a transaction with other operations, which reads the same as a listing.
    all.put("p/w", "2").await.unwrap();
    let prefix = || KeyRange::prefix("p/");
    let mut both = Txn::new().get("q");
    both.then.push(Op::Get(prefix()));
    let read = all.commit(both).await.unwrap().results;
    assert!(matches!(&read[1], OpResult::Got(entries) if entries.len() == 1 && entries[0].key == "p/w"), "{read:?}");
    let deleted = all.commit(Txn::new().put("q", "2").delete_range(prefix())).await.unwrap();
    assert_eq!(deleted.results[1], OpResult::deleted(1, Vec::new()));
    assert_eq!(redis.call(&["EXISTS", "p/hash", "p/v"]).number(), Some(2));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_no_text_are_refused() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let (all, wrong) = (kv(&store), [b'k', 0xff]);
    for error in [
        all.put(wrong, "v").await.unwrap_err(),
        all.get(wrong).await.unwrap_err(),
        all.delete_prefix(wrong).await.unwrap_err(),
        all.watch_ranges([KeyRange::key(wrong)], WatchOptions::default()).await.unwrap_err(),
    ] {
        assert_eq!(*error.reason(), Reason::Invalid);
        assert!(error.help().unwrap().contains("UTF-8"), "{error:?}");
    }
    // The error names the operation that was requested.
    for expiry in [Expiry::Never, Expiry::After(Duration::from_secs(9)), Expiry::WithClient] {
        let error = all.put_with(wrong, "v", expiry).await.unwrap_err();
        assert!(error.to_string().starts_with("put of `"), "{error}");
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_tell_is_refused_with_the_mend() {
    require!(Redis);
    for flags in ["", "KEg$", "EA"] {
        let redis = RedisOptions::default().notify(flags).start();
        let store = connect(&redis).await;
        assert!(store.mute().await.unwrap().is_some());
        let error = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap_err();
        assert_eq!(*error.reason(), Reason::Denied, "{flags:?}: {error:?}");
        let help = error.help().unwrap();
        assert!(help.contains("notify-keyspace-events") && help.contains("enable-notifications"), "{help}");
        // Everything else works.
        kv(&store).put("p/k", "v").await.unwrap();
        // A watch is not refused for what was found earlier.
        redis.call(&["CONFIG", "SET", "notify-keyspace-events", "KA"]);
        let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
        until(&mut watch, is_end).await;
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_tell_is_made_to_where_the_config_says_so() {
    require!(Redis);
    let redis = RedisOptions::default().notify("").start();
    let mut config = RedisConfig::at(redis.addr().to_string());
    config.enable_notifications = true;
    let store = RedisStore::connect(config).await.unwrap();
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    redis.call(&["SET", "p/k", "v"]);
    assert_eq!(change(&mut watch).await.key, "p/k");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_to_tell_is_noticed() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    redis.call(&["CONFIG", "SET", "notify-keyspace-events", ""]);
    redis.call(&["SET", "p/k", "1"]);
    assert_eq!(next(&mut watch).await, Event::Link(State::Lost));
    let mut connection = store.connection();
    let muted = connection.wait_for(|now| matches!(now, Connection::Mute(_)));
    timeout(SOON, muted).await.unwrap().unwrap();
    redis.call(&["CONFIG", "SET", "notify-keyspace-events", "KA"]);
    let told = until(&mut watch, is_end).await;
    assert_eq!(told[0], Event::Link(State::Resumed));
    assert_eq!(told[1], Event::snapshot_begin(KeyRange::prefix("p/"), Cause::Lost));
    assert!(matches!(&told[2], Event::Item(entry) if entry.key == "p/k" && entry.value == "1"), "{told:?}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_subscriber_of_many_keys_comes_to_the_true_state() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let all = kv(&store);
    for overflow in [Overflow::Block, Overflow::CoalesceByKey, Overflow::Resnapshot] {
        let options = WatchOptions::default().with_queue(4, overflow);
        let mut watch = all.watch(["p/"], options).await.unwrap().diffed();
        for number in 0..2000 {
            all.put(format!("p/{}", number % 300), format!("{overflow:?}{number}")).await.unwrap();
        }
        all.put("p/last", format!("{overflow:?}")).await.unwrap();
        let mut known = std::collections::BTreeMap::new();
        eventually("the true state", async || {
            while let Ok(Some(update)) = timeout(Duration::from_millis(100), watch.next()).await {
                if let cninfra::keyval::Update::Put(entry) = update {
                    known.insert(entry.key, entry.value);
                }
            }
            let there = all.list("p/").all().await.unwrap().into_iter().map(|entry| (entry.key, entry.value));
            known == there.collect()
        })
        .await;
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_changes_at_once_than_are_told_one_by_one() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let all = kv(&store);
    let mut watch = all.watch(["p/"], WatchOptions::default()).await.unwrap().diffed();
    let keys: Vec<String> = (0..100_000).map(|number| format!("p/{number}")).collect();
    let command: Vec<&str> = ["MSET"].into_iter().chain(keys.iter().flat_map(|key| [key.as_str(), "v"])).collect();
    redis.call(&command);
    let mut told = std::collections::BTreeSet::new();
    while told.len() < keys.len() {
        let update = timeout(SOON, watch.next()).await.unwrap_or_else(|_| panic!("{} are told", told.len()));
        if let Some(cninfra::keyval::Update::Put(entry)) = update {
            assert!(told.insert(entry.key));
        }
    }
    println!("{:?}", watch.handle().stats());
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_may_begin_before_its_server() {
    require!(Redis);
    let redis = Redis::start();
    redis.kill();
    let store = RedisStore::open(RedisConfig::at(redis.addr().to_string())).await.unwrap();
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    assert_eq!(next(&mut watch).await, Event::Link(State::Lost));
    redis.restart();
    redis.call(&["SET", "p/k", "1"]);
    let told = until(&mut watch, is_end).await;
    assert_eq!(told[0], Event::Link(State::Resumed));
    assert_eq!(told[1], Event::snapshot_begin(KeyRange::prefix("p/"), Cause::Start));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_dropped_or_closed_ends_its_watches() {
    require!(Redis);
    let redis = Redis::start();
    for closes in [true, false] {
        let store = connect(&redis).await;
        let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
        until(&mut watch, is_end).await;
        if closes {
            store.close().await.unwrap();
            let error = kv(&store).put("k", "v").await.unwrap_err();
            // Nothing was sent.
            assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No));
            let error = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap_err();
            assert_eq!(*error.reason(), Reason::Closed);
            assert!(watch.handle().snapshot().await.is_err());
        }
        drop(store);
        assert_eq!(timeout(SOON, watch.next()).await.unwrap(), None);
        // No connection is left.
        eventually("that nobody is left", async || {
            redis.call(&["CLIENT", "LIST"]).text().unwrap_or_default().lines().count() == 1
        })
        .await;
    }
}

/// How many patterns the server has subscribers for.
fn patterns(redis: &Redis) -> Option<i64> {
    redis.call(&["PUBSUB", "NUMPAT"]).number()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_of_a_watch_that_has_ended_leaves_nothing() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    let handle = watch.handle().clone();
    // Two tasks add the same ranges at once.
    let ranges: Vec<KeyRange> = (0..200).map(|number| KeyRange::key(format!("k{number}"))).collect();
    let adding = [0, 1].map(|_| {
        let (handle, ranges) = (handle.clone(), ranges.clone());
        tokio::spawn(async move {
            for range in ranges {
                handle.add(range).await.unwrap();
            }
        })
    });
    for adding in adding {
        adding.await.unwrap();
    }
    eventually("all are told of", async || patterns(&redis) == Some(201)).await;
    for range in ranges {
        handle.remove(range).await.unwrap();
    }
    eventually("one is told of", async || patterns(&redis) == Some(1)).await;
    drop(watch);
    eventually("none is told of", async || patterns(&redis) == Some(0)).await;
    for error in [
        handle.add(KeyRange::key("late")).await.unwrap_err(),
        handle.remove(KeyRange::prefix("p/")).await.unwrap_err(),
        handle.snapshot().await.unwrap_err(),
    ] {
        assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No), "{error:?}");
    }
    sleep(Duration::from_millis(200)).await;
    assert_eq!(patterns(&redis), Some(0));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_that_is_added_is_read_when_the_server_tells_of_it() {
    require!(Redis);
    let redis = Redis::start();
    let link = Link::to(redis.addr()).unwrap();
    let store = RedisStore::connect(RedisConfig::at(link.addr().to_string())).await.unwrap();
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    link.slow(Duration::from_millis(100));
    // The subscription to the first range is sent, and the one to the second range after its answer.
    watch.handle().add(KeyRange::key("first")).await.unwrap();
    sleep(Duration::from_millis(20)).await;
    watch.handle().add(KeyRange::key("second")).await.unwrap();
    // Ranges that are already watched are reported meanwhile.
    redis.call(&["SET", "p/k", "v"]);
    let second = KeyRange::key("second");
    let told = until(&mut watch, |event| *event == Event::snapshot_end(second.clone(), None)).await;
    assert!(told.iter().any(|event| matches!(event, Event::Changes { .. })), "{told:?}");
    redis.call(&["SET", "second", "v"]);
    assert_eq!(change(&mut watch).await.key, "second");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_is_begun_while_the_store_is_closed_is_none() {
    require!(Redis);
    let redis = Redis::start();
    let store = connect(&redis).await;
    redis.pause();
    let watching = tokio::spawn({
        let all = kv(&store);
        async move { all.watch(["p/"], WatchOptions::default()).await }
    });
    sleep(Duration::from_millis(100)).await;
    store.close().await.unwrap();
    let error = timeout(SOON, watching).await.unwrap().unwrap().unwrap_err();
    assert_eq!(*error.reason(), Reason::Closed);
}
