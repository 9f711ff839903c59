//! A server that has lost its data, or has been replaced by another one, at the same address.

use crate::{
    faults::{Behind, behind, has, is_end, is_lost},
    support::{kv, shown, soon, until},
};
use cninfra::{
    keyval::{Expiry, KeyRange, Overflow, WatchOptions},
    testing::Link,
};
use cninfra_testbed::{Etcd, require};

#[tokio::test(flavor = "multi_thread")]
async fn revisions_that_begin_again_are_noticed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, direct, mut watch, through: _through } = behind(&etcd).await;
    for i in 0..50 {
        direct.put("k", format!("{i}")).await.unwrap();
    }
    until(&mut watch, |event| shown(std::slice::from_ref(event)) == ["put k=49"]).await;
    link.cut();
    until(&mut watch, is_lost).await;
    etcd.wipe();
    etcd.ctl(&["put", "p/new", "1"]);
    link.restore();
    let told = shown(&until(&mut watch, is_end).await);
    assert_eq!(told, ["Resumed", "begin * Regressed", "item new=1", "end *"]);
    etcd.ctl(&["put", "p/after", "1"]);
    assert_eq!(shown(&until(&mut watch, has("after")).await), ["put after=1 (new)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_has_come_further_than_the_lost_one_is_noticed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, mut watch, direct: _direct, through: _through } = behind(&etcd).await;
    link.cut();
    until(&mut watch, is_lost).await;
    etcd.wipe();
    // The same keys at the same revisions: only one value differs.
    etcd.ctl(&["put", "p/first", "0"]);
    etcd.ctl(&["put", "p/live", "1"]);
    for i in 0..20 {
        etcd.ctl(&["put", "other", &i.to_string()]);
    }
    link.restore();
    let told = shown(&until(&mut watch, is_end).await);
    assert_eq!(told, ["Resumed", "begin * Replaced", "item first=0", "item live=1", "end *"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_range_is_looked_at_too() {
    require!(Etcd);
    let etcd = Etcd::start();
    let direct = kv(etcd.endpoint()).await;
    for i in 0..10 {
        direct.put("other", format!("{i}")).await.unwrap();
    }
    let link = Link::to(etcd.addr()).unwrap();
    let through = kv(link.addr().to_string()).await;
    let mut watch = through.watch(["p/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    link.cut();
    until(&mut watch, is_lost).await;
    etcd.wipe();
    etcd.ctl(&["put", "p/early", "1"]);
    for i in 0..20 {
        etcd.ctl(&["put", "other", &i.to_string()]);
    }
    link.restore();
    let told = shown(&until(&mut watch, is_end).await);
    assert_eq!(told, ["Resumed", "begin p/* Replaced", "item p/early=1", "end p/*"]);
}

/// The subscriber is slow, so nothing is asked of the server while it loses its data: nobody sees it go.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_replaced_while_nobody_asked_it_is_noticed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    kv.put("gone", "1").await.unwrap();
    let options = WatchOptions::default().with_queue(3, Overflow::Block);
    let mut watch = kv.watch([""], options).await.unwrap();
    until(&mut watch, is_end).await;
    for i in 0..5 {
        kv.put("k", format!("{i}")).await.unwrap();
    }
    let _ = soon("it is full", async || watch.handle().stats(), |stats| stats.overflows > 0).await;
    etcd.wipe();
    for i in 0..20 {
        etcd.ctl(&["put", "other", &i.to_string()]);
    }
    let mut told = shown(&until(&mut watch, is_end).await);
    assert_eq!(told.drain(..3).collect::<Vec<_>>(), ["put k=0 (new)", "put k=1", "put k=2"]);
    assert_eq!(told, ["begin * Replaced", "item other=19", "end *"]);
}

/// A snapshot was due already, for another cause.
#[tokio::test(flavor = "multi_thread")]
async fn data_that_is_lost_before_a_snapshot_is_noticed_by_it() {
    require!(Etcd);
    let etcd = Etcd::start();
    let kv = kv(etcd.endpoint()).await;
    let options = WatchOptions::default().with_queue(3, Overflow::Resnapshot);
    let mut watch = kv.watch(["a", "b"], options).await.unwrap();
    for _ in 0..2 {
        until(&mut watch, is_end).await;
    }
    for i in 0..5 {
        kv.put("a", format!("{i}")).await.unwrap();
    }
    let _ = soon("it overflows", async || watch.handle().stats(), |stats| stats.resnapshots > 0).await;
    etcd.wipe();
    etcd.ctl(&["put", "b", "new"]);
    let mut told = shown(&until(&mut watch, is_end).await);
    told.extend(shown(&until(&mut watch, is_end).await));
    told.retain(|told| told != "Lost" && told != "Resumed");
    assert_eq!(told, ["begin a* Regressed", "end a*", "begin b* Regressed", "item b=new", "end b*"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_cluster_at_the_same_address_is_noticed() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, mut watch, direct: _direct, through: _through } = behind(&etcd).await;
    link.cut();
    until(&mut watch, is_lost).await;
    etcd.replace("another");
    for i in 0..20 {
        etcd.ctl(&["put", "other", &i.to_string()]);
    }
    link.restore();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["Resumed", "begin * Replaced", "end *"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_is_there() {
    require!(Etcd);
    let etcd = Etcd::start();
    let Behind { link, direct, mut watch, through: _through } = behind(&etcd).await;
    watch.handle().add(KeyRange::prefix("p/in/")).await.unwrap();
    // Keys come and go in both ranges. When the connection is back, the state is as before.
    for round in 0..4 {
        for i in 0..5 {
            direct.put(format!("in/{round}-{i}"), "").await.unwrap();
            direct.put(format!("in/{round}-{i}"), "again").await.unwrap();
        }
        direct.delete_prefix(format!("in/{round}-1")).await.unwrap();
        direct.put("last", format!("{round}")).await.unwrap();
        link.cut();
        until(&mut watch, is_lost).await;
        direct.delete(format!("in/{round}-2")).await.unwrap();
        link.restore();
        direct.put("again", format!("{round}")).await.unwrap();
        let told = shown(&until(&mut watch, has("again")).await);
        assert!(told.iter().all(|told| !told.starts_with("begin")), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_with_a_client_is_written_to_a_server_that_has_lost_its_data() {
    require!(Etcd);
    let etcd = Etcd::start();
    let one = kv(etcd.endpoint()).await;
    for key in ["here", "deleted", "taken"] {
        one.put_with(key, "1", Expiry::WithClient).await.unwrap();
    }
    etcd.ctl(&["del", "deleted"]);
    // The change is noticed when the lease is kept alive.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    etcd.wipe();
    etcd.ctl(&["put", "taken", "2"]);
    soon("it is there", async || etcd.get("here"), |found| found.as_deref() == Some("1")).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!([etcd.get("deleted"), etcd.get("taken")], [None, Some("2".to_string())]);
    one.store().close().await.unwrap();
    assert_eq!([etcd.get("here"), etcd.get("taken")], [None, Some("2".to_string())]);
}
