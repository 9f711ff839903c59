//! What happens to leases and to the store itself from one opening to the next.

use cninfra::keyval::{
    Applied, At, Compare, Coordination, Election, Expiry, KeyRange, Kv, Leases as _, Loss, Reason, Revision,
    Revisions as _, Store as _, Txn, WatchOptions,
};
use cninfra_embedded::EmbeddedStore;
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn leases_go_on_while_the_store_is_closed() {
    let config = crate::config("leases");
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    let kv = Kv::new(store.clone());
    let (long, _) = store.grant(Duration::from_secs(60)).await.unwrap();
    kv.put_with("long", "", Expiry::Lease(long)).await.unwrap();
    kv.put_with("short", "", Expiry::After(Duration::from_millis(300))).await.unwrap();
    kv.put_with("client", "", Expiry::WithClient).await.unwrap();
    kv.put("stays", "").await.unwrap();
    store.close().await.unwrap();
    sleep(Duration::from_millis(1500)).await;
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    let kv = Kv::new(store.clone());
    let left = store.time_left(long).await.unwrap().unwrap();
    assert!((Duration::from_secs(50)..Duration::from_secs(59)).contains(&left), "{left:?}");
    timeout(Duration::from_secs(5), async {
        while kv.get("short").await.unwrap().is_some() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
    let keys: Vec<_> = kv.list_keys("").all().await.unwrap().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, ["long", "stays"]);
    let next = store.revision().await.unwrap().get() + 1;
    assert_eq!(kv.put("stays", "").await.unwrap().revision.map(Revision::get), Some(next));
    store.close().await.unwrap();
}

#[tokio::test]
async fn keys_end_with_the_client_also_when_its_lease_was_revoked() {
    let config = crate::config("client-revoked");
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    let kv = Kv::new(store.clone());
    let first = kv.put_with("first", "", Expiry::WithClient).await.unwrap();
    let client = first.lease.unwrap();
    store.revoke(client).await.unwrap();
    assert_eq!(kv.get("first").await.unwrap(), None);
    assert_eq!(store.time_left(client).await.unwrap(), None);
    let second = kv.put_with("second", "", Expiry::WithClient).await.unwrap();
    let left = store.time_left(second.lease.unwrap()).await.unwrap();
    let longest = store.keep_alive(second.lease.unwrap()).await.unwrap();
    assert_eq!(left, Some(longest), "the lease of the new key is not there");
    assert!(std::time::Instant::now().checked_add(longest).is_some(), "{longest:?}");
    store.close().await.unwrap();
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    assert_eq!(Kv::new(store.clone()).get("second").await.unwrap(), None);
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_lease_of_one_key_is_no_other_keys() {
    let store = Arc::new(EmbeddedStore::in_memory().await.unwrap());
    let kv = Kv::new(store.clone());
    let own = kv.put_with("own", "", Expiry::After(Duration::from_secs(60))).await.unwrap().lease.unwrap();
    let other = kv.put_with("other", "", Expiry::Lease(own)).await.unwrap_err();
    assert_eq!((other.reason(), other.applied()), (&Reason::NoLease(own), Applied::No), "{other:?}");
    assert_eq!(kv.get("other").await.unwrap(), None);
    // A put that keeps the key's own lease still has it.
    let again = Txn::new().when("own", Compare::Present).put_with("own", "again", Expiry::Keep);
    assert!(kv.commit(again).await.unwrap().succeeded);
    assert!(store.time_left(own).await.unwrap().is_some());
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_closed_says_so() {
    let store = Arc::new(EmbeddedStore::in_memory().await.unwrap());
    let mut watch = store.watch(vec![KeyRange::all()], WatchOptions::default()).await.unwrap();
    let handle = watch.handle().clone();
    store.close().await.unwrap();
    store.close().await.unwrap();
    while watch.next().await.is_some() {}
    assert_eq!(*handle.add(KeyRange::key("k")).await.unwrap_err().reason(), Reason::Closed);
    let kv = Kv::new(store.clone());
    let put = kv.put("k", "v").await.unwrap_err();
    assert_eq!((put.reason(), put.applied()), (&Reason::Closed, Applied::No));
    assert_eq!(put.to_string(), "put of `k` at memory: the store is closed");
    let get = kv.get("k").await.unwrap_err();
    assert_eq!((get.reason(), &*get.to_string()), (&Reason::Closed, "get of `k` at memory: the store is closed"));
    assert_eq!(*store.revision().await.unwrap_err().reason(), Reason::Closed);
    assert_eq!(
        *store.watch(vec![KeyRange::all()], WatchOptions::default()).await.unwrap_err().reason(),
        Reason::Closed
    );
}

/// Paused time advances when all tasks wait, as they do for a thread: that must not make calls time out.
#[tokio::test(start_paused = true)]
async fn calls_take_their_time_where_tests_pause_it() {
    let store = EmbeddedStore::in_memory().await.unwrap();
    for number in 0..100 {
        let txn = cninfra::keyval::Txn::new().put("k", number.to_string());
        store.commit(txn).await.unwrap();
        assert!(store.get("k".into(), At::Latest).await.unwrap().is_some());
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn who_leads_has_resigned_when_the_store_is_closed() {
    let config = crate::config("resigned");
    for is_dropped in [true, false] {
        let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
        assert_eq!(Kv::new(store.clone()).list_keys("e/").all().await.unwrap(), []);
        let all: Arc<dyn Coordination> = store.clone();
        let election = Election::new(&Kv::new(all), "e", Duration::from_secs(60));
        let leads = Some(election.campaign("me").await.unwrap()).filter(|_| !is_dropped);
        store.close().await.unwrap();
        if let Some(leads) = leads {
            assert_eq!(leads.lost().await, Loss::Closed);
        }
    }
    let store = Arc::new(EmbeddedStore::open(&config).await.unwrap());
    assert_eq!(Kv::new(store.clone()).list_keys("e/").all().await.unwrap(), []);
    store.close().await.unwrap();
}
