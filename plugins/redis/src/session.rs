//! [`Session`]: the keys that end with the client. Each has a life of its own, which is renewed until the store is closed.
//!
//! One that is there no more was deleted by somebody else, and stays so, if the server was there all the time since it was renewed last. If it was not (the connection was lost, be it that the server
//! was started anew, without its data, or that another one has taken its place; or the key could not be renewed for as long as it lives), it is put again, unless somebody else has put it.
//!
//! A put of which is not known whether it was done is looked for by its value, too, and is not put again.
//!
//! A key is known as ours by its value and its life. What cannot be told from it is the same value put by another client for as long: it ends with whoever ends first.

use crate::{
    call::{To, Turn, Who},
    command::Command,
    core::Core,
    failure::Asked,
    monitor::with_cause,
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

/// So many keys a client may have that end with it.
pub(crate) const MOST: usize = 10_000;
/// So many of them are renewed or deleted at once.
const AT_ONCE: usize = 128;
/// For the deletes at the close.
const RELEASING: Duration = Duration::from_secs(1);

/// The keys that end with the client, with their values.
#[derive(Default)]
pub(crate) struct Session {
    kept: Mutex<HashMap<Bytes, Kept>>,
    /// There was ever one.
    in_use: AtomicBool,
    /// The store is being closed: nothing begins that would have to end with it.
    ended: AtomicBool,
    /// Had by who puts what ends with the client, until it is known.
    putting: RwLock<()>,
    /// What is being deleted is not put again.
    deletes: Deletes,
}

#[derive(Clone)]
struct Kept {
    /// `None` where it is not known whether it was put.
    value: Option<Bytes>,
    /// It may have this one since: the answer was lost.
    unsure: Option<Bytes>,
    renewed: Instant,
    /// The connection to its server, as it was then.
    by: Option<Number>,
}

impl Kept {
    fn values(&self) -> impl Iterator<Item = &Bytes> {
        self.value.iter().chain(&self.unsure)
    }

    /// Was something put by its owner since it was so?
    fn has_changed_since(&self, before: &Kept) -> bool {
        self.value != before.value || self.unsure != before.unsure || self.renewed > before.renewed
    }
}

impl Session {
    /// Whoever does this has it until he has noted what has come of it. `None` in a store that is being closed.
    pub(crate) async fn puts(&self) -> Option<RwLockReadGuard<'_, ()>> {
        let putting = self.putting.read().await;
        (!self.ended.load(Acquire)).then_some(putting)
    }

    /// Before this is asked for. It is under way until what this returns is dropped. What it deletes is not put again meanwhile: it waits for what is being so, but no longer than that, since it may hang.
    pub(crate) async fn begin(&self, no_longer: Duration, txn: &Txn) -> Option<Deleting<'_>> {
        if !self.in_use.load(Relaxed) {
            return None;
        }
        let deleting = self.deletes.begin(txn);
        // who is late goes on: what is put after all ends by itself, since it is not renewed
        let _late = timeout(no_longer, deleting.turn()).await;
        Some(deleting)
    }

    /// These operations may have been done.
    pub(crate) fn note_unsure(&self, core: &Core, ops: &[Op]) {
        for op in ops {
            let Op::Put(put) = op else { continue };
            if put.expiry == Expiry::WithClient {
                self.in_use.store(true, Relaxed);
                let now = || Kept { value: None, unsure: None, renewed: Instant::now(), by: core.wire_of(&put.key) };
                self.lock().entry(put.key.clone()).or_insert_with(now).unsure = Some(put.value.clone());
            }
        }
    }

    /// These operations were done.
    pub(crate) fn note(&self, core: &Core, ops: &[Op]) {
        // mostly there is nothing to be noted
        if ends_with_client(ops) {
            self.in_use.store(true, Relaxed);
        }
        if !self.in_use.load(Relaxed) {
            return;
        }
        let mut kept = self.lock();
        for op in ops {
            match op {
                Op::Put(put) if put.expiry == Expiry::WithClient => {
                    let by = core.wire_of(&put.key);
                    let value = Some(put.value.clone());
                    let now = Kept { value, unsure: None, renewed: Instant::now(), by };
                    kept.insert(put.key.clone(), now);
                }
                // with the life that it had
                Op::Put(put) if put.expiry == Expiry::Keep => {
                    if let Some(kept) = kept.get_mut(&put.key) {
                        kept.value = Some(put.value.clone());
                    }
                }
                Op::Put(put) => {
                    kept.remove(&put.key);
                }
                Op::Delete { range, .. } => kept.retain(|key, _| !range.contains(key)),
                _ => {}
            }
        }
    }

    /// This key was put by this client to live on without it.
    pub(crate) fn forget(&self, key: &Bytes) {
        if self.in_use.load(Relaxed) {
            self.lock().remove(key);
        }
    }

    /// Would there be too many with these operations? What is there already is not one more.
    pub(crate) fn is_full(&self, ops: &[Op]) -> bool {
        if !ends_with_client(ops) {
            return false;
        }
        let kept = self.lock();
        let more: HashSet<&Bytes> = ops.iter().filter_map(with_client).filter(|key| !kept.contains_key(*key)).collect();
        !more.is_empty() && kept.len() + more.len() > MOST
    }

    /// Those of each server, as it is known: one that is away holds up no other one.
    fn by_server(&self, core: &Core) -> Vec<Vec<(Bytes, Kept)>> {
        let slots = core.slots.borrow().clone();
        let mut servers: HashMap<Option<&Arc<str>>, Vec<(Bytes, Kept)>> = HashMap::new();
        for (key, kept) in self.lock().iter() {
            servers.entry(slots.owner(key)).or_default().push((key.clone(), kept.clone()));
        }
        servers.into_values().collect()
    }

    /// Deletes them. Nothing is put that would be one more, from now on.
    pub(crate) async fn release(&self, core: &Core) -> Result<()> {
        self.ended.store(true, Release);
        // what is on its way is waited for, but not for the server of one
        let _none = timeout(RELEASING / 2, self.putting.write()).await;
        let release = |key: Bytes, kept: Kept| async move {
            let asked = || Asked::to_write("release", Some(KeyRange::key(&key)));
            let release = with_values(script::RELEASE, &key, &kept, *core.config.session_ttl);
            core.call(core.to_write(Who::Own), &asked, &To::Key(&key), &release).await.map(drop)
        };
        let of_server = |keys: Vec<(Bytes, Kept)>| async move {
            let mut first = Ok(());
            for some in keys.chunks(AT_ONCE) {
                // one that can not be deleted ends by itself
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
            Err(_) => Err(core.late(RELEASING, &Asked::to_write("release", None), core.endpoints(), Applied::Unknown)),
        }
    }

    /// Renews those of a server, until it is found that it is away.
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
            // the connection was made by that: renewed over it, the key is known to be there since
            let kept = self.lock().get(&key).cloned();
            if let Some(kept) = kept {
                self.renew_once(core, key, kept).await?;
            }
        }
        Ok(())
    }

    /// Returns whether the connection was the same all the time.
    async fn renew_once(&self, core: &Core, key: Bytes, kept: Kept) -> Result<bool> {
        let asked = || Asked::to_write("renew", Some(KeyRange::key(&key)));
        let to = To::Key(&key);
        let ttl = *core.config.session_ttl;
        let renew = with_values(script::RENEW, &key, &kept, ttl);
        let (asked_at, by) = (Instant::now(), core.wire_of(&key));
        // no longer than until the next time
        let limit = core.config.write_within().min(ttl / 3);
        let found = core.call(Turn::new(Who::Own, limit), &asked, &to, &renew).await?.number();
        // nobody has deleted it, as far as that is known: who has it is still there
        let was_away = kept.renewed.elapsed() >= ttl || kept.by.is_none() || kept.by != core.wire_of(&key);
        let lost = kept.value.as_ref().filter(|_| found == Some(-1) && was_away);
        if let Some(value) = lost {
            // where it is being deleted, and that fails, it is put again the next time
            let Some(_writing) = self.deletes.write_again(&key).filter(|_| self.is_wanted(&key, &kept)) else {
                return Ok(true);
            };
            let put = Command::Set(&key, value).arg("PX").number(ttl.as_millis()).arg("NX");
            core.call(core.to_write(Who::Own), &asked, &to, &put).await?;
        }
        let place = found.and_then(|found| usize::try_from(found).ok()).and_then(|found| found.checked_sub(1));
        let found = place.and_then(|place| kept.values().nth(place));
        let mut all = self.lock();
        match all.get_mut(&key) {
            // put again by its owner meanwhile: that was the one before
            Some(now) if now.has_changed_since(&kept) => {}
            Some(now) if found.is_some() || lost.is_some() => {
                if found.is_some() && found == kept.unsure.as_ref() {
                    // it was put
                    (now.value, now.unsure) = (now.unsure.take(), None);
                }
                (now.renewed, now.by) = (asked_at, by);
            }
            // somebody else has written or deleted it: it is not ours
            _ => {
                all.remove(&key);
            }
        }
        Ok(by.is_some() && by == core.wire_of(&key))
    }

    /// Is it still to be there as it was?
    fn is_wanted(&self, key: &Bytes, before: &Kept) -> bool {
        self.lock().get(key).is_some_and(|now| !now.has_changed_since(before))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Bytes, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews them until the store is closed.
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

/// A key could not be renewed. Returns whether its server is away, so that others need not be tried now.
fn ends_the_round(error: &KvError) -> bool {
    let is_away = is_away(error.reason());
    // that the server is away is told by who looks after the connection
    if !is_away {
        tracing::warn!("what ends with this client may end before it: {}", with_cause(error));
    }
    is_away
}

/// So it is with all others of the server, too.
fn is_away(reason: &Reason) -> bool {
    matches!(reason, Reason::Unavailable | Reason::TimedOut(_) | Reason::Closed)
}

/// A call of a script with a life, and what a key may have.
fn with_values(script: &'static str, key: &Bytes, kept: &Kept, ttl: Duration) -> Command<'static> {
    kept.values().fold(script::of_key(script, key).number(ttl.as_millis()), |call, value| call.arg(value.clone()))
}

/// Does something of it end with the client?
pub(crate) fn ends_with_client(ops: &[Op]) -> bool {
    ops.iter().any(|op| with_client(op).is_some())
}

/// The key that ends with the client, if it does.
fn with_client(op: &Op) -> Option<&Bytes> {
    match op {
        Op::Put(put) if put.expiry == Expiry::WithClient => Some(&put.key),
        _ => None,
    }
}
