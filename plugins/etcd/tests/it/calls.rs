//! Calls of the store: their answers, errors and limits.

use crate::{
    faults::is_end,
    support::{SOON, kv, soon, until},
};
use bytes::Bytes;
use cninfra::keyval::{
    Applied, At, Compare, Coordination, Cursor, Election, Expiry, KeyRange, Kv, LeaseId, Leases as _, Lock, Op,
    OpResult, PageRequest, Put, Reason, Revision, Revisions as _, Store as _, Txn, WatchOptions,
};
use cninfra::{config::ByteSize, testing::Link};
use cninfra_etcd::{Connection, EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, EtcdOptions, require};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read() {
    require!(Etcd);
    let etcd = Etcd::start();
    let all = kv(etcd.endpoint()).await;
    let kv = all.scoped("p/");
    let written = kv.put("a", "1").await.unwrap();
    let found = kv.get("a").await.unwrap().unwrap();
    assert_eq!((&*found.key, &*found.value), (&b"a"[..], &b"1"[..]));
    assert_eq!((found.revision, found.created, found.version), (written.revision, written.revision, Some(1)));
    assert_eq!(etcd.get("p/a").as_deref(), Some("1"));
    let again = kv.put("a", "").await.unwrap();
    let found = kv.get("a").await.unwrap().unwrap();
    assert_eq!((found.value.len(), found.version, found.created), (0, Some(2), written.revision));
    assert_eq!(kv.get_at("a", written.revision.unwrap()).await.unwrap().unwrap().value, "1");
    assert!(again.revision > written.revision);
    assert!(kv.delete("a").await.unwrap() && !kv.delete("a").await.unwrap());
    assert_eq!(kv.get("a").await.unwrap(), None);
    assert!(kv.put_if_absent("b", "1").await.unwrap() && !kv.put_if_absent("b", "2").await.unwrap());
    assert!(!kv.compare_and_swap("b", "0", "2").await.unwrap() && kv.compare_and_swap("b", "1", "2").await.unwrap());
    assert!(!kv.compare_and_delete("b", "1").await.unwrap() && kv.compare_and_delete("b", "2").await.unwrap());
    for key in ["x", "y", "z"] {
        kv.put(key, key).await.unwrap();
    }
    all.put("q", "beside").await.unwrap();
    assert_eq!(kv.delete_prefix("").await.unwrap(), 3);
    assert_eq!(all.list("").all().await.unwrap().len(), 1);
    all.store().close().await.unwrap();
    let error = all.get("q").await.unwrap_err();
    assert_eq!(*error.reason(), Reason::Closed, "{error}");
}

/// In the injected form of the store each call allocates its future, which glibc serves from a thread's cache up to a
/// size, and fast up to a smaller one. A put is in a seat, so its future is small.
#[tokio::test(flavor = "multi_thread")]
async fn there_is_room_at_hand_for_the_future_of_a_call() {
    const FAST: usize = 120;
    const AT_HAND: usize = 1032;
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let put = size_of_val(&kv.store().put(Put::new("k", "v", Expiry::Never)));
    let get = size_of_val(&kv.store().get("k".into(), At::Latest));
    assert!(put <= FAST && get <= AT_HAND, "a put has {put} bytes, a get {get}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_predecessor_wrote_is_read_byte_for_byte() {
    require!(Etcd);
    let etcd = Etcd::start();
    let value = "{\"name\":\"Peter Smith\",\"company\":\"Acme \\u003c\\u0026\\u003e Co\",\"title\":\"Dr. Žák\"}";
    etcd.ctl(&["put", "/vnf-agent/vpp1/contact/s", value]);
    let kv = kv(etcd.endpoint()).await.scoped("/vnf-agent/vpp1/");
    assert_eq!(kv.get("contact/s").await.unwrap().unwrap().value, value);
    // Also bytes that are no UTF-8, such as protobuf messages.
    let bytes: Vec<u8> = (0..=255).collect();
    kv.put([0xff, 0], bytes.clone()).await.unwrap();
    assert_eq!(kv.get([0xff, 0]).await.unwrap().unwrap().value, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_done_whole_or_not() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let first = kv.put("a", "1").await.unwrap().revision.unwrap();
    let txn = |value: &'static str| {
        Txn::new()
            .when("a", Compare::Value(value.into()))
            .when("b", Compare::Absent)
            .when("a", Compare::Revision(first))
            .when("a", Compare::Created(first))
            .when("a", Compare::Present)
            .when("b", Compare::Before(first))
            .put("b", "2")
            .delete("a")
            .get("c")
            .or_get("a")
    };
    let not = kv.commit(txn("0")).await.unwrap();
    assert!(!not.succeeded);
    assert!(matches!(&not.results[..], [OpResult::Got(found)] if found[0].value == "1"), "{not:?}");
    let done = kv.commit(txn("1")).await.unwrap();
    assert!(done.succeeded && done.revision == Revision::new(first.get() + 1));
    assert!(
        matches!(&done.results[..], [OpResult::Put { .. }, OpResult::Deleted { count: 1, .. }, OpResult::Got(none)] if none.is_empty())
    );
    let before = Txn::one(Op::delete(KeyRange::all(), true));
    let outcome = kv.commit(before).await.unwrap();
    assert!(matches!(&outcome.results[..], [OpResult::Deleted { count: 1, previous, .. }] if previous[0].value == "2"));
    let large = (0..129).fold(Txn::new(), |txn, i| txn.put(format!("k{i}"), ""));
    let error = kv.commit(large).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::TooLarge, Applied::No));
    let most = (0..128).fold(Txn::new(), |txn, i| txn.put(format!("k{i}"), ""));
    assert_eq!(kv.commit(most).await.unwrap().results.len(), 128);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_of_one_state() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    for chunk in 0..10 {
        let txn = (0..100).fold(Txn::new(), |txn, i| txn.put(format!("p/{:04}", chunk * 100 + i), "x".repeat(100)));
        kv.commit(txn).await.unwrap();
    }
    let mut request = PageRequest::new(KeyRange::prefix("p/"));
    request.max_items = 300;
    let first = kv.store().page(request.clone()).await.unwrap();
    assert_eq!(first.entries.len(), 300);
    kv.delete_prefix("p/").await.unwrap();
    let (mut all, mut page) = (Vec::new(), first);
    let at = page.at;
    loop {
        assert_eq!(page.at, at);
        all.extend(page.entries);
        let Some(cursor) = page.next else { break };
        request.cursor = Some(cursor);
        page = kv.store().page(request.clone()).await.unwrap();
    }
    assert_eq!(all.len(), 1000);
    assert!(all.is_sorted_by(|one, other| one.key < other.key));
    // A page is limited in bytes.
    request.cursor = None;
    (request.at, request.max_bytes) = (At::Revision(at.unwrap()), 1000);
    assert_eq!(kv.store().page(request.clone()).await.unwrap().entries.len(), 9);
    request.max_bytes = 0;
    assert_eq!(kv.store().page(request.clone()).await.unwrap().entries.len(), 1);
    request.keys_only = true;
    assert!(kv.store().page(request.clone()).await.unwrap().entries[0].value.is_empty());
    // A compacted revision is reported as such, and so are a future one and a malformed cursor.
    let newest = kv.store().revision().await.unwrap();
    kv.store().compact(newest).await.unwrap();
    let error = kv.store().page(request.clone()).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Compacted(None), Applied::No));
    let future = kv.get_at("p/0000", Revision::new(newest.get() + 1000).unwrap()).await.unwrap_err();
    assert_eq!(*future.reason(), Reason::Future);
    request.cursor = Some(Cursor(Bytes::from_static(b"short")));
    assert_eq!(*kv.store().page(request).await.unwrap_err().reason(), Reason::Invalid);
    // Compacting again is no error.
    kv.store().compact(newest).await.unwrap();
}

/// etcd does not limit pages in bytes: an answer that does not fit was transferred for nothing.
#[tokio::test(flavor = "multi_thread")]
async fn large_values_are_on_their_way_once() {
    require!(Etcd);
    let etcd = Etcd::start();
    let direct = kv(etcd.endpoint()).await;
    for number in 0..60 {
        direct.put(format!("p/large/{number:02}"), vec![b'.'; 1 << 20]).await.unwrap();
    }
    // Also a few large values among many small ones.
    for number in 0..2000 {
        direct
            .put(format!("p/mixed/{number:04}"), vec![b'.'; if number % 200 == 199 { 1 << 20 } else { 100 }])
            .await
            .unwrap();
    }
    let link = Link::to(etcd.addr()).unwrap();
    let through = kv(link.addr().to_string()).await;
    for (prefix, keys, bytes) in [("p/large/", 60, 60 << 20), ("p/mixed/", 2000, 10 << 20)] {
        let before = link.received();
        assert_eq!(through.list(prefix).all().await.unwrap().len(), keys);
        let received = link.received() - before;
        assert!(received < bytes * 3 / 2, "{prefix}: {received} bytes for {bytes}");
        let before = link.received();
        let mut watch = through.watch([prefix], WatchOptions::default()).await.unwrap();
        until(&mut watch, is_end).await;
        let received = link.received() - before;
        assert!(received < bytes * 3 / 2, "a snapshot of {prefix}: {received} bytes for {bytes}");
    }
    // However many entries are requested, a page keeps its limit in bytes; without a limit, it has all of them.
    let mut request = PageRequest::new(KeyRange::prefix("p/large/"));
    request.max_items = usize::MAX;
    let before = link.received();
    let page = through.store().page(request.clone()).await.unwrap().entries.len();
    assert!((1..=7).contains(&page), "{page}");
    let received = link.received() - before;
    assert!(received < 30 << 20, "{received} bytes for a page");
    request.max_bytes = usize::MAX;
    assert_eq!(through.store().page(request).await.unwrap().entries.len(), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_told_before_it_is_sent_and_by_the_server() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let most = kv.capabilities().max_value;
    let error = kv.put("k", vec![0; most + 1]).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::TooLarge, Applied::No));
    kv.put("k".repeat(8000), vec![0; most]).await.unwrap();
    kv.delete_prefix("k").await.unwrap();
    let value = vec![0; 900_000];
    let txn = Txn::new().put("a", value.clone()).put("b", value.clone()).put("c", value);
    let error = kv.commit(txn).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::TooLarge, Applied::No), "{error:?}");
    let help = error.help().unwrap();
    assert!(help.contains("2700003 bytes") && help.contains("--max-request-bytes"), "{help}");
    // More than the client's library accepts by default.
    for key in ["a", "b", "c", "d", "e", "f"] {
        kv.put(key, vec![b'x'; 1_000_000]).await.unwrap();
    }
    assert_eq!(kv.list("").all().await.unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_more_is_given_more() {
    require!(Etcd);
    let etcd = EtcdOptions::default().arg("--max-request-bytes=4194304").start();
    let config = EtcdConfig { max_value: ByteSize(3 << 20), ..EtcdConfig::at([etcd.endpoint()]) };
    let kv = Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()));
    kv.put("k", vec![0; 3 << 20]).await.unwrap();
    assert_eq!(kv.get("k").await.unwrap().unwrap().value.len(), 3 << 20);
    let error = kv.put("k", vec![0; (3 << 20) + 1]).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::TooLarge, Applied::No));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_is_granted_and_ends() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let written = kv.put_with("short", "1", Expiry::After(Duration::from_millis(500))).await.unwrap();
    // The shortest time to live that etcd grants.
    assert_eq!(written.ttl, Some(Duration::from_secs(2)));
    assert_eq!(kv.get("short").await.unwrap().unwrap().lease, written.lease);
    assert!(kv.put_if_absent_with("cas", "1", Expiry::After(Duration::from_secs(60))).await.unwrap());
    let lease = kv.get("cas").await.unwrap().unwrap().lease;
    assert!(lease.is_some() && lease != written.lease);
    assert!(kv.compare_and_swap("cas", "1", "2").await.unwrap());
    assert_eq!(kv.get("cas").await.unwrap().unwrap().lease, lease, "its life goes on");
    kv.put("cas", "3").await.unwrap();
    assert_eq!(kv.get("cas").await.unwrap().unwrap().lease, None, "it has no life of its own any more");
    // The lease of a put that was not executed is revoked.
    let leases = etcd.ctl(&["lease", "list"]);
    assert!(!kv.put_if_absent_with("cas", "4", Expiry::After(Duration::from_secs(60))).await.unwrap());
    assert_eq!(etcd.ctl(&["lease", "list"]), leases);
    let _ = soon("the end of it", || kv.get("short"), |found| found.as_ref().is_ok_and(Option::is_none)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_are_kept_and_revoked() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let store = kv.store();
    let (lease, life) = store.grant(Duration::from_millis(3001)).await.unwrap();
    assert_eq!(life, Duration::from_secs(4));
    kv.put_with("k", "v", Expiry::Lease(lease)).await.unwrap();
    assert_eq!(store.keep_alive(lease).await.unwrap(), life);
    assert!(store.time_left(lease).await.unwrap().unwrap() <= life);
    store.revoke(lease).await.unwrap();
    store.revoke(lease).await.unwrap();
    assert_eq!((kv.get("k").await.unwrap(), store.time_left(lease).await.unwrap()), (None, None));
    for error in [
        store.keep_alive(lease).await.unwrap_err(),
        kv.put_with("k", "v", Expiry::Lease(lease)).await.unwrap_err(),
        kv.commit(Txn::new().put_with("k", "v", Expiry::Lease(lease)).get("k")).await.unwrap_err(),
    ] {
        assert_eq!((error.reason(), error.applied()), (&Reason::NoLease(lease), Applied::No), "{error}");
    }
    let none = store.time_left(LeaseId(12345)).await.unwrap();
    assert_eq!(none, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_that_somebody_is_there_lives_as_long_as_he_does() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config =
        EtcdConfig { session_ttl: cninfra::config::Duration::from_secs(2), ..EtcdConfig::at([etcd.endpoint()]) };
    let one = Kv::new(Arc::new(EtcdStore::connect(config.clone()).await.unwrap()));
    let other = kv(etcd.endpoint()).await;
    let written = one.put_with("here", "1", Expiry::WithClient).await.unwrap();
    assert_eq!(one.put_with("too", "1", Expiry::WithClient).await.unwrap().lease, written.lease);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(other.get("here").await.unwrap().unwrap().lease, written.lease, "it is kept alive");
    // The lease is lost: keys that nobody else has written are restored.
    one.put_with("another", "1", Expiry::WithClient).await.unwrap();
    one.put_with("own", "1", Expiry::WithClient).await.unwrap();
    // A key that was put again without an expiry, and deleted since, is not restored.
    one.put("own", "2").await.unwrap();
    other.delete("own").await.unwrap();
    etcd.ctl(&["lease", "revoke", &written.lease.unwrap().to_string()]);
    other.put("another", "2").await.unwrap();
    let found = soon("it comes back", || other.get("here"), |found| matches!(found, Ok(Some(_)))).await;
    let found = found.unwrap().unwrap();
    assert!(found.value == "1" && found.lease.is_some() && found.lease != written.lease);
    let _ = soon("so does the other one", || other.get("too"), |found| matches!(found, Ok(Some(_)))).await;
    assert_eq!(other.get("another").await.unwrap().unwrap().value, "2");
    assert_eq!(other.get("own").await.unwrap(), None);
    // A put that finds the lease gone gets a new one.
    etcd.ctl(&["lease", "revoke", &found.lease.unwrap().to_string()]);
    one.put_with("third", "1", Expiry::WithClient).await.unwrap();
    let _ = soon("it comes back again", || other.get("here"), |found| matches!(found, Ok(Some(_)))).await;
    one.delete("too").await.unwrap();
    one.store().close().await.unwrap();
    assert!(other.get("here").await.unwrap().is_none() && other.get("third").await.unwrap().is_none());
    assert!(other.get("another").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_deleted_or_changed_comes_back_with_no_lease() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config =
        EtcdConfig { session_ttl: cninfra::config::Duration::from_secs(2), ..EtcdConfig::at([etcd.endpoint()]) };
    let (one, other) = (Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap())), kv(etcd.endpoint()).await);
    let keys = ["here", "deleted", "changed", "again"];
    for key in keys {
        one.put_with(key, "1", Expiry::WithClient).await.unwrap();
    }
    other.delete("deleted").await.unwrap();
    other.delete("again").await.unwrap();
    other.put("changed", "2").await.unwrap();
    let lease = one.put_with("again", "2", Expiry::WithClient).await.unwrap().lease.unwrap();
    // The change is noticed when the lease is kept alive.
    tokio::time::sleep(Duration::from_secs(2)).await;
    other.delete("changed").await.unwrap();
    etcd.ctl(&["lease", "revoke", &lease.to_string()]);
    for key in ["here", "again"] {
        let _ = soon("it comes back", || other.get(key), |found| matches!(found, Ok(Some(_)))).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    for key in ["deleted", "changed"] {
        assert_eq!(other.get(key).await.unwrap(), None, "{key}");
    }
    one.store().close().await.unwrap();
    assert_eq!(other.list("").all().await.unwrap(), []);
}

/// A store with a slow connection, and a key that ends with it.
async fn far(etcd: &Etcd) -> (Link, Kv<EtcdStore>) {
    let link = Link::to(etcd.addr()).unwrap();
    let far = kv(link.addr().to_string()).await;
    far.put_with("here", "1", Expiry::WithClient).await.unwrap();
    link.slow(Duration::from_millis(100));
    (link, far)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_is_dropped_may_be_called_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    let (link, far) = far(&etcd).await;
    // So that the request does not reach the server after all.
    link.cut();
    assert!(tokio::time::timeout(Duration::from_millis(50), far.store().close()).await.is_err());
    link.restore();
    // The key still exists, and no new key can be put that would end with the client.
    assert_eq!(far.get("here").await.unwrap().unwrap().value, "1");
    let error = far.put_with("late", "1", Expiry::WithClient).await.unwrap_err();
    assert_eq!((error.reason(), error.applied()), (&Reason::Closed, Applied::No), "{error:?}");
    far.store().close().await.unwrap();
    assert_eq!(etcd.get("here"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_close_it_wait_for_the_same() {
    require!(Etcd);
    let etcd = Etcd::start();
    let (_link, far) = far(&etcd).await;
    let close = async || (far.store().close().await.is_ok(), etcd.get("here"));
    assert_eq!(tokio::join!(close(), close()), ((true, None), (true, None)));
}

/// A handle keeps its statistics, but no connection.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_watch_keeps_no_connection() {
    require!(Etcd);
    let etcd = Etcd::start();
    let link = Link::to(etcd.addr()).unwrap();
    for closes in [true, false] {
        let through = kv(link.addr().to_string()).await;
        let watch = through.watch([""], WatchOptions::default()).await.unwrap();
        let handle = watch.handle().clone();
        assert!(link.connections() > 0);
        if closes {
            through.store().close().await.unwrap();
        } else {
            drop((through, watch));
        }
        let _ = soon("it has ended", async || link.connections(), |open| *open == 0).await;
        assert!(!format!("{handle:?}").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_agree_on_who_leads_and_who_has_a_lock() {
    require!(Etcd);
    let etcd = Etcd::start();
    let (one, other) = (kv(etcd.endpoint()).await, kv(etcd.endpoint()).await);
    let [one, other] = [one, other].map(|kv| Kv::new(kv.store().clone() as Arc<dyn Coordination>));
    let ttl = Duration::from_secs(5);
    let leads = Election::new(&one, "election", ttl).campaign("one").await.unwrap();
    let election = Election::new(&other, "election", ttl);
    let mut waits = Box::pin(election.campaign("other"));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut waits).await.is_err());
    leads.resign().await.unwrap();
    let next = tokio::time::timeout(SOON, waits).await.unwrap().unwrap();
    assert_eq!(next.loss(), None);
    let guard = Lock::new(&one, "lock", ttl).lock().await.unwrap();
    assert!(Lock::new(&other, "lock", ttl).try_lock().await.unwrap().is_none());
    guard.unlock().await.unwrap();
    assert!(Lock::new(&other, "lock", ttl).try_lock().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_told_and_found_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let mut connection = kv.store().connection();
    connection.wait_for(|state| *state == Connection::Up).await.unwrap();
    etcd.kill();
    let down = tokio::time::timeout(SOON, connection.wait_for(|state| matches!(state, Connection::Down(_)))).await;
    let down = format!("{:?}", *down.unwrap().unwrap());
    assert!(down.contains(&etcd.addr().to_string()), "{down}");
    let error = kv.put("k", "v").await.unwrap_err();
    // The connection was refused, so nothing was sent.
    assert_eq!((error.reason(), error.applied()), (&Reason::Unavailable, Applied::No), "{error:?}");
    assert!(error.help().is_some() && error.to_string().contains(&etcd.endpoint()));
    // A waiting call is executed when the server is back.
    let waiting = tokio::spawn({
        let kv = kv.clone();
        async move {
            loop {
                if kv.put("k", "v").await.is_ok() {
                    return;
                }
            }
        }
    });
    etcd.restart();
    waiting.await.unwrap();
    tokio::time::timeout(SOON, connection.wait_for(|state| *state == Connection::Up)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_leaves_a_write_unknown() {
    require!(Etcd);
    let etcd = Etcd::start();
    let config = EtcdConfig {
        operation_timeout: cninfra::config::Duration::from_millis(700),
        ..EtcdConfig::at([etcd.endpoint()])
    };
    let kv = Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()));
    kv.put("k", "1").await.unwrap();
    etcd.pause();
    // The server's threads stop one after the other.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let error = kv.put("k", "2").await.unwrap_err();
    let took = began.elapsed();
    assert!(matches!(error.reason(), Reason::TimedOut(_)), "{error}");
    assert_eq!(error.applied(), Applied::Unknown);
    assert!((Duration::from_millis(600)..Duration::from_secs(3)).contains(&took), "{took:?}");
    let error = kv.get("k").await.unwrap_err();
    assert_eq!(error.applied(), Applied::No, "a read changes nothing");
    etcd.resume();
    let _ = soon("an answer", || kv.get("k"), Result::is_ok).await;
}
