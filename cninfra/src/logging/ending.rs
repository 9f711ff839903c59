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
pub(super) trait Expiring: Send + Sync + 'static {
    /// When the next setting ends.
    fn next(&self) -> Option<Instant>;
    /// Ends the settings whose time is over.
    fn end_expired(&self, now: Instant);
    /// The task with this mark was dropped together with its runtime: nothing is left that could end a setting later.
    fn task_dropped(&self, by: &Mark);
}

/// The state of a task, which also identifies it.
pub(super) type Mark = Arc<AtomicU8>;

const NEW: u8 = 0;
const RUNS: u8 = 1;
const GONE: u8 = 2;

/// One task ends all settings, each in its time. It keeps nothing alive, and ends with the holder of the settings.
pub(super) struct Ending {
    task: AbortHandle,
    mark: Mark,
}

impl Ending {
    /// Starts the task on this runtime; `None` if the runtime has ended. `limit_added` is notified when something was
    /// set.
    pub(super) fn begin<T: Expiring>(runtime: &Handle, ends: Weak<T>, limit_added: Arc<Notify>) -> Option<Self> {
        let notice = DropNotice { ends, mark: Arc::default() };
        let mark = notice.mark.clone();
        let task = runtime.spawn(end(notice, limit_added)).abort_handle();
        // A runtime that has ended drops the task at once.
        mark.compare_exchange(NEW, RUNS, Ordering::AcqRel, Ordering::Acquire).is_ok().then_some(Ending { task, mark })
    }

    pub(super) fn is_running(&self) -> bool {
        self.mark.load(Ordering::Acquire) == RUNS
    }

    pub(super) fn has_mark(&self, mark: &Mark) -> bool {
        Arc::ptr_eq(&self.mark, mark)
    }

    pub(super) fn abort(&self) {
        self.task.abort();
    }
}

async fn end<T: Expiring>(notice: DropNotice<T>, limit_added: Arc<Notify>) {
    let next = || notice.ends.upgrade().map(|ends| ends.next());
    while let Some(next) = next() {
        tokio::select! {
            () = limit_added.notified() => {}
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => {
                let Some(ends) = notice.ends.upgrade() else { return };
                ends.end_expired(Instant::now());
            }
        }
    }
}

/// Dropped with the task, even if the runtime ends before the task has run at all.
struct DropNotice<T: Expiring> {
    ends: Weak<T>,
    mark: Mark,
}

impl<T: Expiring> Drop for DropNotice<T> {
    fn drop(&mut self) {
        // A task that never ran is dropped under the lock of the holder, which `task_dropped` takes.
        if self.mark.swap(GONE, Ordering::AcqRel) != RUNS {
            return;
        }
        if let Some(ends) = self.ends.upgrade() {
            ends.task_dropped(&self.mark);
        }
    }
}
