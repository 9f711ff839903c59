//! [`Terms`]: how something is asked.

use std::time::Duration;
use tokio::time::Instant;

/// How something is asked: until when, how often, and behind which others. All that one call of a caller's asks the server has the same terms, so that it ends in time however
/// much that is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// What the time is told as.
    pub(crate) limit: Duration,
    pub(crate) until: Instant,
    /// So often of each member.
    pub(crate) rounds: usize,
    pub(crate) lane: Lane,
}

/// Who waits behind whom. What keeps a lease alive waits behind no flood of calls, and behind no large reads of many watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    Callers,
    Watches,
    Own,
}

impl Lane {
    pub(crate) const ALL: [Lane; 3] = [Lane::Callers, Lane::Watches, Lane::Own];

    /// So many are on their way at once; the next ones wait, within their limit. What is on its way when the server hangs is done when it wakes up, so it is no queue.
    pub(crate) const fn room(self) -> usize {
        match self {
            Lane::Callers => 128,
            Lane::Watches => 16,
            Lane::Own => 32,
        }
    }
}

impl Terms {
    /// From now on.
    pub(crate) fn within(limit: Duration, lane: Lane) -> Self {
        Terms { limit, until: Instant::now() + limit, rounds: usize::MAX, lane }
    }

    /// The same, from now on.
    pub(crate) fn anew(self) -> Self {
        Terms { until: Instant::now() + self.limit, ..self }
    }
}
