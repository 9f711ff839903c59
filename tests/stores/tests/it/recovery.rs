//! How soon a watch has applied everything again after its server was killed, counted from the first read that succeeds
//! on a new connection.
//!
//! Whether it recovers, in the right order, is checked; how long it takes is printed (`--nocapture`), since that
//! depends on the machine.

use bytes::Bytes;
use cninfra::{
    BoxFuture,
    config::Duration as Limit,
    keyval::{
        At, Cause, Change, ChangeKind, Event, KeyRange, Kv, PageRequest, Result, Revision, Revisions, Txn, Watch,
        WatchOptions,
    },
    testing::Link,
};
use cninfra_etcd::{EtcdConfig, EtcdStore};
use cninfra_redis::{RedisConfig, RedisStore};
use cninfra_testbed::{Etcd, Redis, Server, require};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

const KEYS: usize = 10_000;
/// The keys of one transaction.
const CHUNK: usize = 100;
const PREFIX: &str = "p/";
/// Much more than it takes on a loaded machine.
const SOON: Duration = Duration::from_secs(60);
/// The time limit of the calls that poll whether the server is back.
const ASKING: Limit = Limit::from_millis(300);

fn key(number: usize) -> String {
    format!("{PREFIX}{number:05}")
}

/// Opens a new connection: with a time limit to poll the server, or with the default to use it.
type Open = fn(SocketAddr, Option<Limit>) -> BoxFuture<'static, Result<Kv>>;

fn etcd(addr: SocketAddr, limit: Option<Limit>) -> BoxFuture<'static, Result<Kv>> {
    let mut config = EtcdConfig::at([addr.to_string()]);
    config.operation_timeout = limit.unwrap_or(config.operation_timeout);
    Box::pin(async move { Ok(Kv::new(Arc::new(EtcdStore::connect(config).await?)).erase()) })
}

fn redis(addr: SocketAddr, limit: Option<Limit>) -> BoxFuture<'static, Result<Kv>> {
    let mut config = RedisConfig::at(addr.to_string());
    config.read_timeout = limit.unwrap_or(config.read_timeout);
    Box::pin(async move { Ok(Kv::new(Arc::new(RedisStore::connect(config).await?)).erase()) })
}

/// What a watcher knows.
#[derive(Clone, Default, Debug)]
struct Picture {
    values: BTreeMap<Bytes, Bytes>,
    /// The revision of its state, in a store with revisions.
    at: Option<Revision>,
    /// The keys of a snapshot that is not complete yet.
    coming: Option<BTreeMap<Bytes, Bytes>>,
    causes: Vec<Cause>,
    /// The number of changes that were reported.
    changes: usize,
    /// The first report that was out of order.
    wrong: Option<String>,
}

impl Picture {
    fn take(&mut self, event: Event) {
        match event {
            Event::SnapshotBegin { cause, .. } => {
                self.causes.push(cause);
                self.coming = Some(BTreeMap::new());
            }
            Event::Item(entry) => {
                self.coming.get_or_insert_default().insert(entry.key, entry.value);
            }
            Event::SnapshotEnd { at, .. } => {
                self.values = self.coming.take().unwrap_or_default();
                self.at = at;
            }
            Event::Changes { revision, changes, .. } => {
                if revision.is_some() && (revision <= self.at || self.coming.is_some()) {
                    self.wrong.get_or_insert_with(|| format!("{revision:?} after {:?}", self.at));
                }
                self.at = revision;
                self.changes += changes.len();
                changes.iter().for_each(|change| self.change(change));
            }
            _ => {}
        }
    }

    fn change(&mut self, Change { key, kind, .. }: &Change) {
        for values in [Some(&mut self.values), self.coming.as_mut()].into_iter().flatten() {
            match kind {
                ChangeKind::Put { entry, .. } => drop(values.insert(key.clone(), entry.value.clone())),
                _ => drop(values.remove(key)),
            }
        }
    }

    /// Whether everything up to this was reported: the state at its revision or later, or, without revisions, the same
    /// state.
    fn has_reached(&self, found: &Found) -> bool {
        let is_whole = self.coming.is_none();
        is_whole && if found.at.is_some() { self.at >= found.at } else { self.values == found.values }
    }
}

/// Applies the events of a watch until it ends.
fn picture_of(mut watch: Watch) -> watch::Receiver<Picture> {
    let (picture, seen) = watch::channel(Picture::default());
    tokio::spawn(async move {
        while let Some(event) = watch.next().await {
            picture.send_modify(|picture| picture.take(event));
        }
    });
    seen
}

/// Waits until the condition holds, and returns the picture at that moment, with the time.
async fn when(seen: &mut watch::Receiver<Picture>, is_so: impl FnMut(&Picture) -> bool) -> (Picture, Instant) {
    if let Ok(picture) = timeout(SOON, seen.wait_for(is_so)).await {
        let then = Instant::now();
        return (picture.unwrap().clone(), then);
    }
    let Picture { at, causes, changes, values, .. } = &*seen.borrow();
    panic!("not in time: {} keys at {at:?}, {causes:?}, {changes} changes", values.len())
}

/// The state of a store.
struct Found {
    values: BTreeMap<Bytes, Bytes>,
    at: Option<Revision>,
}

async fn found(kv: &Kv, at: At) -> Found {
    let mut request = PageRequest::new(KeyRange::prefix(PREFIX));
    request.at = at;
    let mut listing = kv.list_with(request);
    let mut values = BTreeMap::new();
    while let Some(entry) = listing.next().await.unwrap() {
        values.insert(entry.key, entry.value);
    }
    Found { values, at: listing.at() }
}

/// Writes and deletes, ignoring failures, until it is told to stop.
fn writer(kv: &Kv) -> (Arc<AtomicBool>, tokio::task::JoinHandle<usize>) {
    let stop = Arc::<AtomicBool>::default();
    let (kv, stopped) = (kv.clone(), stop.clone());
    let writing = async move {
        let mut written = 0;
        for number in 0.. {
            if stopped.load(Relaxed) {
                break;
            }
            let key = key(number * 7919 % KEYS);
            let done = if number % 10 == 9 {
                kv.delete(key).await.is_ok()
            } else {
                kv.put(key, format!("{number}")).await.is_ok()
            };
            match done {
                true => written += 1,
                false => sleep(Duration::from_millis(1)).await,
            }
        }
        written
    };
    (stop, tokio::spawn(writing))
}

/// A watcher of many keys, behind a link to its server, and a direct connection that writes.
struct Watched {
    open: Open,
    link: Link,
    direct: Kv,
    /// The connection of the watcher.
    _through: Kv,
    seen: watch::Receiver<Picture>,
}

async fn watched(open: Open, server: SocketAddr) -> Watched {
    let direct = open(server, None).await.unwrap();
    let value = Bytes::from(vec![b'x'; 100]);
    for first in (0..KEYS).step_by(CHUNK) {
        let txn = (first..first + CHUNK).fold(Txn::new(), |txn, number| txn.put(key(number), value.clone()));
        direct.commit(txn).await.unwrap();
    }
    let link = Link::to(server).unwrap();
    let through = open(link.addr(), None).await.unwrap();
    let watch = through.watch([PREFIX], WatchOptions::default()).await.unwrap();
    let mut seen = picture_of(watch);
    when(&mut seen, |picture| picture.values.len() == KEYS).await;
    Watched { open, link, direct, _through: through, seen }
}

impl Watched {
    /// The time when a new connection through the watcher's link gets its first response, and that connection.
    async fn answered(&self) -> (Kv, Instant) {
        let asking = async {
            loop {
                if let Ok(kv) = (self.open)(self.link.addr(), Some(ASKING)).await
                    && kv.get(key(0)).await.is_ok()
                {
                    return Instant::now();
                }
            }
        };
        let first = timeout(SOON, asking).await.expect("the server is there again");
        (self.direct.clone(), first)
    }

    /// Waits until the watcher has applied everything that a read after the first response has found; returns what the
    /// watcher knew then.
    async fn recovered(&mut self, what: &str, mut is_back: impl FnMut(&Picture) -> bool) -> Picture {
        let (kv, first) = self.answered().await;
        let found = found(&kv, At::Latest).await;
        let (picture, then) = when(&mut self.seen, |picture| is_back(picture) && picture.has_reached(&found)).await;
        let took = then.saturating_duration_since(first);
        println!("{what}: all applied {took:.0?} after the first read, {} keys", picture.values.len());
        assert_eq!(picture.wrong, None);
        picture
    }
}

fn kill_and_start(server: &Server) {
    server.kill();
    server.start();
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_goes_on_where_it_was() {
    require!(Etcd);
    let server = Etcd::start();
    let mut watched = watched(etcd, server.addr()).await;
    let (stop, writing) = writer(&watched.direct);
    sleep(Duration::from_millis(300)).await;
    kill_and_start(&server);
    let picture = watched.recovered("etcd, killed", |_| true).await;
    // It is exactly the state of the store at that revision.
    let then = found(&watched.direct, At::Revision(picture.at.unwrap())).await;
    assert!(picture.values == then.values, "another state than that of {:?}", picture.at);
    assert_eq!(picture.causes, [Cause::Start], "no change is lost, so there is no snapshot");
    sleep(Duration::from_millis(300)).await;
    stop.store(true, Relaxed);
    let written = writing.await.unwrap();
    let end = found(&watched.direct, At::Latest).await;
    let (picture, _) = when(&mut watched.seen, |picture| picture.has_reached(&end)).await;
    assert!(picture.values == end.values && picture.changes >= written, "{} of {written}", picture.changes);
    assert_eq!(picture.wrong, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn etcd_compacted_meanwhile_is_read_anew() {
    require!(Etcd);
    let server = Etcd::start();
    let mut watched = watched(etcd, server.addr()).await;
    let store = EtcdStore::connect(EtcdConfig::at([server.endpoint()])).await.unwrap();
    let (stop, writing) = writer(&watched.direct);
    sleep(Duration::from_millis(300)).await;
    watched.link.cut();
    kill_and_start(&server);
    server.wait();
    // A change that the watcher has not seen is written, and its history is compacted.
    let (_, before) = (watched.direct.put(key(1), "while away").await.unwrap(), watched.seen.borrow().at);
    let newest = store.revision().await.unwrap();
    assert!(Some(newest) > before);
    store.compact(newest).await.unwrap();
    watched.link.restore();
    let picture = watched.recovered("etcd, compacted", |picture| picture.causes.len() > 1).await;
    assert_eq!(picture.causes, [Cause::Start, Cause::Compacted]);
    let then = found(&watched.direct, At::Revision(picture.at.unwrap())).await;
    assert!(picture.values == then.values, "another state than that of {:?}", picture.at);
    stop.store(true, Relaxed);
    writing.await.unwrap();
    let end = found(&watched.direct, At::Latest).await;
    let (picture, _) = when(&mut watched.seen, |picture| picture.has_reached(&end)).await;
    assert!(picture.values == end.values);
    assert_eq!(picture.wrong, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_read_anew() {
    require!(Redis);
    let server = Redis::start();
    let mut watched = watched(redis, server.addr()).await;
    let (stop, writing) = writer(&watched.direct);
    sleep(Duration::from_millis(300)).await;
    // Without revisions, states can only be compared when nothing is written any more; some of it is still on its way
    // to the watcher.
    stop.store(true, Relaxed);
    writing.await.unwrap();
    kill_and_start(&server);
    let picture = watched.recovered("redis, killed", |picture| picture.causes.len() > 1).await;
    assert_eq!(picture.causes, [Cause::Start, Cause::Lost]);
    let end = found(&watched.direct, At::Latest).await;
    assert!(picture.values == end.values);
}
