//! Random faults, with a checker of what was reported; and the contract of stores.

use crate::{
    faults::{Behind, behind},
    support::{SOON, connect},
};
use cninfra::{
    Result,
    keyval::{Applied, Event, Kv, Op, OpResult, Revisions as _, Store as _, Txn},
    testing::{StoreConformance, Subject},
};
use cninfra_etcd::EtcdStore;
use cninfra_testbed::{
    Etcd, Etcd36,
    history::{Cause, History, Item, Seen, Step, Write, rounds, seed},
    require,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::oneshot,
    time::{sleep, timeout},
};

/// Writes one value after the other, and records what is known of each write.
struct Writer {
    kv: Kv<EtcdStore>,
    random: fastrand::Rng,
    steps: Vec<Step>,
    number: u64,
}

impl Writer {
    async fn write(&mut self) {
        let key = format!("k{}", self.random.u8(..6));
        if self.random.u8(..4) == 0 {
            return self.delete(&key).await;
        }
        self.number += 1;
        let value = self.number.to_string();
        let write = Write::put(&key, &value);
        self.steps.push(match self.kv.put(&key, value).await {
            Ok(written) => write.applied(written.revision.unwrap().get()),
            Err(error) if error.applied() == Applied::No => write.nothing(),
            Err(_) => write.unknown(),
        });
    }

    async fn delete(&mut self, key: &str) {
        let write = Write::delete(key);
        let range = cninfra::keyval::KeyRange::key([self.kv.prefix(), key.as_bytes()].concat());
        let done = self.kv.store().commit(Txn::one(Op::delete(range, false))).await;
        self.steps.push(match done {
            Ok(outcome) => match &outcome.results[..] {
                [OpResult::Deleted { count: 1, .. }] => write.applied(outcome.revision.unwrap().get()),
                _ => write.nothing(),
            },
            Err(error) if error.applied() == Applied::No => write.nothing(),
            Err(_) => write.unknown(),
        });
    }

    async fn some(&mut self) {
        for _ in 0..self.random.u8(1..8) {
            self.write().await;
        }
    }

    /// Compacts at a deletion, if the key was there, since that change is the one most easily lost.
    async fn compact(&mut self) {
        self.some().await;
        let key = format!("k{}", self.random.u8(..6));
        self.delete(&key).await;
        let at = self.kv.store().revision().await.unwrap();
        self.kv.store().compact(at).await.unwrap();
        self.steps.push(Step::Compacted(at.get()));
        if self.random.bool() {
            self.some().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_what_is_told_is_what_has_happened() {
    require!(Etcd);
    whatever_fails(Etcd::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_what_is_told_is_what_has_happened_on_the_newer_one() {
    require!(Etcd36);
    whatever_fails(Etcd36::options().start()).await;
}

async fn whatever_fails(etcd: Etcd) {
    let seed = seed();
    let Behind { link, direct, through: _through, mut watch } = behind(&etcd).await;
    let random = fastrand::Rng::with_seed(seed);
    // Treat the existing keys as written by this writer.
    let before = direct.list("").all().await.unwrap();
    let steps = before.iter().map(|entry| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Write::put(&text(&entry.key), &text(&entry.value)).applied(entry.revision.unwrap().get())
    });
    let mut writer = Writer { kv: direct.clone(), random, steps: steps.collect(), number: 0 };
    let from = before.iter().filter_map(|entry| entry.revision).max().unwrap();
    let (tell, told) = oneshot::channel();
    let watching = tokio::spawn(async move {
        // The watch has already reported its first snapshot and one change: the history begins after them.
        let mut seen = vec![Seen::SnapshotBegin(Cause::Start)];
        seen.extend(before.iter().map(|entry| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Seen::Item(Item {
                key: text(&entry.key),
                value: text(&entry.value),
                revision: entry.revision.map(|it| it.get()),
            })
        }));
        seen.push(Seen::SnapshotEnd(Some(from.get())));
        while let Some(event) = watch.next().await {
            seen.push(Seen::from(&event));
            let is_last = |event: &Event| match event {
                Event::Changes { changes, .. } => changes.iter().any(|change| change.key == "last"),
                Event::Item(entry) => entry.key == "last",
                _ => false,
            };
            if is_last(&event) {
                break;
            }
        }
        // A snapshot is reported completely.
        while let Ok(Some(event)) = timeout(Duration::from_millis(500), watch.next()).await {
            seen.push(Seen::from(&event));
        }
        let _ = tell.send(());
        seen
    });
    // Each kind of fault equally often.
    let mut faults: Vec<usize> = (0..7 * rounds()).map(|round| round % 7).collect();
    writer.random.shuffle(&mut faults);
    for fault in faults {
        writer.some().await;
        match fault {
            0 => {
                link.cut();
                writer.some().await;
            }
            1 => {
                link.cut();
                writer.compact().await;
            }
            2 => {
                link.pause();
                let long = writer.random.u64(..4);
                sleep(Duration::from_secs(long)).await;
                writer.some().await;
            }
            3 => {
                etcd.kill();
                etcd.restart();
            }
            4 => {
                etcd.pause();
                // Some of these writes are applied later, with an unknown outcome.
                writer.write().await;
                etcd.resume();
            }
            5 => writer.compact().await,
            _ => {
                etcd.wipe();
                writer.steps.push(Step::Wiped);
                writer.some().await;
            }
        }
        link.restore();
        let pause = writer.random.u64(..600);
        sleep(Duration::from_millis(pause)).await;
    }
    // Waits until everything in flight has been applied.
    let began = Instant::now();
    while let Err(error) = direct.get("k0").await {
        assert!(began.elapsed() < SOON, "{error}");
    }
    let last = direct.put("last", "last").await.unwrap().revision.unwrap();
    writer.steps.push(Write::put("last", "last").applied(last.get()));
    timeout(2 * SOON, told).await.expect("it is told").unwrap();
    let end = direct.list("").all().await.unwrap();
    let end = end.iter().map(|entry| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Item { key: text(&entry.key), value: text(&entry.value), revision: entry.revision.map(|it| it.get()) }
    });
    let history = History { steps: writer.steps, seen: watching.await.unwrap(), end: end.collect(), from: None };
    match history.check_revisions() {
        Ok(told) => println!("{told:?}"),
        Err(wrong) => panic!("seed {seed}: {wrong}; {history:#?}"),
    }
}

struct Opened(Etcd);

impl Subject for Opened {
    type Store = EtcdStore;

    async fn open(&self) -> Result<Arc<EtcdStore>> {
        Ok(connect(self.0.endpoint()).await)
    }

    async fn close(&self, store: Arc<EtcdStore>) -> Result<()> {
        Ok(store.close().await?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_stores() {
    require!(Etcd);
    StoreConformance::of(Opened(Etcd::start())).with_revisions().with_leases().with_coordination().check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract_of_stores_on_the_newer_one() {
    require!(Etcd36);
    let subject = Opened(Etcd36::options().start());
    StoreConformance::of(subject).with_revisions().with_leases().with_coordination().check().await;
}
