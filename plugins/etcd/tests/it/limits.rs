//! Lost answers, late answers, and calls of a closed store.

use crate::support::{connect, kv, soon};
use cninfra::{
    keyval::{
        Applied, Compare, Expiry, Kv, LeaseId, Leases as _, Op, Put, Reason, Revision, Revisions as _, Txn,
        WatchOptions,
    },
    testing::Link,
};
use cninfra_etcd::{Connection, EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
    time::sleep,
};

fn config(endpoints: impl IntoIterator<Item = String>, limit: Duration) -> EtcdConfig {
    EtcdConfig { operation_timeout: cninfra::config::Duration(limit), ..EtcdConfig::at(endpoints) }
}

/// A proxy that loses the next answer, and closes the connection a moment later.
async fn forgetful(to: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, loses) = (listener.local_addr().unwrap(), Arc::<AtomicBool>::default());
    let asked = loses.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let loses = asked.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(to).await.unwrap();
                let ((mut asks, mut hears), (mut says, mut takes)) = (client.split(), server.split());
                let answers = async {
                    let mut piece = vec![0; 65536];
                    loop {
                        match says.read(&mut piece).await {
                            Ok(read @ 1..) if !loses.swap(false, Relaxed) => {
                                hears.write_all(&piece[..read]).await.unwrap()
                            }
                            // Requests still reach the server.
                            _ => return sleep(Duration::from_millis(300)).await,
                        }
                    }
                };
                tokio::select! {
                    _ = copy(&mut asks, &mut takes) => {}
                    () = answers => {}
                }
            });
        }
    });
    (addr, loses)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_whose_answer_is_lost_is_done() {
    require!(Etcd);
    let etcd = Etcd::start();
    let (addr, loses) = forgetful(etcd.addr()).await;
    let kv = kv(addr.to_string()).await;
    for round in 0..3 {
        let newest = kv.put("k", format!("{round}")).await.unwrap().revision.unwrap();
        loses.store(true, Relaxed);
        kv.store().compact(newest).await.unwrap();
        assert!(!loses.load(Relaxed), "no answer was lost");
        let before = Revision::new(newest.get() - 1).unwrap();
        assert_eq!(*kv.get_at("k", before).await.unwrap_err().reason(), Reason::Compacted(None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_may_have_been_done_where_no_answer_comes() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = Kv::new(Arc::new(EtcdStore::connect(config([etcd.endpoint()], Duration::from_secs(1))).await.unwrap()));
    let newest = kv.put("k", "1").await.unwrap().revision.unwrap();
    etcd.pause();
    sleep(Duration::from_millis(200)).await;
    let (compacted, granted, asked) =
        tokio::join!(kv.store().compact(newest), kv.store().grant(Duration::from_secs(5)), kv.store().revision());
    for (error, applied) in [
        (compacted.unwrap_err(), Applied::Unknown),
        (granted.unwrap_err(), Applied::Unknown),
        (asked.unwrap_err(), Applied::No),
    ] {
        assert!(matches!(error.reason(), Reason::TimedOut(_)), "{error}");
        assert_eq!(error.applied(), applied, "{error}");
    }
    etcd.resume();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_a_closed_store_was_not_done() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    kv.put("k", "1").await.unwrap();
    etcd.pause();
    sleep(Duration::from_millis(200)).await;
    let on_its_way = tokio::spawn({
        let kv = kv.clone();
        async move { kv.put("k", "2").await }
    });
    sleep(Duration::from_millis(300)).await;
    kv.store().close().await.unwrap();
    let error = on_its_way.await.unwrap().unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::Unknown), "{error}");
    for error in [
        kv.put("k", "3").await.unwrap_err(),
        kv.delete("k").await.unwrap_err(),
        kv.put_with("k", "3", Expiry::After(Duration::from_secs(5))).await.unwrap_err(),
        kv.put_with("k", "3", Expiry::WithClient).await.unwrap_err(),
        kv.commit(Txn::new().put("k", "3").put("l", "3")).await.unwrap_err(),
        kv.store().grant(Duration::from_secs(5)).await.unwrap_err(),
    ] {
        assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No), "{error}");
    }
    etcd.resume();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_breaks_off_what_waits_for_a_server_that_is_away() {
    require!(Etcd);
    let etcd = Etcd::start();
    let store = EtcdStore::connect(config([etcd.endpoint()], Duration::from_secs(20))).await.unwrap();
    let kv = Kv::new(Arc::new(store));
    etcd.kill();
    // Until the loss of the connection is noticed.
    sleep(Duration::from_millis(300)).await;
    let waiting = tokio::spawn({
        let kv = kv.clone();
        async move { kv.put("k", "1").await }
    });
    // Between two attempts, or during one.
    sleep(Duration::from_millis(700)).await;
    assert!(!waiting.is_finished(), "it waits");
    let began = Instant::now();
    kv.store().close().await.unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_lets_nobody_sign_on_is_passed_over() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("alice", "pw", "");
    etcd.enable_auth("rootpw");
    let deaf = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Each store begins with another member.
    for _ in 0..6 {
        let endpoints = [deaf.local_addr().unwrap().to_string(), etcd.endpoint()];
        let config = EtcdConfig {
            username: Some("alice".to_string()),
            password: "pw".to_string().into(),
            ..config(endpoints, Duration::from_secs(6))
        };
        let store = EtcdStore::connect(config).await.unwrap();
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_a_call_needs_has_the_time_of_one_call() {
    require!(Etcd);
    let etcd = Etcd::start();
    let link = Link::to(etcd.addr()).unwrap();
    let limit = Duration::from_millis(900);
    let store = Arc::new(EtcdStore::connect(config([link.addr().to_string()], limit)).await.unwrap());
    let kv = Kv::new(store);
    link.slow(Duration::from_millis(150));
    // About 300 ms for each lease.
    let txn = (0..20)
        .fold(Txn::new(), |txn, i| txn.put_with(format!("k{i}"), "", Expiry::After(Duration::from_secs(60 + i))));
    let began = Instant::now();
    let error = kv.commit(txn).await.unwrap_err();
    let took = began.elapsed();
    assert_eq!((error.reason(), error.applied()), (&Reason::TimedOut(limit), Applied::No), "{error:?}");
    assert!(took < 4 * limit, "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_live_equally_long_have_one_lease() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let [short, long] = [60, 90].map(|seconds| Expiry::After(Duration::from_secs(seconds)));
    let txn = (0..5).fold(Txn::new(), |txn, i| txn.put_with(format!("k{i}"), "", short));
    let or = |txn: Txn, key: &'static str, expiry| txn.or(Op::Put(Put::new(key, "", expiry)));
    let txn = or(or(txn, "other", short), "longer", long);
    let done = kv.commit(txn.clone()).await.unwrap();
    assert!(done.succeeded);
    let leases = || etcd.ctl(&["lease", "list"]).lines().count() - 1;
    assert_eq!(leases(), 1, "{}", etcd.ctl(&["lease", "list"]));
    let first = kv.get("k0").await.unwrap().unwrap().lease;
    assert!(first.is_some() && kv.get("k4").await.unwrap().unwrap().lease == first);
    // The other branch uses its lease, so that one is not revoked.
    let not = kv.commit(txn.when("k0", Compare::Absent)).await.unwrap();
    assert!(!not.succeeded);
    assert_eq!(leases(), 3);
    assert!(kv.get("other").await.unwrap().unwrap().lease.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_leases_the_one_that_is_gone_is_named() {
    require!(Etcd);
    let etcd = Etcd::start();
    let store =
        EtcdConfig { session_ttl: cninfra::config::Duration::from_secs(2), ..EtcdConfig::at([etcd.endpoint()]) };
    let kv = Kv::new(Arc::new(EtcdStore::connect(store).await.unwrap()));
    kv.put_with("here", "1", Expiry::WithClient).await.unwrap();
    let lease = kv.get("here").await.unwrap().unwrap().lease;
    let gone = LeaseId(i64::MAX);
    let txn = || Txn::new().put_with("a", "", Expiry::WithClient).put_with("b", "", Expiry::Lease(gone));
    let error = kv.commit(txn()).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::NoLease(gone), Applied::No), "{error}");
    // The client's lease was not gone: the key that ends with the client still exists, with the same lease.
    sleep(Duration::from_secs(4)).await;
    assert_eq!(kv.get("here").await.unwrap().unwrap().lease, lease);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_asked_as_often_as_the_config_says() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, asked) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let count = asked.clone();
    tokio::spawn(async move {
        // Connections are accepted, but not served.
        while listener.accept().await.is_ok() {
            count.fetch_add(1, Relaxed);
        }
    });
    let config = EtcdConfig {
        reconnect_interval: cninfra::config::Duration::from_secs(60),
        ..config([addr.to_string()], Duration::from_millis(500))
    };
    let store = EtcdStore::open(config).await.unwrap();
    let mut connection = store.connection();
    connection.wait_for(|state| matches!(state, Connection::Down(_))).await.unwrap();
    let before = asked.load(Relaxed);
    sleep(Duration::from_secs(4)).await;
    assert_eq!((before > 0, asked.load(Relaxed)), (true, before));
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_lost_once_however_often_it_is_tried_and_each_time_is_counted() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = Kv::new(connect(etcd.endpoint()).await);
    let watch = kv.watch([""], WatchOptions::default()).await.unwrap();
    let handle = watch.handle().clone();
    assert_eq!(handle.stats().failures, 0);
    etcd.kill();
    let _ = soon("it is counted", async || handle.stats(), |stats| stats.failures >= 3).await;
    // A snapshot and the report of the loss, but nothing else.
    assert!(handle.stats().queued <= 4, "{:?}", handle.stats());
}
