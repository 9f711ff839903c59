//! The tasks of an agent's plugins: every task has an owner, which ends with it or before it.

use crate::logger::Logger;
use futures_util::FutureExt as _;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{self, Poll},
    time::{Duration, Instant},
};
use tokio::task::{AbortHandle, JoinError, JoinHandle};

/// The tasks of one agent that may still run.
#[derive(Default)]
pub(crate) struct Registry(Mutex<Vec<Entry>>);

struct Entry {
    place: usize,
    name: &'static str,
    log: Logger,
    abort: AbortHandle,
}

impl Registry {
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        place: usize,
        name: &'static str,
        log: Logger,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        let told = log.clone();
        let handle = tokio::spawn(async move {
            match AssertUnwindSafe(future).catch_unwind().await {
                Ok(done) => done,
                Err(panic) => {
                    told.error(format_args!("task `{name}` panicked"));
                    resume_unwind(panic)
                }
            }
        });
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| !entry.abort.is_finished());
        entries.push(Entry { place, name, log, abort: handle.abort_handle() });
        Task(handle)
    }

    /// May there be tasks that still run?
    pub(crate) fn are_left(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Ends all tasks at their next await point, without waiting for it.
    pub(crate) fn abort_all(&self) {
        for entry in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            entry.abort.abort();
        }
    }

    /// Ends what the plugins at `places` have left behind, and waits for it until `ends` at most.
    pub(crate) async fn end(&self, places: &[usize], ends: Instant) {
        let left: Vec<Entry> = {
            let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            entries.extract_if(.., |entry| places.contains(&entry.place) && !entry.abort.is_finished()).collect()
        };
        for entry in &left {
            entry.log.warn(format_args!("task `{}` still ran after close: it is ended", entry.name));
            entry.abort.abort();
        }
        // an aborted task ends at its next await point, if it has one
        for entry in left {
            while !entry.abort.is_finished() {
                if Instant::now() > ends {
                    entry.log.error(format_args!("task `{}` blocks its thread and can not be ended", entry.name));
                    break;
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// A task of a plugin: see [`Context::spawn`](crate::Context::spawn). Awaited, it gives the task's result; dropped, it
/// lets the task run on until its plugin has closed.
#[derive(Debug)]
pub struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    /// Ends the task at its next await point.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Has it ended?
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}
