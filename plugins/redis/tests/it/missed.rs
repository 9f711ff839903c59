//! Changes that the watch of a user with few permissions has missed: those that the user may read are reported.

use crate::rights::{as_user, is_quiet, resumed, with_less};
use crate::support::{SOON, eventually, kv, next, until};
use cninfra::keyval::{Bytes, Cause, Event, Overflow, Watch, WatchOptions};
use cninfra_testbed::{Redis, RedisOptions, require};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, timeout};

/// Makes a change while the server does not notify, and then breaks the subscriptions, so that anything may have
/// changed.
fn unheard(redis: &Redis, change: impl FnOnce()) {
    redis.call(&["CONFIG", "SET", "notify-keyspace-events", ""]);
    change();
    redis.call(&["CONFIG", "SET", "notify-keyspace-events", "KA"]);
    redis.call(&["CLIENT", "KILL", "TYPE", "pubsub"]);
}

/// The state of a subscriber that applies a snapshot only when it has ended.
#[derive(Default)]
struct Picture {
    keys: BTreeMap<Bytes, Bytes>,
    /// A snapshot that has begun.
    next: Option<BTreeMap<Bytes, Bytes>>,
    ends: usize,
}

impl Picture {
    /// Takes events until the condition holds, which is checked when none has come for a while.
    async fn take(&mut self, watch: &mut Watch, until: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < SOON, "{} keys after {} snapshots", self.keys.len(), self.ends);
            match timeout(Duration::from_millis(100), watch.next()).await {
                Ok(Some(Event::SnapshotBegin { .. })) => self.next = Some(BTreeMap::new()),
                Ok(Some(Event::Item(entry))) => drop(self.next.as_mut().unwrap().insert(entry.key, entry.value)),
                Ok(Some(Event::SnapshotEnd { .. })) => {
                    self.keys = self.next.take().unwrap();
                    self.ends += 1;
                }
                Ok(Some(Event::Changes { changes, .. })) => {
                    for change in changes {
                        for keys in [Some(&mut self.keys), self.next.as_mut()].into_iter().flatten() {
                            match change.value() {
                                Some(value) => drop(keys.insert(change.key.clone(), value.clone())),
                                None => drop(keys.remove(&change.key)),
                            }
                        }
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => panic!("it has ended"),
                Err(_) if until(self) => return,
                Err(_) => {}
            }
        }
    }

    fn count(&self, value: &str) -> usize {
        self.keys.values().filter(|one| *one == value).count()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_of_what_may_be_read_is_told() {
    require!(Redis);
    let (redis, store, mut watch) = with_less().await;
    // In the first round it is found that a key cannot be read, and in the second one it is already known.
    for round in ["2", "3"] {
        unheard(&redis, || {
            redis.call(&["MSET", "p/ours", round, "p/others", round, "p/ours2", round]);
            if round == "3" {
                redis.call(&["DEL", "p/ours2"]);
            }
        });
        let mut changes = Vec::new();
        while changes.len() < 2 {
            match next(&mut watch).await {
                Event::Link(_) => {}
                Event::Changes { changes: told, .. } => changes.extend(told),
                other => panic!("{other:?}"),
            }
        }
        let mut told: Vec<_> = changes.iter().map(|change| (&change.key[..], change.value().is_some())).collect();
        told.sort_unstable();
        assert_eq!(told, [(&b"p/ours"[..], true), (b"p/ours2", round == "2")], "{changes:?}");
        is_quiet(&mut watch).await;
    }
    unheard(&redis, || drop(redis.call(&["DEL", "p/ours"])));
    let told = until(&mut watch, |event| matches!(event, Event::Changes { .. })).await;
    assert!(matches!(told.last(), Some(Event::Changes { changes, .. }) if changes[0].value().is_none()), "{told:?}");
    redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    assert_eq!(resumed(&mut watch, Cause::Lost).await, ["p/others=3"]);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_keys_are_compared_where_none_can_be_asked_for() {
    require!(Redis);
    let (redis, store, mut watch) = with_less().await;
    redis.call(&["ACL", "SETUSER", "agent", "-scan"]);
    unheard(&redis, || drop(redis.call(&["SET", "p/ours", "2"])));
    let told = until(&mut watch, |event| matches!(event, Event::Changes { .. })).await;
    assert!(told.iter().all(|event| matches!(event, Event::Link(_) | Event::Changes { .. })), "{told:?}");
    is_quiet(&mut watch).await;
    redis.call(&["ACL", "SETUSER", "agent", "~p/*", "+scan"]);
    assert_eq!(resumed(&mut watch, Cause::Lost).await, ["p/others=1", "p/ours=2"]);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_snapshot_without_an_end_has_told_is_told_as_changes() {
    require!(Redis);
    let redis = RedisOptions::default().user("agent", "on >secret ~p/* allchannels +@all").start();
    let keys: Vec<String> = (0..2000).map(|number| format!("p/{number:04}")).collect();
    let set_all = |value: &str| {
        let pairs = keys.iter().flat_map(|key| [key.as_str(), value]);
        redis.call(&["MSET"].into_iter().chain(pairs).collect::<Vec<_>>());
    };
    set_all("1");
    let store = as_user(&redis).await;
    let mut watch = kv(&store).watch(["p/"], WatchOptions::default()).await.unwrap();
    let mut picture = Picture::default();
    picture.take(&mut watch, |picture| picture.ends == 1).await;
    // All keys but one. Its position among the keys that are read is random.
    let all_but_one = ["~p/0*", "~p/1[0-689]*", "~p/17[0-689]*", "~p/177[0-689]"];
    for (ends, value) in [(1, "2"), (2, "3")] {
        redis.call(&[&["ACL", "SETUSER", "agent", "resetkeys"][..], &all_but_one].concat());
        unheard(&redis, || set_all(value));
        picture.take(&mut watch, |picture| picture.count(value) == 1999).await;
        assert_eq!((picture.keys.len(), picture.ends), (2000, ends));
        redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
        picture.take(&mut watch, |picture| picture.ends > ends).await;
        assert_eq!(picture.count(value), 2000);
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_slow_is_told_what_may_be_read() {
    require!(Redis);
    let (redis, store, watch) = with_less().await;
    drop(watch);
    redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    let options = WatchOptions::default().with_queue(4, Overflow::Resnapshot);
    let mut watch = kv(&store).watch(["p/"], options).await.unwrap();
    let mut picture = Picture::default();
    picture.take(&mut watch, |picture| picture.ends == 1).await;
    redis.call(&["ACL", "SETUSER", "agent", "resetkeys", "~p/ours*"]);
    for number in 0..100 {
        redis.call(&["SET", &format!("p/ours{number}"), "2"]);
    }
    eventually("it is thrown away", async || watch.handle().stats().resnapshots > 0).await;
    redis.call(&["SET", "p/others", "2"]);
    picture.take(&mut watch, |picture| picture.count("2") == 100).await;
    // The key that may not be read is unchanged.
    assert_eq!((picture.keys.len(), picture.ends), (102, 1), "{:?}", watch.handle().stats());
    redis.call(&["ACL", "SETUSER", "agent", "~p/*"]);
    picture.take(&mut watch, |picture| picture.ends == 2).await;
    assert_eq!((picture.keys.len(), picture.count("2")), (102, 101));
    store.close().await.unwrap();
}
