//! [`Lock`]: one of many agents at a time.

use super::{
    super::{Bytes, Compare, Coordination, Kv, KvError, Reason, Result, Revision, Txn},
    claim::{Claim, Turn},
    session::Loss,
};
use std::{fmt, time::Duration};

/// One of many agents at a time has it.
///
/// A lock of a store is only as good as the clocks and the pauses of those who use it: who has it may sleep, and wake up when another one has it already. So it has a
/// [token](LockGuard::token), and writes to the same store are best done by [`LockGuard::fence`], which the store itself refuses when the lock is lost.
///
/// ```
/// use cninfra::keyval::{Coordination, Kv, Lock, Result, Txn};
/// use std::time::Duration;
///
/// async fn add(all: &Kv<dyn Coordination>) -> Result<bool> {
///     let guard = Lock::new(all, "locks/counter", Duration::from_secs(10)).lock().await?;
///     let outcome = all.commit(guard.fence(Txn::new().put("counter", "1"))).await?;
///     guard.unlock().await?;
///     Ok(outcome.succeeded)
/// }
/// ```
pub struct Lock {
    queue: Kv<dyn Coordination>,
    ttl: Duration,
}

impl Lock {
    /// A lock of this name, below a view's prefix. That of an owner who dies is free after `ttl` at the latest, or what the store grants.
    #[must_use]
    pub fn new(kv: &Kv<dyn Coordination>, name: impl AsRef<[u8]>, ttl: Duration) -> Self {
        Lock { queue: Claim::queue(kv, name.as_ref()), ttl }
    }

    /// Waits until it has it. While the store can not be reached, it goes on trying.
    ///
    /// # Errors
    /// The store's, if it does not permit it, can not do it, or was closed.
    ///
    /// # Cancel safety
    /// Dropped, it waits no more.
    pub async fn lock(&self) -> Result<LockGuard> {
        loop {
            let claim = Claim::stand(&self.queue, &Bytes::new(), self.ttl).await?;
            match claim.first().await? {
                Turn::First => return Ok(LockGuard(claim)),
                Turn::Lost(Loss::Closed) => return Err(KvError::new("lock", Reason::Closed).not_applied()),
                Turn::Lost(_) => {}
            }
        }
    }

    /// Takes it, if nobody has it and nobody waits for it.
    ///
    /// # Errors
    /// As of [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<Option<LockGuard>> {
        let claim = Claim::stand(&self.queue, &Bytes::new(), self.ttl).await?;
        if let Ok(None) = claim.before().await? {
            return Ok(Some(LockGuard(claim)));
        }
        claim.end().await?;
        Ok(None)
    }
}

/// The lock is had, as long as it is not [lost](Self::lost). Dropped, it is given back in the background.
#[must_use = "dropped, the lock is given back"]
pub struct LockGuard(Claim);

impl LockGuard {
    /// The key of the lock.
    #[must_use]
    pub fn key(&self) -> Bytes {
        self.0.key()
    }

    /// The fencing token: nobody who has the lock later has a lower one, so who is asked by two takes the higher one's word.
    #[must_use]
    pub fn token(&self) -> Revision {
        self.0.token()
    }

    /// A transaction that is done only as long as the lock is had. The transaction is of a view without a prefix.
    #[must_use]
    pub fn fence(&self, txn: Txn) -> Txn {
        txn.when(self.0.key(), Compare::Created(self.0.token()))
    }

    /// Why it is had no more; `None` while it is, by all that the store has said.
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

    /// Gives it back.
    ///
    /// # Errors
    /// The store's: the lease ends by itself then.
    pub async fn unlock(self) -> Result<()> {
        self.0.end().await
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").field("token", &self.token()).field("loss", &self.loss()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("queue", &self.queue).field("ttl", &self.ttl).finish()
    }
}
