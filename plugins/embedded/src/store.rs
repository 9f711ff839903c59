//! [`EmbeddedStore`]: the store as a library.

use crate::{
    EmbeddedConfig, Health,
    config::MOST_VALUE,
    control::Control,
    disk::damaged,
    engine::{Engine, Limits},
    medium::{InMemory, Medium, OnDisk},
    read::{self, UnreadableRevision, Wanted},
    teller::Teller,
    watchers::Watcher,
    work::{Done, Work},
    write::LEAST_LIFE,
};
use cninfra::client::Tasks;
use cninfra::{
    BoxFuture,
    keyval::{
        Applied, Asked, At, Bytes, Capabilities, Coordination, Cursor, Entry, Feed, Holder, Holders, KeyRange, KvError,
        LONGEST_LIFE, LeaseId, Leases, Op, Page, PageRequest, Reason, Result, Revision, Revisions, Store, Txn,
        TxnOutcome, Watch, WatchOptions,
    },
};
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::oneshot, task::spawn_blocking};

/// The largest number of entries and bytes of a page, whatever is requested.
const MOST: (usize, usize) = (100_000, 64 << 20);
/// The default path.
const PATH: &str = "data/embedded.redb";

/// A key-value store in one file, or in memory: see the [crate](crate).
///
/// ```
/// use cninfra::keyval::Kv;
/// use cninfra_embedded::EmbeddedStore;
/// use std::sync::Arc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), cninfra::keyval::KvError> {
/// let store = Arc::new(EmbeddedStore::in_memory().await?);
/// let contacts = Kv::new(store.clone()).scoped("contacts/");
/// contacts.put("alice", "555-0100").await?;
/// assert_eq!(contacts.get("alice").await?.map(|entry| entry.value), Some("555-0100".into()));
/// store.close().await?;
/// # Ok(())
/// # }
/// ```
pub struct EmbeddedStore {
    pub(crate) engine: Arc<Engine>,
    capabilities: Capabilities,
    tellers: Tasks,
    holders: Holders,
}

impl EmbeddedStore {
    /// Opens a store, in memory, or in a file that is created if it does not exist.
    ///
    /// # Errors
    /// Another store has the file open; or it is not a file of this store, or cannot be read or written. The error
    /// names the file.
    ///
    /// # Cancel safety
    /// If it is dropped, a store that is being opened is closed again as soon as it is open.
    pub async fn open(config: &EmbeddedConfig) -> Result<Self> {
        let medium: Box<dyn Medium> = match (&config.path, config.in_memory) {
            (_, true) => Box::new(InMemory::default()),
            (path, false) => Box::new(OnDisk::new(path.as_deref().unwrap_or(Path::new(PATH)))),
        };
        Self::open_on(medium, config).await
    }

    /// Opens a store in memory. Its data is lost when it is closed.
    ///
    /// # Errors
    /// The system provides no more threads.
    ///
    /// # Cancel safety
    /// As that of [`open`](Self::open).
    pub async fn in_memory() -> Result<Self> {
        Self::open(&EmbeddedConfig { in_memory: true, ..EmbeddedConfig::default() }).await
    }

    pub(crate) async fn open_on(medium: Box<dyn Medium>, config: &EmbeddedConfig) -> Result<Self> {
        let capabilities = capabilities(config);
        let limits =
            Limits { keep_revisions: config.keep_revisions, cache: size(config.cache.0), timeout: config.timeout.0 };
        let (tell, opened) = oneshot::channel();
        // If nobody waits for the result any more, the store is dropped, which closes it.
        let opening = spawn_blocking(move || {
            let name = Arc::from(medium.name());
            let opened = catch_unwind(AssertUnwindSafe(|| Engine::open(medium, limits)));
            drop(tell.send(opened.unwrap_or_else(|panic| Err(damaged(&name, &*panic)))))
        });
        let engine = match opened.await {
            Ok(engine) => engine?,
            Err(_) => return Err(no_answer("open", opening.await.err())),
        };
        Ok(EmbeddedStore {
            engine: Arc::new(engine),
            capabilities,
            tellers: Tasks::default(),
            holders: Holders::default(),
        })
    }

    /// Closes the store: earlier calls are completed, keys that end with the client are deleted, leaderships and locks
    /// are given up, and watches end. Then others may open the file. Closing it twice is no error.
    ///
    /// # Errors
    /// A thread of the store has panicked.
    ///
    /// # Cancel safety
    /// If it is dropped, the store is closed all the same.
    pub async fn close(&self) -> Result<()> {
        // Closing begins even if this future is dropped here.
        let begins = Begins(&self.engine);
        self.holders.end().await;
        drop(begins);
        self.tellers.join().await;
        let engine = self.engine.clone();
        spawn_blocking(move || engine.join()).await.map_err(|error| no_answer("close", Some(error)))?
    }

    /// The health of the store: the current value, and its changes.
    #[must_use]
    pub fn health(&self) -> tokio::sync::watch::Receiver<Health> {
        self.engine.shared.health.subscribe()
    }

    async fn submit(&self, work: Work) -> Result<Done> {
        self.engine.submit(work).await
    }
}

pub(crate) fn capabilities(config: &EmbeddedConfig) -> Capabilities {
    let mut capabilities = Capabilities::all();
    capabilities.max_txn_ops = config.max_txn_ops.max(1);
    capabilities.max_value = size(config.max_value.0.min(MOST_VALUE));
    capabilities.ttl_min = LEAST_LIFE;
    capabilities.ttl_granularity = Duration::from_millis(1);
    capabilities
}

/// Refuses keys that redb would not accept: its records may be three times as large as `MOST_VALUE`, and a record holds
/// a key and a value.
fn refuse_long_keys(txn: &Txn) -> Result<()> {
    let most = size(MOST_VALUE);
    let key = |op: &Op| match op {
        Op::Put(put) if put.key.len() > most => Some(put.key.len()),
        _ => None,
    };
    match txn.then.iter().chain(&txn.otherwise).find_map(key) {
        Some(is) => {
            let error = KvError::new(txn.op(), Reason::TooLarge).not_applied();
            Err(error.with_help(format!("the key has {is} bytes, the store takes {most}")))
        }
        None => Ok(()),
    }
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The error for a revision that cannot be read.
fn revision_error(asked: &Asked, why: UnreadableRevision) -> KvError {
    let reason = match why {
        UnreadableRevision::Compacted(oldest) => Reason::Compacted(Revision::new(oldest)),
        UnreadableRevision::Future => Reason::Future,
    };
    asked.error(reason, Applied::No)
}

/// The error if there is no answer, since the thread that should have given it has panicked.
fn no_answer(op: &'static str, error: Option<tokio::task::JoinError>) -> KvError {
    let told = KvError::new(op, Reason::Other);
    match error {
        Some(error) => told.because(error),
        None => told,
    }
}

/// The error for an answer of the wrong kind.
fn wrong_answer(op: &'static str) -> KvError {
    KvError::new(op, Reason::Other)
}

impl Store for EmbeddedStore {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        self.capabilities.refuse_get(&key, at)?;
        let asked = Asked::to_read("get", Some(KeyRange::key(&key)));
        let read = match at {
            At::Revision(at) => self.engine.read(asked.clone(), move |txn| read::get_at(txn, &key, at.get())).await?,
            _ => self.engine.read(asked.clone(), move |txn| read::get(txn, &key).map(Ok)).await?,
        };
        read.map_err(|why| revision_error(&asked, why))
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        self.capabilities.refuse_page(&request)?;
        let (at, from) = match &request.cursor {
            Some(cursor) => {
                let (at, from) = parse_cursor(cursor).ok_or_else(|| {
                    let error = KvError::new("list", Reason::Invalid).not_applied().on(request.range.clone());
                    error.with_help("the cursor is not of a page of this store")
                })?;
                (Some(at), from)
            }
            None => match request.at {
                At::Revision(at) => (Some(at.get()), request.range.start().clone()),
                _ => (None, request.range.start().clone()),
            },
        };
        let asked = Asked::to_read("list", Some(request.range.clone()));
        let read = self.engine.read(asked.clone(), move |txn| {
            let wanted = Wanted {
                range: &request.range,
                from: &from,
                keys_only: request.keys_only,
                max_items: request.max_items.min(MOST.0),
                max_bytes: request.max_bytes.min(MOST.1),
            };
            read::part(txn, &wanted, at)
        });
        let part = read.await?.map_err(|why| revision_error(&asked, why))?;
        let next = part.next.map(|key| Cursor(Bytes::from([&part.at.to_be_bytes(), &*key].concat())));
        Ok(Page::new(part.entries, next, Revision::new(part.at)))
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        self.capabilities.refuse(&txn)?;
        // Refused before it is queued: the writes that share its redb transaction would fail with it.
        refuse_long_keys(&txn)?;
        match self.submit(Work::Commit(txn)).await? {
            Done::Committed(outcome) => Ok(outcome),
            _ => Err(wrong_answer("transaction")),
        }
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        self.capabilities.refuse_watch(&ranges, &options)?;
        let subject = ranges.first().cloned();
        let (feed, events) = Feed::new(&options);
        let watcher = Arc::new(Watcher::new(ranges.clone()));
        self.engine.shared.watchers().add(watcher.clone());
        let from = options.from.map(Revision::get);
        let teller = Teller::new(self.engine.clone(), watcher.clone(), feed.clone(), options.previous, from);
        let (engine, control) = (
            self.engine.clone(),
            Arc::new(Control { watcher: watcher.clone(), feed: feed.clone(), capabilities: self.capabilities }),
        );
        let ends = Ends { engine: engine.clone(), watcher, feed: feed.clone() };
        let tells = async move {
            tokio::select! {
                () = teller.run() => {}
                () = engine.ended() => {}
                () = feed.ended() => {}
            }
            drop(ends);
        };
        // If it is not spawned, dropping it cleans up.
        if !self.tellers.spawn_unless(|| self.engine.is_closed(), tells) {
            return Err(self.engine.closed_error(&Asked::to_read("watch", subject)));
        }
        Ok(Watch::new(&ranges, events, control))
    }
}

/// Begins to close the store when it is dropped.
struct Begins<'e>(&'e Engine);

impl Drop for Begins<'_> {
    fn drop(&mut self) {
        self.0.begin_to_close();
    }
}

/// Cleans up when a watch ends, for whatever reason.
struct Ends {
    engine: Arc<Engine>,
    watcher: Arc<Watcher>,
    feed: Feed,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.engine.shared.watchers().remove(&self.watcher);
        self.watcher.requests().ended = true;
        self.feed.end();
    }
}

/// The revision of a page, and its first key.
fn parse_cursor(Cursor(cursor): &Cursor) -> Option<(u64, Bytes)> {
    let (at, _) = cursor.split_first_chunk()?;
    Some((u64::from_be_bytes(*at), cursor.slice(size_of::<u64>()..)))
}

impl Revisions for EmbeddedStore {
    fn revision(&self) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async {
            if self.engine.is_closed() {
                return Err(self.engine.closed_error(&Asked::to_read("revision", None)));
            }
            Revision::new(self.engine.shared.revision()).ok_or_else(|| wrong_answer("revision"))
        })
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.submit(Work::Compact(upto.get())).await.map(drop) })
    }
}

impl Leases for EmbeddedStore {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        Box::pin(async move {
            match self.submit(Work::Grant(ttl)).await? {
                Done::Granted(lease, ttl) => Ok((lease, ttl)),
                _ => Err(wrong_answer("grant")),
            }
        })
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(async move {
            match self.submit(Work::KeepAlive(lease)).await? {
                Done::Left(left) => Ok(left),
                _ => Err(wrong_answer("keep alive")),
            }
        })
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.submit(Work::Revoke(lease)).await.map(drop) })
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(async move {
            if self.engine.is_closed() {
                return Err(self.engine.closed_error(&Asked::to_read("time left", None)));
            }
            if lease.0 != 0 && self.engine.shared.client() == lease.0 {
                return Ok(Some(LONGEST_LIFE));
            }
            Ok(self.engine.shared.deadlines().time_left(lease.0, Instant::now()))
        })
    }
}

impl Coordination for EmbeddedStore {
    fn holder(&self) -> Holder {
        self.holders.holder()
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").field("at", self.engine.shared.disk.name()).finish_non_exhaustive()
    }
}

impl fmt::Display for EmbeddedStore {
    /// Shows the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.engine.shared.disk.name())
    }
}
