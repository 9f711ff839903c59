//! [`Session`]: the client's lease, and the keys that exist as long as it does.

use crate::{
    convert::{header_revision, revision},
    core::Core,
    failure::Asked,
    ours::{Moment, OwnKeys, When},
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

/// The limit for revoking the lease when the store is closed. A lease that is not revoked in time expires by itself.
const ENDING: Duration = Duration::from_secs(1);
/// How many keys are restored at once. This is less than the lane's limit, so that keeping the lease alive does not
/// wait.
const AT_ONCE: usize = 16;

/// The client's lease: granted on first use, kept alive by a task, revoked when the store is closed.
///
/// If the lease was lost (the client slept for longer than its time to live, or the server has lost its data), a new
/// one is granted, and its keys are restored unless somebody else has written them meanwhile: a key that announces this
/// client has to exist as long as the client does. A value is restored too if the server has an older one, since it was
/// restored from a backup: but only if this client wrote that older value, which is known of the last few, and if this
/// is noticed before the server has reached as high a revision again. A key that somebody else changed or deleted while
/// the lease existed is no longer this client's: this is checked whenever the lease is kept alive.
#[derive(Default)]
pub(crate) struct Session {
    state: Mutex<State>,
    granting: tokio::sync::Mutex<()>,
    in_use: AtomicBool,
    /// Keys that are being deleted, which must not be restored.
    deletes: Deletes,
}

#[derive(Default)]
struct State {
    /// The store is being closed: no new lease is granted.
    ended: bool,
    lease: Option<LeaseId>,
    life: Duration,
    /// The keys that were written with it.
    ours: OwnKeys,
    /// Keys whose restoring may still be applied, even after later requests, since it was not answered.
    doubtful: BTreeSet<Bytes>,
    /// Keys that are being put with it.
    putting: Vec<Bytes>,
    /// Whether the log already says that something cannot be restored.
    is_failure_logged: bool,
}

impl Session {
    /// Returns the lease. The first caller grants it.
    pub(crate) async fn lease(self: &Arc<Self>, terms: Terms, core: &Arc<Core>, tasks: &Tasks) -> Result<LeaseId> {
        if let Some(lease) = self.current() {
            return Ok(lease);
        }
        let Ok(_granting) = timeout_at(terms.until, self.granting.lock()).await else {
            let late = Asked::to_repeat("grant", None).error(Reason::TimedOut(terms.limit), Applied::No);
            return Err(late.at(core.endpoints().clone()).because("what ends with the client is being written again"));
        };
        if let Some(lease) = self.current() {
            return Ok(lease);
        }
        let lease = self.grant(terms, core).await?;
        if !self.in_use.swap(true, Relaxed) {
            // The task ends with the store. So does a lease that no task keeps alive: it expires.
            tasks.spawn_unless(|| core.is_closed(), keep_lease(core.clone(), self.clone()));
        }
        Ok(lease)
    }

    /// The lease for new writes: `None` once the session is being ended.
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

    /// The given lease is gone: the next caller gets a new one.
    pub(crate) fn mark_lease_lost(&self, lease: LeaseId) {
        let mut state = self.lock();
        if state.lease == Some(lease) {
            (state.lease, state.is_failure_logged) = (None, false);
            state.ours.mark_all_lost();
            // Requests that use a lease that is gone are refused, so none can still be applied.
            state.doubtful.clear();
        }
    }

    /// The current moment, to be taken before a request that is reported to [`record_ops`](Self::record_ops) or
    /// [`record_put`](Self::record_put).
    pub(crate) fn now(&self) -> Moment {
        if self.in_use.load(Relaxed) { self.lock().ours.now() } else { Moment::default() }
    }

    /// To be called before a transaction. The transaction is in progress until the returned value is dropped, and keys
    /// that it deletes are not restored meanwhile. This waits until none of them is being restored, but only for half
    /// of the limit, since restoring may hang.
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
            // From now on, these keys may have been written by this transaction.
            state.doubtful.retain(|key| !puts.contains(key));
            state.putting.extend(puts.iter().cloned());
        }
        let under_way = UnderWay { session: self, puts, deleting: self.deletes.begin(txn) };
        // After the time-out the transaction goes on: a key that is restored after all is taken back later.
        let _late = timeout_at(terms.until - terms.limit / 2, under_way.deleting.turn()).await;
        Some(under_way)
    }

    /// Records what this client has written and deleted, so that it is known which keys expire with it.
    pub(crate) fn record_ops(&self, ops: &[Op], began: Moment, revision: Option<Revision>) {
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

    /// Records that this client has put this key so that it does not expire with the client.
    pub(crate) fn record_put(&self, key: &Bytes, began: Moment, revision: Option<Revision>) {
        if self.in_use.load(Relaxed) {
            self.lock().ours.forget(key, When { began, revision });
        }
    }

    /// Revokes the lease, and its keys with it.
    pub(crate) async fn end(&self, core: &Core) -> Result<()> {
        let lease = {
            let mut state = self.lock();
            state.ended = true;
            state.ours.clear();
            // The lease stays in the state, since this future may be dropped and `close` called again.
            state.lease
        };
        let terms = Terms::within(ENDING.min(*core.config.operation_timeout), Lane::Own);
        match lease {
            Some(lease) => core.revoke(terms, lease).await,
            None => Ok(()),
        }
    }

    /// Restores the keys that should exist, and forgets those that somebody else has changed or deleted.
    async fn reconcile(&self, core: &Core) -> Result<()> {
        let Some(lease) = self.current() else { return Ok(()) };
        let written = self.restore_lost(core, lease).await;
        self.check_keys(core, lease).await.and(written)
    }

    /// Forgets the keys that somebody else has changed or deleted: those that the lease no longer has.
    ///
    /// # Errors
    /// The server's error. The keys that were not checked are checked the next time.
    async fn check_keys(&self, core: &Core, lease: LeaseId) -> Result<()> {
        let (began, ours, doubtful) = {
            let state = self.lock();
            let is_gone = |key: &&Bytes| !state.ours.has(key);
            (
                state.ours.now(),
                state.ours.expected(),
                state.doubtful.iter().filter(is_gone).cloned().collect::<Vec<_>>(),
            )
        };
        if ours.is_empty() && doubtful.is_empty() {
            return Ok(());
        }
        let (of_lease, at) = core.keys_of(lease).await?;
        for key in doubtful.into_iter().filter(|key| of_lease.contains(&key[..])) {
            self.take_back(core, lease, &key).await?;
        }
        let mut gone = Vec::new();
        for key in ours {
            if of_lease.contains(&key[..]) {
                if self.lock().ours.may_be_older(&key, at) {
                    self.mend(core, lease, &key).await?;
                }
                continue;
            }
            // The member that answered may be behind. This read is of what a majority has agreed on.
            let options = GetOptions::new().with_keys_only();
            let range = KeyRange::key(&key);
            let (found, at, _) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
            if found.iter().all(|entry| entry.lease != Some(lease)) {
                gone.push((key, When { began, revision: revision(at) }));
            }
        }
        // If the lease is gone too, the keys have expired with it: the task that keeps it alive will notice.
        if !gone.is_empty() && core.is_alive(lease).await? {
            let ours = &mut self.lock().ours;
            gone.iter().for_each(|(key, when)| ours.mark_missing(key, *when));
        }
        Ok(())
    }

    /// Restores the keys that nobody else has written meanwhile. A key that cannot be restored does not hold up the
    /// others, and is tried again the next time.
    async fn restore_lost(&self, core: &Core, lease: LeaseId) -> Result<()> {
        let lost = self.lock().ours.lost();
        if lost.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        for some in lost.chunks(AT_ONCE) {
            let writing = some.iter().map(|key| self.restore(core, lease, key));
            for error in join_all(writing).await.into_iter().filter_map(Result::err) {
                if concerns_all_keys(&error) {
                    return Err(error);
                }
                failed.get_or_insert(error);
            }
        }
        let Some(error) = failed else {
            tracing::warn!("the lease of the client was lost: what ended with it was written again, with a new one");
            return Ok(());
        };
        if !std::mem::replace(&mut self.lock().is_failure_logged, true) {
            tracing::warn!(
                "the lease of the client was lost, and not all that ended with it can be written again: {error:#}"
            );
        }
        Err(error)
    }

    async fn restore(&self, core: &Core, lease: LeaseId, key: &Bytes) -> Result<()> {
        // A key that is being deleted is left out. If the delete fails, the next check restores it.
        let Some(writing) = self.deletes.write_again(key) else { return Ok(()) };
        // It may have been deleted while earlier keys were restored.
        let Some(value) = self.lock().ours.value_to_restore(key) else { return Ok(()) };
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
                // Somebody else's value, not one that this client wrote with the new lease.
                Some(OpResult::Got(found)) if found.iter().any(|entry| entry.lease != Some(lease)) => {
                    ours.mark_taken(key)
                }
                _ => ours.mark_restored(key),
            }
            if !is_written || ours.has(key) {
                return Ok(());
            }
            // It was deleted by a transaction that did not wait for this restoring.
            doubtful.insert(key.clone());
        }
        self.take_back(core, lease, key).await
    }

    /// Restores the current value of a key if the server has an older one, since it was restored from a backup: only in
    /// place of a value that this client has written itself.
    async fn mend(&self, core: &Core, lease: LeaseId, key: &Bytes) -> Result<()> {
        let Some(_writing) = self.deletes.write_again(key) else { return Ok(()) };
        let (range, options) = (KeyRange::key(key), GetOptions::new().with_keys_only());
        let (found, ..) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
        let ours = found.first().filter(|entry| entry.lease == Some(lease));
        let Some(there) = ours.and_then(|entry| entry.revision) else { return Ok(()) };
        let (began, value) = {
            let state = self.lock();
            (state.ours.now(), state.ours.value_to_mend(key, there))
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
            let when = When { began, revision: revision(header_revision(written.header())) };
            self.lock().ours.mark_mended(key, there, when);
        }
        Ok(())
    }

    /// Deletes a key that was restored after it had been deleted, unless this client or somebody else has put it since.
    async fn take_back(&self, core: &Core, lease: LeaseId, key: &Bytes) -> Result<()> {
        let (range, options) = (KeyRange::key(key), GetOptions::new().with_keys_only());
        let (found, ..) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
        let ours = found.first().filter(|entry| entry.lease == Some(lease));
        let Some(at) = ours.and_then(|entry| entry.revision) else { return Ok(()) };
        {
            // Puts from now on have another revision, so the condition below fails.
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
        // If it fails, the next check tries it again.
        done.await?;
        self.lock().doubtful.remove(key);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction in progress, until it is dropped.
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

/// Whether the error of one key would be the same for all others.
fn concerns_all_keys(error: &KvError) -> bool {
    matches!(error.reason(), Reason::Unavailable | Reason::TimedOut(_) | Reason::Closed | Reason::NoLease(_))
}

/// Keeps the lease alive until the store is closed, and grants a new one if it was lost.
async fn keep_lease(core: Arc<Core>, session: Arc<Session>) {
    let kept = Notify::new();
    let keeping = async {
        let mut pauses = Pauses::default();
        loop {
            let lease = session.lock().lease;
            let done = match lease {
                Some(lease) => core.keep_alive(lease).await.map(drop),
                None => replace_lease(&core, &session).await,
            };
            match done {
                Ok(()) => {
                    pauses.reset();
                    kept.notify_one();
                    let life = session.lock().life;
                    sleep((life / 3).max(Duration::from_millis(100))).await;
                }
                Err(error) => match (error.reason(), lease) {
                    (Reason::NoLease(_), Some(lease)) => session.mark_lease_lost(lease),
                    _ => sleep(pauses.next()).await,
                },
            }
        }
    };
    // Beside `keeping`, since restoring many keys may take longer than the lease lives.
    let reconciling = async {
        loop {
            kept.notified().await;
            if let Err(error) = session.reconcile(&core).await {
                tracing::debug!(%error, "whether all is there that ends with the client is not known");
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = keeping => {}
        () = reconciling => {}
    }
}

async fn replace_lease(core: &Core, session: &Session) -> Result<()> {
    let _granting = session.granting.lock().await;
    if session.lock().lease.is_none() {
        session.grant(core.terms(Lane::Own), core).await?;
    }
    Ok(())
}
