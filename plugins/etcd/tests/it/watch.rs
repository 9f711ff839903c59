//! What a watch reports without faults.

use crate::support::{kv, next, shown, soon, until};
use cninfra::keyval::{
    Cause, Change, ChangeKind, Event, Expiry, KeyRange, Kv, Link, Overflow, Previous, Reason, Revisions as _, Txn,
    WatchOptions,
};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::{sync::Arc, time::Duration};

fn is_end(event: &Event) -> bool {
    matches!(event, Event::SnapshotEnd { .. })
}

fn has(key: &'static str) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Changes { changes, .. } if changes.iter().any(|change| change.key == key))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_comes_first_and_then_one_event_for_each_transaction() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await.scoped("p/");
    let put = kv.put("a", "1").await.unwrap();
    kv.put("b", "").await.unwrap();
    let mut options = WatchOptions::default();
    options.previous = true;
    let mut watch = kv.watch([""], options).await.unwrap();
    let told = until(&mut watch, is_end).await;
    assert_eq!(shown(&told), ["begin * Start", "item a=1", "item b=", "end *"]);
    assert!(matches!(&told[1], Event::Item(entry) if entry.revision == put.revision));
    kv.put("c", "").await.unwrap();
    let done = kv.commit(Txn::new().put("a", "2").delete("b").put("d", "4")).await.unwrap();
    kv.put_with("e", "5", Expiry::After(Duration::from_secs(2))).await.unwrap();
    let told = until(&mut watch, has("e")).await;
    assert_eq!(shown(&told), ["put c= (new)", "put a=2, del b, put d=4 (new)", "put e=5 (new)"]);
    let Event::Changes { revision, changes, .. } = &told[1] else { panic!("{told:?}") };
    assert_eq!(*revision, done.revision);
    let previous = |change: &Change| match &change.previous {
        Previous::Entry(entry) => Some(entry.value.clone()),
        _ => None,
    };
    assert_eq!(changes.iter().map(previous).collect::<Vec<_>>(), [Some("1".into()), Some("".into()), None]);
    assert_eq!(changes[2].previous, Previous::Absent);
    assert!(changes.iter().all(|change| !change.key.starts_with(b"p/")));
    // The key expires.
    assert_eq!(shown(&until(&mut watch, has("e")).await), ["del e"]);
    kv.store().close().await.unwrap();
    assert_eq!(watch.next().await, None);
    assert_eq!(*watch.handle().snapshot().await.unwrap_err().reason(), Reason::Closed);
    assert_eq!(*kv.watch([""], WatchOptions::default()).await.unwrap_err().reason(), Reason::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_larger_than_a_message_is_one_event() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let large = |value: u8| (0..100).fold(Txn::new(), |txn, i| txn.put(format!("k{i:03}"), vec![value; 14_000]));
    kv.commit(large(b'1')).await.unwrap();
    let mut options = WatchOptions::default();
    options.previous = true;
    let mut watch = kv.watch([""], options).await.unwrap();
    until(&mut watch, is_end).await;
    kv.commit(large(b'2')).await.unwrap();
    kv.put("last", "").await.unwrap();
    let told = until(&mut watch, has("last")).await;
    let counts: Vec<usize> = told
        .iter()
        .map(|event| matches!(event, Event::Changes { changes, .. } if changes.len() == 100) as usize)
        .collect();
    assert_eq!(counts, [1, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_come_and_go_and_are_told_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    for key in ["a/1", "b/1", "b/x/1", "c/1"] {
        kv.put(key, "0").await.unwrap();
    }
    let mut watch = kv.watch(["a/"], WatchOptions::default()).await.unwrap();
    let handle = watch.handle().clone();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin a/* Start", "item a/1=0", "end a/*"]);
    handle.add(KeyRange::prefix("b/")).await.unwrap();
    handle.add(KeyRange::prefix("b/")).await.unwrap();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin b/* Added", "item b/1=0", "item b/x/1=0", "end b/*"]);
    // A part of a watched range is another range, but its changes are reported once.
    handle.add(KeyRange::prefix("b/x/")).await.unwrap();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin b/x/* Added", "item b/x/1=0", "end b/x/*"]);
    kv.put("c/1", "1").await.unwrap();
    kv.commit(Txn::new().put("a/1", "1").put("b/x/1", "1").put("c/1", "2")).await.unwrap();
    kv.put("b/last", "").await.unwrap();
    let mut told = until(&mut watch, has("b/last")).await;
    // `a` and `b` are separate etcd watches, whose events come in any order.
    if !told.iter().any(has("a/1")) {
        told.extend(until(&mut watch, has("a/1")).await);
    }
    let mut told = shown(&told);
    told.sort();
    assert_eq!(told, ["put a/1=1", "put b/last= (new)", "put b/x/1=1"]);
    handle.remove(KeyRange::prefix("b/")).await.unwrap();
    assert_eq!(shown(&until(&mut watch, |event| matches!(event, Event::Removed { .. })).await), ["removed b/*"]);
    kv.put("b/1", "2").await.unwrap();
    kv.put("b/x/1", "2").await.unwrap();
    assert_eq!(shown(&until(&mut watch, has("b/x/1")).await), ["put b/x/1=2"]);
    let error = handle.remove(KeyRange::prefix("b/")).await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Invalid);
    handle.snapshot().await.unwrap();
    let told: Vec<String> = [until(&mut watch, is_end).await, until(&mut watch, is_end).await]
        .iter()
        .flat_map(|told| shown(told))
        .collect();
    assert_eq!(
        told,
        ["begin a/* Requested", "item a/1=1", "end a/*", "begin b/x/* Requested", "item b/x/1=2", "end b/x/*"]
    );
    for range in ["a/", "b/x/"] {
        handle.remove(KeyRange::prefix(range)).await.unwrap();
        assert!(matches!(next(&mut watch).await, Event::Removed { .. }));
    }
    handle.add(KeyRange::key("c/1")).await.unwrap();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin c/1 Added", "item c/1=2", "end c/1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_has_is_told_in_the_order_of_its_transactions() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await.scoped("/vnf-agent/one/");
    let mut watch = kv.watch(["a/", "c/"], WatchOptions::default()).await.unwrap();
    let snapshots = [until(&mut watch, is_end).await, until(&mut watch, is_end).await];
    let at = |told: &[Event]| {
        told.iter().find_map(|event| match event {
            Event::SnapshotEnd { at, .. } => *at,
            _ => None,
        })
    };
    assert_eq!(at(&snapshots[0]), at(&snapshots[1]), "all is of one state");
    kv.commit(Txn::new().put("a/1", "1").put("b/1", "1").put("c/1", "1")).await.unwrap();
    assert_eq!(shown(&[next(&mut watch).await]), ["put a/1=1 (new), put c/1=1 (new)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_from_a_state_on_come_without_a_snapshot_where_they_are_kept() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    kv.put("a", "1").await.unwrap();
    let from = kv.put("a", "2").await.unwrap().revision;
    kv.delete("a").await.unwrap();
    let mut options = WatchOptions::default();
    options.from = from;
    let mut watch = kv.watch([""], options).await.unwrap();
    assert_eq!(shown(&[next(&mut watch).await, next(&mut watch).await]), ["put a=2", "del a"]);
    kv.put("a", "3").await.unwrap();
    let newest = kv.store().revision().await.unwrap();
    kv.store().compact(newest).await.unwrap();
    let mut watch = kv.watch([""], options).await.unwrap();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin * Compacted", "item a=3", "end *"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_begins_when_the_server_is_there() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.ctl(&["put", "k", "v"]);
    etcd.kill();
    let kv = Kv::new(Arc::new(EtcdStore::open(EtcdConfig::at([etcd.endpoint()])).await.unwrap()));
    let mut watch = kv.watch([""], WatchOptions::default()).await.unwrap();
    assert_eq!(next(&mut watch).await, Event::Link(Link::Lost));
    etcd.restart();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["Resumed", "begin * Start", "item k=v", "end *"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_read_in_parts_and_nothing_is_left_out() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    for chunk in 0..25 {
        let txn = (0..120).fold(Txn::new(), |txn, i| txn.put(format!("p/{:05}", chunk * 120 + i), "x"));
        kv.commit(txn).await.unwrap();
    }
    let mut options = WatchOptions::default();
    options.queue = 16;
    let mut watch = kv.watch(["p/"], options).await.unwrap();
    // Writes go on during the snapshot.
    let writer = tokio::spawn({
        let kv = kv.clone();
        async move {
            for i in 0..200 {
                kv.put(format!("p/{i:05}"), "y").await.unwrap();
                kv.delete(format!("p/{:05}", 2999 - i)).await.unwrap();
            }
            kv.put("p/last", "").await.unwrap();
        }
    });
    let mut known = std::collections::BTreeMap::new();
    for event in until(&mut watch, has("p/last")).await {
        match event {
            Event::SnapshotBegin { cause, .. } => assert_eq!(cause, Cause::Start),
            Event::Item(entry) => drop(known.insert(entry.key.clone(), entry.value.clone())),
            Event::Changes { changes, .. } => {
                for change in changes {
                    match &change.kind {
                        ChangeKind::Put { entry, .. } => drop(known.insert(change.key.clone(), entry.value.clone())),
                        _ => drop(known.remove(&change.key)),
                    }
                }
            }
            _ => {}
        }
    }
    writer.await.unwrap();
    let there: Vec<_> = kv.list("p/").all().await.unwrap().into_iter().map(|entry| (entry.key, entry.value)).collect();
    assert_eq!(known.into_iter().collect::<Vec<_>>(), there);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_range_has_told_is_not_told_again_by_one_that_is_behind() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    // The subscriber does not read, so the server's changes wait.
    let mut watch = kv.watch([""], WatchOptions::default().with_queue(1, Overflow::Block)).await.unwrap();
    until(&mut watch, is_end).await;
    for number in 0..10 {
        kv.put("other", number.to_string()).await.unwrap();
    }
    for value in ["1", "2"] {
        kv.delete("k").await.unwrap();
        kv.put("k", value).await.unwrap();
    }
    watch.handle().add(KeyRange::prefix("k")).await.unwrap();
    let told = shown(&until(&mut watch, is_end).await);
    assert!(told.contains(&"item k=2".to_string()), "{told:?}");
    watch.handle().remove(KeyRange::prefix("k")).await.unwrap();
    kv.put("k", "3").await.unwrap();
    kv.put("last", "").await.unwrap();
    let told = shown(&until(&mut watch, has("last")).await);
    assert!(told.contains(&"put other=9".to_string()), "{told:?}");
    let of_it: Vec<&String> = told.iter().filter(|event| event.contains(" k")).collect();
    assert_eq!(of_it, ["removed k*", "put k=3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_half_a_snapshot_is_told_anew() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let mut watch = kv.watch([""], WatchOptions::default().with_queue(1, Overflow::Block)).await.unwrap();
    until(&mut watch, is_end).await;
    for number in 0..5 {
        kv.put("other", number.to_string()).await.unwrap();
    }
    // More than a page.
    for hundred in 0..12 {
        let keys = (0..100).map(|number| format!("k{hundred:02}{number:02}"));
        kv.commit(keys.fold(Txn::new(), |txn, key| txn.put(key, "1"))).await.unwrap();
    }
    kv.delete("k0000").await.unwrap();
    kv.put("k0000", "2").await.unwrap();
    watch.handle().add(KeyRange::prefix("k")).await.unwrap();
    until(&mut watch, |event| matches!(event, Event::Item(entry) if entry.key == "k0100")).await;
    etcd.kill();
    until(&mut watch, |event| matches!(event, Event::Link(Link::Lost))).await;
    watch.handle().remove(KeyRange::prefix("k")).await.unwrap();
    etcd.restart();
    let told = shown(&until(&mut watch, is_end).await);
    // Some of its keys are known as they are now: older changes of them are left out.
    let at = |wanted: &str| told.iter().position(|event| event == wanted);
    assert!(at("removed k*") < at("begin * Lost") && at("begin * Lost").is_some(), "{:?}", &told[..5]);
    assert!(told.iter().all(|event| !event.contains("put k") && !event.contains("del k")), "{:?}", &told[..5]);
    assert_eq!(told.iter().filter(|event| event.starts_with("item k")).count(), 1200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_a_watch_that_has_ended_is_told_so() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let watch = kv.watch(["a/"], WatchOptions::default()).await.unwrap();
    let handle = watch.handle().clone();
    drop(watch);
    let refused = || async { handle.add(KeyRange::key("b")).await.err() };
    let error = soon("that a watch which was dropped has ended", refused, Option::is_some).await.unwrap();
    assert_eq!((error.reason(), error.help()), (&Reason::Closed, Some("the watch has ended: begin another one")));
    kv.store().close().await.unwrap();
    let error = handle.snapshot().await.unwrap_err();
    assert_eq!((error.reason(), error.help()), (&Reason::Closed, None));
}
