//! [`StoreMetrics`]: what a store's plugin counts of its calls, its watches and its connection.

mod calls;
mod collect;
mod register;
mod watches;

pub(crate) use collect::Stores;

pub(super) use calls::{Counted, Operation};
pub(super) use watches::Seen;

use super::Watch;
use calls::Calls;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};
use watches::Watches;

/// For authors of plugins: what a store counts, told with the metrics of its agent. Clones are the same metrics.
///
/// | metric | labels | |
/// | --- | --- | --- |
/// | `keyval_requests_total` | `plugin`, `operation`, `outcome` | calls that have ended: `ok`, why they failed (`unavailable`, `timed_out`, ..), or `dropped` where nobody waited for them any more |
/// | `keyval_request_duration_seconds` | `plugin`, `operation` | how long they took, however they ended, as a histogram |
/// | `keyval_up` | `plugin` | 1 while the store answers, else 0 |
/// | `keyval_reconnects_total` | `plugin` | how often it answered again after it did not |
/// | `keyval_watches` | `plugin` | watches that are open |
/// | `keyval_watch_queued_events` | `plugin` | events that wait for their subscribers |
/// | `keyval_watch_events_total` | `plugin` | events that subscribers have taken |
/// | `keyval_watch_snapshots_total` | `plugin`, `cause` | snapshots that subscribers have begun to take: at the start, and wherever changes may have been missed |
/// | `keyval_watch_overflows_total`, `keyval_watch_coalesced_total`, `keyval_watch_resnapshots_total`, `keyval_watch_failures_total` | `plugin` | what [`WatchStats`](super::WatchStats) counts, of all watches together |
///
/// A [`Delegate`](super::Delegate) that hands them out is counted with nothing else to do, whoever calls it by whichever interface. What is called without the plugin, by the store's own type, is not.
/// A call costs two readings of the clock and two atomic additions (some 70 ns together); its future is 24 bytes larger, and in no other box.
///
/// ```
/// use cninfra::{keyval::StoreMetrics, prelude::*};
///
/// #[plugin]
/// struct Shelf {
///     metrics: StoreMetrics,
/// }
///
/// impl Lifecycle for Shelf {
///     async fn init(&self, cx: &Context) -> Result<()> {
///         self.metrics.register(cx);
///         self.metrics.set_up(true);
///         Ok(())
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct StoreMetrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    calls: Calls,
    watches: Arc<Watches>,
    up: AtomicBool,
    was_up: AtomicBool,
    reconnects: AtomicU64,
}

impl StoreMetrics {
    /// The store answers, or it does not. To say it again is no change.
    pub fn set_up(&self, is_up: bool) {
        let Inner { up, was_up, reconnects, .. } = &*self.0;
        if is_up && !up.swap(true, Relaxed) && was_up.swap(true, Relaxed) {
            reconnects.fetch_add(1, Relaxed);
        }
        up.store(is_up, Relaxed);
    }

    pub(super) fn calls(&self) -> &Calls {
        &self.0.calls
    }

    /// The same watch, which is counted.
    pub(super) fn watched(&self, watch: Watch) -> Watch {
        watch.seen_by(|control| Seen::new(self.0.watches.clone(), control))
    }
}

impl fmt::Debug for StoreMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreMetrics").field("up", &self.0.up).finish_non_exhaustive()
    }
}
