//! A range that the user may not read does not hold up the others.

use crate::{
    faults::{has, is_end, is_lost},
    support::{SOON, next, shown, soon, until},
};
use cninfra::keyval::{Applied, Event, KeyRange, Kv, Reason, Revisions as _, WatchOptions};
use cninfra_etcd::{Connection, EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::sync::Arc;

fn is_resumed(event: &Event) -> bool {
    *event == Event::Link(cninfra::keyval::Link::Resumed)
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_that_may_be_read_are_told() {
    require!(Etcd);
    let etcd = Etcd::start();
    for key in ["a/1", "m/1", "z/1"] {
        etcd.ctl(&["put", key, "0"]);
    }
    etcd.add_user("bob", "pw", "m/");
    etcd.enable_auth("rootpw");
    let kv = as_bob(&etcd).await;
    let mut watch = kv.watch(["a/", "m/", "z/"], WatchOptions::default()).await.unwrap();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin m/* Start", "item m/1=0", "end m/*"]);
    kv.put("m/1", "1").await.unwrap();
    assert_eq!(shown(&[next(&mut watch).await]), ["put m/1=1"]);
    let handle = watch.handle().clone();
    let _ = soon("it is counted", async || handle.stats(), |stats| stats.failures >= 2).await;
    // A user that may read the range later gets its snapshot then.
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "z/"]);
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin z/* Start", "item z/1=0", "end z/*"]);
    kv.put("z/1", "1").await.unwrap();
    assert_eq!(shown(&until(&mut watch, has("z/1")).await), ["put z/1=1"]);
    // A user that may no longer read it gets nothing of it. The server checks this when the watch begins again.
    etcd.ctl(&["role", "revoke-permission", "--prefix=true", "bob", "z/"]);
    handle.remove(KeyRange::prefix("a/")).await.unwrap();
    assert_eq!(shown(&[next(&mut watch).await]), ["removed a/*"]);
    kv.put("m/1", "2").await.unwrap();
    assert_eq!(shown(&until(&mut watch, has("m/1")).await), ["put m/1=2"]);
    // Also a range that contains other ranges.
    let failures = handle.stats().failures;
    handle.add(KeyRange::prefix("m")).await.unwrap();
    let _ = soon("it is refused", async || handle.stats(), |stats| stats.failures > failures).await;
    kv.put("m/1", "3").await.unwrap();
    assert_eq!(shown(&until(&mut watch, has("m/1")).await), ["put m/1=3"]);
}

async fn as_bob(etcd: &Etcd) -> Kv<EtcdStore> {
    Kv::new(Arc::new(EtcdStore::connect(of_bob(etcd)).await.unwrap()))
}

fn of_bob(etcd: &Etcd) -> EtcdConfig {
    EtcdConfig {
        username: Some("bob".to_string()),
        password: "pw".to_string().into(),
        ..EtcdConfig::at([etcd.endpoint()])
    }
}

/// The store was opened just now, so that it is not known yet whether the server answers.
#[tokio::test(flavor = "multi_thread")]
async fn who_watches_before_the_first_answer_is_refused_too() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "m/");
    etcd.enable_auth("rootpw");
    let kv = Kv::new(Arc::new(EtcdStore::open(of_bob(&etcd)).await.unwrap()));
    let error = kv.watch(["z/"], WatchOptions::default()).await.unwrap_err();
    assert_eq!(error.reason(), &Reason::Denied, "{error:?}");
}

/// The caller already has the watch, since the server was thought to be away.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_was_handed_over_before_its_refusal_goes_on() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "m/");
    etcd.enable_auth("rootpw");
    // For this test, the state of the connection does not change soon after the server is back.
    let config = EtcdConfig { reconnect_interval: (2 * SOON).into(), ..of_bob(&etcd) };
    let kv = Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()));
    etcd.kill();
    let mut connection = kv.store().connection();
    let is_down = connection.wait_for(|now| matches!(now, Connection::Down(_)));
    drop(tokio::time::timeout(SOON, is_down).await.unwrap().unwrap());
    etcd.restart();
    let mut watch = kv.watch(["z/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_lost).await;
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "z/"]);
    assert_eq!(shown(&until(&mut watch, is_end).await), ["Resumed", "begin z/* Start", "end z/*"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_may_be_read_there_is_no_watch() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "m/");
    etcd.enable_auth("rootpw");
    let kv = as_bob(&etcd).await;
    let now = kv.store().revision().await.unwrap();
    // With a snapshot first, and without.
    for options in [WatchOptions::default(), WatchOptions::default().from(now)] {
        let error = kv.watch(["z/", "y/"], options).await.unwrap_err();
        assert_eq!((error.reason(), error.applied()), (&Reason::Denied, Applied::No), "{error:?}");
        assert!(error.to_string().starts_with("watch of `"), "{error}");
        let range = error.range().unwrap().as_prefix().unwrap().escape_ascii().to_string();
        let help = error.help().unwrap();
        assert!(help.contains("`bob`"), "{help}");
        assert!(help.contains(&format!("grant-permission ROLE read --prefix=true '{range}'")), "{help}");
    }
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "z/"]);
    let mut watch = kv.watch(["z/", "y/"], WatchOptions::default()).await.unwrap();
    assert_eq!(shown(&until(&mut watch, is_end).await), ["begin z/* Start", "end z/*"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_may_be_read_any_more_it_is_lost_and_comes_back() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "m/");
    etcd.enable_auth("rootpw");
    let kv = as_bob(&etcd).await;
    let mut watch = kv.watch(["m/"], WatchOptions::default()).await.unwrap();
    until(&mut watch, is_end).await;
    etcd.ctl(&["role", "revoke-permission", "--prefix=true", "bob", "m/"]);
    // The server checks this when the watch begins again.
    watch.handle().add(KeyRange::prefix("z/")).await.unwrap();
    until(&mut watch, is_lost).await;
    assert!(watch.handle().stats().failures > 0);
    etcd.ctl(&["role", "grant-permission", "--prefix=true", "bob", "readwrite", "z/"]);
    let told = tokio::time::timeout(SOON, until(&mut watch, is_end)).await.unwrap();
    assert!(is_resumed(&told[0]), "{told:?}");
}
