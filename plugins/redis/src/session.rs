//! [`Session`]: the keys that end with the client. Each has its own time to live, which is renewed until the store is
//! closed.
//!
//! A key that is missing at its renewal was deleted by somebody else, and is left so, if the server was there all the
//! time since the last renewal. It is put again, unless somebody else has put it, if the server may have lost it: the
//! connection was lost (the server may have been restarted without its data, or replaced), or the key could not be
//! renewed within its time to live.
//!
//! If it is not known whether a put was applied, the key is also looked for by that put's value, but not put again.
//!
//! A key is recognized as this client's by its value and its time to live. If another client puts the same value with
//! the same time to live, the two cannot be told apart: the key ends with the first of them.

use crate::{
    call::{Origin, To, Turn},
    command::Command,
    core::Core,
    failure::Asked,
    script,
    wire::Number,
};
use bytes::Bytes;
use cninfra::keyval::{Applied, Deletes, Deleting, Expiry, KeyRange, KvError, Op, Reason, Result, Txn};
use futures_util::future::join_all;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    time::Duration,
};
use tokio::{
    sync::{RwLock, RwLockReadGuard},
    time::{Instant, sleep, timeout},
};

/// How many keys that end with the client one client may have.
pub(crate) const MOST: usize = 10_000;
/// How many of them are renewed or deleted at once.
const AT_ONCE: usize = 128;
/// The limit for deleting them when the store is closed.
const RELEASING: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Session {
    kept: Mutex<HashMap<Bytes, Kept>>,
    /// Whether there ever was one.
    in_use: AtomicBool,
    /// The store is being closed: no key may be put any more that would have to end with it.
    ended: AtomicBool,
    /// Held while such a key is being put, until the result is recorded.
    putting: RwLock<()>,
    /// Keys that are being deleted, which must not be put again.
    deletes: Deletes,
}

#[derive(Clone)]
struct Kept {
    /// `None` if it is not known whether it was put.
    value: Option<Bytes>,
    /// Another value that it may have: the answer to that put was lost, or two puts were made at once.
    unsure: Option<Bytes>,
    /// When it was last recorded that its owner has put it, or may have.
    noted: Instant,
    renewed: Instant,
    /// The connection to its server at that time.
    connection: Option<Number>,
}

impl Kept {
    fn new(core: &Core, key: &Bytes) -> Self {
        let now = Instant::now();
        Kept { value: None, unsure: None, noted: now, renewed: now, connection: core.wire_of(key) }
    }

    /// Its owner has put this value, by a request that was made at `began`. If it is known to have put another one
    /// since then, the server may have executed the two in either order: the next renewal shows which one is there.
    fn put(&mut self, value: &Bytes, began: Instant) {
        let may_be_earlier = self.noted > began && self.value.is_some();
        let place = if may_be_earlier { &mut self.unsure } else { &mut self.value };
        *place = Some(value.clone());
        self.noted = Instant::now();
    }

    fn values(&self) -> impl Iterator<Item = &Bytes> {
        self.value.iter().chain(&self.unsure)
    }

    /// Whether its owner has put something since `before` was read.
    fn has_changed_since(&self, before: &Kept) -> bool {
        self.value != before.value || self.unsure != before.unsure || self.renewed > before.renewed
    }
}

impl Session {
    /// The guard is held by a put until its result is recorded. `None` if the store is being closed.
    pub(crate) async fn begin_put(&self) -> Option<RwLockReadGuard<'_, ()>> {
        let putting = self.putting.read().await;
        (!self.ended.load(Acquire)).then_some(putting)
    }

    /// To be called before a transaction. The transaction is in progress until the returned value is dropped, and keys
    /// that it deletes are not put again meanwhile. This waits until none of them is being put again, but at most for
    /// `no_longer`, since that may hang.
    pub(crate) async fn begin(&self, no_longer: Duration, txn: &Txn) -> Option<Deleting<'_>> {
        if !self.is_in_use() {
            return None;
        }
        let deleting = self.deletes.begin(txn);
        // After the time-out the transaction goes on: a key that is put again after all is not renewed, and so expires.
        let _late = timeout(no_longer, deleting.turn()).await;
        Some(deleting)
    }

    /// Records that these operations may have been applied.
    pub(crate) fn record_unsure(&self, core: &Core, ops: &[Op]) {
        for op in ops {
            let Op::Put(put) = op else { continue };
            if put.expiry == Expiry::WithClient {
                self.in_use.store(true, Relaxed);
                let mut all = self.lock();
                let kept = all.entry(put.key.clone()).or_insert_with(|| Kept::new(core, &put.key));
                (kept.unsure, kept.noted) = (Some(put.value.clone()), Instant::now());
            }
        }
    }

    /// Records that these operations, of a request that was made at `began`, were applied. What was put since then is
    /// not taken as deleted by them: if it is, the next renewal shows that.
    pub(crate) fn record_applied(&self, core: &Core, ops: &[Op], began: Instant) {
        // Usually there is nothing to record.
        if ends_with_client(ops) {
            self.in_use.store(true, Relaxed);
        }
        if !self.is_in_use() {
            return;
        }
        let mut kept = self.lock();
        for op in ops {
            match op {
                Op::Put(put) if put.expiry == Expiry::WithClient => {
                    let mut now = Kept { noted: began, ..Kept::new(core, &put.key) };
                    if let Some(before) = kept.remove(&put.key).filter(|before| before.noted > began) {
                        (now.value, now.unsure, now.noted) = (before.value, before.unsure, before.noted);
                    }
                    now.put(&put.value, began);
                    kept.insert(put.key.clone(), now);
                }
                // It keeps its time to live.
                Op::Put(put) if put.expiry == Expiry::Keep => {
                    if let Some(kept) = kept.get_mut(&put.key) {
                        kept.put(&put.value, began);
                    }
                }
                Op::Put(put) => forget(&mut kept, &put.key, began),
                Op::Delete { range, .. } => kept.retain(|key, kept| !range.contains(key) || kept.noted > began),
                _ => {}
            }
        }
    }

    /// Whether there ever was a key that ends with the client.
    pub(crate) fn is_in_use(&self) -> bool {
        self.in_use.load(Relaxed)
    }

    /// Records that this client has put this key so that it does not end with the client, by a request that was made at
    /// `began`.
    pub(crate) fn forget(&self, key: &Bytes, began: Instant) {
        forget(&mut self.lock(), key, began);
    }

    /// Whether there would be too many keys after these operations. Keys that already exist do not count again.
    pub(crate) fn is_full(&self, ops: &[Op]) -> bool {
        if !ends_with_client(ops) {
            return false;
        }
        let kept = self.lock();
        let more: HashSet<&Bytes> = ops.iter().filter_map(with_client).filter(|key| !kept.contains_key(*key)).collect();
        !more.is_empty() && kept.len() + more.len() > MOST
    }

    /// The keys grouped by server, so that a server that is down does not hold up the keys of others.
    fn by_server(&self, core: &Core) -> Vec<Vec<(Bytes, Kept)>> {
        let slots = core.slots.borrow().clone();
        let mut servers: HashMap<Option<&Arc<str>>, Vec<(Bytes, Kept)>> = HashMap::new();
        for (key, kept) in self.lock().iter() {
            servers.entry(slots.owner(key)).or_default().push((key.clone(), kept.clone()));
        }
        servers.into_values().collect()
    }

    /// Deletes the keys. From now on no further one can be put.
    pub(crate) async fn release(&self, core: &Core) -> Result<()> {
        self.ended.store(true, Release);
        // Waits for puts in progress, but not until a server that hangs answers one.
        let _none = timeout(RELEASING / 2, self.putting.write()).await;
        let release = |key: Bytes, kept: Kept| async move {
            let asked = || Asked::to_write("release", Some(KeyRange::key(&key)));
            let release = with_values(script::RELEASE, &key, &kept, *core.config.session_ttl);
            core.call(core.to_write(Origin::Own), &asked, &To::Key(&key), &release).await.map(drop)
        };
        let of_server = |keys: Vec<(Bytes, Kept)>| async move {
            let mut first = Ok(());
            for some in keys.chunks(AT_ONCE) {
                // A key that cannot be deleted expires.
                for released in join_all(some.iter().cloned().map(|(key, kept)| release(key, kept))).await {
                    match released {
                        Err(error) if is_away(error.reason()) => return Err(error),
                        Err(_) if first.is_err() => {}
                        released => first = first.and(released),
                    }
                }
            }
            first
        };
        match timeout(RELEASING, join_all(self.by_server(core).into_iter().map(of_server))).await {
            Ok(released) => released.into_iter().collect(),
            Err(_) => Err(core.timeout_error(
                RELEASING,
                &Asked::to_write("release", None),
                core.endpoints(),
                Applied::Unknown,
            )),
        }
    }

    /// Renews the keys of one server, until the server is found to be down.
    async fn renew_all(&self, core: &Core, keys: Vec<(Bytes, Kept)>) {
        for some in keys.chunks(AT_ONCE) {
            let renewing = some.iter().cloned().map(|(key, kept)| self.renew(core, key, kept));
            let mut failed = join_all(renewing).await.into_iter().filter_map(Result::err);
            if failed.any(|error| ends_the_round(&error)) {
                return;
            }
        }
    }

    async fn renew(&self, core: &Core, key: Bytes, kept: Kept) -> Result<()> {
        if !self.renew_once(core, key.clone(), kept).await? {
            // That call has made a new connection. A renewal over it shows that the key exists since.
            let kept = self.lock().get(&key).cloned();
            if let Some(kept) = kept {
                self.renew_once(core, key, kept).await?;
            }
        }
        Ok(())
    }

    /// Returns whether the connection has been the same all the time.
    async fn renew_once(&self, core: &Core, key: Bytes, kept: Kept) -> Result<bool> {
        let asked = || Asked::to_write("renew", Some(KeyRange::key(&key)));
        let to = To::Key(&key);
        let ttl = *core.config.session_ttl;
        let renew = with_values(script::RENEW, &key, &kept, ttl);
        let (asked_at, connection) = (Instant::now(), core.wire_of(&key));
        // Not longer than until the next renewal.
        let limit = core.config.write_within().min(ttl / 3);
        let found = core.call(Turn::new(Origin::Own, limit), &asked, &to, &renew).await?.number();
        // If the server may have lost its data, a missing key does not show that somebody has deleted it.
        let was_away =
            kept.renewed.elapsed() >= ttl || kept.connection.is_none() || kept.connection != core.wire_of(&key);
        let lost = kept.value.as_ref().filter(|_| found == Some(-1) && was_away);
        if let Some(value) = lost {
            // If the key is being deleted and that fails, it is put again at the next renewal.
            let Some(_writing) = self.deletes.write_again(&key).filter(|_| self.is_wanted(&key, &kept)) else {
                return Ok(true);
            };
            let put = Command::Set(&key, value).arg("PX").number(ttl.as_millis()).arg("NX");
            core.call(core.to_write(Origin::Own), &asked, &to, &put).await?;
        }
        let place = found.and_then(|found| usize::try_from(found).ok()).and_then(|found| found.checked_sub(1));
        let found = place.and_then(|place| kept.values().nth(place));
        let mut all = self.lock();
        match all.get_mut(&key) {
            // The owner has put it again meanwhile: the result is of the earlier value.
            Some(now) if now.has_changed_since(&kept) => {}
            Some(now) if found.is_some() || lost.is_some() => {
                if found.is_some() && found == kept.unsure.as_ref() {
                    // So that put was applied.
                    (now.value, now.unsure) = (now.unsure.take(), None);
                }
                (now.renewed, now.connection) = (asked_at, connection);
            }
            // Somebody else has written or deleted it: it is no longer this client's.
            _ => {
                all.remove(&key);
            }
        }
        Ok(connection.is_some() && connection == core.wire_of(&key))
    }

    /// Whether the key should still exist, unchanged since `before` was read.
    fn is_wanted(&self, key: &Bytes, before: &Kept) -> bool {
        self.lock().get(key).is_some_and(|now| !now.has_changed_since(before))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Bytes, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets a key, unless it was put since `began`.
fn forget(kept: &mut HashMap<Bytes, Kept>, key: &Bytes, began: Instant) {
    if kept.get(key).is_some_and(|kept| kept.noted <= began) {
        kept.remove(key);
    }
}

/// Renews the keys until the store is closed.
pub(crate) async fn run(core: Arc<Core>, session: Arc<Session>) {
    let renewing = async {
        loop {
            sleep(*core.config.session_ttl / 3).await;
            join_all(session.by_server(&core).into_iter().map(|keys| session.renew_all(&core, keys))).await;
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = renewing => {}
    }
}

/// Handles the failed renewal of a key. Returns whether its server is down, so that its other keys need not be tried
/// now.
fn ends_the_round(error: &KvError) -> bool {
    let is_away = is_away(error.reason());
    // A server that is down is logged by the monitor.
    if !is_away {
        tracing::warn!("what ends with this client may end before it: {error:#}");
    }
    is_away
}

/// Whether the error would be the same for all keys of the server.
fn is_away(reason: &Reason) -> bool {
    matches!(reason, Reason::Unavailable | Reason::TimedOut(_) | Reason::Closed)
}

/// A call of a script, with the time to live and the values that the key may have.
fn with_values(script: &'static str, key: &Bytes, kept: &Kept, ttl: Duration) -> Command<'static> {
    kept.values().fold(script::of_key(script, key).number(ttl.as_millis()), |call, value| call.arg(value.clone()))
}

/// Whether any operation puts a key that ends with the client.
pub(crate) fn ends_with_client(ops: &[Op]) -> bool {
    ops.iter().any(|op| with_client(op).is_some())
}

/// The key of a put that ends with the client.
fn with_client(op: &Op) -> Option<&Bytes> {
    match op {
        Op::Put(put) if put.expiry == Expiry::WithClient => Some(&put.key),
        _ => None,
    }
}
