//! [`Claim`]: a place in the queue for a leadership or a lock.

use super::{
    super::{
        Compare, Coordination, Entry, Expiry, KeyRange, Kv, KvError, LeaseId, OpResult, Reason, Result, Revision, Txn,
        TxnOutcome, Update, WatchOptions,
    },
    session::{Loss, Session, patiently},
};
use bytes::Bytes;
use std::time::Duration;

/// A place in the queue for a leadership or a lock: a key bound to a lease. Older keys come first.
pub(super) struct Claim {
    /// The view of the queue's keys.
    kv: Kv<dyn Coordination>,
    key: Bytes,
    /// The revision at which the key was created: no later holder has a lower one.
    token: Revision,
    session: Session,
}

/// How the wait for the first place has ended.
pub(super) enum Turn {
    First,
    Lost(Loss),
}

impl Claim {
    /// The view of the queue with this name.
    pub(super) fn queue(kv: &Kv<dyn Coordination>, name: &[u8]) -> Kv<dyn Coordination> {
        kv.scoped([name, b"/"].concat())
    }

    /// Whether this key of the queue's view is a place in the queue. The keys of queues with longer names, and anything
    /// else below the name, are not.
    pub(super) fn is_place(key: &[u8]) -> bool {
        std::str::from_utf8(key).is_ok_and(|key| key.parse::<LeaseId>().is_ok_and(|lease| lease.to_string() == key))
    }

    /// Takes a place at the end of the queue.
    pub(super) async fn enqueue(kv: &Kv<dyn Coordination>, value: &Bytes, ttl: Duration) -> Result<Self> {
        loop {
            let full = |lease| Bytes::from([kv.prefix(), format!("{lease}").as_bytes()].concat());
            // If the answer is lost, the granted lease expires by itself.
            let mut session = patiently(async || Session::begin(kv.store(), ttl, full).await).await?;
            let (key, lease) = (Bytes::from(session.lease().to_string()), session.lease());
            let put = || {
                let txn = Txn::new().when(key.clone(), Compare::Absent);
                kv.commit(txn.put_with(key.clone(), value.clone(), Expiry::Lease(lease)).or_get(&key))
            };
            let written = tokio::select! {
                // This may be repeated, since the key belongs to this lease alone.
                outcome = patiently(put) => outcome,
                _ = session.lost() => continue,
            };
            return match written {
                Ok(outcome) => {
                    let token = creation_revision(&outcome).ok_or_else(no_revision)?;
                    session.set_written(token);
                    Ok(Claim { kv: kv.clone(), key, token, session })
                }
                Err(error) if matches!(error.reason(), Reason::NoLease(_)) => continue,
                Err(error) => Err(error),
            };
        }
    }

    pub(super) fn key(&self) -> Bytes {
        [self.kv.prefix(), &*self.key].concat().into()
    }

    pub(super) fn token(&self) -> Revision {
        self.token
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Waits until all places before this one are gone, or this one is lost.
    pub(super) async fn wait_until_first(&self) -> Result<Turn> {
        tokio::select! {
            turn = self.wait_for_all_before() => turn,
            loss = self.session.lost() => Ok(Turn::Lost(loss)),
        }
    }

    async fn wait_for_all_before(&self) -> Result<Turn> {
        loop {
            match self.before().await? {
                Ok(None) => return Ok(Turn::First),
                Ok(Some(before)) => self.wait_until_gone(&before).await?,
                Err(loss) => return Ok(Turn::Lost(loss)),
            }
        }
    }

    /// The place directly before this one, or `Loss` if this one is gone.
    pub(super) async fn before(&self) -> Result<Result<Option<Entry>, Loss>> {
        let all = patiently(|| self.kv.list_keys("").all()).await?;
        if !all.iter().any(|entry| entry.key == self.key) {
            return Ok(Err(Loss::Deleted));
        }
        let places = all.into_iter().filter(|entry| Self::is_place(&entry.key));
        let before = places.filter(|entry| entry.created.is_some_and(|made| made < self.token));
        Ok(Ok(before.max_by_key(|entry| entry.created)))
    }

    /// Waits until a key is deleted, or created again.
    async fn wait_until_gone(&self, entry: &Entry) -> Result<()> {
        let range = KeyRange::key(&entry.key);
        let watch = patiently(|| self.kv.watch_ranges([range.clone()], WatchOptions::default())).await?;
        let (mut updates, mut is_there) = (watch.diffed(), false);
        while let Some(update) = updates.next().await {
            match update {
                Update::Put(put) if put.created == entry.created => is_there = true,
                Update::Put(_) | Update::Deleted { .. } => return Ok(()),
                Update::Synced(_) if !is_there => return Ok(()),
                Update::Synced(_) | Update::Removed(_) | Update::Link(_) => {}
            }
        }
        Err(KvError::new("watch", Reason::Closed).not_applied().on(range))
    }

    /// Writes another value if the place still exists. Returns whether it was written.
    pub(super) async fn put(&self, value: Bytes) -> Result<bool> {
        let expiry = Expiry::Lease(self.session.lease());
        let txn = Txn::new().when(self.key.clone(), Compare::Created(self.token));
        Ok(self.kv.commit(txn.put_with(self.key.clone(), value, expiry)).await?.succeeded)
    }

    /// Gives up the place.
    pub(super) async fn end(self) -> Result<()> {
        self.session.end().await
    }
}

/// The revision at which the key was created, by this transaction or by an earlier attempt.
fn creation_revision(outcome: &TxnOutcome) -> Option<Revision> {
    match &outcome.results[..] {
        _ if outcome.succeeded => outcome.revision,
        [OpResult::Got(entries)] => entries.first().and_then(|entry| entry.created),
        _ => None,
    }
}

/// The error for a store that has broken its contract: it returned no revision.
fn no_revision() -> KvError {
    KvError::new("transaction", Reason::Other).because("the store has told no revision")
}
