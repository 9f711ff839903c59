//! [`StatusChanges`]: watches the status of an agent.

use super::{AgentStatus, version::Version};
use crate::Context;
use std::fmt;
use tokio::sync::watch;

/// Watches the status of an agent: see [`Agent::status_changes`](crate::Agent::status_changes) and
/// [`Context::status_changes`](crate::Context::status_changes).
///
/// After a change it returns the latest status. Nobody waits for a slow watcher, and nothing piles up for it: it may
/// miss intermediate states, but never the last one.
#[derive(Clone)]
pub struct StatusChanges {
    cx: Context,
    version: watch::Receiver<Version>,
    /// The version that was returned last.
    seen: u64,
}

impl Context {
    /// Watches the status of the agent. To let the task of a plugin that watches it end by itself, leave its loop when
    /// the agent stops:
    ///
    /// ```
    /// use cninfra::{prelude::*, status::State};
    ///
    /// #[plugin]
    /// struct Watcher;
    ///
    /// impl Lifecycle for Watcher {
    ///     async fn init(&self, cx: &Context) -> Result<()> {
    ///         let (log, mut changes) = (cx.log(), cx.status_changes());
    ///         cx.spawn("watch", async move {
    ///             while let Some(status) = changes.next().await {
    ///                 if status.phase == State::Stopped {
    ///                     break;
    ///                 }
    ///                 log.info(format_args!("the agent is {}", status.state));
    ///             }
    ///         });
    ///         Ok(())
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn status_changes(&self) -> StatusChanges {
        StatusChanges::new(self.clone())
    }
}

impl StatusChanges {
    pub(crate) fn new(cx: Context) -> Self {
        let version = cx.status_registry().versions();
        let seen = version.borrow().count;
        StatusChanges { cx, version, seen }
    }

    /// The current status. Changes before this call are no longer returned by [`next`](Self::next).
    pub fn current(&mut self) -> AgentStatus {
        self.seen = self.version.borrow_and_update().count;
        self.cx.status_registry().agent()
    }

    /// Waits for a change, and returns the status as it is then. `None` when the agent has closed, after the last
    /// change.
    ///
    /// A plugin's own task does not see that `None`, since it is ended when its plugin has closed. A task that should
    /// end by itself leaves its loop when the agent stops: when the `phase` of the status is
    /// [`State::Stopped`](super::State::Stopped).
    ///
    /// # Cancel safety
    /// It may be dropped and called again: no change is lost.
    pub async fn next(&mut self) -> Option<AgentStatus> {
        loop {
            let Version { count, ended } = *self.version.borrow_and_update();
            if count != self.seen {
                return Some(self.current());
            }
            if ended {
                return None;
            }
            // It cannot fail, since `cx` holds the sender.
            self.version.changed().await.ok()?;
        }
    }
}

impl fmt::Debug for StatusChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusChanges").field("seen", &self.seen).finish_non_exhaustive()
    }
}
