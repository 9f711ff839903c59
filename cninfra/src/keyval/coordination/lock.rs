//! [`Lock`]: one of many agents at a time.

use super::{
    super::{Bytes, Coordination, Kv, Result},
    claim::Claim,
    held::Held,
};
use std::{fmt, ops::Deref, time::Duration};

/// One of many agents at a time has it.
///
/// A lock of a store is only as good as the clocks and the pauses of those who use it: who has it may sleep, and wake up when another one has it already. So it has a
/// [token](Held::token), and writes to the same store are best done by [`Held::fence`], which the store itself refuses when the lock is lost.
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
        Held::wait(&self.queue, "lock", Bytes::new(), self.ttl).await.map(LockGuard)
    }

    /// Takes it, if nobody has it and nobody waits for it.
    ///
    /// # Errors
    /// As of [`lock`](Self::lock).
    pub async fn try_lock(&self) -> Result<Option<LockGuard>> {
        Ok(Held::attempt(&self.queue, Bytes::new(), self.ttl).await?.map(LockGuard))
    }
}

/// The lock is had, as long as it is not [lost](Held::lost). Dropped, it is given back in the background, and the close of the store waits for that.
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
    /// Gives it back.
    ///
    /// # Errors
    /// The store's: the lease ends by itself then.
    pub async fn unlock(self) -> Result<()> {
        self.0.end().await
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("queue", &self.queue).field("ttl", &self.ttl).finish()
    }
}
