//! [`Lock`]: a lock that one of many agents holds at a time.

use super::{
    super::{Bytes, Coordination, Kv, Result},
    claim::Claim,
    held::Held,
};
use std::{fmt, ops::Deref, time::Duration};

/// A lock that one of many agents holds at a time.
///
/// A lock of a store is only as reliable as the clocks and pauses of its users: a holder may be suspended, and resume
/// when another one has the lock already. Therefore a lock has a [token](Held::token). Make writes to the same store
/// with [`Held::fence`]: the store itself refuses them when the lock is lost.
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
    /// A lock of this name, below the prefix of a view. The lock of an owner that dies is free after at most `ttl`, or
    /// the time that the store grants.
    #[must_use]
    pub fn new(kv: &Kv<dyn Coordination>, name: impl AsRef<[u8]>, ttl: Duration) -> Self {
        Lock { queue: Claim::queue(kv, name.as_ref()), ttl }
    }

    /// Waits until it holds the lock. While the store cannot be reached, it keeps trying.
    ///
    /// # Errors
    /// Those of the store, if it does not permit it, does not support it, or was closed.
    ///
    /// # Cancel safety
    /// If it is dropped, it no longer waits.
    pub async fn lock(&self) -> Result<LockGuard> {
        Held::wait(&self.queue, "lock", Bytes::new(), self.ttl).await.map(LockGuard)
    }

    /// Takes the lock, if nobody holds it and nobody waits for it.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<Option<LockGuard>> {
        Ok(Held::attempt(&self.queue, Bytes::new(), self.ttl).await?.map(LockGuard))
    }
}

/// The lock, which is held until it is [lost](Held::lost). Dropping it releases the lock in the background, and the
/// close of the store waits for that.
#[must_use = "dropped, the lock is given back"]
#[derive(Debug)]
pub struct LockGuard(Held);

impl Deref for LockGuard {
    type Target = Held;

    fn deref(&self) -> &Held {
        &self.0
    }
}

impl LockGuard {
    /// Releases the lock.
    ///
    /// # Errors
    /// Those of the store. The lease then ends by itself.
    pub async fn unlock(self) -> Result<()> {
        self.0.end().await
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("queue", &self.queue).field("ttl", &self.ttl).finish()
    }
}
