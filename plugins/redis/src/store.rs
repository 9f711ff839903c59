//! [`RedisStore`]: Redis as a store.

use crate::{
    Connection, RedisConfig,
    batch::BATCH,
    call::{self, Asks, Origin, To},
    command::Command,
    core::Core,
    failure::Asked,
    monitor,
    portion::Portion,
    scan::{Scan, put, take},
    session::{self, Session},
    tls, topology, txn,
    watch::{self, Control, Follower, Inbox},
    wire::Dial,
};
use bytes::Bytes;
use cninfra::client::Tasks;
use cninfra::keyval::{
    Applied, At, Capabilities, Condition, Cursor, Delivery, Entry, Expiry, Feed, KeyRange, KvError, Op, Page,
    PageRequest, Put, Reason, Result, Store, Txn, TxnOutcome, TxnScope, Watch, WatchOptions, Written,
};
use std::{fmt, result::Result as StdResult, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// Redis as a store: a single server, one with sentinels, or a cluster. Clones share the store. It needs Redis 6 or
/// newer.
///
/// It has no revisions, no leases, and no order of keys, and its [`Capabilities`] say so. Keys are UTF-8. Values are
/// plain strings of Redis. A call for a key of another kind fails and says so; watches, listings, and deletes and reads
/// of a prefix ignore such keys, also in a transaction with other operations. A put replaces such a key, and a delete
/// of exactly this key deletes it, as `SET` and `DEL` do.
///
/// - A transaction is one step of the server, whether it has one operation or many; in a cluster, all its keys must
///   have the same `{tag}`. A delete or a read of a prefix that is the only operation of its transaction, without
///   conditions, is done key by key instead, so that it does not block the server: others may see a part of it. With
///   other operations or conditions, it blocks the server while that examines all its keys.
/// - Reads, and writes of small values without an expiry, that come while others are in flight are sent together, as
///   one `MGET` or `MSET`; and after several came at once, the next one waits for others, for some microseconds. This
///   is not done in a cluster, or for a user who may not use these commands. Each call has its own answer, as if it
///   had been sent alone.
/// - A watch reports what was read for each key, in the order of the reads, and converges to the true state:
///   intermediate values may be left out. See [`WatchOptions`]. A range with a key that the user may not read has no
///   snapshot. A watch that has reported that range before reports [`Link::Lost`](cninfra::keyval::Link::Lost), and
///   nothing about that key; changes of other keys are reported as they come. The log has the key and the missing
///   permission. The range is read again from time to time. When all of it can be read, the watch reports `Resumed` and
///   the snapshot.
/// - A key that is put [with the client](cninfra::keyval::Expiry::WithClient) has a time to live of its own,
///   `session-ttl`, which is renewed: keys expire one by one. The client recognises its key by the value and the time
///   to live: if two clients put the same value, the first of them to end deletes it.
///
/// ```no_run
/// use cninfra::keyval::Kv;
/// use cninfra_redis::{RedisConfig, RedisStore};
/// use std::sync::Arc;
///
/// # async fn example() -> Result<(), cninfra::keyval::KvError> {
/// let store = RedisStore::connect(RedisConfig::at("127.0.0.1:6379")).await?;
/// let contacts = Kv::new(Arc::new(store.clone())).scoped("contacts/");
/// contacts.put("alice", "555-0100").await?;
/// store.close().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) core: Arc<Core>,
    pub(crate) session: Arc<Session>,
    tasks: Tasks,
    /// Held by the caller that is closing the store.
    closing: tokio::sync::Mutex<()>,
}

/// A `Watch` or a clone of its handle may outlive the store, but keeps no connection open.
impl Drop for Shared {
    fn drop(&mut self) {
        self.core.close();
        self.core.drop_nodes();
    }
}

impl RedisStore {
    /// Connects, and waits until the servers answer. If watches will be refused, because a server does not report
    /// changes or the user may not receive them, the log says so, and how to fix it: see [`mute`](Self::mute).
    /// Everything else works then.
    ///
    /// # Errors
    /// The servers do not answer in time, the user is not known, or a file for TLS cannot be read.
    pub async fn connect(config: RedisConfig) -> Result<Self> {
        let store = RedisStore::open(config).await?;
        match store.probe().await {
            Ok(()) => {
                // Only a warning: the store may be used without watches.
                match store.mute().await {
                    Ok(Some(why)) => tracing::warn!("watches will be refused: {why}"),
                    Ok(None) => {}
                    Err(error) => tracing::warn!("whether watches will be refused is not known: {error:#}"),
                }
                Ok(store)
            }
            Err(error) => {
                // The connect has already failed, so an error of `close` adds nothing.
                let _ = store.close().await;
                Err(error)
            }
        }
    }

    /// Like [`connect`](Self::connect), without waiting for the servers: calls wait for them, within their limits.
    ///
    /// # Errors
    /// The config cannot be used. This includes a file for TLS, which has to be read within `dial-timeout`.
    ///
    /// # Cancel safety
    /// If it is dropped, nothing has begun, except that such a file may still be read.
    pub async fn open(config: RedisConfig) -> Result<Self> {
        if !config.is_set() {
            let help = "set `endpoint`, or `endpoints` for sentinels and clusters, in redis.conf";
            return Err(KvError::new("connect", Reason::Invalid).not_applied().with_help(help));
        }
        config
            .check()
            .map_err(|invalid| tls::misconfigured("look at redis.conf".to_string(), format!("{invalid:#}")))?;
        let dial = Dial {
            username: config.username.clone(),
            password: config.password.clone(),
            database: config.db,
            tls: tls::read(&config.tls, config.dial_within()).await?,
            within: config.dial_within(),
            gathers: !config.is_cluster(),
        };
        let core = Arc::new(Core::new(config, dial));
        let (session, tasks) = (Arc::new(Session::default()), Tasks::default());
        tasks.spawn(topology::run(core.clone()));
        tasks.spawn(monitor::run(core.clone()));
        tasks.spawn(watch::listen(core.clone()));
        tasks.spawn(session::run(core.clone(), session.clone()));
        tasks.spawn(call::enforce_deadlines(core.clone()));
        Ok(RedisStore(Arc::new(Shared { core, session, tasks, closing: tokio::sync::Mutex::default() })))
    }

    /// Checks whether all servers answer.
    ///
    /// # Errors
    /// A server does not answer within `read-timeout`.
    pub async fn probe(&self) -> Result<()> {
        let core = &self.0.core;
        monitor::check(core, core.config.read_within()).await
    }

    /// Whether watches will be refused, because a server does not report changes, or the user may not receive them; if
    /// so, why, and how to fix it. This is checked now, on a connection for this purpose: first whether the server
    /// reports changes, then whether the user may subscribe to the channels of all keys.
    ///
    /// For a user who may not read the server's config (`CONFIG GET`), `None` means that a watch can be tried: whether
    /// it works is found out when it begins. A user who may subscribe only to the patterns of the keys that are watched
    /// is reported here, and can watch nevertheless.
    ///
    /// # Errors
    /// A server does not answer.
    pub async fn mute(&self) -> Result<Option<String>> {
        watch::mute(&self.0.core).await
    }

    /// The state of the connection, and its changes.
    #[must_use]
    pub fn connection(&self) -> tokio::sync::watch::Receiver<Connection> {
        self.0.core.connection.subscribe()
    }

    /// Where it is, for messages.
    #[must_use]
    pub fn endpoints(&self) -> &str {
        self.0.core.endpoints()
    }

    /// Closes the store: deletes what was written with the client, ends all watches, and fails calls that wait for an
    /// answer.
    ///
    /// # Errors
    /// What was written with the client could not be deleted. It expires after
    /// [`session_ttl`](RedisConfig::session_ttl). Everything else is done. Of several callers of `close`, only one gets
    /// the error.
    ///
    /// # Cancel safety
    /// If it is dropped before it has ended, it may be called again. Nothing can be written with the client any more.
    pub async fn close(&self) -> Result<()> {
        let Shared { core, session, tasks, closing } = &*self.0;
        // Concurrent calls of `close` run one after the other, so that none cuts off what another is still deleting.
        let _closing = closing.lock().await;
        let released = if core.is_closed() { Ok(()) } else { session.release(core).await };
        core.close();
        tasks.join().await;
        core.close_nodes().await;
        released
    }

    /// Runs a task until the store is closed, and then calls `then` once.
    pub(crate) fn until_closed(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
        then: impl FnOnce() + Send + 'static,
    ) {
        let core = self.0.core.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = core.closed() => {}
                () = task => {}
            }
            then();
        });
    }

    /// Runs a transaction that the capabilities allow.
    async fn commit_any(&self, txn: Txn) -> Result<TxnOutcome> {
        let asked = || Asked::of_txn(txn.op(), &txn);
        for Condition { key, .. } in &txn.conditions {
            refuse_key(&asked, key)?;
        }
        for op in txn.then.iter().chain(&txn.otherwise) {
            match op {
                Op::Put(put) => refuse_key(&asked, &put.key)?,
                Op::Delete { range, .. } | Op::Get(range) => refuse_range(&asked, range)?,
                _ => {}
            }
        }
        if self.0.session.is_full(&txn.then) || self.0.session.is_full(&txn.otherwise) {
            let help = format!("a client has at most {} keys that end with it: give others a life", session::MOST);
            return Err(asked().error(Reason::TooLarge, Applied::No).with_help(help));
        }
        let ends_with_client = session::ends_with_client(&txn.then) || session::ends_with_client(&txn.otherwise);
        let _putting = match ends_with_client {
            true => {
                Some(self.0.session.begin_put().await.ok_or_else(|| self.0.core.closed_error(&asked(), Applied::No))?)
            }
            false => None,
        };
        txn::commit(&self.0, txn).await
    }

    /// Like a plain put, if there are keys that end with the client: this one ends with it no longer.
    async fn put_over_own(&self, put: Put) -> Result<Written> {
        let Shared { core, session, .. } = &*self.0;
        let began = Instant::now();
        let written = txn::put(core, &put).await?;
        session.forget(&put.key, began);
        Ok(written)
    }

    fn refuse_if_closed(&self, asked: Asks<'_>) -> Result<()> {
        match self.0.core.is_closed() {
            true => Err(self.0.core.closed_error(&asked(), Applied::No)),
            false => Ok(()),
        }
    }
}

impl Store for RedisStore {
    fn capabilities(&self) -> Capabilities {
        capabilities(self.0.core.is_cluster())
    }

    async fn get(&self, key: Bytes, at: At) -> Result<Option<Entry>> {
        self.capabilities().refuse_get(&key, at)?;
        let asked = || Asked::to_read("get", Some(KeyRange::key(&key)));
        refuse_key(&asked, &key)?;
        let core = &self.0.core;
        let reply = core.call(core.to_read(Origin::Caller), &asked, &To::Key(&key), &Command::Get(&key)).await?;
        Ok(reply.bytes().map(|value| Entry::new(key, value)))
    }

    async fn page(&self, request: PageRequest) -> Result<Page> {
        self.capabilities().refuse_page(&request)?;
        let core = &self.0.core;
        let asked = || Asked::to_read("list", Some(request.range.clone()));
        refuse_range(&asked, &request.range)?;
        if let Some(key) = request.range.single() {
            let command = if request.keys_only { Command::new("EXISTS", [key.clone()]) } else { Command::Get(key) };
            let reply = core.call(core.to_read(Origin::Caller), &asked, &To::Key(key), &command).await?;
            let value = match request.keys_only {
                true => (reply.number() == Some(1)).then(Bytes::new),
                false => reply.bytes(),
            };
            let entries = value.map(|value| Entry::new(key.clone(), value)).into_iter().collect();
            return Ok(Page::new(entries, None, None));
        }
        let turn = core.to_read(Origin::Caller);
        let (mut scan, mut left) = match &request.cursor {
            None => (Scan::new(core), Vec::new()),
            Some(cursor) => parse_cursor(core, &request.range, cursor).map_err(|why| {
                asked().error(Reason::Invalid, Applied::No).at(core.endpoints().clone()).with_help(why)
            })?,
        };
        if request.cursor.is_none() {
            txn::await_servers(core, turn.next_request(), &asked, &request.range, &mut scan).await?;
        }
        let most = request.max_items.max(1);
        let (mut entries, mut bytes, mut portion) = (Vec::new(), 0, Portion::default());
        // Collects as many entries as fit into half of the limit: the other half is for the last step, which may take
        // longer. The next page continues.
        let until = Instant::now() + turn.limit / 2;
        let mut steps = 0;
        while (steps == 0 || Instant::now() < until)
            && entries.len() < most
            && bytes < request.max_bytes.max(1)
            && !(left.is_empty() && scan.is_over())
        {
            steps += 1;
            if left.is_empty() {
                left = scan.next(core, turn.next_request(), &asked, &request.range).await?;
                // `SCAN` may return a key twice.
                left.sort();
                left.dedup();
                continue;
            }
            let some = match request.keys_only {
                true => BATCH,
                false => portion.next(request.max_bytes.saturating_sub(bytes)),
            };
            let rest = left.split_off(left.len().min(some).min(most - entries.len()));
            let keys = std::mem::replace(&mut left, rest);
            if request.keys_only {
                bytes += keys.iter().map(Bytes::len).sum::<usize>();
                entries.extend(keys.into_iter().map(|key| Entry::new(key, Bytes::new())));
                continue;
            }
            let values = core.read(turn.next_request(), "list", &keys).await;
            portion.adapt(&values);
            let mut unread = Vec::new();
            for (key, value) in keys.into_iter().zip(values) {
                if bytes >= request.max_bytes.max(1) {
                    unread.push(key);
                } else if let Some(value) = value? {
                    bytes += key.len() + value.len();
                    entries.push(Entry::new(key, value));
                }
            }
            left.splice(..0, unread);
        }
        let is_last = left.is_empty() && scan.is_over();
        Ok(Page::new(entries, (!is_last).then(|| make_cursor(&scan, &left)), None))
    }

    async fn commit(&self, txn: Txn) -> Result<TxnOutcome> {
        self.capabilities().refuse(&txn)?;
        Box::pin(self.commit_any(txn)).await
    }

    async fn put(&self, put: Put) -> Result<Written> {
        // The number of such keys is limited, and the session renews them, so this is a transaction.
        if let Expiry::WithClient = put.expiry {
            return Written::of(&self.commit(Txn::one(Op::Put(put))).await?);
        }
        self.capabilities().refuse_put(&put)?;
        refuse_key(&|| txn::asked_to_put(&put), &put.key)?;
        let Shared { core, session, .. } = &*self.0;
        // The key may end with the client until now. If it does so by a put that is on its way at the same time, the
        // next renewal shows which of the two came last.
        if session.is_in_use() {
            return Box::pin(self.put_over_own(put)).await;
        }
        let (asked, command) = (|| txn::asked_to_put(&put), txn::set(core, &put));
        core.call(core.to_write(Origin::Caller), &asked, &To::Key(&put.key), &command).await?;
        Ok(txn::written(core, &put))
    }

    async fn watch(&self, ranges: Vec<KeyRange>, options: WatchOptions) -> Result<Watch> {
        let capabilities = self.capabilities();
        capabilities.refuse_watch(&ranges, &options)?;
        let first = ranges.first().cloned();
        let asked = || Asked::to_read("watch", first.clone());
        for range in &ranges {
            refuse_range(&asked, range)?;
        }
        self.refuse_if_closed(&asked)?;
        let core = &self.0.core;
        let mut each = Vec::new();
        for range in &ranges {
            if !each.contains(range) {
                each.push(range.clone());
            }
        }
        let (feed, events) = Feed::new(&options);
        let follower = Follower::new(core.clone(), Arc::new(Inbox::new(each)), feed.clone(), &options);
        // A watch that will be refused fails now, if the server answers in time.
        let limit = core.config.read_within();
        let refusal = tokio::select! {
            biased;
            () = core.closed() => return Err(core.closed_error(&asked(), Applied::No)),
            refusal = timeout(limit, follower.refusal()) => refusal,
        };
        if let Ok(Some(why)) = refusal {
            let error = asked().error(Reason::Denied, Applied::No).at(core.endpoints().clone());
            return Err(error.with_help(why));
        }
        let control = Control { core: core.clone(), id: follower.id, feed, capabilities };
        if !self.0.tasks.spawn_unless(|| core.is_closed(), follower.run()) {
            return Err(core.closed_error(&asked(), Applied::No));
        }
        Ok(Watch::new(&ranges, events, Arc::new(control)))
    }
}

pub(crate) fn capabilities(is_cluster: bool) -> Capabilities {
    let mut capabilities = Capabilities::all();
    capabilities.max_value = 512 << 20;
    capabilities.ttl_min = Duration::from_millis(1);
    capabilities.ttl_granularity = Duration::from_millis(1);
    capabilities.delivery = Delivery::LatestPerKey;
    capabilities.leases = false;
    capabilities.revisions = false;
    capabilities.ordered = false;
    if is_cluster {
        capabilities.txn_scope = TxnScope::OneSlot;
    }
    capabilities
}

/// Refuses keys that are not UTF-8, since changes of them are not reported.
#[inline(always)]
fn refuse_key(asked: Asks<'_>, key: &Bytes) -> Result<()> {
    // Nearly all keys are ASCII, which is checked faster.
    if key.is_ascii() {
        return Ok(());
    }
    text(asked, key, || KeyRange::key(key)).map(drop)
}

pub(crate) fn refuse_range(asked: Asks<'_>, range: &KeyRange) -> Result<()> {
    text(asked, range.start(), || range.clone()).map(drop)
}

pub(crate) fn text<'k>(asked: Asks<'_>, key: &'k [u8], range: impl FnOnce() -> KeyRange) -> Result<&'k str> {
    std::str::from_utf8(key).map_err(|_| {
        let error = asked().error(Reason::Invalid, Applied::No).on(range());
        error.with_help("a key in Redis is text, in UTF-8: encode it")
    })
}

fn make_cursor(scan: &Scan, left: &[Bytes]) -> Cursor {
    let mut bytes = Vec::new();
    scan.encode(&mut bytes);
    left.iter().for_each(|key| put(&mut bytes, key));
    Cursor(bytes.into())
}

/// Decodes a cursor, or says why it cannot be used.
fn parse_cursor(core: &Core, range: &KeyRange, cursor: &Cursor) -> StdResult<(Scan, Vec<Bytes>), String> {
    let mut from = &cursor.0[..];
    let of_other = || "the cursor is none that this store has made: begin with the first page".to_string();
    let scan = Scan::decode(&mut from).ok_or_else(of_other)?;
    // The cursor may come from anybody, so its endpoint has to be one of this store's servers.
    if let Some(endpoint) = scan.endpoint().filter(|endpoint| !core.primaries().contains(endpoint)) {
        return Err(format!("the cursor is of {endpoint}, which has no keys of this store: begin with the first page"));
    }
    let mut left = Vec::new();
    while !from.is_empty() {
        let key = take(&mut from).filter(|key| range.contains(key)).ok_or_else(of_other)?;
        left.push(Bytes::copy_from_slice(key));
    }
    Ok((scan, left))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connection = self.0.core.connection.borrow().clone();
        f.debug_struct("RedisStore")
            .field("endpoints", self.0.core.endpoints())
            .field("connection", &connection)
            .finish()
    }
}
