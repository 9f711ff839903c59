//! [`Tasks`]: the tasks of a client, which end with it.

use crate::agent::Panic;
use futures_util::FutureExt as _;
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::task::JoinSet;

/// The tasks of a client that can also be used without an agent. Dropping it ends them.
///
/// A task that panics has ended, and the panic is logged as an error (with `tracing`, since there may be no agent).
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
pub struct Tasks {
    all: Mutex<JoinSet<()>>,
    /// Held by the caller that waits for the tasks, so that other callers of `join` wait, too.
    joins: tokio::sync::Mutex<()>,
}

impl Tasks {
    /// Runs a task, which has to end when the client is closed.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        // The condition never holds, so the task always runs.
        let _ = self.spawn_unless(|| false, task);
    }

    /// Like [`spawn`](Self::spawn), unless the condition holds. The condition is evaluated while no
    /// [`join`](Self::join) can begin, so that a closing client either waits for the task, or the task never runs.
    /// Returns whether it runs.
    pub fn spawn_unless(
        &self,
        is_closed: impl FnOnce() -> bool,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> bool {
        let mut tasks = self.lock();
        if is_closed() {
            return false;
        }
        // Removes the tasks that have ended.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async {
            if let Err(panic) = AssertUnwindSafe(task).catch_unwind().await {
                tracing::error!("a task of the client panicked: {}", Panic::of(panic));
            }
        });
        true
    }

    /// Waits until all tasks have ended; they have to be told to end before. Several callers may wait at once.
    ///
    /// # Cancel safety
    /// If it is dropped, the tasks are ended.
    pub async fn join(&self) {
        let _joins = self.joins.lock().await;
        let mut tasks = std::mem::take(&mut *self.lock());
        while tasks.join_next().await.is_some() {}
    }

    fn lock(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
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
        // When it is dropped, the tasks do not go on.
        tasks.spawn(task(1000));
        drop(tasks);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert_eq!(done.load(Ordering::Relaxed), 11);
    }

    #[cfg(feature = "testing")]
    #[test]
    fn a_task_that_panics_is_told_of_at_once() {
        let log = crate::testing::log::Log::default();
        log.during(|| {
            crate::testing::paused(async {
                let tasks = Tasks::default();
                tasks.spawn(async { panic!("in pieces") });
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                assert!(log.text().contains("a task of the client panicked: in pieces"), "{}", log.text());
                tasks.join().await;
            });
        });
        assert_eq!(log.text().matches("in pieces").count(), 1, "{}", log.text());
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_for_their_end_wait_for_as_long() {
        use tokio::time::{Duration, Instant, sleep};
        let (tasks, began) = (Tasks::default(), Instant::now());
        tasks.spawn(sleep(Duration::from_secs(1)));
        let joins = || async {
            tasks.join().await;
            began.elapsed().as_secs()
        };
        assert_eq!(tokio::join!(joins(), joins()), (1, 1));
    }
}
