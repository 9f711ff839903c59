//! The first moment of an agent's server, in which clients wait for the end of the start instead of getting a 503.

use crate::shared::Shared;
use cninfra::Context;
use std::{sync::atomic::Ordering::Relaxed, time::Duration};
use tokio::time::timeout_at;

/// Counted from when the server listens. Most starts are done by then, and a client that is told to retry waits for a
/// second.
pub(crate) const MOMENT: Duration = Duration::from_millis(10);

impl Shared {
    /// Waits for the end of the agent's start, if that comes within the first moment.
    pub(crate) async fn wait_until_settled(&self) {
        if let Some(context) = self.context.as_ref().filter(|_| !self.has_settled.load(Relaxed)) {
            // If the moment is over, this returns at once.
            let _ = timeout_at(self.clock.epoch() + MOMENT, started(context)).await;
            self.has_settled.store(true, Relaxed);
        }
    }
}

async fn started(context: &Context) {
    let mut changes = context.status_changes();
    let mut status = Some(changes.current());
    while status.is_some_and(|status| !status.has_started) {
        status = changes.next().await;
    }
}
