//! What an outage writes to the log: a few lines, however many watches there are and however long it takes.

use crate::{
    faults::{is_end, is_lost},
    support::{soon, until},
};
use cninfra::{
    config::Config,
    keyval::{Event, KeyVal, Kv, Link, WatchOptions},
    logging::Output,
    prelude::*,
    testing::Link as Way,
};
use cninfra_etcd::{Etcd as Plugin, EtcdConfig, EtcdStore};
use cninfra_testbed::{Etcd, require};
use std::{
    future::Future,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Set in the child process, whose log belongs to one test alone.
const ALONE: &str = "CNINFRA_OUTAGE";
const WATCHES: usize = 100;

#[plugin]
struct User {
    store: Dep<dyn KeyVal>,
}

#[derive(Flavor)]
struct Watching {
    #[provides(dyn KeyVal)]
    etcd: Dep<Plugin>,
    user: Dep<User>,
}

async fn all(what: &str, told: &AtomicUsize) {
    let began = Instant::now();
    while told.load(Relaxed) < WATCHES {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not in time: {told:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn outage() {
    let etcd = Etcd::start();
    let config = Config::new().set("etcd", "endpoints", vec![etcd.endpoint()]);
    let config = config.set("etcd", "auto-compact", "1s").set("etcd", "operation-timeout", "500ms");
    let builder = Agent::<Watching>::builder().label("app").config(config);
    Output::stderr().libraries(&builder.loggers()).install();
    let agent = builder.start().await.unwrap();
    let kv = Kv::new(agent.user.store.clone().into_arc());
    let [begun, lost, resumed] = [(); 3].map(|()| Arc::<AtomicUsize>::default());
    for i in 0..WATCHES {
        let mut watch = kv.watch([format!("p/{i}/")], WatchOptions::default()).await.unwrap();
        let told = [&begun, &lost, &resumed].map(Arc::clone);
        tokio::spawn(async move {
            while let Some(event) = watch.next().await {
                let place = match event {
                    Event::SnapshotEnd { .. } => 0,
                    Event::Link(Link::Lost) => 1,
                    Event::Link(Link::Resumed) => 2,
                    _ => continue,
                };
                told[place].fetch_add(1, Relaxed);
            }
        });
    }
    all("begun", &begun).await;
    etcd.kill();
    all("lost", &lost).await;
    // In this time each watch is tried again.
    sleep(Duration::from_secs(4)).await;
    etcd.restart();
    all("resumed", &resumed).await;
    // The end is logged when all have been back for a moment.
    sleep(Duration::from_secs(5)).await;
    agent.close().await.unwrap();
}

/// The log of this function in a process of its own; `None` without etcd, or in that process itself.
fn log_of<F: Future<Output = ()>>(name: &str, run: impl Fn() -> F) -> Option<String> {
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run());
        return None;
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    let ended = alone.args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{log}");
    println!("{log}");
    Some(log)
}

/// The lines that contain this text.
fn of<'l>(log: &'l str, what: &str) -> Vec<&'l str> {
    log.lines().filter(|line| line.contains(what)).collect()
}

/// The two records of an outage: its begin and its end.
fn both(log: &str) -> [&str; 2] {
    of(log, ": etcd at ").try_into().unwrap_or_else(|told: Vec<_>| panic!("{} lines, and not two: {log}", told.len()))
}

#[test]
fn it_is_told_in_a_few_lines_for_all_watches() {
    require!(Etcd);
    let Some(log) = log_of("outage::it_is_told_in_a_few_lines_for_all_watches", outage) else { return };
    let [lost, back] = both(&log);
    assert!(lost.contains("WARN  cninfra_etcd") && lost.contains("/* is lost, and tried again"), "{lost}");
    assert!(back.contains("INFO  cninfra_etcd") && back.contains("no watch is lost any more, "), "{back}");
    assert!(back.contains("after the first one was (100 in all)"), "{back}");
    assert_eq!(of(&log, "the history was not compacted").len(), 1, "{log}");
    // Including the plugin's state, which follows the calls, and the warning that it compacts often.
    let lines = of(&log, " WARN ").len() + of(&log, " INFO ").len();
    assert_eq!(lines, 6, "{log}");
}

/// One of two watches is dropped, and the other one may no longer be read when the server answers again.
async fn refused() {
    Output::stderr().install();
    let etcd = Etcd::start();
    etcd.add_user("bob", "pw", "m/");
    etcd.enable_auth("rootpw");
    let link = Way::to(etcd.addr()).unwrap();
    let config = EtcdConfig {
        username: Some("bob".to_string()),
        password: "pw".to_string().into(),
        ..EtcdConfig::at([link.addr().to_string()])
    };
    let kv = Kv::new(Arc::new(EtcdStore::connect(config).await.unwrap()));
    let mut watches = Vec::new();
    for _ in 0..2 {
        let mut watch = kv.watch(["m/"], WatchOptions::default()).await.unwrap();
        until(&mut watch, is_end).await;
        watches.push(watch);
    }
    link.cut();
    for watch in &mut watches {
        until(watch, is_lost).await;
    }
    watches.pop();
    etcd.ctl(&["role", "revoke-permission", "--prefix=true", "bob", "m/"]);
    let handle = watches[0].handle().clone();
    let failures = handle.stats().failures;
    link.restore();
    let _ = soon("it is refused", async || handle.stats(), |stats| stats.failures > failures).await;
    sleep(Duration::from_secs(5)).await;
}

#[test]
fn it_is_over_for_watches_that_nobody_wants_and_that_are_refused() {
    require!(Etcd);
    let name = "outage::it_is_over_for_watches_that_nobody_wants_and_that_are_refused";
    let Some(log) = log_of(name, refused) else { return };
    assert_eq!(of(&log, "m/* is not watched, and is asked for again").len(), 1, "{log}");
    let [lost, back] = both(&log);
    assert!(lost.contains("the watch of m/* is lost"), "{lost}");
    assert!(back.contains("no watch is lost any more, ") && back.contains("(2 in all)"), "{back}");
}

/// Watches are requested while etcd is down, and begin when it is up.
async fn away() {
    Output::stderr().install();
    let etcd = Etcd::start();
    etcd.kill();
    let kv = Kv::new(Arc::new(EtcdStore::open(EtcdConfig::at([etcd.endpoint()])).await.unwrap()));
    let mut watches = Vec::new();
    for _ in 0..2 {
        watches.push(kv.watch(["w/"], WatchOptions::default()).await.unwrap());
    }
    for watch in &mut watches {
        until(watch, is_lost).await;
    }
    etcd.restart();
    for watch in &mut watches {
        until(watch, is_end).await;
    }
    // The end is logged when all have been there for a moment.
    sleep(Duration::from_secs(5)).await;
}

#[test]
fn a_watch_that_has_never_begun_was_not_lost() {
    require!(Etcd);
    let Some(log) = log_of("outage::a_watch_that_has_never_begun_was_not_lost", away) else { return };
    let [waits, begun] = both(&log);
    assert!(waits.contains("the watch of w/* cannot begin yet, and is tried again"), "{waits}");
    assert!(begun.contains("all watches have begun, ") && begun.contains(" could not (2 in all)"), "{begun}");
}
