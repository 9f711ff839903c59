//! [`EtcdStore`]: etcd as a store.

use crate::{
    Connection, EtcdConfig,
    convert::{bounds, entry, number, revision, start, state},
    core::Core,
    failure::Asked,
    monitor,
    session::Session,
    tasks::Tasks,
    txn::{self, Life},
    watch,
    wire::{Dial, misconfigured},
};
use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use cninfra::{
    BoxFuture,
    keyval::{
        Applied, At, Capabilities, Coordination, Cursor, Entry, Expiry, KeyRange, KvError, LeaseId, Leases, Op,
        OpResult, Page, PageRequest, Reason, Result, Revision, Revisions, Store, Txn, TxnOutcome, Watch, WatchOptions,
    },
};
use etcd_client::{Client, GetOptions};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long the files of TLS may take to be read.
const FILES: Duration = Duration::from_secs(5);

/// etcd as a store, with revisions, leases and watches that come back by themselves. All its tasks end with it: by [`close`](Self::close), or when it is dropped.
///
/// ```no_run
/// use cninfra::keyval::Kv;
/// use cninfra_etcd::{EtcdConfig, EtcdStore};
/// use std::sync::Arc;
///
/// # async fn example() -> cninfra::keyval::Result<()> {
/// let store = Arc::new(EtcdStore::connect(EtcdConfig::at(["127.0.0.1:2379"])).await?);
/// let contacts = Kv::new(store.clone()).scoped("contacts/");
/// contacts.put("alice", "555-0100").await?;
/// store.close().await
/// # }
/// ```
pub struct EtcdStore {
    core: Arc<Core>,
    session: Arc<Session>,
    tasks: Tasks,
}

impl EtcdStore {
    /// A store whose server has answered.
    ///
    /// # Errors
    /// The config is not valid, or the server does not answer within [`operation_timeout`](EtcdConfig::operation_timeout), or does not know the user.
    ///
    /// # Cancel safety
    /// Dropped, nothing is left of it.
    pub async fn connect(config: EtcdConfig) -> Result<Self> {
        let store = Self::open(config).await?;
        store.ping().await?;
        Ok(store)
    }

    /// A store whose server need not be there yet.
    ///
    /// # Errors
    /// The config is not valid.
    pub async fn open(config: EtcdConfig) -> Result<Self> {
        config.check().map_err(|invalid| misconfigured("look at etcd.conf".to_string(), format!("{invalid:?}")))?;
        let of_files = config.clone();
        let reading = tokio::task::spawn_blocking(move || Dial::new(&of_files));
        let dial = match timeout(FILES, reading).await {
            Ok(Ok(dial)) => dial?,
            Ok(Err(gone)) => return Err(KvError::new("connect", Reason::Closed).not_applied().because(gone)),
            Err(late) => return Err(misconfigured("a file of TLS can not be read".to_string(), late)),
        };
        let core = Arc::new(Core::new(config, dial));
        let store = EtcdStore { core: core.clone(), session: Arc::default(), tasks: Tasks::default() };
        store.tasks.spawn(monitor::run(core.clone()));
        if !core.config.auto_compact.is_zero() {
            store.tasks.spawn(compact_often(core));
        }
        Ok(store)
    }

    /// Asks whether the server is there, and most of its cluster.
    ///
    /// # Errors
    /// The endpoint, and why not.
    pub async fn ping(&self) -> Result<()> {
        monitor::probe(&self.core, *self.core.config.operation_timeout).await
    }

    /// How the connection is, as it changes. It is asked for once a second, and when a call or a watch finds it broken.
    #[must_use]
    pub fn connection(&self) -> tokio::sync::watch::Receiver<Connection> {
        self.core.connection.subscribe()
    }

    /// The client itself, for what the interface does not have; its calls have no limits but those they are given.
    ///
    /// # Errors
    /// The user is not known, or the server can not be asked.
    pub async fn client(&self) -> Result<Client> {
        let asked = Asked::to_read("connect", None);
        self.core.call(&asked, |wire| async move { Ok(wire.client.clone()) }).await
    }

    /// Ends its watches, its tasks, and what was written [with the client](Expiry::WithClient). What is asked of it later fails.
    ///
    /// # Errors
    /// What was written with the client could not be ended: it ends by itself, after [`session_ttl`](EtcdConfig::session_ttl).
    ///
    /// # Cancel safety
    /// Dropped, it has ended the tasks; it may be called again.
    pub async fn close(&self) -> Result<()> {
        let ended = if self.core.is_closed() { Ok(()) } else { self.session.end(&self.core).await };
        self.core.close();
        self.tasks.join().await;
        ended
    }

    fn asked(txn: &Txn, op: &'static str) -> Asked {
        let reads = txn.then.iter().chain(&txn.otherwise).all(|op| matches!(op, Op::Get(_)));
        Asked { writes: !reads, ..Asked::to_write(op, txn.subject()) }
    }

    /// The same with the lease that it may fail of.
    fn asked_with(txn: &Txn, op: &'static str, lives: &[Life]) -> Asked {
        Asked { lease: lives.iter().find_map(|life| life.lease), ..Self::asked(txn, op) }
    }

    /// The lives of all puts: a lease of its own for each that ends by itself.
    async fn lives(&self, txn: &Txn) -> Result<Vec<Life>> {
        let mut lives = Vec::new();
        for op in txn.then.iter().chain(&txn.otherwise) {
            let Op::Put(put) = op else { continue };
            let life = match put.expiry {
                Expiry::After(ttl) => {
                    self.core.grant(ttl).await.map(|(lease, ttl)| Life { lease: Some(lease), ttl: Some(ttl) })
                }
                Expiry::Lease(lease) => Ok(Life { lease: Some(lease), ttl: None }),
                Expiry::WithClient => {
                    let lease = self.session.lease(&self.core, &self.tasks).await;
                    lease.map(|lease| Life { lease: Some(lease), ttl: None })
                }
                _ => Ok(Life::default()),
            };
            match life {
                Ok(life) => lives.push(life),
                Err(error) => {
                    self.give_back(&lives).await;
                    return Err(not_begun(error, op));
                }
            }
        }
        Ok(lives)
    }

    /// Leases of puts that were not done. Those that can not be revoked end by themselves.
    async fn give_back(&self, lives: &[Life]) {
        for life in lives.iter().filter(|life| life.ttl.is_some()) {
            if let Some(lease) = life.lease {
                let _ = self.core.revoke(lease).await;
            }
        }
    }

    async fn commit_with(&self, txn: &Txn, lives: &[Life]) -> Result<TxnOutcome> {
        if let ([only], [], []) = (&*txn.then, &*txn.otherwise, &*txn.conditions) {
            return self.plain(txn, only, lives).await;
        }
        let request = txn::request(txn, lives);
        let asked = Self::asked_with(txn, "transaction", lives);
        let done = self.core.call(&asked, |wire| {
            let request = request.clone();
            async move { wire.kv.clone().txn(request).await }
        });
        let done = done.await?;
        let (succeeded, state) = (done.succeeded(), state(done.header()));
        let (then, otherwise) = lives.split_at(txn::puts(&txn.then).min(lives.len()));
        let (of_branch, others) = if succeeded { (then, otherwise) } else { (otherwise, then) };
        let results = txn::results(done.0.responses, of_branch)?;
        self.give_back(others).await;
        Ok(TxnOutcome::new(succeeded, revision(state), results))
    }

    /// One operation without a condition, by its own command.
    async fn plain(&self, txn: &Txn, only: &Op, lives: &[Life]) -> Result<TxnOutcome> {
        let (state, result) = match only {
            Op::Put(put) => {
                let life = lives.first().copied().unwrap_or_default();
                let options = txn::put_options(&put.expiry, life);
                let asked = Self::asked_with(txn, "put", lives);
                let done = self.core.call(&asked, |wire| {
                    let (key, value, options) = (put.key.to_vec(), put.value.to_vec(), options.clone());
                    async move { wire.kv.clone().put(key, value, Some(options)).await }
                });
                (state(done.await?.header()), OpResult::put(life.ttl, life.lease))
            }
            Op::Delete { range, previous, .. } => {
                let (key, end) = bounds(range);
                let options = txn::delete_options(end, *previous);
                let asked = Self::asked(txn, "delete");
                let done = self.core.call(&asked, |wire| {
                    let (key, options) = (key.clone(), options.clone());
                    async move { wire.kv.clone().delete(key, Some(options)).await }
                });
                let mut done = done.await?;
                let previous = std::mem::take(&mut done.0.prev_kvs).into_iter().map(entry).collect();
                let count = u64::try_from(done.deleted()).unwrap_or_default();
                (state(done.header()), OpResult::deleted(count, previous))
            }
            Op::Get(range) => {
                let (entries, state, _) = self.core.range("get", range, None, GetOptions::new()).await?;
                (state, OpResult::Got(entries))
            }
            _ => {
                let error = Self::asked(txn, "transaction").error(Reason::Unsupported("such operation"), Applied::No);
                return Err(error.at(self.core.endpoints().clone()));
            }
        };
        Ok(TxnOutcome::new(true, revision(state), vec![result]))
    }
}

/// The put was not begun, whatever became of its lease.
fn not_begun(error: KvError, op: &Op) -> KvError {
    let range = if let Op::Put(put) = op { KeyRange::key(&put.key) } else { KeyRange::all() };
    let reason = match error.reason() {
        // of a lease that nobody has asked for
        Reason::NoLease(_) => Reason::Unavailable,
        reason => reason.clone(),
    };
    let (endpoint, help) = (error.endpoint().map(str::to_string), error.help().map(str::to_string));
    let mut about = KvError::new("put", reason).not_applied().on(range).because(error);
    if let Some(endpoint) = endpoint {
        about = about.at(endpoint);
    }
    match help {
        Some(help) => about.with_help(help),
        None => about,
    }
}

impl Core {
    /// Reads a range: its entries, the state of the store, and whether there is more.
    pub(crate) async fn range(
        &self,
        op: &'static str,
        range: &KeyRange,
        from: Option<&Bytes>,
        options: GetOptions,
    ) -> Result<(Vec<Entry>, i64, bool)> {
        let (first, end) = bounds(range);
        let key = from.map_or(first, start);
        let options = options.with_range(end);
        let asked = Asked::to_read(op, Some(range.clone()));
        let read = self.call(&asked, |wire| {
            let (key, options) = (key.clone(), options.clone());
            async move { wire.kv.clone().get(key, Some(options)).await }
        });
        let mut read = read.await?;
        let entries = std::mem::take(&mut read.0.kvs).into_iter().map(entry).collect();
        Ok((entries, state(read.header()), read.more()))
    }

    /// The newest state, which most of the cluster agrees on.
    pub(crate) async fn newest(&self, of: &KeyRange) -> Result<i64> {
        Ok(self.range("revision", of, None, GetOptions::new().with_count_only()).await?.1)
    }

    /// How many keys a range had at a state.
    pub(crate) async fn count(&self, range: &KeyRange, at: i64) -> Result<i64> {
        let (key, end) = bounds(range);
        let options = GetOptions::new().with_range(end).with_revision(at).with_count_only();
        let asked = Asked::to_read("count", Some(range.clone()));
        let counted = self.call(&asked, |wire| {
            let (key, options) = (key.clone(), options.clone());
            async move { wire.kv.clone().get(key, Some(options)).await }
        });
        Ok(counted.await?.count())
    }

    /// A part of a range: see [`Store::page`].
    pub(crate) async fn page(&self, request: &PageRequest) -> Result<Page> {
        let malformed = || {
            let asked = Asked::to_read("list", Some(request.range.clone()));
            asked.error(Reason::Invalid, Applied::No).with_help("a cursor is of the page before, in the same store")
        };
        let (at, from) = match &request.cursor {
            Some(cursor) => {
                let (at, from) = parse(cursor).ok_or_else(malformed)?;
                (Some(at), Some(from))
            }
            None => match request.at {
                At::Revision(at) => (Some(number(at)), None),
                _ => (None, None),
            },
        };
        let mut options = GetOptions::new().with_limit(i64::try_from(request.max_items.max(1)).unwrap_or(0));
        if let Some(at) = at {
            options = options.with_revision(at);
        }
        if request.keys_only {
            options = options.with_keys_only();
        }
        let (mut entries, state, mut more) = self.range("list", &request.range, from.as_ref(), options).await?;
        let at = at.unwrap_or(state);
        let mut bytes = 0usize;
        let fits = entries.iter().take_while(|entry| {
            bytes = bytes.saturating_add(entry.key.len() + entry.value.len());
            bytes <= request.max_bytes
        });
        // one in any case
        let fits = fits.count().max(1);
        if fits < entries.len() {
            entries.truncate(fits);
            more = true;
        }
        let next = entries.last().filter(|_| more).map(|last| cursor(at, &last.key));
        Ok(Page::new(entries, next, revision(at)))
    }
}

/// The state that is read, and the first key that comes next: that of a zero byte more.
fn cursor(at: i64, last: &[u8]) -> Cursor {
    let mut bytes = BytesMut::with_capacity(9 + last.len());
    bytes.put_i64(at);
    bytes.put_slice(last);
    bytes.put_u8(0);
    Cursor(bytes.freeze())
}

fn parse(Cursor(bytes): &Cursor) -> Option<(i64, Bytes)> {
    let mut bytes = bytes.clone();
    (bytes.len() > 8).then(|| (bytes.get_i64(), bytes))
}

impl Store for EtcdStore {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        capabilities().refuse_get(&key, at)?;
        let options = match at {
            At::Revision(at) => GetOptions::new().with_revision(number(at)),
            _ => GetOptions::new(),
        };
        let (entries, ..) = self.core.range("get", &KeyRange::key(&key), None, options).await?;
        Ok(entries.into_iter().next())
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        capabilities().refuse_page(&request)?;
        self.core.page(&request).await
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        capabilities().refuse(&txn)?;
        let mut lives = self.lives(&txn).await?;
        let mut done = self.commit_with(&txn, &lives).await;
        // the lease of the client, which it does not know to be gone
        if let Err(error) = &done
            && error.applied() == Applied::No
            && is_of_client(&txn)
            && matches!(error.reason(), Reason::NoLease(_))
        {
            lives.iter().filter_map(|life| life.lease).for_each(|lease| self.session.lost(lease));
            self.give_back(&lives).await;
            lives = self.lives(&txn).await?;
            done = self.commit_with(&txn, &lives).await;
        }
        match &done {
            Ok(outcome) => {
                self.session.has_done(if outcome.succeeded { &txn.then } else { &txn.otherwise }, outcome.revision);
            }
            Err(error) if error.applied() == Applied::No => self.give_back(&lives).await,
            Err(_) => {}
        }
        done
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        capabilities().refuse_watch(&ranges, &options)?;
        if self.core.is_closed() {
            return Err(self.core.closed_error(&Asked::to_read("watch", ranges.first().cloned())));
        }
        Ok(watch::begin(self.core.clone(), &self.tasks, ranges, options))
    }
}

fn is_of_client(txn: &Txn) -> bool {
    let mut ops = txn.then.iter().chain(&txn.otherwise);
    ops.any(|op| matches!(op, Op::Put(put) if put.expiry == Expiry::WithClient))
}

/// As etcd is configured by default: a request has 1.5 MiB.
pub(crate) fn capabilities() -> Capabilities {
    Capabilities::all()
}

impl Revisions for EtcdStore {
    fn revision(&self) -> BoxFuture<'_, Result<Revision>> {
        Box::pin(async {
            let newest = self.core.newest(&KeyRange::key(monitor::PROBE_KEY)).await?;
            let unsaid =
                || Asked::to_read("revision", None).error(Reason::Other, Applied::No).because("it was not said");
            revision(newest).ok_or_else(unsaid)
        })
    }

    fn compact(&self, upto: Revision) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { compact(&self.core, upto).await })
    }
}

async fn compact(core: &Core, upto: Revision) -> Result<()> {
    // to do it twice is to do it once
    let asked = Asked::to_read("compact", None);
    core.call(&asked, |wire| async move { wire.kv.clone().compact(number(upto), None).await }).await.map(drop)
}

/// Throws away the history from time to time.
async fn compact_often(core: Arc<Core>) {
    let compacting = async {
        loop {
            tokio::time::sleep(*core.config.auto_compact).await;
            let done = match core.newest(&KeyRange::key(monitor::PROBE_KEY)).await.map(revision) {
                Ok(Some(newest)) => compact(&core, newest).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            match done {
                Ok(()) => {}
                // others do it, too
                Err(error) if matches!(error.reason(), Reason::Compacted(_)) => {}
                Err(error) => tracing::warn!(%error, "the history was not compacted"),
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = compacting => {}
    }
}

impl Leases for EtcdStore {
    fn grant(&self, ttl: Duration) -> BoxFuture<'_, Result<(LeaseId, Duration)>> {
        Box::pin(self.core.grant(ttl))
    }

    fn keep_alive(&self, lease: LeaseId) -> BoxFuture<'_, Result<Duration>> {
        Box::pin(self.core.keep_alive(lease))
    }

    fn revoke(&self, lease: LeaseId) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.core.revoke(lease))
    }

    fn time_left(&self, lease: LeaseId) -> BoxFuture<'_, Result<Option<Duration>>> {
        Box::pin(self.core.time_left(lease))
    }
}

impl Coordination for EtcdStore {}

impl fmt::Debug for EtcdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.core.connection.borrow().clone();
        let mut debug = f.debug_struct("EtcdStore");
        debug.field("endpoints", self.core.endpoints()).field("connection", &connection).finish_non_exhaustive()
    }
}
