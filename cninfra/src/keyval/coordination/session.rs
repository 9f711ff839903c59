//! [`Session`]: a lease that is kept alive, and the key bound to it.

use super::super::{
    ChangeKind, Coordination, Entry, Event, Holder, KeyRange, KvError, LeaseId, Reason, Result, Revision, Txn, Watch,
    WatchOptions,
};
use crate::client::Pauses;
use bytes::Bytes;
use std::{fmt, future::pending, sync::Arc, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

/// Why something is no longer held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Loss {
    /// The store did not confirm in time that the lease is alive: it may have ended, and another holder may exist.
    Expired,
    /// The lease has ended, or was revoked.
    LeaseGone,
    /// Someone has deleted the key.
    Deleted,
    /// Someone else has written the key, which therefore does not end with the lease any more. It is deleted.
    Overwritten,
    /// The store was closed.
    Closed,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Expired => "the store has not answered in time, and the lease may have ended",
            Loss::LeaseGone => "the lease has ended",
            Loss::Deleted => "its key was deleted",
            Loss::Overwritten => "its key was written by someone else",
            Loss::Closed => "the store was closed",
        })
    }
}

impl std::error::Error for Loss {}

/// A lease that a task keeps alive, and its key, which the task watches. When this is dropped, the task revokes the
/// lease and ends.
pub(super) struct Session {
    lease: LeaseId,
    state: watch::Receiver<State>,
    stop: oneshot::Sender<()>,
    /// Sends the revision at which the key was written, from which on the task watches it.
    written: Option<oneshot::Sender<Revision>>,
    task: JoinHandle<Result<()>>,
}

#[derive(Clone, Copy)]
struct State {
    /// Until then nobody else can hold it, according to the store.
    ends: Instant,
    lost: Option<Loss>,
}

impl Session {
    /// Obtains a lease with about this time to live, and keeps it alive. `key` returns the full key for a lease.
    pub(super) async fn begin(
        store: &Arc<dyn Coordination>,
        ttl: Duration,
        key: impl FnOnce(LeaseId) -> Bytes,
    ) -> Result<Self> {
        let holder = store.holder();
        if holder.is_closing() {
            return Err(KvError::new("grant", Reason::Closed).not_applied());
        }
        // The time before the request, since the lease begins later than that.
        let requested = Instant::now();
        let (lease, life) = store.grant(ttl).await?;
        let (state_sender, state) = watch::channel(State { ends: requested + life, lost: None });
        let (stop, stopped) = oneshot::channel();
        let (written, token) = oneshot::channel();
        let lease_task = LeaseTask { store: store.clone(), lease, life, key: key(lease), token, holder };
        let task = tokio::spawn(lease_task.keep(state_sender, stopped));
        Ok(Session { lease, state, stop, written: Some(written), task })
    }

    /// Tells the task that the key exists since this revision. From now on, its deletion is a loss.
    pub(super) fn set_written(&mut self, token: Revision) {
        if let Some(written) = self.written.take() {
            // A task that has ended has lost the lease already.
            let _ = written.send(token);
        }
    }

    pub(super) fn lease(&self) -> LeaseId {
        self.lease
    }

    /// Why it was lost, if it was. It looks at the clock, so it is right even after the process was suspended.
    pub(super) fn loss(&self) -> Option<Loss> {
        let state = *self.state.borrow();
        state.lost.or_else(|| (Instant::now() >= state.ends).then_some(Loss::Expired))
    }

    /// Waits until it is lost.
    pub(super) async fn lost(&self) -> Loss {
        let mut state = self.state.clone();
        loop {
            if let Some(loss) = self.loss() {
                return loss;
            }
            let ends = state.borrow_and_update().ends;
            tokio::select! {
                changed = state.changed() => if changed.is_err() {
                    // The task was dropped together with its runtime.
                    return self.loss().unwrap_or(Loss::Closed);
                },
                () = sleep_until(ends) => {}
            }
        }
    }

    /// Revokes the lease, which deletes its key.
    pub(super) async fn end(self) -> Result<()> {
        let _ = self.stop.send(());
        self.task.await.unwrap_or_else(|error| Err(KvError::new("revoke", Reason::Closed).because(error)))
    }
}

/// The state of a session's task.
struct LeaseTask {
    store: Arc<dyn Coordination>,
    lease: LeaseId,
    life: Duration,
    key: Bytes,
    token: oneshot::Receiver<Revision>,
    /// Makes the close of the store wait for this task.
    holder: Holder,
}

impl LeaseTask {
    /// Keeps the lease alive until it is lost, the session ends, or the store closes, and then revokes it.
    async fn keep(self, state: watch::Sender<State>, stopped: oneshot::Receiver<()>) -> Result<()> {
        let LeaseTask { store, lease, life, key, token, mut holder } = self;
        let loss = tokio::select! {
            _ = stopped => None,
            loss = renew(&*store, lease, life, &state) => Some(loss),
            loss = watch_key(&*store, &key, lease, token) => Some(loss),
            () = holder.closing() => Some(Loss::Closed),
        };
        if let Some(loss) = loss {
            state.send_modify(|state| state.lost = Some(loss));
        }
        // Such a key does not end with the lease, and would block those behind it in the queue for ever.
        if loss == Some(Loss::Overwritten) {
            let _ = timeout(life, patiently(|| store.commit(Txn::new().delete(&key)))).await;
        }
        // Until the lease ends, its key blocks those behind it in the queue.
        let revoked = timeout(life, store.revoke(lease)).await;
        revoked.unwrap_or_else(|_| Err(KvError::new("revoke", Reason::TimedOut(life))))
    }
}

/// Renews the lease each time a third of its life is over. Returns when it is lost.
async fn renew(store: &dyn Coordination, lease: LeaseId, life: Duration, state: &watch::Sender<State>) -> Loss {
    let mut next = Instant::now() + life / 3;
    loop {
        let ends = state.borrow().ends;
        sleep_until(next.min(ends)).await;
        let requested = Instant::now();
        if requested >= ends {
            return Loss::Expired;
        }
        match timeout_at(ends, store.keep_alive(lease)).await {
            Ok(Ok(left)) if !left.is_zero() => {
                state.send_modify(|state| state.ends = requested + left);
                next = requested + left / 3;
            }
            Ok(Ok(_)) => return Loss::LeaseGone,
            Ok(Err(error)) => match error.reason() {
                Reason::NoLease(_) => return Loss::LeaseGone,
                Reason::Closed => return Loss::Closed,
                _ => next = Instant::now() + life / 20,
            },
            Err(_) => return Loss::Expired,
        }
    }
}

/// Waits until the key that was created at this revision is gone, even if there is a new one of the same name, or does
/// not end with the lease any more.
async fn watch_key(store: &dyn Coordination, key: &Bytes, lease: LeaseId, token: oneshot::Receiver<Revision>) -> Loss {
    let Ok(token) = token.await else { return pending().await };
    let mut pauses = Pauses::default();
    loop {
        // From the write on, so that changes between the write and the start of the watch are reported, too.
        let options = WatchOptions::default().from(token);
        match store.watch(vec![KeyRange::key(key)], options).await {
            Ok(watch) => return wait_until_lost(watch, lease, token).await,
            Err(error) if *error.reason() == Reason::Closed => return Loss::Closed,
            Err(_) => sleep(pauses.next()).await,
        }
    }
}

async fn wait_until_lost(mut watch: Watch, lease: LeaseId, token: Revision) -> Loss {
    let loss = |entry: &Entry| {
        let is_ours = entry.created == Some(token) && entry.lease == Some(lease);
        (!is_ours).then_some(Loss::Overwritten)
    };
    let mut found = Some(Loss::Deleted);
    while let Some(event) = watch.next().await {
        let lost = match event {
            Event::SnapshotBegin { .. } => {
                found = Some(Loss::Deleted);
                None
            }
            Event::Item(entry) => {
                found = loss(&entry);
                None
            }
            Event::SnapshotEnd { .. } => found,
            Event::Changes { changes, .. } => changes.iter().find_map(|change| match &change.kind {
                ChangeKind::Put { entry, .. } => loss(entry),
                ChangeKind::Deleted { .. } => Some(Loss::Deleted),
            }),
            Event::Removed { .. } | Event::Link(_) => None,
        };
        if let Some(loss) = lost {
            return loss;
        }
    }
    Loss::Closed
}

/// Retries until the store can be reached. Only for idempotent operations.
pub(super) async fn patiently<T, F: Future<Output = Result<T>>>(mut run: impl FnMut() -> F) -> Result<T> {
    let mut pauses = Pauses::default();
    loop {
        match run().await {
            Err(error) if matches!(error.reason(), Reason::Unavailable | Reason::TimedOut(_)) => {
                sleep(pauses.next()).await;
            }
            result => return result,
        }
    }
}
