//! What an outage writes into the log: a few lines, however many watches there are and however long it is.

use cninfra::{
    config::Config,
    keyval::{Event, KeyVal, Kv, Link, WatchOptions},
    logging::Output,
    prelude::*,
};
use cninfra_etcd::Etcd as Plugin;
use cninfra_testbed::{Etcd, require};
use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// For what has the log of a process for itself.
const ALONE: &str = "CNINFRA_OUTAGE";
const NAME: &str = "outage::it_is_told_in_a_few_lines_for_all_watches";
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
    // in which each of them is tried again
    sleep(Duration::from_secs(4)).await;
    etcd.restart();
    all("resumed", &resumed).await;
    // it is told when all have been back for a moment
    sleep(Duration::from_secs(5)).await;
    agent.close().await.unwrap();
}

#[test]
fn it_is_told_in_a_few_lines_for_all_watches() {
    require!(Etcd);
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        return runtime.block_on(outage());
    }
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args(["--exact", NAME, "--nocapture"]).env(ALONE, "1");
    let ended = alone.output().unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{log}");
    println!("{log}");
    let of = |what: &str| log.lines().filter(|line| line.contains(what)).collect::<Vec<_>>();
    let told = of(": etcd at ");
    let [lost, back] = told[..] else { panic!("{} lines, and not two: {log}", told.len()) };
    assert!(lost.contains("WARN  cninfra_etcd") && lost.contains("/* is lost, and tried again"), "{lost}");
    assert!(back.contains("INFO  cninfra_etcd") && back.contains("all 100 watches that were lost go on, "), "{back}");
    assert_eq!(of("the history was not compacted").len(), 1, "{log}");
    // with the plugin's state, which is that of calls, and a warning that it compacts often
    let lines = of(" WARN ").len() + of(" INFO ").len();
    assert_eq!(lines, 6, "{log}");
}
