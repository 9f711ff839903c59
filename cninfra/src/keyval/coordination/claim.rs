//! [`Claim`]: a place in the queue of those who want to have the same.

use super::{
    super::{
        Compare, Coordination, Entry, Expiry, KeyRange, Kv, KvError, LeaseId, OpResult, Reason, Result, Revision, Txn,
        TxnOutcome, Update, WatchOptions,
    },
    session::{Loss, Session},
};
use crate::client::Pauses;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::sleep;

/// A place in the queue of those who want to have the same: a key with a lease, which is older than those that came later.
pub(super) struct Claim {
    /// The keys of the queue.
    kv: Kv<dyn Coordination>,
    key: Bytes,
    /// When the key was made: nobody who has it later has a lower one.
    token: Revision,
    session: Session,
}

/// What has come of waiting.
pub(super) enum Turn {
    First,
    Lost(Loss),
}

impl Claim {
    /// The keys of the queue of this name.
    pub(super) fn queue(kv: &Kv<dyn Coordination>, name: &[u8]) -> Kv<dyn Coordination> {
        kv.scoped([name, b"/"].concat())
    }

    /// Is it a place in the queue, by its key in there? Queues with longer names, and whatever else is below this one's name, are none of it.
    pub(super) fn is_place(key: &[u8]) -> bool {
        std::str::from_utf8(key).is_ok_and(|key| key.parse::<LeaseId>().is_ok_and(|lease| lease.to_string() == key))
    }

    /// Takes a place, at the end.
    pub(super) async fn stand(kv: &Kv<dyn Coordination>, value: &Bytes, ttl: Duration) -> Result<Self> {
        loop {
            let full = |lease| Bytes::from([kv.prefix(), format!("{lease}").as_bytes()].concat());
            // a lease whose answer got lost ends by itself
            let mut session = patiently(async || Session::begin(kv.store(), ttl, full).await).await?;
            let (key, lease) = (Bytes::from(session.lease().to_string()), session.lease());
            let put = || {
                let txn = Txn::new().when(key.clone(), Compare::Absent);
                kv.commit(txn.put_with(key.clone(), value.clone(), Expiry::Lease(lease)).or_get(&key))
            };
            let written = tokio::select! {
                // done twice it is the same: the key is of this lease alone
                outcome = patiently(put) => outcome,
                _ = session.lost() => continue,
            };
            return match written {
                Ok(outcome) => {
                    let token = made(&outcome).ok_or_else(no_revision)?;
                    session.has_written(token);
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

    /// Waits until all who came before are gone.
    pub(super) async fn first(&self) -> Result<Turn> {
        tokio::select! {
            first = self.all_before_are_gone() => first,
            loss = self.session.lost() => Ok(Turn::Lost(loss)),
        }
    }

    async fn all_before_are_gone(&self) -> Result<Turn> {
        loop {
            match self.before().await? {
                Ok(None) => return Ok(Turn::First),
                Ok(Some(before)) => self.is_gone(&before).await?,
                Err(loss) => return Ok(Turn::Lost(loss)),
            }
        }
    }

    /// Who is the last one before it.
    pub(super) async fn before(&self) -> Result<Result<Option<Entry>, Loss>> {
        let all = patiently(|| self.kv.list_keys("").all()).await?;
        if !all.iter().any(|entry| entry.key == self.key) {
            return Ok(Err(Loss::Deleted));
        }
        let places = all.into_iter().filter(|entry| Self::is_place(&entry.key));
        let before = places.filter(|entry| entry.created.is_some_and(|made| made < self.token));
        Ok(Ok(before.max_by_key(|entry| entry.created)))
    }

    /// Waits until a key is gone, or another one of its name.
    async fn is_gone(&self, of: &Entry) -> Result<()> {
        let range = KeyRange::key(&of.key);
        let watch = patiently(|| self.kv.watch_ranges([range.clone()], WatchOptions::default())).await?;
        let (mut updates, mut is_there) = (watch.diffed(), false);
        while let Some(update) = updates.next().await {
            match update {
                Update::Put(entry) if entry.created == of.created => is_there = true,
                Update::Put(_) | Update::Deleted { .. } => return Ok(()),
                Update::Synced(_) if !is_there => return Ok(()),
                Update::Synced(_) | Update::Removed(_) | Update::Link(_) => {}
            }
        }
        Err(KvError::new("watch", Reason::Closed).not_applied().on(range))
    }

    /// Writes another value, as long as it is had.
    pub(super) async fn put(&self, value: Bytes) -> Result<bool> {
        let expiry = Expiry::Lease(self.session.lease());
        let txn = Txn::new().when(self.key.clone(), Compare::Created(self.token));
        Ok(self.kv.commit(txn.put_with(self.key.clone(), value, expiry)).await?.succeeded)
    }

    /// Gives the place up.
    pub(super) async fn end(self) -> Result<()> {
        self.session.end().await
    }
}

/// When the key was made: now, or at the first try.
fn made(outcome: &TxnOutcome) -> Option<Revision> {
    match &outcome.results[..] {
        _ if outcome.succeeded => outcome.revision,
        [OpResult::Got(entries)] => entries.first().and_then(|entry| entry.created),
        _ => None,
    }
}

/// A store has broken its contract.
fn no_revision() -> KvError {
    KvError::new("transaction", Reason::Other).because("the store has told no revision")
}

/// Tries until the store can be reached. Only for what is the same when it is done twice.
async fn patiently<T, F: Future<Output = Result<T>>>(mut run: impl FnMut() -> F) -> Result<T> {
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
