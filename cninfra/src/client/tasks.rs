//! [`Tasks`]: the tasks of a client, which end with it.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// The tasks of a client that is used without an agent, too. Dropped, it ends them.
///
/// ```
/// use cninfra::client::Tasks;
/// use tokio::sync::oneshot;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let tasks = Tasks::default();
/// let (stop, stopped) = oneshot::channel::<()>();
/// tasks.spawn(async move { drop(stopped.await) });
/// drop(stop);
/// tasks.join().await;
/// # }
/// ```
#[derive(Default, Debug)]
pub struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Runs a task, which is to end when the client is closed.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // `false` is never refused
        let _ = self.spawn_unless(|| false, task);
    }

    /// The same, if that does not hold: it is asked while nobody can [`join`](Self::join), so that who closes waits for the task, or it never runs. Returns whether it runs.
    pub fn spawn_unless(
        &self,
        is_closed: impl FnOnce() -> bool,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let mut tasks = self.lock();
        if is_closed() {
            return false;
        }
        // those that have ended
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
        true
    }

    /// Waits until all have ended, which have been told to.
    ///
    /// # Cancel safety
    /// Dropped, it has ended them.
    pub async fn join(&self) {
        let mut tasks = std::mem::take(&mut *self.lock());
        while tasks.join_next().await.is_some() {}
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    #[tokio::test]
    async fn they_end_with_the_client_and_none_begins_after_it() {
        let (tasks, done) = (Tasks::default(), Arc::<AtomicUsize>::default());
        let task = |by: usize| {
            let done = done.clone();
            async move {
                tokio::task::yield_now().await;
                done.fetch_add(by, Ordering::Relaxed);
            }
        };
        tasks.spawn(task(1));
        assert!(tasks.spawn_unless(|| false, task(10)));
        assert!(!tasks.spawn_unless(|| true, task(100)));
        tasks.join().await;
        assert_eq!(done.load(Ordering::Relaxed), 11);
        // dropped, they do not go on
        tasks.spawn(task(1000));
        drop(tasks);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert_eq!(done.load(Ordering::Relaxed), 11);
    }
}
