//! [`Tasks`]: the tasks of a store, which end with it.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// The tasks of a store. Dropped, it ends them.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.lock();
        // those that have ended
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Waits until all have ended, which have been told to.
    ///
    /// # Cancel safety
    /// Dropped, it has ended them.
    pub(crate) async fn join(&self) {
        let mut tasks = std::mem::take(&mut *self.lock());
        while tasks.join_next().await.is_some() {}
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
