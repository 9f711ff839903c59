//! [`Ending`]: a task that ends settings whose time is over.

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

/// Something that holds settings for a limited time.
pub(super) trait Ends: Send + Sync + 'static {
    /// When the next setting ends.
    fn next(&self) -> Option<Instant>;
    /// Ends the settings whose time is over.
    fn end_those(&self, now: Instant);
    /// The task with this mark was dropped together with its runtime: nothing is left that could end a setting later.
    fn is_left(&self, by: &Mark);
}

/// The state of a task, which also identifies it.
pub(super) type Mark = Arc<AtomicU8>;

const NEW: u8 = 0;
const RUNS: u8 = 1;
const GONE: u8 = 2;

/// One task ends all settings, each in its time. It keeps nothing alive, and ends with the holder of the settings.
pub(super) struct Ending {
    task: AbortHandle,
    of: Mark,
}

impl Ending {
    /// Starts the task on this runtime; `None` if the runtime has ended. `news` is notified when something was set.
    pub(super) fn begin<T: Ends>(runtime: &Handle, ends: Weak<T>, news: Arc<Notify>) -> Option<Self> {
        let watch = EndsWith { ends, of: Arc::default() };
        let of = watch.of.clone();
        let task = runtime.spawn(end(watch, news)).abort_handle();
        // A runtime that has ended drops the task at once.
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

/// Dropped with the task, even if the runtime ends before the task has run at all.
struct EndsWith<T: Ends> {
    ends: Weak<T>,
    of: Mark,
}

impl<T: Ends> Drop for EndsWith<T> {
    fn drop(&mut self) {
        // A task that never ran is dropped under the lock of the holder, which `is_left` takes.
        if self.of.swap(GONE, Ordering::AcqRel) != RUNS {
            return;
        }
        if let Some(ends) = self.ends.upgrade() {
            ends.is_left(&self.of);
        }
    }
}
