//! [`Terms`]: the deadline, retries and lane of a call.

use std::time::Duration;
use tokio::time::Instant;

/// The deadline of a call, how often it is retried, and in which lane it waits. All requests that one call of a caller
/// makes share these terms, so that the call ends in time however many they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The whole limit, for messages.
    pub(crate) limit: Duration,
    pub(crate) until: Instant,
    /// How often each member is tried.
    pub(crate) rounds: usize,
    pub(crate) lane: Lane,
}

/// The queue in which a request waits. Keeping leases alive (`Own`) waits neither behind a flood of calls nor behind
/// large reads of many watches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lane {
    Callers,
    Watches,
    Own,
}

impl Lane {
    pub(crate) const ALL: [Lane; 3] = [Lane::Callers, Lane::Watches, Lane::Own];

    /// How many requests are in flight at once; further ones wait, within their limit. A server that hangs executes all
    /// requests in flight when it wakes up, so they must not serve as a queue.
    pub(crate) const fn limit(self) -> usize {
        match self {
            Lane::Callers => 128,
            Lane::Watches => 16,
            Lane::Own => 32,
        }
    }
}

impl Terms {
    /// Terms whose time starts now.
    pub(crate) fn within(limit: Duration, lane: Lane) -> Self {
        Terms { limit, until: Instant::now() + limit, rounds: usize::MAX, lane }
    }

    /// The same terms, with the full limit from now on.
    pub(crate) fn restarted(self) -> Self {
        Terms { until: Instant::now() + self.limit, ..self }
    }
}
