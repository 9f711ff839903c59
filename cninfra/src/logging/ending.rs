//! [`Ending`]: a task that ends what was set for a while.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU8, Ordering},
};
use tokio::{
    runtime::Handle,
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep_until},
};

/// What holds something for a while.
pub(super) trait Ends: Send + Sync + 'static {
    /// When the next one ends.
    fn next(&self) -> Option<Instant>;
    /// Those end whose time has come.
    fn end_those(&self, now: Instant);
    /// The task of this mark is gone with its runtime: nothing is left that could end anything later.
    fn is_left(&self, by: &Mark);
}

/// The state of a task, by which it is known, too.
pub(super) type Mark = Arc<AtomicU8>;

const NEW: u8 = 0;
const RUNS: u8 = 1;
const GONE: u8 = 2;

/// One task ends all, each in its time. It holds nothing, and goes with what it ends.
pub(super) struct Ending {
    task: AbortHandle,
    of: Mark,
}

impl Ending {
    /// On this runtime; `None` where that has ended. `news` tells of one that was set.
    pub(super) fn begin<T: Ends>(runtime: &Handle, ends: Weak<T>, news: Arc<Notify>) -> Option<Self> {
        let watch = EndsWith { ends, of: Arc::default() };
        let of = watch.of.clone();
        let task = runtime.spawn(end(watch, news)).abort_handle();
        // a runtime that has ended drops it at once
        of.compare_exchange(NEW, RUNS, Ordering::AcqRel, Ordering::Acquire).is_ok().then_some(Ending { task, of })
    }

    pub(super) fn runs(&self) -> bool {
        self.of.load(Ordering::Acquire) == RUNS
    }

    pub(super) fn is_of(&self, mark: &Mark) -> bool {
        Arc::ptr_eq(&self.of, mark)
    }

    pub(super) fn abort(&self) {
        self.task.abort();
    }
}

async fn end<T: Ends>(watch: EndsWith<T>, news: Arc<Notify>) {
    let next = || watch.ends.upgrade().map(|ends| ends.next());
    while let Some(next) = next() {
        tokio::select! {
            () = news.notified() => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                let Some(ends) = watch.ends.upgrade() else { return };
                ends.end_those(Instant::now());
            }
        }
    }
}

/// Goes with the task, also where its runtime ends before it was run at all.
struct EndsWith<T: Ends> {
    ends: Weak<T>,
    of: Mark,
}

impl<T: Ends> Drop for EndsWith<T> {
    fn drop(&mut self) {
        // one that never ran is dropped under a lock of what it ends
        if self.of.swap(GONE, Ordering::AcqRel) != RUNS {
            return;
        }
        if let Some(ends) = self.ends.upgrade() {
            ends.is_left(&self.of);
        }
    }
}
