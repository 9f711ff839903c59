//! The history is discarded automatically and by calls. Watches converge to the true state.

use cninfra::keyval::{
    At, Cause, Event, KeyRange, Kv, Overflow, Reason, Revision, Revisions as _, Store as _, Txn, WatchOptions,
};
use cninfra_embedded::{EmbeddedConfig, EmbeddedStore};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread")]
async fn old_revisions_are_thrown_away_by_themselves() {
    let config = EmbeddedConfig { keep_revisions: 100, in_memory: true, ..EmbeddedConfig::default() };
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    for number in 0..500 {
        store.commit(Txn::new().put(format!("k{}", number % 10), number.to_string())).await.unwrap();
    }
    let newest = store.revision().await.unwrap().get();
    let at = |revision| At::Revision(Revision::new(revision).unwrap());
    assert!(store.get("k1".into(), at(newest - 100)).await.unwrap().is_some());
    let error = store.get("k1".into(), at(2)).await.unwrap_err();
    assert!(matches!(error.reason(), Reason::Compacted(Some(oldest)) if oldest.get() >= newest - 200), "{error}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_slow_for_the_history_is_told_a_snapshot() {
    let store = Arc::new(EmbeddedStore::in_memory().await.unwrap());
    let kv = Kv::new(store.clone());
    kv.put("gone", "1").await.unwrap();
    let options = WatchOptions::default().with_queue(4, Overflow::Block);
    let mut watch = store.watch(vec![KeyRange::all()], options).await.unwrap();
    let mut known = BTreeMap::new();
    while !matches!(watch.next().await.unwrap(), Event::SnapshotEnd { .. }) {}
    known.insert("gone".to_string(), "1".to_string());
    for number in 0..200 {
        kv.put(format!("k{}", number % 5), number.to_string()).await.unwrap();
    }
    kv.delete("gone").await.unwrap();
    // The watch reads only a little ahead.
    sleep(Duration::from_millis(300)).await;
    assert!(watch.handle().stats().queued <= 4);
    store.compact(store.revision().await.unwrap()).await.unwrap();
    kv.put("last", "1").await.unwrap();
    let (mut causes, mut items) = (Vec::new(), BTreeMap::new());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    timeout(Duration::from_secs(20), async {
        while !known.contains_key("last") {
            match watch.next().await.unwrap() {
                Event::SnapshotBegin { cause, .. } => {
                    causes.push(cause);
                    items.clear();
                }
                Event::Item(entry) => drop(items.insert(text(&entry.key), text(&entry.value))),
                Event::SnapshotEnd { .. } => known = std::mem::take(&mut items),
                Event::Changes { changes, .. } => {
                    for change in changes {
                        match change.value() {
                            Some(value) => drop(known.insert(text(&change.key), text(value))),
                            None => drop(known.remove(&text(&change.key))),
                        }
                    }
                }
                _ => {}
            }
        }
    })
    .await
    .unwrap();
    // A part of the log may have been read before it was compacted: then no snapshot is needed.
    assert!(causes.iter().all(|cause| *cause == Cause::Compacted), "{causes:?}");
    let wanted: BTreeMap<String, String> =
        kv.list("").all().await.unwrap().into_iter().map(|entry| (text(&entry.key), text(&entry.value))).collect();
    assert_eq!(known, wanted);
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_of_another_store_are_told_as_lost() {
    let store = EmbeddedStore::in_memory().await.unwrap();
    store.commit(Txn::new().put("k", "v")).await.unwrap();
    let options = WatchOptions::default().from(Revision::new(1000).unwrap());
    let mut watch = store.watch(vec![KeyRange::all()], options).await.unwrap();
    let begin = watch.next().await.unwrap();
    assert!(matches!(begin, Event::SnapshotBegin { cause: Cause::Regressed, .. }), "{begin:?}");
    store.close().await.unwrap();
}

/// A store that keeps only the last `keep_revisions` + 1 revisions, with a task that writes all the time.
async fn busy(keep_revisions: u64) -> (Arc<EmbeddedStore>, tokio::task::JoinHandle<()>) {
    let config = EmbeddedConfig { keep_revisions, in_memory: true, ..EmbeddedConfig::default() };
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    let kv = Kv::new(store.clone());
    let writer = tokio::spawn(async move {
        let mut number = 0_u64;
        while kv.put("other", number.to_string()).await.is_ok() {
            number += 1;
        }
    });
    (store, writer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_comes_to_its_end_also_where_little_history_is_kept() {
    let (store, writer) = busy(1).await;
    for number in 0..50 {
        let keys = 0..100;
        let txn = keys.fold(Txn::new(), |txn, key| txn.put(format!("k{number}/{key}"), "v"));
        store.commit(txn).await.unwrap();
    }
    let mut watch = store.watch(vec![KeyRange::prefix("k")], WatchOptions::default()).await.unwrap();
    let (mut items, mut begun) = (0, 0);
    let whole = async {
        loop {
            match watch.next().await.unwrap() {
                Event::SnapshotBegin { .. } => (items, begun) = (0, begun + 1),
                Event::Item(_) => items += 1,
                Event::SnapshotEnd { .. } => break,
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(60), whole).await.expect("the snapshot begins again and again");
    assert_eq!(items, 5000);
    assert!(begun <= 3, "it has begun {begun} times");
    store.close().await.unwrap();
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_range_is_no_reason_to_tell_all_the_others_again() {
    // No watch lags behind that far.
    let (store, writer) = busy(500).await;
    let mut watch = store.watch(vec![KeyRange::key("quiet")], WatchOptions::default()).await.unwrap();
    while !matches!(watch.next().await.unwrap(), Event::SnapshotEnd { .. }) {}
    // None of these writes concerns the watch.
    let begun = store.revision().await.unwrap().get();
    while store.revision().await.unwrap().get() < begun + 1000 {
        sleep(Duration::from_millis(5)).await;
    }
    watch.handle().add(KeyRange::key("added")).await.unwrap();
    let next = async {
        loop {
            match watch.next().await.unwrap() {
                Event::SnapshotBegin { range, cause, .. } => break (range, cause),
                Event::SnapshotEnd { .. } | Event::Item(_) => {}
                event => panic!("{event:?}"),
            }
        }
    };
    let begun = timeout(Duration::from_secs(20), next).await.unwrap();
    assert_eq!(begun, (KeyRange::key("added"), Cause::Added));
    store.close().await.unwrap();
    writer.await.unwrap();
}
