//! Three members, of which one or most are gone.

use crate::{
    faults::{has, is_end, is_lost},
    support::{SOON, shown, until},
};
use cninfra::keyval::{Applied, Event, Expiry, Kv, Link, WatchOptions};
use cninfra_etcd::{Connection, EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, EtcdCluster, require};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

async fn kv(cluster: &EtcdCluster) -> Kv<EtcdStore> {
    let config = EtcdConfig::at(cluster.members().iter().map(Etcd::endpoint));
    Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()))
}

/// Repeats a put until it succeeds. A value may be written twice if it is not known whether a failed put was applied.
async fn put(kv: &Kv<EtcdStore>, value: usize) {
    let began = Instant::now();
    loop {
        match kv.put("k", format!("{value}")).await {
            Ok(_) => return,
            Err(error) => assert!(began.elapsed() < SOON, "{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_a_leader_loses_no_change() {
    require!(Etcd);
    let cluster = EtcdCluster::start();
    let kv = kv(&cluster).await;
    let mut watches = Vec::new();
    // One watch at each member, so one of them is at the leader.
    for _ in 0..3 {
        let kv = self::kv(&cluster).await;
        let mut watch = kv.watch([""], WatchOptions::default()).await.unwrap();
        until(&mut watch, is_end).await;
        watches.push((kv, watch));
    }
    for value in 0..3 {
        put(&kv, value).await;
    }
    cluster.kill_leader();
    for value in 3..6 {
        put(&kv, value).await;
    }
    kv.put("last", "").await.unwrap();
    for (_, watch) in &mut watches {
        let told = shown(&until(watch, has("last")).await);
        let mut values: Vec<&str> = told.iter().filter_map(|told| told.strip_prefix("put k=")).collect();
        // A put of unknown outcome may have been applied twice.
        values.dedup();
        assert_eq!(values, ["0 (new)", "1", "2", "3", "4", "5"], "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_goes_to_a_member_that_is_there() {
    require!(Etcd);
    let cluster = EtcdCluster::start();
    let leader = cluster.wait();
    cluster[(leader + 1) % 3].kill();
    for i in 0..6 {
        // Each store begins with another member.
        let kv = kv(&cluster).await;
        kv.put("k", format!("{i}")).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_the_others_is_no_server() {
    require!(Etcd);
    let cluster = EtcdCluster::start();
    let kv = kv(&cluster).await;
    let mut watch = kv.watch([""], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    put(&kv, 0).await;
    until(&mut watch, has("k")).await;
    cluster.kill_all_but(0);
    let began = Instant::now();
    until(&mut watch, is_lost).await;
    println!("noticed after {:.1?}", began.elapsed());
    let mut connection = kv.store().connection();
    timeout(SOON, connection.wait_for(|state| matches!(state, Connection::Down(_)))).await.unwrap().unwrap();
    let error = kv.get("k").await.unwrap_err();
    assert_eq!(error.applied(), Applied::No, "{error}");
    cluster.restart();
    put(&kv, 1).await;
    // The watch may have been resumed and lost again while the members started.
    let told = until(&mut watch, has("k")).await;
    let changes: Vec<String> = shown(&told).into_iter().filter(|told| told.starts_with("put")).collect();
    assert_eq!(changes, ["put k=1"], "{:?}", shown(&told));
    assert!(told.contains(&Event::Link(Link::Resumed)));
    assert!(timeout(Duration::from_secs(1), watch.next()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_with_a_client_is_kept_through_other_leaders_and_what_others_have_deleted_is_not() {
    require!(Etcd);
    let cluster = EtcdCluster::start();
    let config = EtcdConfig {
        session_ttl: cninfra::config::Duration::from_secs(4),
        ..EtcdConfig::at(cluster.members().iter().map(Etcd::endpoint))
    };
    let one = Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()));
    let other = kv(&cluster).await;
    for key in ["here", "too", "deleted"] {
        one.put_with(key, "1", Expiry::WithClient).await.unwrap();
    }
    let lease = one.get("here").await.unwrap().unwrap().lease.unwrap();
    for _ in 0..3 {
        cluster.kill_leader();
        let began = Instant::now();
        while other.get("here").await.is_err() {
            assert!(began.elapsed() < SOON);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        cluster.restart();
        let all = other.list("").all().await.unwrap();
        assert!(all.len() >= 2 && all.iter().all(|entry| entry.lease == Some(lease)), "{all:?}");
        other.delete("deleted").await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    cluster.members()[0].ctl(&["lease", "revoke", &lease.to_string()]);
    for key in ["here", "too"] {
        let began = Instant::now();
        while other.get(key).await.unwrap().is_none() {
            assert!(began.elapsed() < SOON);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(other.get("deleted").await.unwrap(), None);
    one.store().close().await.unwrap();
    assert_eq!(other.list("").all().await.unwrap(), []);
}
