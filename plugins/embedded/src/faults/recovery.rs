//! A disk that fails once, and how the store recovers.

use super::{
    machine::{Fault, Machine, SLOW},
    open,
};
use crate::{EmbeddedConfig, EmbeddedStore, Health};
use cninfra::config::ByteSize;
use cninfra::keyval::{
    Applied, Event, Expiry, KeyRange, Kv, LeaseId, Leases as _, Link, Reason, Revisions as _, Store as _, Txn, Watch,
    WatchOptions,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

const LONG: Duration = Duration::from_secs(10);

/// A watch of a key, after its first snapshot.
async fn watch(kv: &Kv<EmbeddedStore>, key: &'static str) -> Watch {
    let mut watch = kv.store().watch(vec![KeyRange::key(key)], WatchOptions::default()).await.unwrap();
    while !matches!(watch.next().await.unwrap(), Event::SnapshotEnd { .. }) {}
    watch
}

/// The value of the next change, as text.
async fn told(watch: &mut Watch) -> Option<String> {
    let change = async {
        loop {
            if let Event::Changes { changes, .. } = watch.next().await.unwrap() {
                return changes[0].value().map(|value| String::from_utf8_lossy(value).into_owned());
            }
        }
    };
    timeout(LONG, change).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_after_all_is_taken_in() {
    let machine = Machine::new(u64::MAX);
    let store = Arc::new(open(&machine).await);
    let kv = Kv::new(store.clone());
    let mut watch = watch(&kv, "short").await;
    let before = store.revision().await.unwrap().get();
    machine.fail_next(Fault::SyncUntold);
    let txn = Txn::new().put_with("short", "1", Expiry::After(Duration::from_millis(200))).put_with(
        "client",
        "1",
        Expiry::WithClient,
    );
    let error = kv.commit(txn).await.unwrap_err();
    assert_eq!(error.applied(), Applied::Unknown, "{error:?}");
    // Reads fail then, too, but only for a while.
    let error = kv.get("client").await.unwrap_err();
    assert!(error.is_transient() && *error.reason() == Reason::Unavailable, "{error:?}");
    let error = kv.put("k", "v").await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(matches!(&*store.health().borrow(), Health::Failed(why) if why.contains("the disk is away")));
    machine.come_back();
    // This happens without a write.
    assert_eq!(told(&mut watch).await, Some("1".to_string()));
    // The health is set after the watches were informed.
    let mut health = store.health();
    timeout(LONG, health.wait_for(|health| *health == Health::Well)).await.unwrap().unwrap();
    assert!(store.revision().await.unwrap().get() > before);
    let client = kv.get("client").await.unwrap().unwrap().lease.unwrap();
    assert!(store.time_left(client).await.unwrap().is_some(), "the lease of the client is not known");
    assert_eq!(told(&mut watch).await, None, "it lives for ever");
    // The next key of the client has the same lease.
    let again = kv.put_with("again", "", Expiry::WithClient).await.unwrap();
    assert_eq!(again.lease, Some(client));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_come_back_without_a_write() {
    let machine = Machine::new(u64::MAX);
    // Without a cache, each read is from the disk.
    let config = EmbeddedConfig { cache: ByteSize(0), ..EmbeddedConfig::default() };
    let kv = Kv::new(Arc::new(EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap()));
    kv.put("k", vec![b'v'; 100_000]).await.unwrap();
    // After this the writing thread has nothing to do.
    kv.store().revoke(LeaseId(1)).await.unwrap();
    machine.fail_next(Fault::Read);
    let error = kv.get("k").await.unwrap_err();
    assert!(format!("{error:?}").contains("the disk does not read"), "{error:?}");
    let read = async {
        while kv.get("k").await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, read).await.unwrap();
    kv.store().close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_panics_ends_no_watch() {
    let machine = Machine::new(u64::MAX);
    let config = EmbeddedConfig { cache: ByteSize(0), ..EmbeddedConfig::default() };
    let kv = Kv::new(Arc::new(EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap()));
    kv.put("k", "1").await.unwrap();
    // After this the writing thread has nothing to do, and the watch, which begins later, has nothing to read.
    kv.store().revoke(LeaseId(1)).await.unwrap();
    let mut watch = watch(&kv, "k").await;
    machine.fail_next(Fault::ReadPanics);
    let error = kv.get("k").await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Other, Applied::No), "{error:?}");
    assert!(error.to_string().starts_with("get of `k` at machine"), "{error:?}");
    machine.fail_next(Fault::ReadPanics);
    watch.handle().snapshot().await.unwrap();
    let event = timeout(LONG, watch.next()).await.unwrap();
    assert_eq!(event, Some(Event::Link(Link::Lost)));
    let snapshot = async { while !matches!(watch.next().await.unwrap(), Event::SnapshotEnd { .. }) {} };
    timeout(LONG, snapshot).await.unwrap();
    kv.put("k", "2").await.unwrap();
    assert_eq!(told(&mut watch).await, Some("2".to_string()));
    kv.store().close().await.unwrap();
}

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_a_watch_can_not_read_is_counted_and_logged() {
    // If there is only one subscriber, other threads can switch off what is logged.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _logs = tracing::subscriber::set_default(subscriber);
    let machine = Machine::new(u64::MAX);
    let config = EmbeddedConfig { cache: ByteSize(0), ..EmbeddedConfig::default() };
    let kv = Kv::new(Arc::new(EmbeddedStore::open_on(Box::new(machine.clone()), &config).await.unwrap()));
    kv.put("k", vec![b'v'; 100_000]).await.unwrap();
    // After this the writing thread has nothing to do.
    kv.store().revoke(LeaseId(1)).await.unwrap();
    let mut watch = watch(&kv, "k").await;
    assert_eq!(watch.handle().stats().failures, 0);
    machine.fail_next(Fault::Read);
    watch.handle().snapshot().await.unwrap();
    assert_eq!(timeout(LONG, watch.next()).await.unwrap(), Some(Event::Link(Link::Lost)));
    let told = "a watch cannot read what it watches, and tries again each 200ms: watch at machine: ";
    let text = log.text();
    assert!(text.contains("WARN") && text.contains(told) && text.contains("the disk does not read"), "{text}");
    assert_eq!(timeout(LONG, watch.next()).await.unwrap(), Some(Event::Link(Link::Resumed)));
    let failures = watch.handle().stats().failures;
    assert!(failures > 0, "{failures}");
    assert_eq!(log.text().matches("a watch cannot read").count(), 1, "{}", log.text());
    kv.store().close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_panic_of_the_thread_that_writes_it_goes_on_and_says_so() {
    let machine = Machine::new(u64::MAX);
    let store = Arc::new(open(&machine).await);
    let kv = Kv::new(store.clone());
    let mut watch = watch(&kv, "k").await;
    machine.fail_next(Fault::SyncPanics);
    let error = kv.put("k", "1").await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Other, Applied::Unknown), "{error:?}");
    let says_so = |health: &Health| matches!(health, Health::Failed(why) if why.contains("the disk is damaged"));
    timeout(LONG, store.health().wait_for(says_so)).await.unwrap().unwrap();
    kv.put("k", "2").await.unwrap();
    assert_eq!(*store.health().borrow(), Health::Well);
    while told(&mut watch).await != Some("2".to_string()) {}
    let error = store.close().await.unwrap_err();
    assert!(format!("{error:?}").contains("panicked"), "{error:?}");
    store.close().await.unwrap();
}

/// Earlier requests are completed, and the keys that end with the client end.
#[tokio::test(flavor = "multi_thread")]
async fn one_who_closes_it_waits_for_what_another_one_waits_for() {
    let machine = Machine::new(u64::MAX);
    let store = Arc::new(open(&machine).await);
    let kv = Kv::new(store.clone());
    kv.put_with("here", "", Expiry::WithClient).await.unwrap();
    let mut writes = JoinSet::new();
    machine.fail_next(Fault::SyncIsSlow);
    for key in ["first", "next"] {
        let kv = kv.clone();
        writes.spawn(async move { kv.put(key, "").await });
        // The next one waits until the first one is on the disk.
        sleep(SLOW / 6).await;
    }
    // Whichever of them finishes first.
    tokio::select! {
        closed = store.close() => closed.unwrap(),
        closed = store.close() => closed.unwrap(),
    }
    let syncs = machine.syncs();
    sleep(SLOW * 3).await;
    assert_eq!(machine.syncs(), syncs, "it goes on writing");
    for written in writes.join_all().await {
        written.unwrap();
    }
    let kv = Kv::new(Arc::new(open(&machine).await));
    let keys: Vec<_> = kv.list_keys("").all().await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["first", "next"]);
}
