//! Tests of etcd, alone and as a cluster.

use crate::{SHORT, is_there};
use cninfra::testing::Link;
use cninfra_testbed::{Certs, DEADLINE, Etcd, Etcd36, EtcdCluster, EtcdOptions, require, send};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

#[test]
fn what_is_written_survives_a_kill() {
    require!(Etcd);
    let etcd = Etcd::start();
    let pid = etcd.pid().unwrap();
    etcd.ctl(&["put", "name", "value"]);
    etcd.kill();
    assert!(!is_there(pid) && !etcd.is_running());
    assert!(etcd.try_ctl(&["get", "name"], SHORT).is_err(), "nobody is there");
    etcd.restart();
    assert_eq!(etcd.get("name").as_deref(), Some("value"));
    assert_ne!(etcd.pid(), Some(pid));
}

#[test]
fn it_ends_when_it_is_asked_to_and_when_it_is_dropped() {
    require!(Etcd);
    let etcd = EtcdOptions::default().arg("--enable-pprof").start();
    wait_for_signal_handlers(&etcd);
    etcd.pause();
    // Its own handler of the signal has ended it: the log says so.
    assert!(etcd.terminate().is_some());
    assert!(etcd.log().contains("received signal"), "{}", etcd.log());
    assert!(etcd.terminate().is_none());
    etcd.restart();
    let pid = etcd.pid().unwrap();
    drop(etcd);
    assert!(!is_there(pid));
}

/// Waits until etcd handles signals, which is a moment after it is ready: before that, SIGTERM kills it. It logs
/// nothing about it, and Go's runtime catches all signals from the start, so the system cannot tell, either. But etcd
/// lists its goroutines (with `--enable-pprof`), and the one that waits for a signal is started after the handler was
/// registered.
fn wait_for_signal_handlers(etcd: &Etcd) {
    let until = Instant::now() + DEADLINE;
    loop {
        let tasks = send(etcd.addr(), "GET", "/debug/pprof/goroutine?debug=1");
        // Without the suffix it would be the function that registers the handler, which may not be done yet.
        if tasks.as_ref().is_ok_and(|tasks| tasks.body.contains("osutil.HandleInterrupts.func1")) {
            return;
        }
        assert!(Instant::now() < until, "it handles no signals: {tasks:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn while_it_is_paused_a_call_waits() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.pause();
    thread::scope(|scope| {
        let call = scope.spawn(|| etcd.try_ctl(&["put", "name", "value"], Duration::from_secs(20)));
        thread::sleep(SHORT);
        assert!(!call.is_finished());
        etcd.resume();
        assert_eq!(call.join().unwrap(), Ok("OK\n".to_string()));
    });
}

#[test]
fn without_its_data_the_revisions_begin_again() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.ctl(&["put", "name", "value"]);
    etcd.ctl(&["put", "name", "other"]);
    let ids = |etcd: &Etcd| ["ClusterID", "MemberID", "Revision"].map(|field| etcd.status(field).unwrap());
    let before = ids(&etcd);
    etcd.wipe();
    let wiped = ids(&etcd);
    assert_eq!((wiped[0], wiped[1], wiped[2]), (before[0], before[1], 1));
    assert_eq!(etcd.get("name"), None);
    etcd.replace("another");
    let replaced = ids(&etcd);
    assert!(replaced[0] != before[0] && replaced[1] != before[1], "{before:?}, {replaced:?}");
}

#[test]
fn it_talks_tls() {
    require!(Etcd);
    let (certs, strangers) = (Arc::new(Certs::new()), Certs::new());
    let etcd = EtcdOptions::default().tls(&certs).start();
    assert!(etcd.endpoint().starts_with("https://"));
    etcd.ctl(&["put", "name", "value"]);
    assert_eq!(etcd.get("name").as_deref(), Some("value"));
    let plain = send(etcd.addr(), "GET", "/health");
    assert!(!plain.as_ref().is_ok_and(|answer| answer.status == 200), "not without TLS: {plain:?}");
    // A client that trusts another authority refuses the server.
    let stranger = strangers.ca().display().to_string();
    let refused = etcd.try_ctl(&["--cacert", &stranger, "get", "name"], SHORT);
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn with_mutual_tls_it_talks_only_to_those_it_knows() {
    require!(Etcd);
    let certs = Arc::new(Certs::new());
    let etcd = EtcdOptions::default().mutual_tls(&certs).start();
    etcd.ctl(&["put", "name", "value"]);
    assert_eq!(etcd.get("name").as_deref(), Some("value"));
    let strangers = Certs::new();
    let (cert, key) = (strangers.client().display().to_string(), strangers.client_key().display().to_string());
    let refused = etcd.try_ctl(&["--cert", &cert, "--key", &key, "get", "name"], SHORT);
    assert!(refused.is_err(), "{refused:?}");
}

#[test]
fn users_may_do_what_they_are_allowed_to() {
    require!(Etcd);
    let etcd = Etcd::start();
    etcd.enable_auth("secret");
    etcd.add_user("reader", "pass", "/mine/");
    etcd.ctl(&["put", "/mine/name", "value"]);
    let get = |user, key| etcd.ctl_as(user, &["get", "--print-value-only", key], Duration::from_secs(5));
    assert_eq!(get(Some("reader:pass"), "/mine/name"), Ok("value\n".to_string()));
    assert!(get(Some("reader:pass"), "/others/name").unwrap_err().contains("permission denied"));
    assert!(get(Some("reader:wrong"), "/mine/name").unwrap_err().contains("authentication failed"));
    assert!(get(None, "/mine/name").is_err());
}

#[test]
fn another_member_leads_when_the_leader_is_killed() {
    require!(Etcd);
    let cluster = EtcdCluster::start();
    let before = cluster.kill_leader();
    let after = cluster.wait();
    assert_ne!(before, after);
    cluster[after].ctl(&["put", "name", "value"]);

    cluster.kill_all_but(after);
    let alone = cluster[after].try_ctl(&["put", "name", "lost"], SHORT);
    assert!(alone.is_err(), "without the others nothing is written: {alone:?}");
    assert!(cluster.leader().is_err());
    let read = cluster[after].ctl(&["get", "--consistency=s", "--print-value-only", "name"]);
    assert_eq!(read, "value\n", "what it has can be read");

    cluster.restart();
    for member in cluster.members() {
        // The write during the lack of a majority may have been applied later.
        assert!(matches!(member.get("name").as_deref(), Some("value" | "lost")));
    }
    assert_eq!(cluster.endpoints().split(',').count(), 3);
}

#[test]
fn a_link_before_it_breaks_the_way() {
    require!(Etcd);
    let etcd = Etcd::start();
    let link = Link::to(etcd.addr()).unwrap();
    let ask = || send(link.addr(), "GET", "/health").map(|answer| answer.status).ok();
    assert_eq!(ask(), Some(200));
    link.cut();
    assert_eq!(ask(), None);
    link.restore();
    assert_eq!(ask(), Some(200));
}

#[test]
fn the_newer_one_is_of_its_series() {
    require!(Etcd36);
    let etcd = Etcd36::options().start();
    let version = send(etcd.addr(), "GET", "/version").unwrap().body;
    assert!(version.contains("\"etcdserver\":\"3.6."), "{version}");
    etcd.ctl(&["put", "name", "value"]);
    etcd.kill();
    etcd.restart();
    assert_eq!(etcd.get("name").as_deref(), Some("value"));
}
