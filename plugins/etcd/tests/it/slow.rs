//! A slow subscriber holds up nobody, and gets events according to its options.

use crate::{
    faults::{has, is_end},
    support::{SOON, kv, shown, soon, until},
};
use cninfra::keyval::{Event, Kv, Overflow, Revisions as _, Watch, WatchOptions};
use cninfra_etcd::EtcdStore;
use cninfra_testbed::{Etcd, require};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const EVENTS: usize = 4000;

fn options(overflow: Overflow) -> WatchOptions {
    let mut options = WatchOptions::default();
    (options.overflow, options.queue) = (overflow, 16);
    options
}

/// Writes 12 MB while nobody takes an event. Calls go on meanwhile.
async fn flood(kv: &Kv<EtcdStore>) -> Duration {
    let mut slowest = Duration::ZERO;
    let value = "x".repeat(3000);
    for chunk in 0..EVENTS / 50 {
        let began = Instant::now();
        let puts = (0..50).map(|i| kv.put(format!("k{:02}", (chunk * 50 + i) % 100), value.clone()));
        for put in futures_util::future::join_all(puts).await {
            put.unwrap();
        }
        slowest = slowest.max(began.elapsed());
    }
    slowest
}

async fn slow(kv: &Kv<EtcdStore>, overflow: Overflow) -> Vec<Watch> {
    let mut watches = Vec::new();
    // Three unread streams would block everything on their connection.
    for _ in 0..4 {
        let mut watch = kv.watch([""], options(overflow)).await.unwrap();
        timeout(SOON, until(&mut watch, is_end)).await.unwrap();
        watches.push(watch);
    }
    watches
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_miss_nothing_misses_nothing_and_holds_up_nobody() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let mut watches = slow(&kv, Overflow::Block).await;
    let slowest = flood(&kv).await;
    kv.put("last", "").await.unwrap();
    for watch in &mut watches {
        assert!(watch.handle().stats().overflows > 0);
        let told = until(watch, has("last")).await;
        assert_eq!(told.len(), EVENTS + 1);
        let at = told.iter().map(|event| match event {
            Event::Changes { revision, .. } => revision.unwrap(),
            other => panic!("{other:?}"),
        });
        assert!(at.is_sorted_by(|one, next| one < next));
        assert_eq!(watch.handle().stats().resnapshots, 0);
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_slow_for_the_history_has_a_snapshot() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let mut watch = slow(&kv, Overflow::Block).await.remove(0);
    flood(&kv).await;
    let newest = kv.store().revision().await.unwrap();
    kv.store().compact(newest).await.unwrap();
    let told = shown(&until(&mut watch, is_end).await);
    assert_eq!((told[16].as_str(), told.len()), ("begin * Compacted", 16 + 102));
}

/// The first change for which there was no room is a deletion at the compaction revision. A watch that starts there
/// gets neither that change nor an error.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_compacted_while_it_waits_is_not_missed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let mut options = options(Overflow::Block);
    options.queue = 1;
    for round in 0..5 {
        kv.put("k", "1").await.unwrap();
        let mut watch = kv.watch([""], options).await.unwrap();
        until(&mut watch, is_end).await;
        kv.put("queued", format!("{round}")).await.unwrap();
        kv.delete("k").await.unwrap();
        let _ = soon("it is full", async || watch.handle().stats(), |stats| stats.overflows > 0).await;
        let newest = kv.store().revision().await.unwrap();
        kv.store().compact(newest).await.unwrap();
        let mut told = shown(&until(&mut watch, is_end).await);
        let queued = told.remove(0);
        assert!(queued.starts_with(&format!("put queued={round}")), "{queued}");
        assert_eq!(told, ["begin * Compacted".to_string(), format!("item queued={round}"), "end *".to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_each_key_the_latest_is_told_to_who_wants_it_so() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    for i in 0..2 {
        kv.put(format!("k{i}"), "0").await.unwrap();
    }
    let mut watch = kv.watch([""], options(Overflow::CoalesceByKey)).await.unwrap();
    until(&mut watch, is_end).await;
    for i in 1..=500 {
        kv.put(format!("k{}", i % 2), format!("{i}")).await.unwrap();
    }
    // All but those that were queued before the queue was full, and the latest one of each key.
    let all = 500 - 16 - 2;
    let stats = soon("all has come", async || watch.handle().stats(), |stats| stats.coalesced >= all).await;
    assert_eq!((stats.resnapshots, stats.overflows), (0, 1), "{stats:?}");
    // The last ones may still be in flight.
    let is_last = |event: &Event| shown(std::slice::from_ref(event))[0].contains("k0=500");
    let told = shown(&until(&mut watch, is_last).await);
    assert!(told.len() < 20 && told.iter().any(|told| told.contains("k1=499")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_it_so_has_a_snapshot_of_what_was_too_much() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let mut watches = slow(&kv, Overflow::Resnapshot).await;
    let slowest = flood(&kv).await;
    kv.put("last", "").await.unwrap();
    for watch in &mut watches {
        let mut told = shown(&until(watch, |event| matches!(event, Event::SnapshotBegin { .. })).await);
        assert_eq!(told.pop().as_deref(), Some("begin * Overflow"));
        let told = shown(&until(watch, is_end).await);
        // The snapshot may have begun in the middle.
        assert!(told.len() <= 102 && watch.handle().stats().resnapshots > 0, "{}", told.len());
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
}
