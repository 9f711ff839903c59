//! [`Session`]: the lease of the client, and the keys that are there as long as it is.

use crate::{
    convert::revision,
    core::Core,
    failure::Asked,
    terms::{Lane, Terms},
    txn,
};
use bytes::Bytes;
use cninfra::client::{Pauses, Tasks};
use cninfra::keyval::{Applied, Compare, Expiry, KeyRange, LeaseId, Op, OpResult, Reason, Result, Revision, Txn};
use etcd_client::GetOptions;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout, timeout_at};

/// How long the end of the store may take for it: what could not be revoked ends by itself.
const ENDING: Duration = Duration::from_secs(1);

/// The lease of the client: granted when it is needed first, kept alive by a task, revoked when the store is closed.
///
/// Where it was lost (the client slept for longer than it lives, or the server has lost its data), there is a new one, and the keys are written again that
/// nobody else has written meanwhile: what says that somebody is there says so as long as he is. What somebody else has changed or deleted while the lease was there is his: that is looked for whenever the
/// lease is kept alive.
#[derive(Default)]
pub(crate) struct Session {
    state: Mutex<State>,
    making: tokio::sync::Mutex<()>,
    in_use: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The store is being closed: there is no lease any more.
    ended: bool,
    lease: Option<LeaseId>,
    life: Duration,
    /// A lease was lost, and what was written with it is not written again yet.
    stale: bool,
    /// What was written with it, and when.
    keys: Keys,
}

type Keys = BTreeMap<Bytes, (Bytes, Option<Revision>)>;

/// A key does not end with the client any more, since this state.
fn forget(keys: &mut Keys, key: &Bytes, revision: Option<Revision>) {
    if keys.get(key).is_some_and(|known| known.1 <= revision) {
        keys.remove(key);
    }
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
            (state.lease, state.stale) = (None, true);
            // a server that has lost its data counts anew
            state.keys.values_mut().for_each(|(_, written)| *written = None);
        }
    }

    /// What was written and deleted, by this client: so it is known what ends with it.
    pub(crate) fn has_done(&self, ops: &[Op], revision: Option<Revision>) {
        if !self.in_use.load(Relaxed) {
            return;
        }
        let keys = &mut self.lock().keys;
        for op in ops {
            match op {
                Op::Put(put) if put.expiry == Expiry::WithClient => {
                    let known = keys.entry(put.key.clone()).or_default();
                    // two at once may come to know of it in another order
                    if known.1 <= revision {
                        *known = (put.value.clone(), revision);
                    }
                }
                Op::Put(put) if put.expiry == Expiry::Keep => {
                    if let Some(known) = keys.get_mut(&put.key).filter(|known| known.1 <= revision) {
                        *known = (put.value.clone(), revision);
                    }
                }
                Op::Put(put) => forget(keys, &put.key, revision),
                Op::Delete { range, .. } => keys.retain(|key, known| !range.contains(key) || known.1 > revision),
                _ => {}
            }
        }
    }

    /// This key was put by this client to live on without it.
    pub(crate) fn has_put(&self, key: &Bytes, revision: Option<Revision>) {
        if self.in_use.load(Relaxed) {
            forget(&mut self.lock().keys, key, revision);
        }
    }

    /// Ends the lease, and its keys with it.
    pub(crate) async fn end(&self, core: &Core) -> Result<()> {
        let lease = {
            let mut state = self.lock();
            state.ended = true;
            state.keys.clear();
            // it stays: this may be dropped, and called again
            state.lease
        };
        let terms = Terms::within(ENDING.min(*core.config.operation_timeout), Lane::Own);
        match lease {
            Some(lease) => core.revoke(terms, lease).await,
            None => Ok(()),
        }
    }

    /// Forgets what somebody else has changed or deleted: what is not of the lease any more.
    ///
    /// # Errors
    /// The server's: what could not be looked at is looked at the next time.
    async fn look(&self, core: &Core) -> Result<()> {
        let lease = {
            let state = self.lock();
            state.lease.filter(|_| !state.keys.is_empty() && !state.stale)
        };
        let Some(lease) = lease else { return Ok(()) };
        let of_lease = core.keys_of(lease).await?;
        let others: Vec<Bytes> = self.lock().keys.keys().filter(|key| !of_lease.contains(&key[..])).cloned().collect();
        for key in others {
            // the member that was asked may be behind: this answer is of what most of the cluster agrees on
            let options = GetOptions::new().with_keys_only();
            let range = KeyRange::key(&key);
            let (found, state, _) = core.range(core.terms(Lane::Own), "look at", &range, None, options).await?;
            if found.iter().all(|entry| entry.lease != Some(lease)) {
                forget(&mut self.lock().keys, &key, revision(state));
            }
        }
        Ok(())
    }

    /// Writes again what nobody else has written meanwhile.
    async fn write_again(&self, core: &Core, lease: LeaseId) -> Result<()> {
        let keys: Vec<Bytes> = self.lock().keys.keys().cloned().collect();
        for key in keys {
            // it may have been deleted while the ones before were written
            let Some((value, _)) = self.lock().keys.get(&key).cloned() else { continue };
            let life = txn::Life { lease: Some(lease), ttl: None };
            let put = Txn::new()
                .when(key.clone(), Compare::Absent)
                .put_with(key.clone(), value, Expiry::WithClient)
                .or_get(&key);
            let asked = || Asked::to_write("write again", put.subject()).with_lease(Some(lease));
            let written = core.call(core.terms(Lane::Own), &asked, |wire| {
                let request = txn::request(&put, &[life]);
                wire.with_spare(async move |client| client.txn(request).await)
            });
            let written = written.await?;
            let found = txn::results(written.0.responses, &[life])?;
            // another one's, and not one of this client's with the new lease
            if let Some(OpResult::Got(found)) = found.first()
                && found.iter().any(|entry| entry.lease != Some(lease))
            {
                self.lock().keys.remove(&key);
            }
        }
        self.lock().stale = false;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the lease alive until the store is closed, and has a new one where it was lost.
async fn keep(core: Arc<Core>, session: Arc<Session>) {
    let keeping = async {
        let mut pauses = Pauses::default();
        loop {
            let (lease, life, stale) = {
                let state = session.lock();
                (state.lease, state.life, state.stale)
            };
            let kept = match lease {
                Some(lease) if !stale => core.keep_alive(lease).await.map(|_| ()),
                _ => renew(&core, &session).await,
            };
            match kept {
                Ok(()) => {
                    pauses.reset();
                    let pause = (life / 3).max(Duration::from_millis(100));
                    // a look that takes long holds up nothing
                    let (_, looked) = tokio::join!(sleep(pause), timeout(pause, session.look(&core)));
                    if let Ok(Err(error)) = looked {
                        tracing::debug!(%error, "whether others have changed what ends with the client is not known");
                    }
                }
                Err(error) => match (error.reason(), lease) {
                    (Reason::NoLease(_), Some(lease)) => session.lost(lease),
                    _ => sleep(pauses.next()).await,
                },
            }
        }
    };
    tokio::select! {
        () = core.closed() => {}
        () = keeping => {}
    }
}

async fn renew(core: &Core, session: &Session) -> Result<()> {
    let _making = session.making.lock().await;
    let known = session.lock().lease;
    let lease = match known {
        Some(lease) => lease,
        None => session.grant(core.terms(Lane::Own), core).await?,
    };
    session.write_again(core, lease).await?;
    tracing::warn!("the lease of the client was lost: what ended with it was written again, with a new one");
    Ok(())
}
