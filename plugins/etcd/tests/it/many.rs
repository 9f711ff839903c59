//! Thousands of watches of one store, on one processor: they wait for each other, and do not take a busy server for a
//! dead one.

use crate::support::kv;
use cninfra::keyval::{Event, Kv, Link as State, Watch, WatchOptions};
use cninfra_etcd::EtcdStore;
use cninfra_testbed::{Etcd, require};
use std::{
    io::copy,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::{task::JoinHandle, time::sleep};

/// The default; the variable `WATCHES` sets another number.
const WATCHES: usize = 1500;
/// A few seconds are enough, but a busy machine takes longer.
const WITHIN: Duration = Duration::from_secs(40);
/// Set in the child process, which runs on one processor.
const ALONE: &str = "CNINFRA_ONE_PROCESSOR";
const PUTS: usize = 10;

/// A proxy with threads of its own that counts connections.
fn counted(to: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (addr, count) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let counts = count.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            // While the server is down, connections are not counted.
            let Ok(server) = TcpStream::connect(to) else { continue };
            counts.fetch_add(1, Relaxed);
            for (from, to) in [(&client, &server), (&server, &client)] {
                let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                to.set_nodelay(true).unwrap();
                thread::spawn(move || {
                    let _ = copy(&mut from, &mut to);
                    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                });
            }
        }
    });
    (addr, count)
}

/// What all watches together have reported.
#[derive(Default, Debug)]
struct Totals {
    snapshots: AtomicUsize,
    changes: AtomicUsize,
    lost: AtomicUsize,
    resumed: AtomicUsize,
}

impl Totals {
    async fn take(&self, mut watch: Watch) {
        while let Some(event) = watch.next().await {
            let of = match event {
                Event::SnapshotEnd { .. } => &self.snapshots,
                Event::Changes { .. } => &self.changes,
                Event::Link(State::Lost) => &self.lost,
                Event::Link(State::Resumed) => &self.resumed,
                _ => continue,
            };
            of.fetch_add(1, Relaxed);
        }
    }
}

/// A task that writes all the time.
struct Writer {
    ends: Arc<AtomicBool>,
    writing: JoinHandle<(usize, Duration)>,
}

fn writer(kv: Kv<EtcdStore>) -> Writer {
    let ends = Arc::<AtomicBool>::default();
    let ended = ends.clone();
    let writing = tokio::spawn(async move {
        let (mut failed, mut longest) = (0, Duration::ZERO);
        while !ended.load(Relaxed) {
            let began = Instant::now();
            failed += usize::from(kv.put("other", "1").await.is_err());
            longest = longest.max(began.elapsed());
            sleep(Duration::from_millis(20)).await;
        }
        (failed, longest)
    });
    Writer { ends, writing }
}

impl Writer {
    /// Returns how many puts have failed, and how long the longest one took.
    async fn end(self) -> (usize, Duration) {
        self.ends.store(true, Relaxed);
        self.writing.await.unwrap()
    }
}

/// The number of a processor that this process may use.
fn processor() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    list.trim().split(['-', ',']).next().map(str::to_string)
}

#[test]
fn thousands_of_watches_begin_go_on_and_come_back() {
    require!(Etcd);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    if std::env::var_os(ALONE).is_some() {
        return runtime.block_on(thousands());
    }
    let mut alone = Command::new("taskset");
    alone.args(["-c", &processor().unwrap_or_default()]).arg(std::env::current_exe().unwrap());
    alone.args(["--exact", "many::thousands_of_watches_begin_go_on_and_come_back", "--nocapture"]);
    match alone.env(ALONE, "1").status() {
        Ok(status) => assert!(status.success()),
        // `taskset` is missing (util-linux): use all processors.
        Err(_) => runtime.block_on(thousands()),
    }
}

async fn thousands() {
    let watches = std::env::var("WATCHES").map_or(WATCHES, |watches| watches.parse().unwrap());
    let etcd = Etcd::start();
    let (addr, connections) = counted(etcd.addr());
    let (direct, through) = (kv(etcd.endpoint()).await, kv(addr.to_string()).await);
    direct.put("p/first", "0").await.unwrap();
    let told = Arc::<Totals>::default();
    let all = |what, of: fn(&Totals) -> &AtomicUsize, count: usize| {
        let told = &told;
        async move {
            let began = Instant::now();
            while of(told).load(Relaxed) < count {
                assert!(began.elapsed() < WITHIN, "{what}: not in time: {told:?}");
                sleep(Duration::from_millis(20)).await;
            }
            println!("{what}: {:.1?}; {told:?}", began.elapsed());
        }
    };
    let writing = writer(through.clone());
    // All at once: each call of `watch` waits for its first answer.
    for _ in 0..watches {
        let (told, through) = (told.clone(), through.clone());
        tokio::spawn(async move {
            let watch = through.watch(["p/"], WatchOptions::default()).await.unwrap();
            told.take(watch).await
        });
    }
    all("snapshots", |told| &told.snapshots, watches).await;
    direct.put("p/k", "0").await.unwrap();
    all("a change", |told| &told.changes, watches).await;
    sleep(Duration::from_secs(4)).await;
    let (failed, longest) = writing.end().await;
    let count = connections.load(Relaxed);
    println!("puts: {failed} failed, {longest:.1?} at most; {count} connections; {told:?}");
    assert_eq!((failed, count, told.lost.load(Relaxed)), (0, 2, 0));

    etcd.kill();
    all("lost", |told| &told.lost, watches).await;
    sleep(Duration::from_secs(1)).await;
    etcd.restart();
    // Earlier attempts are known to have failed.
    connections.store(0, Relaxed);
    let writing = writer(through.clone());
    all("resumed", |told| &told.resumed, watches).await;
    for i in 0..PUTS {
        direct.put("p/k", format!("{i}")).await.unwrap();
    }
    all("changes", |told| &told.changes, watches * (1 + PUTS)).await;
    let (failed, longest) = writing.end().await;
    let count = connections.load(Relaxed);
    println!("puts: {failed} failed, {longest:.1?} at most; {count} connections; {told:?}");
    assert_eq!((failed, told.lost.load(Relaxed)), (0, watches));
    // Connections that were begun while the server started may have been useless.
    assert!(count <= 2, "{count} connections");
}
