//! A store for tests: a map under a lock, too simple to need tests of its own. A test can make its calls fail.

use super::{
    At, Capabilities, Compare, Cursor, Entry, Event, Expiry, Feed, KeyRange, KvError, LeaseId, Leases, Op, OpResult,
    Page, PageRequest, Reason, Result, Revision, Store, Txn, TxnOutcome, Watch, WatchControl, WatchOptions, WatchStats,
};
use crate::BoxFuture;
use bytes::Bytes;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

#[derive(Default)]
pub(crate) struct Map {
    pub(crate) entries: Mutex<BTreeMap<Bytes, Entry>>,
    /// One is taken for each page request: the reason why it fails, or `None` if it succeeds.
    pub(crate) faults: Mutex<VecDeque<Option<Reason>>>,
    /// The requested number of entries of each page request.
    pub(crate) asked: Mutex<Vec<usize>>,
    /// The ranges of the last watch, and the feed for its events.
    pub(crate) watched: Mutex<Option<(Vec<KeyRange>, Feed)>>,
    /// Another client writes one of these to a key after each read.
    pub(crate) rewrites: Mutex<VecDeque<String>>,
    /// Reads never complete.
    pub(crate) hangs: AtomicBool,
    /// A page begins with the last key of the previous page, as may happen in a store without an order.
    pub(crate) repeats: AtomicBool,
}

impl Map {
    pub(crate) fn of(keys: impl IntoIterator<Item = (String, usize)>) -> Arc<Self> {
        let entries = keys.into_iter().map(|(key, len)| {
            let key = Bytes::from(key);
            (key.clone(), Entry::new(key, vec![b'.'; len]))
        });
        Arc::new(Map { entries: Mutex::new(entries.collect()), ..Map::default() })
    }

    fn holds(&self, key: &Bytes, is: &Compare) -> bool {
        let entries = self.entries.lock().unwrap();
        match (is, entries.get(key)) {
            (Compare::Absent, found) => found.is_none(),
            (Compare::Present, found) => found.is_some(),
            (Compare::Value(value), found) => found.is_some_and(|found| found.value == value),
            _ => false,
        }
    }

    fn apply(&self, op: Op) -> OpResult {
        let mut entries = self.entries.lock().unwrap();
        match op {
            Op::Put(put) => {
                entries.insert(put.key.clone(), Entry::new(put.key, put.value));
                let ttl = match put.expiry {
                    Expiry::After(ttl) => Some(ttl.max(Duration::from_secs(2))),
                    _ => None,
                };
                OpResult::put(ttl, None)
            }
            Op::Delete { range, .. } => {
                let before = entries.len();
                entries.retain(|key, _| !range.contains(key));
                OpResult::deleted((before - entries.len()) as u64, Vec::new())
            }
            Op::Get(range) => {
                OpResult::Got(entries.range::<Bytes, _>(range.bounds()).map(|(_, entry)| entry.clone()).collect())
            }
        }
    }
}

impl Store for Map {
    fn capabilities(&self) -> Capabilities {
        Capabilities { ordered: !self.repeats.load(Relaxed), ..Capabilities::all() }
    }

    async fn get(&self, key: Bytes, _: At) -> Result<Option<Entry>> {
        if self.hangs.load(Relaxed) {
            std::future::pending::<()>().await;
        }
        let mut entries = self.entries.lock().unwrap();
        let found = entries.get(&key).cloned();
        if let Some(value) = self.rewrites.lock().unwrap().pop_front() {
            entries.insert(key.clone(), Entry::new(key, value));
        }
        Ok(found)
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        self.asked.lock().unwrap().push(request.max_items);
        if let Some(Some(fault)) = self.faults.lock().unwrap().pop_front() {
            return Err(KvError::new("list", fault).not_applied().on(request.range));
        }
        let entries = self.entries.lock().unwrap();
        let from = request.cursor.map_or_else(|| request.range.start().clone(), |Cursor(from)| from);
        let mut found =
            entries.range(from..).filter(|(key, _)| request.range.contains(key)).map(|(_, entry)| entry.clone());
        let shown = |entry: Entry| match request.keys_only {
            true => Entry { value: Bytes::new(), ..entry },
            false => entry,
        };
        let page: Vec<Entry> = found.by_ref().take(request.max_items).map(shown).collect();
        let mut next = found.next().map(|entry| Cursor(entry.key));
        if let (Some(next), Some(last), true) = (&mut next, page.last(), self.repeats.load(Relaxed)) {
            *next = Cursor(last.key.clone());
        }
        Ok(Page::new(page, next, Revision::new(7)))
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        let succeeded = txn.conditions.iter().all(|condition| self.holds(&condition.key, &condition.is));
        let ops = if succeeded { txn.then } else { txn.otherwise };
        Ok(TxnOutcome::new(succeeded, Revision::new(7), ops.into_iter().map(|op| self.apply(op)).collect()))
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        let (feed, events) = Feed::new(&options);
        let watch = Watch::new(&ranges, events, Arc::new(Control(feed.clone())));
        *self.watched.lock().unwrap() = Some((ranges, feed));
        Ok(watch)
    }
}

/// Reports the beginning of a snapshot for each range that is added.
struct Control(Feed);

impl WatchControl for Control {
    fn add(&self, range: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let _ = self.0.send(Event::snapshot_begin(range, super::Cause::Added)).await;
            Ok(())
        })
    }
    fn remove(&self, _: KeyRange) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
    fn snapshot(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
    fn stats(&self) -> WatchStats {
        self.0.stats()
    }
}

impl Leases for Map {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        Box::pin(async move { Ok((LeaseId(1), ttl)) })
    }
    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(async move { Err(KvError::new("keep alive", Reason::NoLease(lease))) })
    }
    fn revoke(&self, _: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
    fn time_left(&self, _: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(async { Ok(None) })
    }
}
