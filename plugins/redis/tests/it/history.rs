//! [`Observed`]: a writer and a watcher, while something happens to the servers.

use crate::support::{SOON, kv};
use cninfra::keyval::{Applied, Kv, WatchOptions};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::history::{History, Item, ReportCounts, Seen, Step, Write, seed};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

/// A writer that makes numbered changes one after the other, and a watcher.
pub(crate) struct Observed {
    writer: RedisStore,
    watcher: RedisStore,
    prefix: String,
    stop: Arc<AtomicBool>,
    steps: Arc<Mutex<Vec<Step>>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    writing: JoinHandle<()>,
    watching: JoinHandle<()>,
    seed: u64,
}

impl Observed {
    /// Connects the writer and the watcher by their configs. Keys begin with `prefix`.
    pub(crate) async fn begin(writer: RedisConfig, watcher: RedisConfig, prefix: &str) -> Observed {
        let seed = seed();
        let (writer, watcher) =
            (RedisStore::connect(writer).await.unwrap(), RedisStore::connect(watcher).await.unwrap());
        let (steps, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let stop = Arc::new(AtomicBool::new(false));
        let mut watch = kv(&watcher).scoped(prefix).watch([""], WatchOptions::default()).await.unwrap();
        let watching = tokio::spawn({
            let seen = seen.clone();
            async move {
                while let Some(event) = watch.next().await {
                    seen.lock().unwrap().push(Seen::from(&event));
                }
            }
        });
        let keys = kv(&writer).scoped(prefix);
        let writing = tokio::spawn(write(keys, seed, steps.clone(), stop.clone()));
        let prefix = prefix.to_string();
        Observed { writer, watcher, prefix, stop, steps, seen, writing, watching, seed }
    }

    /// Records an event that the checker has to know.
    pub(crate) fn note(&self, step: Step) {
        self.steps.lock().unwrap().push(step);
    }

    /// How many writes have been acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        let steps = self.steps.lock().unwrap();
        steps.iter().filter(|step| matches!(step, Step::Write(write) if write.outcome == cninfra_testbed::history::Outcome::Applied(None))).count()
    }

    /// How many events of this kind were reported.
    pub(crate) fn told(&self, is: impl Fn(&Seen) -> bool) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| is(seen)).count()
    }

    /// Waits until so many more writes are acknowledged.
    pub(crate) async fn more(&self, count: usize) {
        let (began, before) = (Instant::now(), self.acknowledged());
        while self.acknowledged() < before + count {
            assert!(began.elapsed() < SOON, "of {count} writes {} are done", self.acknowledged() - before);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends the writes, waits until the watcher is up to date, and checks what was reported.
    pub(crate) async fn check(self) -> ReportCounts {
        self.stop.store(true, SeqCst);
        timeout(SOON, self.writing).await.unwrap().unwrap();
        let keys = kv(&self.writer).scoped(&self.prefix);
        // The last write need not be the last event, so the only sign that the watcher is up to date is that the check
        // succeeds.
        let began = Instant::now();
        let mut checked;
        loop {
            let end = keys.list("").all().await.unwrap_or_default();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let end = end.iter().map(|entry| Item::new(&text(&entry.key), &text(&entry.value), None)).collect();
            let (steps, seen) = (self.steps.lock().unwrap().clone(), self.seen.lock().unwrap().clone());
            let history = History { steps, seen, end, from: None };
            checked = history.check_convergence();
            // Only a missing event may still come.
            let may_come = matches!(&checked, Err(wrong) if wrong.event.is_none());
            if !may_come || began.elapsed() > SOON {
                if checked.is_err() {
                    let tail = history.seen.len().saturating_sub(30);
                    println!("{:#?}", &history.seen[tail..]);
                }
                break;
            }
            sleep(Duration::from_millis(50)).await;
        }
        println!("known after {:?}", began.elapsed());
        self.watcher.close().await.unwrap();
        self.writer.close().await.unwrap();
        timeout(SOON, self.watching).await.unwrap().unwrap();
        let told = checked.unwrap_or_else(|wrong| panic!("seed {}: {wrong}", self.seed));
        println!("{told:?}");
        told
    }
}

/// Each value is written once; each fifth write is a delete. The key `kept` is never deleted.
async fn write(keys: Kv<RedisStore>, seed: u64, steps: Arc<Mutex<Vec<Step>>>, stop: Arc<AtomicBool>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut number = 0;
    while !stop.load(SeqCst) {
        number += 1;
        let key = if random.u8(..4) == 0 { "kept".to_string() } else { format!("k{}", random.u8(..10)) };
        let (write, done) = if key != "kept" && random.u8(..5) == 0 {
            (Write::delete(&key), keys.delete(&key).await)
        } else {
            (Write::put(&key, &number.to_string()), keys.put(&key, number.to_string()).await.map(|_| true))
        };
        let step = match done {
            Ok(true) => write.acknowledged(),
            Ok(false) => write.nothing(),
            Err(error) if error.applied() == Applied::No => write.nothing(),
            Err(_) => write.unknown(),
        };
        steps.lock().unwrap().push(step);
        sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) fn is_lost(seen: &Seen) -> bool {
    *seen == Seen::Lost
}

pub(crate) fn is_begin(seen: &Seen) -> bool {
    matches!(seen, Seen::SnapshotBegin(_))
}
