//! Watches of users with few permissions.

use crate::lines::Lines;
use crate::support::{SOON, change, connect, eventually, is_end, kv, next, sentinels, until};
use cninfra::keyval::{Cause, Event, KeyRange, Link as State, Reason, Update, Watch, WatchOptions};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Redis, RedisCluster, RedisOptions, RedisSentinel, require};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout};

/// The config of the user `agent`, whose permissions are set by the rules.
fn as_agent(redis: &Redis) -> RedisConfig {
    agents(RedisConfig::at(redis.addr().to_string()))
}

fn agents(config: RedisConfig) -> RedisConfig {
    RedisConfig { username: Some("agent".to_string()), password: "secret".to_string().into(), ..config }
}

pub(crate) async fn as_user(redis: &Redis) -> RedisStore {
    RedisStore::connect(as_agent(redis)).await.unwrap()
}

const COMMANDS: &str = "+ping +get +set +del +scan +eval +evalsha +exists";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_ask_the_server_tries_it() {
    require!(Redis);
    let rules = format!("on >secret ~p/* allchannels {COMMANDS} +psubscribe +punsubscribe");
    for (flags, tells) in [("KA", true), ("", false)] {
        let redis = RedisOptions::default().user("agent", &rules).notify(flags).start();
        let store = as_user(&redis).await;
        // Another user, which sees all notifications.
        let other = connect(&redis).await;
        let mut others = match tells {
            true => Some(kv(&other).watch(["p/"], WatchOptions::default()).await.unwrap()),
            false => None,
        };
        for range in [KeyRange::prefix("p/"), KeyRange::key("p/k")] {
            let watch = kv(&store).watch_ranges([range], WatchOptions::default()).await;
            assert_eq!(watch.is_ok(), tells, "{watch:?}");
            let Ok(mut watch) = watch else {
                assert!(watch.unwrap_err().help().unwrap().contains("notify-keyspace-events"));
                continue;
            };
            until(&mut watch, is_end).await;
            kv(&store).put("p/k", format!("{:?}", Instant::now())).await.unwrap();
            assert_eq!(change(&mut watch).await.key, "p/k");
        }
        if let Some(others) = &mut others {
            until(others, is_end).await;
            // Nobody sees the key that was made for the proof.
            assert_eq!((change(others).await.key, change(others).await.key), ("p/k".into(), "p/k".into()));
        }
        store.close().await.unwrap();
        other.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_hear_is_refused_with_the_mend() {
    require!(Redis);
    for (rules, mend) in [
        ("on >secret ~* resetchannels +@all", "ACL SETUSER agent allchannels"),
        ("on >secret ~* allchannels +@all -psubscribe", "ACL SETUSER agent +psubscribe"),
        ("on >secret ~* allchannels +@all -config|get -eval", "ACL SETUSER agent +config|get"),
    ] {
        let redis = RedisOptions::default().user("agent", rules).start();
        let store = as_user(&redis).await;
        // This is known before there is a watch.
        let why = store.mute().await.unwrap().unwrap();
        assert!(why.contains(mend), "{rules}: {why}");
        let error = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap_err();
        assert_eq!(*error.reason(), Reason::Denied, "{rules}: {error:?}");
        assert!(error.help().unwrap().contains(mend), "{rules}: {error:?}");
        // Everything but watches works.
        kv(&store).put("p/k", "v").await.unwrap();
        assert_eq!(kv(&store).get("p/k").await.unwrap().unwrap().value, "v");
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_hear_of_what_he_watches_alone_can_watch_it() {
    require!(Redis);
    let rules = "on >secret ~p/* resetchannels &__keyspace@0__:p/* +@all";
    let redis = RedisOptions::default().user("agent", rules).start();
    let store = as_user(&redis).await;
    // At this point it is not known which keys will be watched.
    let why = store.mute().await.unwrap().unwrap();
    assert!(why.contains("unless") && why.contains("`&__keyspace@0__:PREFIX*`"), "{why}");
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    redis.call(&["SET", "p/k", "1"]);
    assert_eq!(change(&mut watch).await.key, "p/k");
    // The subscription that was tried is gone.
    assert_eq!(redis.call(&["PUBSUB", "NUMPAT"]).number(), Some(1));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_switch_it_on_is_told_both_mends() {
    require!(Redis);
    for (rules, tried) in [
        ("on >secret ~* allchannels +@all -config|set", "refused to switch it on"),
        ("on >secret ~* allchannels +@all -config", "+config|get +config|set"),
    ] {
        let redis = RedisOptions::default().user("agent", rules).notify("").start();
        let config = RedisConfig { enable_notifications: true, ..as_agent(&redis) };
        let store = RedisStore::connect(config).await.unwrap();
        let error = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap_err();
        let help = error.help().unwrap();
        assert!(help.contains("`notify-keyspace-events` to \"KA\"") && help.contains(tried), "{rules}: {help}");
        assert!(help.contains("ACL SETUSER agent") && help.contains("+config|set"), "{rules}: {help}");
        store.close().await.unwrap();
    }
}

/// The items of the next snapshot, which comes after the loss, with nothing in between.
pub(crate) async fn resumed(watch: &mut Watch, cause: Cause) -> Vec<String> {
    let told = timeout(SOON, until(watch, is_end)).await.unwrap();
    assert_eq!(told[..2], [Event::Link(State::Resumed), Event::snapshot_begin(KeyRange::prefix("p/"), cause)]);
    let item = |event: &Event| match event {
        Event::Item(entry) => format!("{}={}", entry.key.escape_ascii(), entry.value.escape_ascii()),
        other => panic!("{other:?} of {told:?}"),
    };
    let mut items: Vec<String> = told[2..told.len() - 1].iter().map(item).collect();
    items.sort();
    items
}

/// Checks that nothing more is reported for a while.
pub(crate) async fn is_quiet(watch: &mut Watch) {
    let told = timeout(Duration::from_millis(700), watch.next()).await;
    assert!(told.is_err(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_has_all_keys_or_is_none() {
    require!(Redis);
    let redis = RedisOptions::default().user("agent", "on >secret ~p/ours* allchannels +@all").start();
    for key in ["p/ours", "p/others"] {
        redis.call(&["SET", key, "1"]);
    }
    let store = as_user(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    assert_eq!(next(&mut watch).await, Event::Link(State::Lost));
    is_quiet(&mut watch).await;
    assert!(watch.handle().stats().failures >= 1, "{watch:?}");
    redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    assert_eq!(resumed(&mut watch, Cause::Start).await, ["p/others=1", "p/ours=1"]);
    redis.call(&["SET", "p/others", "2"]);
    assert_eq!(change(&mut watch).await.key, "p/others");
    store.close().await.unwrap();
}

/// A user that watches two keys, one of which it may no longer read.
pub(crate) async fn with_less() -> (Redis, RedisStore, Watch) {
    let redis = RedisOptions::default().user("agent", "on >secret ~p/* allchannels +@all").start();
    for key in ["p/ours", "p/others"] {
        redis.call(&["SET", key, "1"]);
    }
    let store = as_user(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    redis.call(&["ACL", "SETUSER", "agent", "resetkeys", "~p/ours*"]);
    (redis, store, watch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_taken_away_deletes_nothing() {
    require!(Redis);
    let (redis, store, mut watch) = with_less().await;
    // However it is found out: by a change, or by reading everything.
    for (round, by) in ["change", "snapshot"].into_iter().enumerate() {
        match by {
            "change" => drop(redis.call(&["SET", "p/others", "2"])),
            _ => watch.handle().snapshot().await.unwrap(),
        }
        assert_eq!(next(&mut watch).await, Event::Link(State::Lost), "{by}");
        // Changes of the readable key are reported nevertheless, and none of the other one, which changes all the time.
        for change_of in 0..3 {
            redis.call(&["SET", "p/others", &format!("{round}{change_of}")]);
            redis.call(&["SET", "p/ours", &format!("{round}{change_of}")]);
            assert_eq!(change(&mut watch).await.key, "p/ours", "{by}");
        }
        is_quiet(&mut watch).await;
        redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
        let items = [format!("p/others={round}2"), format!("p/ours={round}2")];
        assert_eq!(resumed(&mut watch, Cause::Lost).await, items, "{by}");
        redis.call(&["ACL", "SETUSER", "agent", "resetkeys", "~p/ours*"]);
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_may_not_be_read_and_is_deleted_is_deleted() {
    require!(Redis);
    let (redis, store, mut watch) = with_less().await;
    redis.call(&["SET", "p/others", "2"]);
    assert_eq!(next(&mut watch).await, Event::Link(State::Lost));
    is_quiet(&mut watch).await;
    redis.call(&["DEL", "p/others"]);
    assert_eq!(resumed(&mut watch, Cause::Lost).await, ["p/ours=1"]);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_keeps_what_he_is_told_keeps_what_he_may_not_read() {
    require!(Redis);
    let redis = RedisOptions::default().user("agent", "on >secret ~p/* allchannels +@all").start();
    let keys: Vec<String> = (0..1000).map(|number| format!("p/{number:03}")).collect();
    for key in &keys {
        redis.call(&["SET", key, "1"]);
    }
    let config = RedisConfig { rescan_interval: Duration::from_millis(200).into(), ..as_agent(&redis) };
    let store = RedisStore::connect(config).await.unwrap();
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap().diffed();
    let (mut known, mut links) = (BTreeMap::new(), Vec::new());
    let mut follow = async |known: &mut BTreeMap<_, _>,
                            links: &mut Vec<State>,
                            until: &dyn Fn(&BTreeMap<_, _>, &[State]) -> bool| {
        let began = Instant::now();
        while !until(known, links) {
            assert!(began.elapsed() < SOON, "{links:?}, {} are known", known.len());
            match timeout(Duration::from_millis(100), watch.next()).await {
                Ok(Some(Update::Put(entry))) => drop(known.insert(entry.key, entry.value)),
                Ok(Some(Update::Deleted { key, .. })) => drop(known.remove(&key)),
                Ok(Some(Update::Link(link))) => links.push(link),
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => panic!("it has ended"),
            }
            assert!(known.len() < keys.len() || known.contains_key("p/777".as_bytes()));
        }
    };
    follow(&mut known, &mut links, &|known, _| known.len() == 1000).await;
    // A key in the middle of those that are read, and no listener is left.
    redis.call(&["ACL", "SETUSER", "agent", "resetkeys", "~p/[0-6]*", "~p/[8-9]*"]);
    redis.call(&["SET", "p/000", "2"]);
    redis.call(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let is_lost = |_: &BTreeMap<_, _>, links: &[State]| links.len() % 2 == 1;
    follow(&mut known, &mut links, &|known, links| is_lost(known, links) && known["p/000".as_bytes()] == "2").await;
    let began = Instant::now();
    follow(&mut known, &mut links, &|_, _| began.elapsed() > Duration::from_secs(1)).await;
    assert!(is_lost(&known, &links) && known.len() == 1000, "{links:?}, {} are known", known.len());
    redis.call(&["SET", "p/777", "3"]);
    redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    follow(&mut known, &mut links, &|known, links| !is_lost(known, links) && known["p/777".as_bytes()] == "3").await;
    assert_eq!(known.len(), 1000);
    store.close().await.unwrap();
}

// On one thread, whose log is examined.
#[tokio::test]
async fn the_log_has_the_right_that_is_missing() {
    require!(Redis);
    let (lines, _guard) = Lines::begin();
    let redis = RedisOptions::default().user("agent", "on >secret ~p/ours* resetchannels +@all").start();
    let store = as_user(&redis).await;
    let refused = lines.with("watches will be refused");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].contains("ACL SETUSER agent allchannels"), "{refused:?}");
    store.close().await.unwrap();
    redis.call(&["ACL", "SETUSER", "agent", "allchannels"]);
    redis.call(&["MSET", "p/ours", "1", "p/others", "1", "p/theirs", "1"]);
    let store = as_user(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    assert_eq!(next(&mut watch).await, Event::Link(State::Lost));
    // The watch tries again and again, but the problem is logged once.
    is_quiet(&mut watch).await;
    assert!(watch.handle().stats().failures >= 2, "{watch:?}");
    let behind = lines.with("is behind");
    assert_eq!(behind.len(), 1, "{behind:?}");
    for words in ["a watch of `p/*`", "2 keys cannot be read", &redis.addr().to_string(), "ACL SETUSER agent ~p/*"] {
        assert!(behind[0].contains(words), "{behind:?} has no {words}");
    }
    assert_eq!(lines.with("watches will be refused").len(), 1);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_that_can_not_be_read_holds_up_no_other_one() {
    require!(Redis);
    let redis = RedisOptions::default().user("agent", "on >secret ~* allchannels +@all -scan").start();
    let store = as_user(&redis).await;
    let (prefix, key) = (KeyRange::prefix("p/"), KeyRange::key("k"));
    let ranges = [prefix.clone(), key.clone()];
    let mut watch = kv(&store).watch_ranges(ranges, WatchOptions::default()).await.unwrap();
    assert_eq!(next(&mut watch).await, Event::snapshot_begin(key.clone(), Cause::Start));
    assert_eq!(next(&mut watch).await, Event::snapshot_end(key, None));
    redis.call(&["SET", "p/k", "1"]);
    redis.call(&["SET", "k", "1"]);
    assert_eq!(change(&mut watch).await.key, "k");
    assert!(watch.handle().stats().failures >= 1, "{watch:?}");
    // The watch tries again.
    redis.call(&["ACL", "SETUSER", "agent", "+scan"]);
    let told = until(&mut watch, is_end).await;
    assert_eq!(told[0], Event::snapshot_begin(prefix, Cause::Start));
    assert!(matches!(&told[1], Event::Item(entry) if entry.key == "p/k"), "{told:?}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_of_a_cluster_that_lets_a_key_not_be_read_makes_no_range_smaller() {
    require!(RedisCluster);
    let options = RedisOptions::default().user("agent", "on >secret ~p/* allchannels +@all");
    let redis = RedisCluster::behind(&options, false, |addr| addr);
    let keys: Vec<String> = (0..30).map(|number| format!("p/{number:02}")).collect();
    for key in &keys {
        redis.call(key, &["SET", key, "1"]);
    }
    let store = RedisStore::connect(agents(RedisConfig::cluster(redis.endpoints().split(',')))).await.unwrap();
    assert_eq!(store.mute().await.unwrap(), None);
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    assert_eq!(until(&mut watch, is_end).await.len(), keys.len() + 2);
    // One key, on its node only.
    let lost = &keys[7];
    let node = &redis.nodes()[redis.owner(redis.slot(lost))];
    node.call(&["ACL", "SETUSER", "agent", "resetkeys", "~p/[12]*", "~p/0[0-689]*"]);
    watch.handle().snapshot().await.unwrap();
    // The keys of other nodes may have been reported by then, but the snapshot does not end.
    let told = until(&mut watch, |event| *event == Event::Link(State::Lost)).await;
    assert!(!told.iter().any(is_end), "{told:?}");
    is_quiet(&mut watch).await;
    node.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    assert_eq!(resumed(&mut watch, Cause::Lost).await.len(), keys.len());
    // If notifications of one node may not be received, no range can be watched.
    node.call(&["ACL", "SETUSER", "agent", "-psubscribe"]);
    let why = store.mute().await.unwrap().unwrap();
    assert!(why.contains("ACL SETUSER agent +psubscribe") && why.contains(&node.addr().to_string()), "{why}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_master_that_knows_the_user_less_well_takes_nothing_away() {
    require!(RedisSentinel);
    let options = RedisOptions::default().user("agent", "on >secret ~p/* allchannels +@all");
    let redis = RedisSentinel::behind(&options, |addr| addr);
    let before = redis.master().unwrap();
    for key in ["p/ours", "p/others"] {
        redis.servers()[before].call(&["SET", key, "1"]);
    }
    let store = RedisStore::connect(agents(sentinels(&redis))).await.unwrap();
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    let other = &redis.servers()[1 - before];
    eventually("the replica has both", async || other.call(&["DBSIZE"]).number() == Some(2)).await;
    other.call(&["ACL", "SETUSER", "agent", "resetkeys", "~p/ours*"]);
    redis.servers()[before].kill();
    // Before the server is back, since of `Lost` and `Resumed` in a row only the latter would be reported.
    assert_eq!(next(&mut watch).await, Event::Link(State::Lost));
    redis.wait_for_failover(before);
    eventually("it can be written", async || kv(&store).put("p/ours", "2").await.is_ok()).await;
    // The connection is back, and readable changes are reported, but no snapshot.
    let told = until(&mut watch, |event| matches!(event, Event::Changes { .. })).await;
    assert!(told.iter().all(|event| matches!(event, Event::Link(_) | Event::Changes { .. })), "{told:?}");
    is_quiet(&mut watch).await;
    other.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    assert_eq!(resumed(&mut watch, Cause::Lost).await, ["p/others=1", "p/ours=2"]);
    store.close().await.unwrap();
}
