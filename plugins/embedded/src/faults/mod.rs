//! What a disk can do to a store: it loses power, or is full.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod batch;
mod machine;
mod recovery;
mod sweeping;

use crate::{
    EmbeddedConfig, EmbeddedStore, Health,
    medium::Medium,
    tables::{META, meta},
};
use cninfra::keyval::{
    Applied, At, Bytes, Compare, Event, Expiry, KeyRange, Kv, Leases as _, Op, Reason, Revision, Revisions as _,
    Store as _, Txn, WatchOptions,
};
use fastrand::Rng;
use machine::Machine;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

async fn open(machine: &Machine) -> EmbeddedStore {
    let config = EmbeddedConfig { keep_revisions: 50, ..EmbeddedConfig::default() };
    EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap()
}

/// Writes three keys together, again and again, until the power is cut. Returns the last number that was answered, and
/// its revision.
async fn write_until_it_is_dark(store: &EmbeddedStore, mut number: u64) -> (u64, Option<Revision>) {
    let mut answered = (number, None);
    // A bound, since without writes the power would never be cut.
    let most = number + 5000;
    while number < most {
        number += 1;
        let value = |key: u64| Bytes::from(vec![(number % 251) as u8; (number * key % 700) as usize]);
        let mut txn = Txn::new().put("number", number.to_string());
        for key in 0..3 {
            txn = txn.put(format!("k{key}"), value(key));
        }
        if number.is_multiple_of(7) {
            txn = txn.delete_range(KeyRange::prefix("other/"));
        } else {
            txn = txn.put(format!("other/{number}"), "x");
        }
        match store.commit(txn).await {
            Ok(outcome) => answered = (number, outcome.revision),
            Err(_) => return answered,
        }
    }
    answered
}

async fn number(store: &EmbeddedStore) -> u64 {
    let found = store.get("number".into(), At::Latest).await.unwrap();
    found.map_or(0, |entry| String::from_utf8_lossy(&entry.value).parse().unwrap())
}

/// `POWER_CUTS` says how many rounds.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_a_power_cut() {
    let rounds = std::env::var("POWER_CUTS").map_or(200, |rounds| rounds.parse().unwrap());
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let machine = Machine::new(u64::MAX);
    let (mut written, mut revision) = (0, None);
    let mut dropped = 0;
    for round in 0..rounds {
        let store = open(&machine).await;
        let found = number(&store).await;
        assert!(found >= written, "round {round}: {written} was answered, {found} is there");
        let now = store.revision().await.unwrap();
        assert!(Some(now) >= revision, "round {round}: revision {revision:?} was answered, {now} is there");
        // All keys of one transaction, or none.
        for key in 0..3 {
            let entry = store.get(format!("k{key}").into(), At::Latest).await.unwrap();
            let wanted = vec![(found % 251) as u8; (found * key % 700) as usize];
            assert_eq!(entry.map(|entry| entry.value.to_vec()).unwrap_or_default(), wanted, "round {round}: k{key}");
        }
        let alive = store.get("alive".into(), At::Latest).await.unwrap();
        assert_eq!(alive, None, "round {round}: a key of a client that is dead");
        store.commit(Txn::new().put_with("alive", "I am", Expiry::WithClient)).await.unwrap();
        machine.cut_after(rng.u32(1..120));
        (written, revision) = write_until_it_is_dark(&store, found).await;
        let _ = store.close().await;
        drop(store);
        dropped += machine.lose_power(&mut rng);
    }
    assert!(dropped > rounds, "the power cuts took nothing away");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_is_full_reads_and_deletes_go_on() {
    let machine = Machine::new(16 << 20);
    let store = Arc::new(open(&machine).await);
    let kv = Kv::new(store.clone());
    let health = store.health();
    let mut watch = store.watch(vec![KeyRange::key("watched")], WatchOptions::default()).await.unwrap();
    kv.put("watched", "1").await.unwrap();
    let value = Bytes::from(vec![b'x'; 100_000]);
    let mut count = 0;
    let error = loop {
        match kv.put(format!("k{count:04}"), value.clone()).await {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((error.reason(), error.applied()), (&Reason::Full, Applied::No), "{error:?}");
    assert!(error.to_string().contains("machine") && error.help().unwrap().contains("make room"), "{error:?}");
    assert!(count > 20, "{count} values of 100 kB fill 16 MiB");
    assert_eq!(*health.borrow(), Health::Full);
    assert_eq!(*kv.put("one more", value.clone()).await.unwrap_err().reason(), Reason::Full);
    // What was written is still there, and can be deleted.
    let list = kv.list_keys("k").all().await.unwrap();
    assert_eq!(list.len(), count);
    for number in 0..count {
        assert!(kv.delete(format!("k{number:04}")).await.unwrap(), "k{number:04}");
    }
    assert!(kv.delete("watched").await.unwrap());
    store.compact(store.revision().await.unwrap()).await.unwrap();
    // After that there is free space within the file.
    let mut tries = 0;
    while kv.put("again", value.clone()).await.is_err() {
        tries += 1;
        assert!(tries < 50, "after all was deleted there is no room");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(*health.borrow(), Health::Well);
    let told = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            let event = watch.next().await.unwrap();
            if matches!(&event, Event::Changes { changes, .. } if changes[0].value().is_none()) {
                break;
            }
        }
    });
    told.await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_there_is_room_again_it_writes_without_a_restart() {
    let machine = Machine::new(12 << 20);
    let store = open(&machine).await;
    let value = Bytes::from(vec![b'x'; 200_000]);
    let put = |key: &str| store.commit(Txn::new().put(key.to_string(), value.clone()));
    let mut count = 0;
    while put(&format!("k{count}")).await.is_ok() {
        count += 1;
    }
    machine.grow_to(64 << 20);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let first = put("after").await;
    assert!(first.is_ok(), "{first:?}");
    assert!(machine.has_reserve(), "the reserve was not made whole again");
    let outcome = store.commit(Txn::one(Op::Get(KeyRange::key("after")))).await.unwrap();
    assert_eq!(outcome.results.len(), 1);
    store.close().await.unwrap();
    let store = open(&machine).await;
    assert!(store.get("after".into(), At::Latest).await.unwrap().is_some());
    assert_eq!(store.get(format!("k{count}").into(), At::Latest).await.unwrap(), None);
    store.close().await.unwrap();
}

/// Writes this many transactions. Then the process ends, and other programs fill the disk.
async fn killed_on_a_disk_that_others_fill(number: usize) -> Machine {
    let (machine, mut rng) = (Machine::new(64 << 20), Rng::with_seed(number as u64));
    let store = open(&machine).await;
    for key in 0..number {
        let value = vec![b'x'; 900];
        store.commit(Txn::new().put(format!("k{key:04}"), value)).await.unwrap();
    }
    store.commit(Txn::new().put_with("alive", "I am", Expiry::WithClient)).await.unwrap();
    assert!(machine.has_reserve());
    machine.cut_after(1);
    store.commit(Txn::new().put("unanswered", "")).await.unwrap_err();
    // After this its threads have ended.
    let _ = store.close().await;
    drop(store);
    machine.lose_power(&mut rng);
    machine.fill_up();
    machine
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_reserve_is_the_room_to_open_on_a_full_disk() {
    for number in [1, 30, 500, 2000] {
        let machine = killed_on_a_disk_that_others_fill(number).await;
        let kv = Kv::new(Arc::new(open(&machine).await));
        let keys = kv.list_keys("k").all().await.unwrap();
        assert_eq!(keys.len(), number);
        assert_eq!(kv.get("alive").await.unwrap(), None, "its client is gone");
        for key in 0..number {
            assert!(kv.delete(format!("k{key:04}")).await.unwrap(), "{key} of {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserve_that_is_left_is_the_room_to_begin_anew_on_a_full_disk() {
    let machine = Machine::new(64 << 20);
    machine.keep_reserve().unwrap();
    machine.fill_up();
    let kv = Kv::new(Arc::new(open(&machine).await));
    kv.put("k", "v").await.unwrap();
    assert!(kv.delete("k").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_reserve_who_opens_on_a_full_disk_is_told_so() {
    let machine = killed_on_a_disk_that_others_fill(500).await;
    machine.give_up_reserve();
    machine.fill_up();
    let config = EmbeddedConfig::default();
    let error = EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Full, Applied::No), "{error:?}");
    let help = error.help().unwrap();
    assert!(help.contains("make room") && !help.contains("go on"), "nothing is open: {help}");
    machine.grow_to(64 << 20);
    let kv = Kv::new(Arc::new(open(&machine).await));
    assert_eq!(kv.list_keys("k").all().await.unwrap().len(), 500);
}

/// The revision up to which compacted data has been discarded.
fn swept(store: &EmbeddedStore) -> Option<u64> {
    let swept = |txn: &redb::ReadTransaction| Ok(txn.open_table(META)?.get(meta::SWEPT)?.map(|swept| swept.value()));
    store.engine.shared.disk.read(swept).unwrap()
}

/// Fills the disk until no put succeeds.
async fn fill(kv: &Kv<EmbeddedStore>) {
    let mut count = 0;
    for size in [100_000, 1000] {
        let value = Bytes::from(vec![b'x'; size]);
        while kv.put(format!("k{count:04}"), value.clone()).await.is_ok() {
            count += 1;
        }
        // After this pause an attempt is let through again.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Writes a thousand keys, with so many concurrent puts.
async fn write_often(kv: &Kv<EmbeddedStore>, times: usize) {
    let mut writes = JoinSet::new();
    for number in 0..times {
        let kv = kv.clone();
        writes.spawn(async move { kv.put(format!("often{}", number * 7919 % 1000), vec![b'x'; 10]).await.unwrap() });
    }
    while let Some(written) = writes.join_next().await {
        written.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_is_full_a_compaction_goes_on_to_its_end() {
    let machine = Machine::new(7 << 20);
    let config = EmbeddedConfig { keep_revisions: 0, ..EmbeddedConfig::default() };
    let store = Arc::new(EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap());
    let kv = Kv::new(store.clone());
    write_often(&kv, 1600).await;
    fill(&kv).await;
    let newest = store.revision().await.unwrap();
    store.compact(newest).await.unwrap();
    // The compaction goes on by itself.
    let all = async {
        while swept(&store) != Some(newest.get()) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(20), all).await;
    assert!(all.is_ok(), "it is thrown away up to {:?} of {newest}", swept(&store));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_shows_no_room() {
    let machine = Machine::new(6 << 20);
    let store = Arc::new(open(&machine).await);
    let kv = Kv::new(store.clone());
    kv.put("k", "v").await.unwrap();
    let (lease, _) = store.grant(Duration::from_secs(60)).await.unwrap();
    fill(&kv).await;
    assert_eq!(*store.health().borrow(), Health::Full);
    // There is room now, but no write has shown it yet. The next transaction is let through as an attempt.
    machine.grow_to(64 << 20);
    let refused = kv.commit(Txn::new().when("k", Compare::Absent).put("k", "w")).await.unwrap();
    assert!(!refused.succeeded);
    store.keep_alive(lease).await.unwrap();
    assert_eq!(*store.health().borrow(), Health::Full);
    kv.put("k", "w").await.unwrap();
    assert_eq!(*store.health().borrow(), Health::Well);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_becomes_smaller_when_there_is_time_for_it() {
    let machine = Machine::new(u64::MAX);
    let store = Arc::new(open(&machine).await);
    let kv = Kv::new(store.clone());
    for number in 0..40 {
        kv.put(format!("large{number}"), vec![b'x'; 100_000]).await.unwrap();
    }
    write_often(&kv, 6000).await;
    for number in 0..40 {
        kv.delete(format!("large{number}")).await.unwrap();
    }
    write_often(&kv, 200).await;
    let (lease, _) = store.grant(Duration::from_secs(60)).await.unwrap();
    // A lease that expires wakes the writing thread.
    store.grant(Duration::from_millis(200)).await.unwrap();
    let last = Instant::now();
    let before = Medium::len(&machine).unwrap();
    while Medium::len(&machine).unwrap() > before / 2 {
        assert!(last.elapsed() < Duration::from_secs(20), "it has {before} bytes, and keeps them");
        store.keep_alive(lease).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(last.elapsed() > Duration::from_secs(4), "others had to wait for it {:?} after a write", last.elapsed());
    store.close().await.unwrap();
}
