//! [`Holders`]: the leaderships and locks that have to be released before a store closes.

use std::{future::pending, time::Duration};
use tokio::{sync::watch, time::timeout};

/// How long the close of a store waits. What is not released by then expires by itself.
const GIVING_BACK: Duration = Duration::from_secs(1);

/// For authors of stores with [`Coordination`](crate::keyval::Coordination): keeps track of those that lead or hold a
/// lock through this store. When the store is closed, it tells them to release that, and waits until they have.
///
/// ```
/// use cninfra::keyval::Holders;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let holders = Holders::default();
/// let mut holder = holders.holder(); // what the store returns by `Coordination::holder`
/// tokio::spawn(async move {
///     holder.closing().await;
///     // the lease is revoked, and the holder dropped
/// });
/// holders.end().await; // the first thing that the store's `close` does
/// # }
/// ```
#[derive(Default, Debug)]
pub struct Holders(watch::Sender<bool>);

impl Holders {
    /// Another holder, until it is dropped.
    #[must_use]
    pub fn holder(&self) -> Holder {
        Holder(self.0.subscribe())
    }

    /// Tells all holders to release what they hold, and waits until they have, for at most a second.
    ///
    /// # Cancel safety
    /// If it is dropped, the holders have been told. It may be called again.
    pub async fn end(&self) {
        self.0.send_replace(true);
        // Leases that are left expire by themselves.
        let _ = timeout(GIVING_BACK, self.0.closed()).await;
    }
}

/// Something is held by a lease of the store until this is dropped. A store does not wait for one made by [`Default`].
#[derive(Debug)]
pub struct Holder(watch::Receiver<bool>);

impl Default for Holder {
    fn default() -> Self {
        Holders::default().holder()
    }
}

impl Holder {
    /// Whether the store is being closed, so that what is held has to be released.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the store is being closed.
    ///
    /// # Cancel safety
    /// It may be dropped and called again.
    pub async fn closing(&mut self) {
        if self.0.wait_for(|is_closing| *is_closing).await.is_err() {
            // The `Holders` are gone, so nobody can announce the close.
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn they_are_told_and_waited_for_but_not_for_ever() {
        let (holders, began) = (Holders::default(), Instant::now());
        holders.end().await;
        assert!(began.elapsed().is_zero(), "nobody has anything");
        let holders = Holders::default();
        let mut holder = holders.holder();
        assert!(!holder.is_closing());
        tokio::spawn(async move {
            holder.closing().await;
            sleep(GIVING_BACK / 2).await;
        });
        holders.end().await;
        assert_eq!(began.elapsed(), GIVING_BACK / 2);
        // A late holder is told at once.
        let late = holders.holder();
        assert!(late.is_closing());
        holders.end().await;
        assert_eq!(began.elapsed(), GIVING_BACK * 3 / 2);
        drop(late);
        assert!(timeout(GIVING_BACK, Holder::default().closing()).await.is_err());
    }
}
