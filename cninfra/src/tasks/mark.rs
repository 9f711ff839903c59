//! [`Mark`]: is a task inside of a call right now?

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Counts when a task is polled and when it has come back: what is odd is inside. It costs two stores for each poll, and is read from
/// another thread; no other memory depends on it, hence `Relaxed`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark(Arc<AtomicU64>);

impl Mark {
    /// It is inside until this is dropped. One call at a time.
    pub(crate) fn enter(&self) -> impl Drop + '_ {
        self.count();
        Call(self)
    }

    /// By which it is told from others, as long as it is there.
    pub(super) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    fn count(&self) {
        self.0.store(self.0.load(Relaxed) + 1, Relaxed);
    }

    /// The call that it is inside of.
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
