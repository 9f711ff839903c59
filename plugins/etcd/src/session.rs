//! [`Session`]: the lease of the client, and the keys that are there as long as it is.

use crate::{
    convert::{revision, state},
    core::Core,
    failure::{Asked, told},
    ours::{Moment, Ours, When},
    terms::{Lane, Terms},
    txn,
};
use bytes::Bytes;
use cninfra::client::{Pauses, Tasks};
use cninfra::keyval::{
    Applied, Compare, Deletes, Deleting, Expiry, KeyRange, KvError, LeaseId, Op, OpResult, Reason, Result, Revision,
    Txn,
};
use etcd_client::GetOptions;
use futures_util::future::join_all;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout_at},
};

/// How long the end of the store may take for it: what could not be revoked ends by itself.
const ENDING: Duration = Duration::from_secs(1);
/// So many keys are written again at once: what keeps the lease alive has room beside them.
const AT_ONCE: usize = 16;

/// The lease of the client: granted when it is needed first, kept alive by a task, revoked when the store is closed.
///
/// Where it was lost (the client slept for longer than it lives, or the server has lost its data), there is a new one, and the keys are written again that
/// nobody else has written meanwhile: what says that somebody is there says so as long as he is. So is a value of which the server has an older one, since it was put back to a state before it: but only if that was written by this client, as is known
/// of the last few, and if that is seen before the server has as many states again. What somebody else has changed or deleted while the lease was there is his: that is looked for whenever the
/// lease is kept alive.
#[derive(Default)]
pub(crate) struct Session {
    state: Mutex<State>,
    making: tokio::sync::Mutex<()>,
    in_use: AtomicBool,
    /// What is being deleted is not written again.
    deletes: Deletes,
}

#[derive(Default)]
struct State {
    /// The store is being closed: there is no lease any more.
    ended: bool,
    lease: Option<LeaseId>,
    life: Duration,
    /// What was written with it.
    ours: Ours,
    /// What may be written again though that was not answered, and be it later than what is asked after it.
    doubtful: BTreeSet<Bytes>,
    /// What is being put with it.
    putting: Vec<Bytes>,
    /// That something can not be written again is in the log.
    is_told: bool,
}

impl Session {
    /// The lease. The first one that asks has it granted.
    pub(crate) async fn lease(self: &Arc<Self>, terms: Terms, core: &Arc<Core>, tasks: &Tasks) -> Result<LeaseId> {
        if let Some(lease) = self.current() {
            return Ok(lease);
        }
        let Ok(_making) = timeout_at(terms.until, self.making.lock()).await else {
            let late = Asked::to_repeat("grant", None).error(Reason::TimedOut(terms.limit), Applied::No);
            return Err(late.at(core.endpoints().clone()).because("what ends with the client is being written again"));
        };
        if let Some(lease) = self.current() {
            return Ok(lease);
        }
        let lease = self.grant(terms, core).await?;
        if !self.in_use.swap(true, Relaxed) {
            // it ends with the store, and so does a lease that nobody keeps
            tasks.spawn_unless(|| core.is_closed(), keep(core.clone(), self.clone()));
        }
        Ok(lease)
    }

    /// What something can be written with: nothing, once it is being ended.
    fn current(&self) -> Option<LeaseId> {
        let state = self.lock();
        state.lease.filter(|_| !state.ended)
    }

    async fn grant(&self, terms: Terms, core: &Core) -> Result<LeaseId> {
        let closed = || core.closed_error(&Asked::to_repeat("grant", None), Applied::No);
        if self.lock().ended {
            return Err(closed());
        }
        let (lease, life) = core.grant(terms, *core.config.session_ttl).await?;
        let mut state = self.lock();
        if state.ended {
            return Err(closed());
        }
        (state.lease, state.life) = (Some(lease), life);
        Ok(lease)
    }

    /// This lease is gone: the next one who asks has a new one granted.
    pub(crate) fn lost(&self, lease: LeaseId) {
        let mut state = self.lock();
        if state.lease == Some(lease) {
            (state.lease, state.is_told) = (None, false);
            state.ours.lose();
            // with a lease that is gone nothing is written
            state.doubtful.clear();
        }
    }

    /// Before something is asked for that is told by [`has_done`](Self::has_done) or [`has_put`](Self::has_put).
    pub(crate) fn now(&self) -> Moment {
        if self.in_use.load(Relaxed) { self.lock().ours.now() } else { Moment::default() }
    }

    /// Before this is asked for. It is under way until what this returns is dropped. What it deletes is not written again meanwhile: it waits for what is being so, but not for all of its time, since that may hang.
    pub(crate) async fn begin(&self, terms: Terms, txn: &Txn) -> Option<UnderWay<'_>> {
        if !self.in_use.load(Relaxed) {
            return None;
        }
        let key = |op: &Op| match op {
            Op::Put(put) if put.expiry == Expiry::WithClient => Some(put.key.clone()),
            _ => None,
        };
        let puts: Vec<Bytes> = txn.then.iter().chain(&txn.otherwise).filter_map(key).collect();
        if !puts.is_empty() {
            let mut state = self.lock();
            // what is there from now on may be by this
            state.doubtful.retain(|key| !puts.contains(key));
            state.putting.extend(puts.iter().cloned());
        }
        let under_way = UnderWay { session: self, puts, deleting: self.deletes.begin(txn) };
        // who is late goes on: what is written after all is taken back
        let _late = timeout_at(terms.until - terms.limit / 2, under_way.deleting.turn()).await;
        Some(under_way)
    }

    /// What was written and deleted, by this client: so it is known what ends with it.
    pub(crate) fn has_done(&self, ops: &[Op], began: Moment, revision: Option<Revision>) {
        if !self.in_use.load(Relaxed) {
            return;
        }
        let (ours, when) = (&mut self.lock().ours, When { began, revision });
        for op in ops {
            match op {
                Op::Put(put) if put.expiry == Expiry::WithClient => ours.put(&put.key, &put.value, when),
                Op::Put(put) if put.expiry == Expiry::Keep => ours.change(&put.key, &put.value, when),
                Op::Put(put) => ours.forget(&put.key, when),
                Op::Delete { range, .. } => ours.delete(range, when),
                _ => {}
            }
        }
    }

    /// This key was put by this client to live on without it.
    pub(crate) fn has_put(&self, key: &Bytes, began: Moment, revision: Option<Revision>) {
        if self.in_use.load(Relaxed) {
            self.lock().ours.forget(key, When { began, revision });
        }
    }

    /// Ends the lease, and its keys with it.
    pub(crate) async fn end(&self, core: &Core) -> Result<()> {
        let lease = {
            let mut state = self.lock();
            state.ended = true;
            state.ours.clear();
            // it stays: this may be dropped, and called again
            state.lease
        };
        let terms = Terms::within(ENDING.min(*core.config.operation_timeout), Lane::Own);
        match lease {
            Some(lease) => core.revoke(terms, lease).await,
            None => Ok(()),
        }
    }

    /// Has all there that is to be there, and forgets what somebody else has changed or deleted.
    async fn settle(&self, core: &Core) -> Result<()> {
        let Some(lease) = self.current() else { return Ok(()) };
        let written = self.write_again(core, lease).await;
        self.look(core, lease).await.and(written)
    }

    /// Forgets what somebody else has changed or deleted: what is not of the lease any more.
    ///
    /// # Errors
    /// The server's: what could not be looked at is looked at the next time.
    async fn look(&self, core: &Core, lease: LeaseId) -> Result<()> {
        let (began, ours, doubtful) = {
            let state = self.lock();
            let is_gone = |key: &&Bytes| !state.ours.has(key);
            (state.ours.now(), state.ours.there(), state.doubtful.iter().filter(is_gone).cloned().collect::<Vec<_>>())
        };
        if ours.is_empty() && doubtful.is_empty() {
            return Ok(());
        }
        let (of_lease, state) = core.keys_of(lease).await?;
        for key in doubtful.into_iter().filter(|key| of_lease.contains(&key[..])) {
            self.take_back(core, lease, &key).await?;
        }
        let mut gone = Vec::new();
        for key in ours {
            if of_lease.contains(&key[..]) {
                if self.lock().ours.may_be_older(&key, state) {
                    self.mend(core, lease, &key).await?;
                }
                continue;
            }
            // the member that was asked may be behind: this answer is of what most of the cluster agrees on
            let options = GetOptions::new().with_keys_only();
            let range = KeyRange::key(&key);
            let (found, state, _) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
            if found.iter().all(|entry| entry.lease != Some(lease)) {
                gone.push((key, When { began, revision: revision(state) }));
            }
        }
        // where the lease is gone, too, they have ended with it: who keeps it alive will know
        if !gone.is_empty() && core.lives(lease).await? {
            let ours = &mut self.lock().ours;
            gone.iter().for_each(|(key, when)| ours.is_not_there(key, *when));
        }
        Ok(())
    }

    /// Writes again what nobody else has written meanwhile. One that can not be holds up no other one, and is tried the next time.
    async fn write_again(&self, core: &Core, lease: LeaseId) -> Result<()> {
        let lost = self.lock().ours.lost();
        if lost.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        for some in lost.chunks(AT_ONCE) {
            let writing = some.iter().map(|key| self.write(core, lease, key));
            for error in join_all(writing).await.into_iter().filter_map(Result::err) {
                if is_of_all(&error) {
                    return Err(error);
                }
                failed.get_or_insert(error);
            }
        }
        let Some(error) = failed else {
            tracing::warn!("the lease of the client was lost: what ended with it was written again, with a new one");
            return Ok(());
        };
        if !std::mem::replace(&mut self.lock().is_told, true) {
            let why = told(&error);
            tracing::warn!(
                "the lease of the client was lost, and not all that ended with it can be written again: {why}"
            );
        }
        Err(error)
    }

    async fn write(&self, core: &Core, lease: LeaseId, key: &Bytes) -> Result<()> {
        // what is being deleted is left out: if that fails, the next look finds it
        let Some(writing) = self.deletes.write_again(key) else { return Ok(()) };
        // it may have been deleted while the ones before were written
        let Some(value) = self.lock().ours.to_write(key) else { return Ok(()) };
        let life = txn::Life { lease: Some(lease), ttl: None };
        let put =
            Txn::new().when(key.clone(), Compare::Absent).put_with(key.clone(), value, Expiry::WithClient).or_get(key);
        let asked = || Asked::to_write("write again", put.subject()).with_lease(Some(lease));
        let written = core.call(core.terms(Lane::Own), &asked, |wire| {
            let request = txn::request(&put, &[life]);
            wire.with_spare(async move |client| client.txn(request).await)
        });
        let written = written.await;
        if written.as_ref().is_err_and(|error| error.applied() == Applied::Unknown) {
            self.lock().doubtful.insert(key.clone());
        }
        let written = written?;
        drop(writing);
        let is_written = written.succeeded();
        let found = txn::results(written.0.responses, &[life])?;
        {
            let State { ours, doubtful, .. } = &mut *self.lock();
            match found.first() {
                // another one's, and not one of this client's with the new lease
                Some(OpResult::Got(found)) if found.iter().any(|entry| entry.lease != Some(lease)) => {
                    ours.is_taken(key)
                }
                _ => ours.is_back(key),
            }
            if !is_written || ours.has(key) {
                return Ok(());
            }
            // it was deleted by who did not wait for it
            doubtful.insert(key.clone());
        }
        self.take_back(core, lease, key).await
    }

    /// Writes the value again of which an older one is there: in a server that was put back to a state before it, and only in the place of what this client has written itself.
    async fn mend(&self, core: &Core, lease: LeaseId, key: &Bytes) -> Result<()> {
        let Some(_writing) = self.deletes.write_again(key) else { return Ok(()) };
        let (range, options) = (KeyRange::key(key), GetOptions::new().with_keys_only());
        let (found, ..) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
        let ours = found.first().filter(|entry| entry.lease == Some(lease));
        let Some(there) = ours.and_then(|entry| entry.revision) else { return Ok(()) };
        let (began, value) = {
            let state = self.lock();
            (state.ours.now(), state.ours.to_mend(key, there))
        };
        let Some(value) = value else { return Ok(()) };
        let life = txn::Life { lease: Some(lease), ttl: None };
        let is_same = Compare::Revision(there);
        let put = Txn::new().when(key.clone(), is_same).put_with(key.clone(), value, Expiry::WithClient);
        let asked = || Asked::to_write("write again", put.subject()).with_lease(Some(lease));
        let written = core.call(core.terms(Lane::Own), &asked, |wire| {
            let request = txn::request(&put, &[life]);
            wire.with_spare(async move |client| client.txn(request).await)
        });
        let written = written.await?;
        if written.succeeded() {
            let when = When { began, revision: revision(state(written.header())) };
            self.lock().ours.is_mended(key, there, when);
        }
        Ok(())
    }

    /// Deletes what was written again after it was deleted, as it is there, unless this client has put it since, or another one has.
    async fn take_back(&self, core: &Core, lease: LeaseId, key: &Bytes) -> Result<()> {
        let (range, options) = (KeyRange::key(key), GetOptions::new().with_keys_only());
        let (found, ..) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
        let ours = found.first().filter(|entry| entry.lease == Some(lease));
        let Some(at) = ours.and_then(|entry| entry.revision) else { return Ok(()) };
        {
            // what is put from now on has another state
            let state = self.lock();
            if !state.doubtful.contains(key) || state.putting.contains(key) || state.ours.has(key) {
                return Ok(());
            }
        }
        let delete = Txn::new().when(key.clone(), Compare::Revision(at)).delete(key.clone());
        let asked = || Asked::to_write("take back", delete.subject());
        let done = core.call(core.terms(Lane::Own), &asked, |wire| {
            let request = txn::request(&delete, &[]);
            wire.with_spare(async move |client| client.txn(request).await)
        });
        // if it fails, the next look finds it
        done.await?;
        self.lock().doubtful.remove(key);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that is asked for, until it is dropped.
pub(crate) struct UnderWay<'s> {
    session: &'s Session,
    puts: Vec<Bytes>,
    deleting: Deleting<'s>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.puts.is_empty() {
            return;
        }
        let putting = &mut self.session.lock().putting;
        for key in &self.puts {
            if let Some(at) = putting.iter().position(|other| other == key) {
                putting.swap_remove(at);
            }
        }
    }
}

/// What is wrong with one is so with all others, too.
fn is_of_all(error: &KvError) -> bool {
    matches!(error.reason(), Reason::Unavailable | Reason::TimedOut(_) | Reason::Closed | Reason::NoLease(_))
}

/// Keeps the lease alive until the store is closed, and has a new one where it was lost.
async fn keep(core: Arc<Core>, session: Arc<Session>) {
    let kept = Notify::new();
    let keeping = async {
        let mut pauses = Pauses::default();
        loop {
            let lease = session.lock().lease;
            let done = match lease {
                Some(lease) => core.keep_alive(lease).await.map(drop),
                None => renew(&core, &session).await,
            };
            match done {
                Ok(()) => {
                    pauses.reset();
                    kept.notify_one();
                    let life = session.lock().life;
                    sleep((life / 3).max(Duration::from_millis(100))).await;
                }
                Err(error) => match (error.reason(), lease) {
                    (Reason::NoLease(_), Some(lease)) => session.lost(lease),
                    _ => sleep(pauses.next()).await,
                },
            }
        }
    };
    // beside it: to write many keys takes longer than a lease lives
    let settling = async {
        loop {
            kept.notified().await;
            if let Err(error) = session.settle(&core).await {
                tracing::debug!(%error, "whether all is there that ends with the client is not known");
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = keeping => {}
        () = settling => {}
    }
}

async fn renew(core: &Core, session: &Session) -> Result<()> {
    let _making = session.making.lock().await;
    if session.lock().lease.is_none() {
        session.grant(core.terms(Lane::Own), core).await?;
    }
    Ok(())
}
