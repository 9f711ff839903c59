//! [`Mark`]: whether a task is inside a call right now.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Counts when a task is polled and when the poll returns: an odd count means that it is inside. It costs two stores
/// for each poll, and is read from another thread. No other memory depends on it, hence `Relaxed`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark(Arc<AtomicU64>);

impl Mark {
    /// Marks a call until the returned value is dropped. Only one call at a time.
    pub(crate) fn enter(&self) -> impl Drop + '_ {
        self.count();
        Call(self)
    }

    /// Identifies the mark as long as it exists.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    fn count(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    /// The number of the current call; `None` outside a call.
    pub(super) fn call(&self) -> Option<u64> {
        Some(self.0.load(Relaxed)).filter(|count| count % 2 == 1)
    }
}

struct Call<'a>(&'a Mark);

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.count();
    }
}
