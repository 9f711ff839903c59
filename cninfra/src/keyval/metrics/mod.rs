//! [`StoreMetrics`]: the metrics of a store: its calls, its watches and its connection.

mod calls;
mod collect;
mod register;
mod watches;

pub(crate) use collect::Stores;

pub(super) use calls::{Counted, Operation};
pub(super) use watches::OpenWatch;

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

/// For authors of plugins: the metrics of a store, exposed with those of its agent. Clones share the metrics.
///
/// | metric | labels | meaning |
/// | --- | --- | --- |
/// | `keyval_requests_total` | `plugin`, `operation`, `outcome` | completed calls: `ok`, the reason of the failure (`unavailable`, `timed_out`, ..), or `dropped` if the caller stopped waiting |
/// | `keyval_request_duration_seconds` | `plugin`, `operation` | how long they took, whatever their outcome, as a histogram |
/// | `keyval_up` | `plugin` | 1 while the store answers, else 0 |
/// | `keyval_reconnects_total` | `plugin` | how often it answered again after it did not |
/// | `keyval_watches` | `plugin` | open watches |
/// | `keyval_watch_queued_events` | `plugin` | events that wait for their subscribers |
/// | `keyval_watch_events_total` | `plugin` | events that subscribers have taken |
/// | `keyval_watch_snapshots_total` | `plugin`, `cause` | snapshots that subscribers have begun to take: at the start, and whenever changes may have been missed |
/// | `keyval_watch_overflows_total`, `keyval_watch_coalesced_total`, `keyval_watch_resnapshots_total`, `keyval_watch_failures_total` | `plugin` | what [`WatchStats`](super::WatchStats) counts, for all watches together |
///
/// For a [`Delegate`](super::Delegate) that returns them, all calls are counted automatically, through whichever
/// interface they come. Calls that bypass the plugin, through the store's own type, are not counted. A call costs two
/// clock readings and two atomic additions (some 70 ns together). Its future is 24 bytes larger, without another
/// allocation.
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
    /// Sets whether the store answers. Setting the same value again changes nothing.
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

    /// Returns the watch, which is counted from now on.
    pub(super) fn watched(&self, watch: Watch) -> Watch {
        watch.counted_by(|control| OpenWatch::new(self.0.watches.clone(), control))
    }
}

impl fmt::Debug for StoreMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreMetrics").field("up", &self.0.up).finish_non_exhaustive()
    }
}
