//! [`Held`]: a leadership or a lock that is held.

use super::{
    super::{Bytes, Compare, Coordination, Kv, KvError, Reason, Result, Revision, Txn},
    claim::{Claim, Turn},
    session::Loss,
};
use std::{fmt, time::Duration};

/// What one of many agents holds: a [`Leadership`](super::Leadership), or a lock through its
/// [`LockGuard`](super::LockGuard). Dropping it releases it in the background.
pub struct Held(Claim);

impl Held {
    /// Waits in the queue until it is the first.
    pub(super) async fn wait(
        queue: &Kv<dyn Coordination>,
        op: &'static str,
        value: impl Into<Bytes>,
        ttl: Duration,
    ) -> Result<Self> {
        let value = value.into();
        loop {
            let claim = Claim::enqueue(queue, &value, ttl).await?;
            match claim.wait_until_first().await? {
                Turn::First => return Ok(Held(claim)),
                Turn::Lost(Loss::Closed) => return Err(KvError::new(op, Reason::Closed).not_applied()),
                // It queues again, at the end.
                Turn::Lost(_) => {}
            }
        }
    }

    /// Takes it if nobody holds it and nobody waits for it.
    pub(super) async fn attempt(queue: &Kv<dyn Coordination>, value: Bytes, ttl: Duration) -> Result<Option<Self>> {
        let claim = Claim::enqueue(queue, &value, ttl).await?;
        if let Ok(None) = claim.before().await? {
            return Ok(Some(Held(claim)));
        }
        claim.end().await?;
        Ok(None)
    }

    /// The key of the holder.
    #[must_use]
    pub fn key(&self) -> Bytes {
        self.0.key()
    }

    /// The fencing token. No later holder has a lower one, so a resource that gets requests from two holders should
    /// obey the one with the higher token.
    ///
    /// The token is a revision of the store. A store that has lost its data, such as an etcd whose data directory was
    /// removed, begins again at low revisions, and tokens go down with them. A resource that remembers a higher token
    /// then refuses all holders, until that token is reset. A watch reports such a loss as
    /// [`Cause::Regressed`](crate::keyval::Cause::Regressed).
    #[must_use]
    pub fn token(&self) -> Revision {
        self.0.token()
    }

    /// A transaction that is executed only as long as this is held. The transaction has to be of a view without a
    /// prefix.
    #[must_use]
    pub fn fence(&self, txn: Txn) -> Txn {
        txn.when(self.0.key(), Compare::Created(self.0.token()))
    }

    /// Why it is no longer held; `None` while it is, as far as the store has said.
    #[must_use]
    pub fn loss(&self) -> Option<Loss> {
        self.0.session().loss()
    }

    /// Waits until it is lost.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn lost(&self) -> Loss {
        self.0.session().lost().await
    }

    /// Changes the value of the key. Returns whether it was changed.
    pub(super) async fn put(&self, value: Bytes) -> Result<bool> {
        self.0.put(value).await
    }

    /// Releases it.
    pub(super) async fn end(self) -> Result<()> {
        self.0.end().await
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("token", &self.token()).field("loss", &self.loss()).finish_non_exhaustive()
    }
}
